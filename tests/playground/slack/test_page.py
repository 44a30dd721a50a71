from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import aiohttp.web
import pytest

import bot.playground
from bot.playground.slack import LocalSlack
from bot.playground.slack.render_state import COMMANDS, SHORTCUTS
from bot.slack import manifest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Json = dict[str, Any]

FILES = Path(bot.playground.__file__).parent / "page"


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack.start() as slack:
        yield slack


@pytest.fixture
async def web(slack: LocalSlack) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(slack.url) as session:
        yield session


async def call(slack: LocalSlack, method: str, **params: object) -> Json:
    """Call the local Slack's Web API as a bot does."""
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(slack.api_url + method, json=params) as response,
    ):
        answer: Json = await response.json()
    assert answer["ok"], answer
    return answer


async def posted(web: aiohttp.ClientSession, path: str, **body: object) -> tuple[int, Json]:
    async with web.post(path, json=body) as response:
        return response.status, await response.json()


async def state(web: aiohttp.ClientSession, user: str = "") -> Json:
    async with web.get("/page/state", params={"user": user} if user else {}) as response:
        assert response.status == 200
        answer: Json = await response.json()
    return answer


@asynccontextmanager
async def feed(web: aiohttp.ClientSession, user: str) -> AsyncIterator[Feed]:
    async with web.get("/page/events", params={"user": user}) as response:
        yield Feed(response)


