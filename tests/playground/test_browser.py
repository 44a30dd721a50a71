"""A person's way over the page, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from selenium.webdriver.common.keys import Keys
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.slack import LocalSlack
from bot.playground.slack.workspace import Message
from tests.playground.browser import Browser, open_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Json = dict[str, Any]

CHANNEL, THREAD = "#channel-pane", "#thread-pane"
ANSWER = "The sky is blue because air scatters **short waves** most [1](https://example.org/sky)."
TEXT = {"type": "markdown_text", "text": ANSWER}
SOURCE = {"type": "url", "url": "https://example.org/sky", "text": "Why the sky is blue"}
FOOTER = [
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "*Sources* <https://a.org|A>"}]},
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "again",
                "text": {"type": "plain_text", "text": "Ask again"},
            }
        ],
    },
]


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack.start() as slack:
        yield slack


def messages(slack: LocalSlack) -> list[Message]:
    """Return what stands in #general."""
    return list(slack.workspace.channels[slack.channels["general"]].messages.values())


async def call(slack: LocalSlack, method: str, **params: object) -> Json:
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(slack.api_url + method, json=params) as response,
    ):
        answer: Json = await response.json()
    assert answer["ok"], answer
    return answer


def task(status: str, **more: object) -> Json:
    return {"type": "task_update", "id": "1", "title": "Searching", "status": status} | more


async def start_stream(slack: LocalSlack, root: str, **more: object) -> Json:
    """Begin an answer, and return what names its message."""
    general = slack.channels["general"]
    recipient = {"recipient_user_id": slack.users["you"], "recipient_team_id": slack.team}
    place = {"channel": general, "thread_ts": root, "task_display_mode": "plan"}
    chunks = [{"type": "plan_update", "title": "Researching"}, task("in_progress")]
    started = await call(slack, "chat.startStream", **place, **recipient, chunks=chunks, **more)
    return {"channel": general, "ts": started["ts"]}


async def test_a_channel_says_on_which_days_it_was_written(slack: LocalSlack) -> None:
    channel = slack.workspace.channels[slack.channels["general"]]
    for ts in ("1795424400.000100", "1795428000.000100", "1795510800.000100"):
        slack.workspace.put(channel, Message(ts, slack.users["you"], "words"))
    async with open_page(slack.page_url) as browser:
        await browser.until_text(CHANNEL, "words")
        await browser.until(lambda driver: len(driver.find_elements("css selector", ".row")) == 3)
        days = await browser.do(
            lambda driver: [
                row.get_attribute("data-day")
                for row in driver.find_elements("css selector", f"{CHANNEL} .row")
            ]
        )

    assert days == ["Monday 23 November", None, "Tuesday 24 November"]


async def asked_on(browser: Browser, slack: LocalSlack) -> str:
    """Type a question that mentions the bot, and return its ts."""
    await browser.type(f"{CHANNEL} textarea", "@foot")
    await browser.until_text(f"{CHANNEL} .choices", "@footnote")
    await browser.type(f"{CHANNEL} textarea", Keys.ENTER, "why is the sky <blue>?", Keys.ENTER)
    await browser.until_text(f"{THREAD} .message", "@Footnote why is the sky <blue>?")
    (root,) = messages(slack)
    assert root.text == f"<@{slack.bot_user}> why is the sky &lt;blue&gt;?"
    return root.ts


async def test_a_person_asks_and_reads_the_answer_as_it_comes(slack: LocalSlack) -> None:
    async with open_page(slack.page_url) as browser:
        root = await asked_on(browser, slack)
        place = {"channel_id": slack.channels["general"], "thread_ts": root}
        await call(slack, "assistant.threads.setStatus", **place, status="is searching…")
        await browser.until_text(f"{THREAD} .typing", "Footnote is searching…")

        stream = await start_stream(slack, root)
        await browser.until_text(f"{THREAD} .plan", "Searching running")
        await browser.until_text(f"{THREAD} .stop", "Stop")
        await browser.until_text(f"{CHANNEL} .replies", "1 reply")

        chunks = [task("complete", sources=[SOURCE]), TEXT]
        await call(slack, "chat.appendStream", **stream, chunks=chunks)
        await browser.until_text(f"{THREAD} .plan .sources a", "Why the sky is blue")
        await browser.until_text(f"{THREAD} .markdown strong", "short waves")
        link = await browser.find(f"{THREAD} .markdown a")
        assert await browser.do(lambda _: link.get_attribute("href")) == SOURCE["url"]

        await call(slack, "chat.stopStream", **stream, blocks=FOOTER)
        await browser.until_text(f"{THREAD} .below .context", "Sources A")
        await browser.screenshot("thread")

        assert await browser.count(f"{THREAD} .stop, {THREAD} [aria-busy=true]") == 0
        assert await browser.complaints() == []


