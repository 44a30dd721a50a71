"""Files of the local Slack: announced, uploaded, shared by and by, and read by people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.slack import Limits, LocalSlack
from bot.playground.slack.render_files import files, size
from bot.playground.slack.workspace import BOT_USER
from tests.playground.slack.drawing import Inspector, assert_harmless, words
from tests.playground.slack.web_api import Api, Json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GENERAL = "C0GENERAL"
ANNOUNCE, COMPLETE = "files.getUploadURLExternal", "files.completeUploadExternal"
TEXT = "# Wärme\n\nA <b>report</b>.\n"


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    limits = Limits(calls_factor=100, share_seconds=0.01)
    async with LocalSlack.start(limits=limits) as slack:
        yield Api(slack, slack.bot_token)


async def announced(api: Api, name: str = "report-1.md", length: int = 3) -> tuple[str, str]:
    """Announce a file as the library does; return its id, and where its bytes go."""
    client = AsyncWebClient(token=api.token, base_url=api.slack.api_url)
    answer = await client.files_getUploadURLExternal(filename=name, length=length)
    return str(answer["file_id"]), str(answer["upload_url"])


async def sent(url: str, data: bytes) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, data=data) as response:
        return response.status


async def shared(api: Api, thread_ts: str | None, text: str = TEXT) -> Json:
    """Share a text in a thread; return the message as the bot reads it."""
    data = text.encode()
    file_id, url = await announced(api, length=len(data))
    assert await sent(url, data) == 200
    given = {"files": [{"id": file_id, "title": "Heat"}], "channel_id": GENERAL}
    completed = await api.call(COMPLETE, **given, thread_ts=thread_ts)
    assert "ts" not in completed
    assert "shares" not in completed["files"][0]
    channel = api.slack.workspace.channels[GENERAL]
    await api.slack.until(lambda _: any(m.files for m in channel.messages.values()))
    [message] = [m for m in channel.messages.values() if m.files]
    root = message.thread_ts or message.ts
    answer = await api.call("conversations.replies", channel=GENERAL, ts=root)
    found: Json = answer["messages"][-1]
    return found


async def read(url: str, **headers: str) -> tuple[int, str, Any]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.text(), response.headers


async def test_a_file_is_shared_in_a_thread_after_the_answer_to_its_completion(api: Api) -> None:
    root = await api.post()
    message = await shared(api, root)
    [file] = message["files"]

    assert (message["subtype"], message["user"]) == ("file_share", BOT_USER)
    assert message["thread_ts"] == root
    assert (file["name"], file["title"], file["size"]) == ("report-1.md", "Heat", 27)
    assert file["mimetype"] == "text/markdown"
    assert (await read(file["permalink"]))[:2] == (200, TEXT)
    assert (await read(file["url_private"]))[:2] == (200, TEXT)


async def test_a_file_goes_into_the_thread_of_the_reply_it_is_given_or_into_the_channel(
    api: Api,
) -> None:
    root = await api.post()
    reply = await api.post(thread_ts=root)

    assert (await shared(api, reply))["thread_ts"] == root


async def test_without_a_thread_a_file_stands_in_the_channel(api: Api) -> None:
    assert "thread_ts" not in await shared(api, None)


async def test_of_a_thread_that_is_not_there_nobody_is_told(api: Api) -> None:
    file_id, url = await announced(api)
    await sent(url, b"abc")
    first = {"files": [{"id": file_id}], "channel_id": GENERAL, "thread_ts": "1.1"}
    assert (await api.call(COMPLETE, **first))["ok"]
    message = await shared(api, await api.post())

    assert [m.ts for m in api.slack.workspace.channels[GENERAL].messages.values() if m.files] == [
        message["ts"]
    ]


async def test_the_official_library_shares_a_file(api: Api) -> None:
    root = await api.post()
    client = AsyncWebClient(token=api.token, base_url=api.slack.api_url)
    await client.files_upload_v2(
        channel=GENERAL, thread_ts=root, filename="a.md", title="A", content=TEXT
    )
    await api.slack.until(lambda slack: len(slack.thread(GENERAL, root)) == 2)
    [file] = api.slack.thread(GENERAL, root)[1].files

    assert (await read(file["url_private"]))[:2] == (200, TEXT)


async def test_an_announcement_in_json_is_refused(api: Api) -> None:
    assert await api.refused(ANNOUNCE, filename="a.md", length=3) == "invalid_arguments"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("filename=a.md", "missing_argument"),
        ("filename=a.md&length=0", "missing_argument"),
        ("filename=a.md&length=long", "invalid_arguments"),
        ("length=3", "invalid_arguments"),
    ],
)
async def test_an_announcement_without_name_or_length_is_refused(
    api: Api, query: str, code: str
) -> None:
    url = f"{api.slack.api_url}{ANNOUNCE}?{query}"
    _, text, _ = await read(url, Authorization=f"Bearer {api.token}")

    assert f'"error": "{code}"' in text


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"files": []}, "invalid_arguments"),
        ({"files": "F1"}, "invalid_arguments"),
        ({"files": [{"title": "no id"}]}, "invalid_arguments"),
        ({"files": [{"id": "F0UNKNOWN"}]}, "file_not_found"),
        ({"channel_id": "C9"}, "channel_not_found"),
        ({"channel_id": "C0RANDOM"}, "not_in_channel"),
    ],
)
async def test_a_completion_that_slack_refuses_is_refused(
    api: Api, params: Json, code: str
) -> None:
    file_id, url = await announced(api)
    await sent(url, b"abc")
    good: Json = {"files": [{"id": file_id}], "channel_id": GENERAL}

    assert await api.refused(COMPLETE, **(good | params)) == code
    assert (await api.call(COMPLETE, **good))["ok"]


async def test_a_file_is_completed_only_once_and_only_when_all_of_it_is_there(api: Api) -> None:
    file_id, url = await announced(api)
    given = {"files": [{"id": file_id}]}

    assert await api.refused(COMPLETE, **given) == "file_not_found"
    assert await sent(url, b"ab") == 400
    assert await sent(url, b"abcd") == 400
    assert await api.refused(COMPLETE, **given) == "file_not_found"
    assert await sent(url, b"abc") == 200
    assert (await api.call(COMPLETE, **given))["ok"]
    assert await api.refused(COMPLETE, **given) == "file_not_found"
    assert await sent(url, b"abc") == 404
    assert await sent(f"{url}x", b"abc") == 404


async def test_a_faulty_upload_is_one_that_was_ordered(api: Api) -> None:
    _, url = await announced(api)
    api.slack.fail("upload_url", status=503)
    api.slack.fail("upload_url", drop=True)

    assert await sent(url, b"abc") == 503
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await sent(url, b"abc")
    assert await sent(url, b"abc") == 200
    assert [call.error for call in api.slack.calls_of("upload_url")] == ["internal_error", None]


async def test_methods_of_files_are_limited_like_others_of_tier_4() -> None:
    async with LocalSlack.start(limits=Limits(burst_factor=0.01)) as slack:
        api = Api(slack, slack.bot_token)
        await announced(api)

        assert await api.refused(ANNOUNCE) == "ratelimited"


async def test_whatever_a_file_says_the_browser_only_shows_it(api: Api) -> None:
    message = await shared(api, await api.post(), "<script>alert(1)</script>")
    url = message["files"][0]["url_private"]
    _, text, headers = await read(url)
    _, _, kept = await read(message["files"][0]["url_private_download"])

    assert text == "<script>alert(1)</script>"
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"] == "inline"
    assert kept["Content-Disposition"] == "attachment; filename*=UTF-8''report-1.md"
    assert (await read(url, Host="evil.example"))[0] == 403
    assert (await read(url.replace("F0", "F9")))[0] == 400


async def test_a_file_on_the_page_has_a_name_a_size_and_links(api: Api) -> None:
    message = await shared(api, await api.post())
    [*_, told] = [m for m in await state_messages(api) if m["ts"] == message["ts"]]
    links = [a["href"] for tag, a in Inspector(told["html"]).seen if tag == "a"]
    [file] = message["files"]

    assert "Heat report-1.md · 27 bytes Download" in words(told["html"])
    assert links == [file["url_private"], file["url_private_download"]]
    assert_harmless(told["html"])


async def state_messages(api: Api) -> list[Json]:
    url = f"{api.slack.url}/page/state"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        body: Json = await response.json()
        messages: list[Json] = body["messages"]
        return messages


def test_a_files_name_is_drawn_as_words() -> None:
    url = "https://slack.example/f"
    facts = {"url_private": url, "url_private_download": url, "size": 1_234}
    drawn = files([{"name": "<b>&.exe", "title": ':x: "<i>"', **facts}])

    assert "<b>" not in drawn
    assert "<i>" not in drawn
    assert ":x:" in drawn


@pytest.mark.parametrize(
    ("name", "kind"), [("a.md", "MD"), ("a.markdown", "…"), ("README", "…"), ("a.", "…")]
)
def test_a_files_sheet_says_its_kind_where_that_is_short(name: str, kind: str) -> None:
    url = "https://slack.example/f"
    facts = {"url_private": url, "url_private_download": url, "size": 1}

    assert words(files([{"name": name, "title": "A", **facts}])).split()[0] == kind


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (899_600, "900 kB"),
        (999_999, "1.0 MB"),
        (2_340_000, "2.3 MB"),
    ],
)
def test_a_size_is_put_as_people_read_it(count: int, shown: str) -> None:
    assert size(count) == shown