class Feed:
    """What the page is told, as it is told."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def next(self, *kinds: str) -> Any:  # noqa: ANN401 - JSON of either shape
        """Return the next thing told that is of such a kind."""
        async with asyncio.timeout(10):
            while True:
                told = (await self._response.content.readuntil(b"\n\n")).decode()
                found = re.fullmatch(r"(?:retry: \d+\n)?event: (\w+)\ndata: (.*)\n\n", told)
                if found and found[1] in kinds:
                    return json.loads(found[2])


async def test_the_page_is_served_under_a_strict_policy(web: aiohttp.ClientSession) -> None:
    async with web.get("/") as response:
        text = await response.text()

    assert response.status == 200
    assert response.content_type == "text/html"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "<title>" in text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/page/app.js", "text/javascript"),
        ("/page/style.css", "text/css"),
        ("/page/icon.svg", "image/svg+xml"),
    ],
)
async def test_its_files_are_served(web: aiohttp.ClientSession, path: str, kind: str) -> None:
    async with web.get(path) as response:
        assert response.status == 200
        assert response.content_type == kind


@pytest.mark.parametrize("name", ["index.html", "app.js", "style.css"])
def test_its_files_name_no_other_host_and_hold_no_inline_script(name: str) -> None:
    text = (FILES / name).read_text(encoding="utf-8")

    assert not re.search(r"https?://|url\(", text)
    assert not re.search(r"<[^>]+\son\w+=|<script(?![^>]*src=)|javascript:|style=", text)
    assert "eval(" not in text


async def test_the_state_shows_the_channels_and_who_one_can_be(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    seen = await state(web)

    assert seen["viewer"] == slack.users["you"]
    assert [one["name"] for one in seen["users"]] == ["You", "Colleague", "Guest"]
    assert [one["guest"] for one in seen["users"]] == [False, False, True]
    assert [(one["name"], one["kind"], one["bot"]) for one in seen["channels"]] == [
        ("general", "channel", True),
        ("random", "channel", False),
        ("private", "private", True),
        (seen["bot"]["name"], "direct", True),
    ]


async def test_what_is_typed_reaches_slack_as_its_client_sends_it(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    general = slack.channels["general"]
    bot_name = (await state(web))["bot"]["name"].lower()

    status, said = await posted(
        web, "/page/say", user=slack.users["you"], channel=general, text=f"@{bot_name} a < b?"
    )

    assert status == 200
    assert said["mentions_bot"] is True
    assert slack.thread(general, said["ts"])[0].text == f"<@{slack.bot_user}> a &lt; b?"


async def test_a_reply_goes_into_its_thread(slack: LocalSlack, web: aiohttp.ClientSession) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    root = await slack.say(you, general, "first")

    await posted(web, "/page/say", user=you, channel=general, text="second", thread_ts=root)

    assert [message.text for message in slack.thread(general, root)] == ["first", "second"]


async def test_the_feed_begins_with_the_state_and_goes_on_with_each_change(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    root = await slack.say(you, general, "first")
    async with feed(web, you) as page:
        at_first = await page.next("state")
        await call(slack, "chat.postMessage", channel=general, thread_ts=root, text="*second*")
        told = await page.next("message")

    assert [message["ts"] for message in at_first["messages"]] == [root]
    assert told["thread"] == root
    assert told["app"] is True
    assert "<strong>second</strong>" in told["html"]
    assert ">APP<" in told["html"]


async def test_a_stream_is_told_as_it_grows(slack: LocalSlack, web: aiohttp.ClientSession) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    root = await slack.say(you, general, f"<@{slack.bot_user}> why?")
    async with feed(web, you) as page:
        await page.next("state")
        started = await call(
            slack, "chat.startStream", channel=general, thread_ts=root, recipient_user_id=you,
            recipient_team_id=slack.team, task_display_mode="plan",
            chunks=[{"type": "plan_update", "title": "Researching"},
                    {"type": "task_update", "id": "1", "title": "Look", "status": "in_progress"}],
        )  # fmt: skip
        begun = await page.next("message")
        await call(
            slack, "chat.appendStream", channel=general, ts=started["ts"],
            chunks=[{"type": "task_update", "id": "1", "title": "Looked", "status": "complete"},
                    {"type": "markdown_text", "text": "Because [1](https://example.org/a)."}],
        )  # fmt: skip
        grown = await page.next("message")
        await call(
            slack, "chat.stopStream", channel=general, ts=started["ts"],
            blocks=[{"type": "context", "elements": [{"type": "mrkdwn", "text": "the end"}]}],
        )  # fmt: skip
        ended = await page.next("message")

    assert "Researching" in begun["html"]
    assert "running" in begun["html"]
    assert "data-stop" in begun["html"]
    assert 'href="https://example.org/a"' in grown["html"]
    assert 'aria-busy="true"' in grown["html"]
    assert "the end" in ended["html"]
    assert 'aria-busy="false"' in ended["html"]
    assert "data-stop" not in ended["html"]


async def test_a_status_is_told_and_taken_back(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    root = await slack.say(you, general, f"<@{slack.bot_user}> why?")
    place = {"channel_id": general, "thread_ts": root}
    async with feed(web, you) as page:
        await page.next("state")
        await call(slack, "assistant.threads.setStatus", **place, status="is searching…")
        begun = await page.next("statuses")
        await call(slack, "assistant.threads.setStatus", **place, status="")
        ended = await page.next("statuses")

    assert begun == [{"channel": general, "thread": root, "text": "is searching…"}]
    assert ended == []


async def test_an_ephemeral_message_is_seen_by_one_person_only(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    async with feed(web, you) as page:
        await page.next("state")
        await call(slack, "chat.postEphemeral", channel=general, user=you, text="just you")
        told = await page.next("message")

    assert told["ephemeral"] is True
    assert "Only visible to you" in told["html"]
    assert [message["ephemeral"] for message in (await state(web, you))["messages"]] == [True]
    assert (await state(web, slack.users["colleague"]))["messages"] == []


async def test_the_feed_tells_nothing_of_what_the_person_cannot_see(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    direct = slack.dm(you)
    root = await slack.say(you, direct, "between us")
    place = {"channel_id": direct, "thread_ts": root}
    async with feed(web, slack.users["colleague"]) as page:
        await page.next("state")
        await slack.say(you, direct, "still between us")
        await slack.say(you, slack.channels["private"], "for the two of us")
        await call(slack, "assistant.threads.setStatus", **place, status="is searching…")
        await call(slack, "chat.postEphemeral", channel=general, user=you, text="just you")
        await slack.say(you, general, "for all")

        assert "for the two of us" in (await page.next("message", "statuses"))["html"]
        assert "for all" in (await page.next("message", "statuses"))["html"]
    assert (await state(web, slack.users["colleague"]))["statuses"] == []


async def test_prompts_are_told_to_their_person(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    you = slack.users["you"]
    prompts = [{"title": "Costs", "message": "What does an answer cost?"}]
    async with feed(web, you) as page:
        await page.next("state")
        channel = slack.dm(you)
        await call(
            slack, "assistant.threads.setSuggestedPrompts", channel_id=channel, prompts=prompts
        )
        told = await page.next("prompts")

    assert told == prompts
    assert (await state(web, you))["prompts"] == prompts


async def test_a_deleted_message_is_gone(slack: LocalSlack, web: aiohttp.ClientSession) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    ts = await slack.say(you, general, "oops")
    async with feed(web, you) as page:
        await page.next("state")
        await slack.delete(general, ts)
        told = await page.next("message")

    assert told == {"channel": general, "ts": ts, "gone": True}


async def test_an_edited_message_says_so(slack: LocalSlack, web: aiohttp.ClientSession) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    ts = await slack.say(you, general, "frist")
    await slack.edit(general, ts, "first")

    (message,) = (await state(web))["messages"]
    assert "first" in message["html"]
    assert "(edited)" in message["html"]


async def test_one_direct_message_is_seen_by_its_person_only(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    you = slack.users["you"]
    await slack.say(you, slack.dm(you), "between us")

    assert len((await state(web, you))["messages"]) == 1
    assert (await state(web, slack.users["colleague"]))["messages"] == []


async def test_stop_ends_a_stream(slack: LocalSlack, web: aiohttp.ClientSession) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    root = await slack.say(you, general, f"<@{slack.bot_user}> why?")
    started = await call(
        slack, "chat.startStream", channel=general, thread_ts=root,
        recipient_user_id=you, recipient_team_id=slack.team, markdown_text="Well",
    )  # fmt: skip

    status, _ = await posted(web, "/page/stop", user=you, channel=general, ts=started["ts"])

    assert status == 200
    assert slack.thread(general, root)[1].streaming_state != "in_progress"


@asynccontextmanager
async def listening(slack: LocalSlack, answer: Json) -> AsyncIterator[asyncio.Queue[Json]]:
    """Be the bot: take what Slack delivers, and acknowledge it with an answer."""
    delivered: asyncio.Queue[Json] = asyncio.Queue()

    async def take(request: aiohttp.web.Request) -> aiohttp.web.Response:
        if request.content_type == "application/json":
            delivered.put_nowait(await request.json())
        else:
            form = dict(await request.post())
            delivered.put_nowait(json.loads(str(form["payload"])) if "payload" in form else form)
        return aiohttp.web.json_response(answer)

    app = aiohttp.web.Application()
    app.router.add_post("/", take)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield delivered
    finally:
        await runner.cleanup()


async def test_a_command_reaches_the_bot_and_its_answer_only_the_person(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    body = {"user": you, "channel": general, "command": "/ask", "text": "why #general?"}
    async with listening(slack, {"text": "Working on it"}) as delivered:
        status, _ = await posted(web, "/page/command", **body)
        command = delivered.get_nowait()

    (message,) = (await state(web, you))["messages"]
    assert status == 200
    assert (command["command"], command["text"]) == ("/ask", "why <#C0GENERAL|general>?")
    assert "Working on it" in message["html"]
    assert message["ephemeral"] is True


async def test_a_pressed_button_reaches_the_bot(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    button = {"type": "button", "action_id": "again", "text": {"type": "plain_text", "text": "A"}}
    blocks = [{"type": "actions", "elements": [button]}]
    said = await call(slack, "chat.postMessage", channel=general, text="x", blocks=blocks)
    body = {"user": you, "channel": general, "ts": said["ts"]}
    async with listening(slack, {}) as delivered:
        pressed = await posted(web, "/page/press", **body, action_id="again")
        missed = await posted(web, "/page/press", **body, action_id="nothing")
        action = delivered.get_nowait()

    assert pressed == (200, {})
    assert missed == (400, {"error": "This button is gone."})
    assert action["user"]["id"] == you
    assert action["actions"][0]["action_id"] == "again"


async def test_a_shortcut_of_a_message_reaches_the_bot(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    ts = await slack.say(you, general, "When do we move?")
    body = {"user": you, "channel": general, "ts": ts}
    async with listening(slack, {}) as delivered:
        chosen = await posted(web, "/page/shortcut", **body, callback_id="digest_thread")
        unknown = await posted(web, "/page/shortcut", **body, callback_id="digest_all")
        gone = {**body, "ts": "1.000001"}
        missed = await posted(web, "/page/shortcut", **gone, callback_id="digest_thread")
        action = delivered.get_nowait()

    assert chosen == (200, {})
    assert unknown == (400, {"error": "There is no such shortcut."})
    assert missed == (400, {"error": "This message is gone."})
    assert (action["callback_id"], action["message"]["ts"]) == ("digest_thread", ts)


def test_the_page_offers_what_the_app_has() -> None:
    assert list(manifest.COMMANDS) == COMMANDS
    assert {one["callback_id"]: one["name"] for one in manifest.SHORTCUTS} == SHORTCUTS


async def test_the_home_is_opened_shown_to_its_person_alone_and_pressed(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    you, colleague = slack.users["you"], slack.users["colleague"]
    button = {"type": "button", "action_id": "again", "text": {"type": "plain_text", "text": "A"}}
    view = {"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}
    async with feed(web, you) as page, feed(web, colleague) as other:
        await page.next("state")
        await other.next("state")
        async with listening(slack, {}) as delivered:
            assert (await posted(web, "/page/home", user=you)) == (200, {})
            async with asyncio.timeout(10):
                event = (await delivered.get())["event"]
            await call(slack, "views.publish", user_id=you, view=view)
            shown = await page.next("home")
            pressed = await posted(web, "/page/press_at_home", user=you, action_id="again")
            theirs = await posted(web, "/page/press_at_home", user=colleague, action_id="again")
            action = delivered.get_nowait()
        await slack.say(you, slack.channels["general"], "for all")
        assert "for all" in (await other.next("message", "home"))["html"]

    assert (event["type"], event["tab"]) == ("app_home_opened", "home")
    assert 'data-action="again"' in shown["html"]
    assert (await state(web, you))["home"] == shown
    assert (await state(web, colleague))["home"] == {"html": ""}
    assert pressed == (200, {})
    assert theirs == (400, {"error": "This button is gone."})
    assert (action["user"]["id"], action["view"]["type"]) == (you, "home")


async def test_the_bot_is_told_that_its_direct_message_is_opened(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    you = slack.users["you"]
    async with listening(slack, {}) as delivered:
        await posted(web, "/page/open", user=you, channel=slack.dm(you))
        async with asyncio.timeout(10):
            event = (await delivered.get())["event"]

    assert (event["type"], event["user"], event["tab"]) == ("app_home_opened", you, "messages")


@pytest.mark.parametrize(
    "path", ["say", "command", "press", "stop", "open", "shortcut", "home", "press_at_home"]
)
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://elsewhere.example"}, id="another site"),
        pytest.param({"Origin": "null"}, id="a page of no site"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="another site by its own word"),
        pytest.param({"Host": "elsewhere.example"}, id="a name that only points here"),
    ],
)
async def test_only_the_page_itself_may_do_something(
    slack: LocalSlack, web: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> None:
    body = {"user": slack.users["you"], "channel": slack.channels["general"], "text": "hello"}

    async with web.post(f"/page/{path}", json=body, headers=headers) as response:
        assert response.status == 403
        assert "error" in await response.json()
    assert (await state(web))["messages"] == []


async def test_a_name_that_only_points_here_reads_nothing(web: aiohttp.ClientSession) -> None:
    for path in ("/", "/page/state", "/page/events"):
        async with web.get(path, headers={"Host": "elsewhere.example"}) as response:
            assert response.status == 403


async def test_the_browsers_own_requests_are_let_through(
    slack: LocalSlack, web: aiohttp.ClientSession
) -> None:
    body = {"user": slack.users["you"], "channel": slack.channels["general"], "text": "hello"}
    headers = {"Origin": slack.url, "Sec-Fetch-Site": "same-origin"}

    async with web.post("/page/say", json=body, headers=headers) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("path", "change", "error"),
    [
        ("say", {"user": None}, "'user' is missing."),
        ("say", {"user": "U0NOBODY"}, "There is no such person here."),
        ("say", {"channel": "C0NOWHERE"}, "There is no such channel here."),
        ("say", {"channel": ["C1"]}, "'channel' is missing."),
        ("say", {"text": "  \n"}, "'text' is missing."),
        ("say", {"text": "x" * 40_001}, "A message has at most 40,000 characters."),
        ("say", {"thread_ts": "1.000001"}, "This thread is gone."),
        ("command", {"command": ""}, "'command' is missing."),
        ("press", {"ts": "1.000001", "action_id": "x"}, "This message is gone."),
        ("stop", {"ts": "1.000001"}, "This message is gone."),
        ("stop", {}, "'ts' is missing."),
        ("open", {"channel": "C0NOWHERE"}, "There is no such channel here."),
    ],
)
async def test_bad_input_is_told_in_words(
    slack: LocalSlack, web: aiohttp.ClientSession, path: str, change: Json, error: str
) -> None:
    body: Json = {"user": slack.users["you"], "channel": slack.channels["general"], "text": "a"}

    status, answer = await posted(web, f"/page/{path}", **(body | change))

    assert (status, answer) == (400, {"error": error})


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (b"{", "application/json", "The body is not JSON."),
        (b"[]", "application/json", "The body has to be a JSON object."),
        (b"{}", "text/plain", "The body has to be JSON."),
        (b"\xff", "application/json", "The body is not JSON."),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(
    web: aiohttp.ClientSession, body: bytes, kind: str, error: str
) -> None:
    async with web.post("/page/say", data=body, headers={"Content-Type": kind}) as response:
        assert response.status == 400
        assert await response.json() == {"error": error}


async def test_the_server_stops_while_a_page_is_open() -> None:
    async with aiohttp.ClientSession() as web:
        async with LocalSlack.start() as slack:
            response = await web.get(slack.page_url + "page/events")
            async with asyncio.timeout(5):
                await response.content.readuntil(b"\n\n")
        async with asyncio.timeout(5):
            rest = await response.content.read()

    assert rest == b""  # the feed came to its end; it was not broken off
