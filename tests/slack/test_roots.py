"""Where the question of a command is posted, and what the person who typed it is told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from bot.clock import CLOCK
from bot.errors import SlackError, SlackRateLimited
from bot.playground.slack import Limits, LocalSlack, sold
from bot.playground.slack.workspace import Message
from bot.slack.connection import open_client
from bot.slack.hints import Hints
from bot.slack.identity import People
from bot.slack.pacing import Pacing
from bot.slack.roots import SKEW, Roots
from bot.slack.web import SlackWeb
from bot.turns.question import Question, Thread
from bot.turns.turn import Sent, Turn, TurnLost
from tests.fakes import FakeSteps
from tests.slack.reading import Clock
from tests.slack.servers import Answers, slack_web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

THREAD = Thread(team="T1", channel="C1", thread_ts="")
ASKED = Question(
    thread=THREAD, ts="/1", user="U1", user_team="T1", text="what of <@U2|two> & <!channel>?"
)
REFUSED = {"json": {"ok": False, "error": "not_in_channel"}}
OPENED = {"json": {"ok": True, "channel": {"id": "D1"}}}
POSTED = {"json": {"ok": True, "channel": "D1", "ts": "2.2"}}
NOTHING = {"json": {"ok": True, "messages": []}}


async def hurried(seconds: float) -> None:
    """Sleep, but not for the seconds that a person would not mind."""
    await asyncio.sleep(min(seconds, 0.01))


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


async def place(
    next_answers: list[dict[str, Any]], url: str
) -> tuple[Question | None, Answers, FakeSteps]:
    steps, hints = FakeSteps(), Hints()
    hints.remember(ASKED, url)
    async with slack_web() as (slack, answers):
        answers.next = list(next_answers)
        people = People(slack, lambda: 0.0, share_names=True)
        roots = Roots(slack, Pacing(sleep=hurried), steps, hints, people, CLOCK.now)
        try:
            placed = await roots.place(Turn(7, ASKED, None))
        except SlackError:
            placed = None
    return placed, answers, steps


async def test_the_question_is_posted_where_it_was_asked_harmlessly_and_with_its_turn() -> None:
    async with response_url() as (url, told):
        question, answers, steps = await place([POSTED], url)

    [(method, body)] = answers.calls
    assert method == "chat.postMessage"
    assert body["text"] == "<@U1> asked: what of @two &amp; @\u200bchannel?"
    assert body["metadata"]["event_payload"] == {"turn": 7, "part": 0}
    assert body["unfurl_links"] is False
    assert question == replace(ASKED, thread=replace(THREAD, thread_ts="2.2"), ts="2.2")
    assert (steps.sent, told) == ({(7, 0): "2.2"}, [])


async def test_where_the_bot_may_not_write_it_answers_in_a_direct_message_and_says_so() -> None:
    link = {"json": {"ok": True, "permalink": "https://x.slack.example/p22"}}
    async with response_url() as (url, told):
        question, answers, _ = await place([REFUSED, OPENED, POSTED, link], url)

    assert question is not None
    assert (question.thread.channel, question.thread.thread_ts, question.ts) == ("D1", "2.2", "2.2")
    assert answers.calls[1] == ("conversations.open", {"users": "U1"})
    [(_, words)] = told
    assert "I can't write in this channel, so I answer you in a direct message: <https" in words
    assert words.endswith("<https://x.slack.example/p22|here it is>")


@pytest.mark.parametrize("link", [REFUSED, {"json": {"ok": True}}, {"json": [], "status": 500}])
async def test_without_a_link_the_person_is_told_all_the_same(link: dict[str, Any]) -> None:
    async with response_url() as (url, told):
        question, _, _ = await place([REFUSED, OPENED, POSTED, link], url)

    assert question is not None
    assert told[0][1].endswith("in a direct message.")


@pytest.mark.parametrize(
    "code", ["not_in_channel", "channel_not_found", "is_archived", "restricted_action"]
)
async def test_whatever_keeps_the_bot_out_of_a_channel_the_question_is_asked(code: str) -> None:
    async with response_url() as (url, _):
        refused = {"json": {"ok": False, "error": code}}
        question, _, _ = await place([refused, OPENED, POSTED], url)

    assert question is not None
    assert question.thread.channel == "D1"


@pytest.mark.parametrize(
    "lost", [{"drop": True}, {"json": {"ok": True}}, {"json": {"ok": True, "ts": ""}}]
)
async def test_a_post_whose_answer_got_lost_is_looked_for_before_it_is_made_again(
    lost: dict[str, Any],
) -> None:
    async with response_url() as (url, _):
        question, answers, _ = await place([lost, NOTHING, POSTED], url)

    assert [method.partition(".")[2] for method, _ in answers.calls] == [
        "postMessage",
        "history",
        "postMessage",
    ]
    assert question is not None


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param([REFUSED, REFUSED], id="no direct message either"),
        pytest.param([REFUSED, {"json": {"ok": True}}], id="nothing said of it"),
        pytest.param([REFUSED, {"json": {"ok": True, "channel": None}}], id="null for it"),
        pytest.param([REFUSED, {"json": {"ok": True, "channel": {"id": ""}}}], id="an empty id"),
    ],
)
async def test_a_person_is_told_where_the_question_can_be_posted_nowhere(
    strange: list[dict[str, Any]],
) -> None:
    async with response_url() as (url, told):
        question, _, _ = await place(strange, url)

    assert question is None
    assert ["there will be no answer" in words for _, words in told] == [True]
    assert "reference 7 conversations.open" in told[0][1]


async def test_a_person_is_told_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with response_url() as (proxy, told):
        monkeypatch.setenv("http_proxy", proxy)
        hints = Hints()
        hints.remember(ASKED, "http://hooks.example/commands/1")
        await hints.tell(ASKED, "words")

    assert told == [("hooks.example", "words")]


async def test_a_person_who_cannot_be_told_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    hints = Hints()
    await hints.tell(ASKED, "words")
    hints.remember(ASKED, "http://127.0.0.1:1/")
    await hints.tell(ASKED, "words")

    assert caplog.text.count("a person could not be told") == 2
    assert "what of" not in caplog.text


@asynccontextmanager
async def a_slack(
    limits: Limits | None = None, pacing: Pacing | None = None
) -> AsyncIterator[tuple[LocalSlack, Roots, FakeSteps, Turn]]:
    async with (
        LocalSlack.start(limits=limits) as slack,
        open_client(slack.bot_token, slack.api_url) as client,
    ):
        steps = FakeSteps()
        web = SlackWeb(client)
        people = People(web, lambda: 0.0, share_names=True)
        roots = Roots(web, pacing or Pacing(sleep=hurried), steps, Hints(), people, CLOCK.now)
        thread = Thread(team=slack.team, channel=slack.channels["general"], thread_ts="")
        you = slack.users["you"]
        asked = replace(ASKED, thread=thread, user=you, user_team=slack.team)
        yield slack, roots, steps, Turn(7, asked, None)


@pytest.mark.parametrize("where", ["general", "random"])
async def test_who_takes_a_question_over_finds_its_root_and_posts_no_other(where: str) -> None:
    async with a_slack() as (slack, roots, _, turn):
        thread = replace(turn.question.thread, channel=slack.channels[where])
        taken = replace(turn, question=replace(turn.question, thread=thread))
        first = await roots.place(taken)
        for number in range(1_100):  # as far back as the sixth page
            await slack.say(slack.users["you"], first.thread.channel, f"message {number}")
        again = await roots.place(replace(taken, sent=(Sent(0, None, streamed=False),)))
        posts = [call for call in slack.calls_of("chat.postMessage") if call.error is None]

    assert again == first
    assert len(posts) == 1


@pytest.mark.parametrize("how", ["drop", "after"])
async def test_a_root_whose_post_got_lost_is_there_once(how: str) -> None:
    async with a_slack() as (slack, roots, _, turn):
        slack.fail("chat.postMessage", **{how: True})
        question = await roots.place(turn)
        messages = slack.workspace.channels[question.thread.channel].messages

    assert list(messages) == [question.ts]


@asynccontextmanager
async def a_slow_slack() -> AsyncIterator[tuple[LocalSlack, Roots, Turn, Clock]]:
    """Let a channel that has much in it be read at 15 messages a minute, by a simulated clock."""
    clock = Clock()
    limits, pacing = sold(Limits(clock=clock)), Pacing(clock=clock, sleep=clock.sleep)
    async with a_slack(limits, pacing) as (slack, roots, _, turn):
        channel = slack.workspace.channels[turn.question.thread.channel]
        for number in range(300):
            slack.workspace.put(channel, Message(f"{1_700_000_000 + number}.0", "U0YOU", "words"))
        yield slack, roots, turn, clock


@pytest.mark.parametrize("how", ["drop", "after"])
async def test_where_slack_is_read_slowly_a_root_that_got_lost_is_looked_for_in_its_turn(
    how: str,
) -> None:
    async with a_slow_slack() as (slack, roots, turn, clock):
        await roots.web.call("conversations.history", channel=turn.question.thread.channel)
        slack.fail("chat.postMessage", **{how: True})
        question = await roots.place(turn)
        messages = slack.workspace.channels[question.thread.channel].messages
        looked = [call.error for call in slack.calls_of("conversations.history")]

    assert [ts for ts, message in messages.items() if message.bot_id] == [question.ts]
    assert looked == [None, "ratelimited", None]
    assert 60 <= clock.now < 70


async def test_who_takes_a_question_over_looks_for_its_root_since_it_was_to_be_posted() -> None:
    async with a_slow_slack() as (slack, roots, turn, _):
        at = CLOCK.now()
        first = await roots.place(turn)
        sent = Sent(0, None, streamed=False, intended_at=at)
        again = await roots.place(replace(turn, sent=(sent,)))
        looked = slack.calls_of("conversations.history")

    assert again == first
    assert [float(call.params["oldest"]) for call in looked] == [(at - SKEW).timestamp()]


async def test_a_root_that_is_given_to_one_after_the_other_calls_no_more_than_slack_asks_for() -> (
    None
):
    async with a_slow_slack() as (slack, roots, turn, clock):
        slack.fail("conversations.history", status=429, retry_after=60, times=10**6)
        for _ in range(3):  # as at each beat somebody goes on with it
            with pytest.raises(SlackRateLimited):
                await roots.place(replace(turn, sent=(Sent(0, None, streamed=False),)))
        looked = slack.calls_of("conversations.history")

    assert len(looked) <= clock.now / 60 + 1


async def test_a_root_that_slack_takes_later_only_is_posted_then() -> None:
    async with a_slow_slack() as (slack, roots, turn, clock):
        slack.fail("chat.postMessage", status=429, retry_after=30, times=2)
        question = await roots.place(turn)

    assert question.ts
    assert clock.now >= 60
    assert slack.calls_of("conversations.history") == []  # as it is known not to be there


async def test_direct_messages_are_opened_in_their_turn() -> None:
    async with a_slow_slack() as (slack, roots, turn, clock):
        slack.fail("conversations.open", status=429, retry_after=30)
        elsewhere = replace(turn.question, thread=replace(turn.question.thread, channel=""))
        question = await roots.place(replace(turn, question=elsewhere))

    assert question.thread.channel == slack.workspace.dm(turn.question.user).id
    assert clock.now >= 30


async def test_who_has_lost_the_question_posts_nothing() -> None:
    async with a_slack() as (slack, roots, steps, turn):
        steps.lost.add(turn.id)
        with pytest.raises(TurnLost):
            await roots.place(turn)

    assert slack.calls == []


async def test_a_root_that_was_found_is_recorded() -> None:
    async with a_slack() as (_, roots, steps, turn):
        first = await roots.place(turn)
        steps.sent = {(turn.id, 0): None}  # as its poster died before it could say
        await roots.place(replace(turn, sent=(Sent(0, None, streamed=False),)))

    assert steps.sent == {(turn.id, 0): first.ts}


@dataclass
class Overtaken(FakeSteps):
    """Steps of a process whose turn is lost with its post; another knows what is in `theirs`."""

    theirs: dict[str, str] = field(default_factory=dict)  # ts by the thread_ts they are in

    async def known(self, thread: Thread) -> frozenset[str]:
        return frozenset(ts for ts, place in self.theirs.items() if place == thread.thread_ts)


@pytest.mark.parametrize(
    ("theirs", "removed"),
    [
        pytest.param({"2.2": "2.2"}, False, id="its thread has begun"),
        pytest.param({"2.2": ""}, False, id="its thread is about to begin"),
        pytest.param({"1.1": "1.1"}, True, id="another root was posted"),
    ],
)
async def test_who_posts_a_root_too_late_takes_it_away_unless_another_goes_on_with_it(
    theirs: dict[str, str], *, removed: bool
) -> None:
    steps = Overtaken(lost_after="confirm", theirs=theirs)
    async with slack_web() as (slack, answers):
        answers.next = [POSTED]
        people = People(slack, lambda: 0.0, share_names=True)
        roots = Roots(slack, Pacing(sleep=hurried), steps, Hints(), people, CLOCK.now)
        with pytest.raises(TurnLost):
            await roots.place(Turn(7, ASKED, None))

    deleted = [body["ts"] for method, body in answers.calls if method == "chat.delete"]
    assert deleted == (["2.2"] if removed else [])
