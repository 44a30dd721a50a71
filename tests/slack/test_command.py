"""Where the answer to a command goes, and what the person who typed it is told."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from bot.slack.command import Commands
from tests.slack.servers import Answers, slack_web
from tests.slack.test_listeners import FakeInbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ASKED = {"user_id": "U1", "team_id": "T1", "channel_id": "C1", "text": "what of <@U2|two>?"}
REFUSED = {"json": {"ok": False, "error": "not_in_channel"}}
OPENED = {"json": {"ok": True, "channel": {"id": "D1"}}}
POSTED = {"json": {"ok": True, "channel": "D1", "ts": "2.2"}}


@asynccontextmanager
async def response_url() -> AsyncIterator[tuple[str, list[tuple[str, str]]]]:
    """Serve an address that answers a command; yields it and what was posted where."""
    told: list[tuple[str, str]] = []

    async def on_post(request: web.Request) -> web.Response:
        told.append((request.host, (await request.json())["text"]))
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/{rest:.*}", on_post)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/commands/1", told
    finally:
        await runner.cleanup()


async def ask(next_answers: list[dict[str, Any]], url: str) -> tuple[FakeInbox, Answers]:
    inbox = FakeInbox()
    async with slack_web() as (slack, answers):
        answers.next = list(next_answers)
        await Commands(slack, inbox, "T1").ask(ASKED | {"response_url": url})
    return inbox, answers


async def test_where_the_bot_may_not_write_it_answers_in_a_direct_message_and_says_so() -> None:
    link = {"json": {"ok": True, "permalink": "https://x.slack.example/p22"}}
    async with response_url() as (url, told):
        inbox, answers = await ask([REFUSED, OPENED, POSTED, link], url)

    [question] = inbox.taken
    assert (question.thread.channel, question.thread.thread_ts, question.ts) == ("D1", "2.2", "2.2")
    assert answers.calls[1] == ("conversations.open", {"users": "U1"})
    assert answers.calls[2][1]["text"] == "<@U1> asked: what of @two?"
    [(_, words)] = told
    assert "I can't write in this channel, so I answer you in a direct message: <https" in words
    assert words.endswith("<https://x.slack.example/p22|here it is>")


@pytest.mark.parametrize("link", [REFUSED, {"json": {"ok": True}}, {"json": [], "status": 500}])
async def test_without_a_link_the_person_is_told_all_the_same(link: dict[str, Any]) -> None:
    async with response_url() as (url, told):
        inbox, _ = await ask([REFUSED, OPENED, POSTED, link], url)

    assert len(inbox.taken) == 1
    assert told[0][1].endswith("in a direct message.")


@pytest.mark.parametrize(
    "code", ["not_in_channel", "channel_not_found", "is_archived", "restricted_action"]
)
async def test_whatever_keeps_the_bot_out_of_a_channel_the_question_is_asked(code: str) -> None:
    async with response_url() as (url, _):
        inbox, _ = await ask([{"json": {"ok": False, "error": code}}, OPENED, POSTED], url)

    assert [question.thread.channel for question in inbox.taken] == ["D1"]


async def test_a_post_that_may_have_been_made_is_not_made_again_elsewhere() -> None:
    async with response_url() as (url, told):
        inbox, answers = await ask([{"drop": True}], url)

    assert [method for method, _ in answers.calls] == ["chat.postMessage"]
    assert inbox.taken == []
    assert "there will be no answer" in told[0][1]


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param([{"json": {"ok": True}}], id="a post without a place"),
        pytest.param([{"json": {"ok": True, "channel": "C1", "ts": 2.2}}], id="a number for a ts"),
        pytest.param([REFUSED, {"json": {"ok": True}}], id="no direct message"),
        pytest.param([REFUSED, {"json": {"ok": True, "channel": None}}], id="null for one"),
        pytest.param([REFUSED, {"json": {"ok": True, "channel": {"id": ""}}}], id="an empty id"),
    ],
)
async def test_a_person_is_told_where_slacks_answer_does_not_say_what_it_must(
    strange: list[dict[str, Any]],
) -> None:
    async with response_url() as (url, told):
        inbox, _ = await ask(strange, url)

    assert inbox.taken == []
    assert ["there will be no answer" in words for _, words in told] == [True]


async def test_a_person_is_told_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with response_url() as (proxy, told), slack_web() as (slack, answers):
        monkeypatch.setenv("http_proxy", proxy)
        answers.next = [{"drop": True}]
        command = ASKED | {"response_url": "http://hooks.example/commands/1"}
        await Commands(slack, FakeInbox(), "T1").ask(command)

    assert [host for host, _ in told] == ["hooks.example"]
