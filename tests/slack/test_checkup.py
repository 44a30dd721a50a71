"""A look at Slack: what it lets the bot read, and whether it is heard."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.playground.slack import Limits, LocalSlack
from bot.slack.checkup import Installed, check_bot_token, check_history, check_scopes
from bot.slack.checkup_socket import check_app_token, check_one_app, check_socket
from bot.slack.connection import open_client
from bot.slack.web import SlackWeb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.findings import Finding
    from bot.slack.checkup_socket import Greeting

SOLD = Limits(history_objects=15, reads_a_minute=1)


@asynccontextmanager
async def open_slack(limits: Limits | None = None) -> AsyncIterator[tuple[LocalSlack, SlackWeb]]:
    async with (
        LocalSlack.start(limits=limits) as slack,
        open_client(slack.bot_token, slack.api_url) as client,
    ):
        yield slack, SlackWeb(client)


async def say(slack: LocalSlack, count: int) -> str:
    channel = slack.channels["general"]
    for number in range(count):
        await slack.say(slack.users["you"], channel, str(number))
    return channel


@pytest.mark.parametrize(
    ("limits", "messages", "state", "calls"),
    [
        pytest.param(SOLD, 20, "warning", 1, id="limited, by the number of messages"),
        pytest.param(SOLD, 3, "warning", 2, id="limited, by the pace"),
        pytest.param(Limits(), 20, "ok", 1, id="not limited, by the number of messages"),
        pytest.param(Limits(), 3, "ok", 2, id="not limited, by the pace"),
        pytest.param(Limits(), 0, "ok", 2, id="not limited, in an empty channel"),
    ],
)
async def test_a_limit_of_reading_is_found_with_as_few_calls_as_can_be(
    limits: Limits, messages: int, state: str, calls: int
) -> None:
    async with open_slack(limits) as (slack, web):
        finding = await check_history(web, await say(slack, messages))

        assert len(slack.calls_of("conversations.history")) == calls
    assert finding.state == state


async def test_a_limit_that_a_running_bot_has_used_up_is_not_guessed() -> None:
    async with open_slack(SOLD) as (slack, web):
        channel = await say(slack, 3)
        await web.call("conversations.history", channel=channel, limit=1)
        finding = await check_history(web, channel)

    assert finding.state == "not checked"
    assert finding.found.endswith("nothing can be read (ratelimited).")


async def test_without_a_channel_nothing_is_read() -> None:
    async with open_slack() as (slack, web):
        finding = await check_history(web, None)

        assert slack.calls == []
    assert finding.state == "not checked"


async def test_a_slack_that_names_no_scopes_is_not_said_to_have_granted_none() -> None:
    [finding] = check_scopes(Installed("B1", frozenset(), None))

    assert finding.state == "not checked"


async def test_trouble_of_slacks_own_is_not_taken_for_a_wrong_token() -> None:
    async with open_slack() as (slack, web):
        slack.fail("auth.test", status=503)
        finding, installed = await check_bot_token(web)

    assert (finding.found, installed) == ("Slack cannot be reached (http_503).", None)


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("account_inactive", "Install the app in the workspace again, and copy its new token."),
        (
            "token_expired",
            "Create the app anew from `bot manifest`, which leaves token rotation off.",
        ),
        ("something_new", "Copy the bot token (xoxb-…) once more from “OAuth & Permissions”."),
    ],
)
async def test_a_refusal_is_answered_with_what_mends_it(code: str, fix: str) -> None:
    async with open_slack() as (slack, web):
        slack.fail("auth.test", error=code)
        finding, _ = await check_bot_token(web)

    assert (finding.state, finding.fix) == ("failed", fix)
    assert code in finding.found


async def test_a_slack_that_asks_for_patience_is_not_taken_for_a_wrong_token() -> None:
    async with open_slack() as (slack, web):
        slack.fail("auth.test", status=429, retry_after=30)
        finding, _ = await check_bot_token(web)

    assert (finding.state, finding.fix) == ("failed", "Try again in a minute.")


async def greet(slack: LocalSlack, seconds: float = 5) -> tuple[Finding, Greeting | None]:
    async with open_client(slack.app_token, slack.api_url) as client:
        _, url = await check_app_token(SlackWeb(client))
        assert url is not None
        return await check_socket(client, url, seconds)


async def test_a_socket_that_hears_is_closed_again() -> None:
    async with open_slack() as (slack, _):
        first, _ = await greet(slack)
        second, greeting = await greet(slack)

    assert first == second
    assert (first.state, greeting and greeting.connections) == ("ok", 1)
    assert first.found == ("Slack says hello and answers a ping; the app has no other connection.")


@pytest.mark.parametrize(
    ("others", "state", "words"),
    [(1, "ok", "has one other connection."), (9, "warning", "has 9 other connections.")],
)
async def test_the_apps_other_connections_are_counted(others: int, state: str, words: str) -> None:
    async with open_slack() as (slack, _), aiohttp.ClientSession() as session:
        links = [await session.ws_connect(f"{slack.url}/link") for _ in range(others)]
        assert [(await link.receive()).json()["type"] for link in links] == ["hello"] * others
        finding, _ = await greet(slack)

    assert finding.state == state
    assert finding.found.endswith(words)


async def test_an_eleventh_connection_is_not_had() -> None:
    async with open_slack() as (slack, _), aiohttp.ClientSession() as session:
        links = [await session.ws_connect(f"{slack.url}/link") for _ in range(10)]
        assert [(await link.receive()).json()["type"] for link in links] == ["hello"] * 10
        finding, greeting = await greet(slack)

    assert (finding.state, greeting) == ("failed", None)


@pytest.mark.parametrize(
    ("reason", "fix"),
    [
        ("link_disabled", "Switch Socket Mode on"),
        ("too_many_websockets", "End processes"),
        ("warning", "Try again"),
    ],
)
async def test_a_socket_that_slack_closes_at_once_is_a_failure_with_the_reason(
    reason: str, fix: str
) -> None:
    async with open_slack() as (slack, _):
        slack.delivery.refusal = reason
        finding, greeting = await greet(slack)

    assert (finding.state, greeting) == ("failed", None)
    assert finding.found == f"Slack closes the socket at once ({reason})."
    assert finding.fix.startswith(fix)


async def test_a_socket_that_opens_and_is_deaf_is_a_failure() -> None:
    async with open_slack() as (slack, _):
        slack.go_deaf(new_too=True)
        finding, greeting = await greet(slack, 0.1)

    assert (finding.state, greeting) == ("failed", None)
    assert finding.found == "Slack opens a socket and is not heard on it for 0.1 seconds."


async def test_an_address_at_which_no_socket_opens_is_a_failure() -> None:
    async with open_client("xapp-local", "http://127.0.0.1:1/api/") as client:
        finding, _ = await check_socket(client, "ws://127.0.0.1:1/link?ticket=tellnobody")

    assert finding.state == "failed"
    assert finding.found.startswith("The socket that Slack offers does not open (Client")
    assert "tellnobody" not in str(finding)


async def test_whose_the_bot_token_is_may_stay_unknown() -> None:
    async with open_slack() as (slack, web):
        _, greeting = await greet(slack)
        assert greeting is not None
        slack.fail("bots.info", error="missing_scope")
        finding = await check_one_app(web, slack.bot_id, greeting)

    assert finding.state == "not checked"
    assert "missing_scope" in finding.found


async def test_an_event_of_that_moment_comes_to_the_bots_own_connection() -> None:
    limits = Limits(retry_delays=(0.0, 0.0, 0.0), ack_seconds=0.2)
    async with open_slack(limits) as (slack, _), aiohttp.ClientSession() as session:
        bot = await session.ws_connect(f"{slack.url}/link")
        await bot.receive()
        await greet(slack)
        channel = await say(slack, 1)
        envelope = (await bot.receive()).json()

    assert envelope["payload"]["event"]["channel"] == channel