async def test_what_was_folded_stays_folded_while_the_answer_grows(slack: LocalSlack) -> None:
    root = await slack.say(slack.users["you"], slack.channels["general"], "why?")
    stream = await start_stream(slack, root)
    async with open_page(slack.page_url) as browser:
        await browser.click(f"{CHANNEL} .replies")
        await browser.click(f"{THREAD} .plan summary")
        await call(slack, "chat.appendStream", **stream, chunks=[TEXT])
        await browser.until_text(f"{THREAD} .markdown", "scatters")

        assert await browser.count(f"{THREAD} .plan") == 1
        assert await browser.count(f"{THREAD} .plan[open]") == 0


async def test_stop_is_pressed_on_the_page(slack: LocalSlack) -> None:
    general = slack.channels["general"]
    root = await slack.say(slack.users["you"], general, "why?")
    await start_stream(slack, root)
    async with open_page(slack.page_url) as browser:
        await browser.click(f"{CHANNEL} .replies")
        await browser.click(f"{THREAD} .stop")
        await browser.until_gone(".stop")

        assert slack.thread(general, root)[1].streaming_state != "in_progress"


async def test_an_empty_message_is_not_sent_and_a_line_can_be_broken(slack: LocalSlack) -> None:
    area = f"{CHANNEL} textarea"
    async with open_page(slack.page_url) as browser:
        await browser.until_text("#channels", "general")
        await browser.type(area, Keys.ENTER, "   ", Keys.ENTER)
        await browser.type(area, "one", Keys.SHIFT + Keys.ENTER + Keys.NULL, "two", Keys.ENTER)
        await browser.until_text(f"{CHANNEL} .message", "one\ntwo")

        assert [message.text for message in messages(slack)] == ["one\ntwo"]
        assert await browser.complaints() == []


async def test_the_thread_is_opened_and_closed_with_the_keyboard(slack: LocalSlack) -> None:
    await slack.say(slack.users["you"], slack.channels["general"], "hello")
    async with open_page(slack.page_url) as browser:
        await browser.type(f"{CHANNEL} .replies", Keys.ENTER)
        await browser.until_text(f"{THREAD} .message", "hello")
        await browser.type(f"{THREAD} textarea", "@", Keys.ESCAPE, Keys.ESCAPE)
        await browser.until_gone(f"{THREAD}:not([hidden])")

        focused = await browser.do(lambda driver: driver.switch_to.active_element.text)
        assert focused == "Reply in thread"


async def test_another_person_has_other_direct_messages(slack: LocalSlack) -> None:
    you, colleague = slack.users["you"], slack.users["colleague"]
    await slack.say(you, slack.dm(you), "between the bot and me")
    async with open_page(slack.page_url) as browser:
        await browser.click(f"[data-channel={slack.dm(you)}]")
        await browser.until_text(f"{CHANNEL} .message", "between the bot and me")
        await browser.click(f"#people input[value={colleague}]")
        await browser.find(f"[data-channel={slack.dm(colleague)}][aria-current]")

        await browser.until_gone(".message")


async def test_an_ephemeral_message_says_that_nobody_else_sees_it(slack: LocalSlack) -> None:
    you, general = slack.users["you"], slack.channels["general"]
    async with open_page(slack.page_url) as browser:
        await browser.until_text("#channels", "general")
        await call(slack, "chat.postEphemeral", channel=general, user=you, text="psst")

        await browser.until_text(f"{CHANNEL} .message.ephemeral", "Only visible to you")


async def test_a_file_in_a_thread_is_opened_and_read(slack: LocalSlack) -> None:
    general = slack.channels["general"]
    root = await slack.say(slack.users["you"], general, "why?")
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    async with open_page(slack.page_url) as browser:
        await client.files_upload_v2(
            channel=general, thread_ts=root, filename="report-1.md", title="Why", content="# Wärme"
        )
        await browser.until_text(f"{CHANNEL} .replies", "1 reply")
        await browser.click(f"{CHANNEL} .replies")
        await browser.until_text(f"{THREAD} .file", "report-1.md")
        await browser.screenshot("file")
        await browser.click(f"{THREAD} .file .about a")
        await browser.until(lambda driver: len(driver.window_handles) == 2)
        await browser.do(lambda driver: driver.switch_to.window(driver.window_handles[1]))

        await browser.until_text("body", "# Wärme")
        assert await browser.complaints() == []


async def test_the_page_finds_back_when_the_connection_was_lost() -> None:
    async with open_page("about:blank") as browser:
        async with LocalSlack.start() as slack:
            await browser.go(slack.page_url)
            await browser.until_text("#channels", "general")
            port = int(slack.url.rpartition(":")[2])
        await browser.until_text("#connection", "Connection lost")
        async with LocalSlack.start(port=port) as slack:
            await slack.say(slack.users["you"], slack.channels["general"], "while you were away")

            await browser.until_text(f"{CHANNEL} .message", "while you were away")
