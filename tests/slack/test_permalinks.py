from __future__ import annotations

import aiohttp
import pytest

from bot.digests.digest import Message
from bot.playground.slack import LocalSlack
from bot.slack.permalinks import permalink

ACME = "https://acme.slack.com/"


def message(ts: str, thread_ts: str) -> Message:
    return Message(ts=ts, thread_ts=thread_ts, user="U1", name="Ana", text="Hello.")


ROOT = message("1358546515.000008", "1358546515.000008")
REPLY = message("1358546517.000023", "1358546515.000008")


def test_a_permalink_has_the_form_that_slack_documents() -> None:
    assert permalink(ACME, "C1", ROOT) == "https://acme.slack.com/archives/C1/p1358546515000008"
    assert permalink(ACME, "C1", REPLY) == (
        "https://acme.slack.com/archives/C1/p1358546517000023?thread_ts=1358546515.000008&cid=C1"
    )


@pytest.mark.parametrize("url", ["", "acme.slack.com", "javascript:alert(1)", "https://a|b>c/"])
def test_without_a_workspaces_address_there_is_none(url: str) -> None:
    assert permalink(url, "C1", ROOT) == ""


async def test_the_local_slack_builds_the_same_and_they_lead_to_the_thread() -> None:
    async with LocalSlack.start() as slack, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {slack.bot_token}"}

        async def call(method: str, **params: object) -> dict[str, str]:
            url = slack.api_url + method
            async with session.post(url, json=params, headers=headers) as response:
                return dict(await response.json())

        channel = slack.channels["general"]
        workspace = (await call("auth.test"))["url"]
        root = (await call("chat.postMessage", channel=channel, text="Hello."))["ts"]
        fields = {"channel": channel, "text": "Yes.", "thread_ts": root}
        reply = (await call("chat.postMessage", **fields))["ts"]

        for ts in (root, reply):
            built = permalink(workspace, channel, message(ts, root))
            told = await call("chat.getPermalink", channel=channel, message_ts=ts)
            assert built == told["permalink"]
            async with session.get(built, allow_redirects=False) as response:
                assert (response.status, response.headers["Location"]) == (
                    302,
                    f"/#{channel}/{root}",
                )

        async with session.get(f"{workspace}archives/{channel}/p1000000") as response:
            assert response.status == 400
