from __future__ import annotations

import asyncio
import contextlib
import gc
import re
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import CLOCK
from bot.errors import FootnoteError, SlackRefused, SlackUnreachable, StoppedByUser
from bot.metrics import Metrics
from bot.playground.slack import Limits, LocalSlack
from bot.slack.agent import Agent
from bot.slack.hints import Hints
from bot.slack.identity import People
from bot.slack.pacing import Pacing
from bot.slack.pages import open_fence
from bot.slack.replies import Replies
from bot.slack.reply import PAGE_SECONDS, ThreadReply
from bot.slack.roots import Roots
from bot.slack.web import SlackWeb
from bot.slack.words import GOING_ON
from bot.turns.answer import Answer, Citation, Finished, Search, Usage
from bot.turns.pieces import Code, Mark, Piece, Prose
from bot.turns.question import Question, Thread
from bot.turns.turn import Sent, Turn, TurnLost
from tests.fakes import FakeSteps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.playground.slack.workspace import Message

SEARCH = Search("search", ("heat pumps 2026",), sources=("https://docs.example/1",))


class Clock:
    """Real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead


async def hurried(seconds: float) -> None:
    """Sleep, but not for the seconds that a person would not mind."""
    await asyncio.sleep(min(seconds, 0.05))


class Stage:
    """A local Slack with a question in it, and what is needed to reply."""

    def __init__(self, slack: LocalSlack, question: Question, clock: Clock) -> None:
        self.slack = slack
        self.question = question
        self.clock = clock
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        pacing = Pacing(flush_seconds=0.01, update_seconds=0.01, clock=clock, sleep=hurried)
        web = SlackWeb(client)
        self.steps = FakeSteps()
        people = People(web, clock, share_names=True)
        roots = Roots(web, pacing, self.steps, Hints(), people, CLOCK.now)
        agent, help_words = Agent(web, clock), "Ask me things."
        self._replies = Replies(
            web, pacing, self.steps, agent, roots, Metrics(0.0), slack.bot_user, help_words
        )

    def open_reply(self, turn: Turn | None = None) -> AbstractAsyncContextManager[ThreadReply]:
        return self._replies.open_reply(turn or Turn(5, self.question, None))

    def taken_over(self) -> Turn:
        """The turn as the next process gets it."""
        sent = tuple(
            Sent(part, ts, streamed=True) for (_, part), ts in sorted(self.steps.sent.items())
        )
        return Turn(5, self.question, None, epoch=2, attempt=2, sent=sent)

    @property
    def answers(self) -> list[Message]:
        thread = self.question.thread
        return self.slack.thread(thread.channel, thread.thread_ts)[1:]

    @property
    def text(self) -> str:
        return "".join(message.markdown for message in self.answers)


@asynccontextmanager
async def stage(limits: Limits | None = None, *, channel: str = "general") -> AsyncIterator[Stage]:
    async with LocalSlack.start(limits=limits or Limits()) as slack:
        you, place = slack.users["you"], slack.channels[channel]
        ts = await slack.say(you, place, "A question")
        thread = Thread(team=slack.team, channel=place, thread_ts=ts)
        question = Question(thread=thread, ts=ts, user=you, user_team=slack.team, text="A question")
        yield Stage(slack, question, Clock())


def an_answer(text: str, citations: int = 1) -> Answer:
    return Answer(
        finished=Finished("resp_1", "gpt-test", "completed", Usage(100, 20)),
        text=text,
        citations=tuple(
            Citation(n, f"https://docs.example/{n}", f"Page {n}") for n in range(1, citations + 1)
        ),
        searches=(SEARCH,),
        unlinked=0,
        seconds=3.0,
    )


async def write_all(reply: ThreadReply, pieces: list[Piece], *, finish: bool = True) -> str:
    for number, piece in enumerate(pieces):
        await reply.write([piece])
        if number % 7 == 0:
            await asyncio.sleep(0)
    text = "".join(piece.text for piece in pieces)
    if finish:
        await reply.finish(an_answer(text))
    return text


async def write_for_ever(reply: ThreadReply) -> None:
    async with asyncio.timeout(5):
        while True:
            await reply.write([Prose("more ")])
            await asyncio.sleep(0)


async def write_and_break(s: Stage) -> None:
    async with s.open_reply() as reply:
        await write_all(reply, [Prose("Half")], finish=False)
        raise KeyError


def words(count: int) -> list[Piece]:
    return [Prose(f"word{n} " + ("\n\n" if n % 40 == 39 else "")) for n in range(count)]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


async def test_an_answer_shows_its_searches_then_its_text_then_what_stands_below() -> None:
    async with stage() as s, s.open_reply() as reply:
        await s.slack.until(lambda _: bool(s.answers))  # the first sign, before anything is known
        await reply.show_search("ws_1", None)
        await reply.show_search("ws_1", SEARCH)
        await write_all(
            reply, [Prose("Prices fell "), Mark(1, "https://docs.example/1"), Prose(".")]
        )
        [message] = s.answers

    assert message.markdown == "Prices fell [1](https://docs.example/1)."
    assert message.streaming_state == "completed"
    assert [(t.title, t.status) for t in message.tasks.values()] == [
        ("Reading the question", "complete"),
        ("“heat pumps 2026”", "complete"),
    ]
    assert message.plan_title == "Researched with 1 search"
    assert [block["type"] for block in message.final_blocks] == [
        "section",
        "context",
        "context",
        "actions",
    ]
    assert message.metadata == {
        "event_type": "footnote_answer",
        "event_payload": {"turn": 5, "part": 1},
    }
    assert (reply.produced, reply.delivered) == (len(message.markdown),) * 2


def long_answer() -> list[Piece]:
    """60,000 characters and more, with code, tables and 80 links."""
    pieces: list[Piece] = []
    for n in range(1, 81):
        pieces += [Prose(f"## Part {n}\n\n")]
        pieces += [Prose(f"Sentence {k} of part {n} says a thing. ") for k in range(13)]
        pieces += [Prose("See "), Mark(n, f"https://docs.example/{n}"), Prose(".\n\n")]
        pieces += [Code("```python\n")]
        pieces += [Code(f"    value_{n}_{k} = {k}  # <not a link>\n") for k in range(6)]
        pieces += [Code("```"), Prose("\n\n| a | b |\n|---|---|\n")]
        pieces += [Prose(f"| {n} | {k} |\n") for k in range(6)] + [Prose("\n")]
    return pieces


async def test_60_000_characters_arrive_whole_in_order_with_every_fence_closed() -> None:
    pieces = long_answer()
    async with stage() as s, s.open_reply() as reply:
        for piece in pieces:
            await reply.write([piece])
            await asyncio.sleep(0)
        text = "".join(piece.text for piece in pieces)
        await reply.finish(an_answer(text, citations=80))
        answers = [message for message in s.answers if message.markdown]
        below = [block for message in s.answers for block in message.final_blocks or message.blocks]

    assert len(text) > 60_000
    assert squeezed("".join(m.markdown + "\n" for m in answers)) == squeezed(text)
    assert "    value_80_5 = 5" in answers[-1].markdown
    assert all(message.streaming_state == "completed" for message in answers)
    assert all(open_fence(message.markdown) == "" for message in answers)
    assert all(len(message.markdown.encode()) <= 8_000 for message in answers)
    assert all(m.markdown.rstrip().endswith(("|", ".", "```")) for m in answers)
    assert sum(line[0].isdigit() for b in below for line in section_lines(b)) == 80
    assert reply.produced == reply.delivered


def section_lines(block: dict[str, object]) -> list[str]:
    text = block.get("text")
    return str(text["text"]).splitlines() if isinstance(text, dict) else []


@pytest.mark.parametrize("code", ["msg_too_long", "message_not_in_streaming_state"])
async def test_what_a_message_refuses_goes_into_the_next_one(code: str) -> None:
    async with stage() as s, s.open_reply() as reply:
        s.slack.fail("chat.appendStream", error=code, times=1, skip=1)
        text = await write_all(reply, words(400))
        answers = s.answers

    assert len(answers) == 2
    assert squeezed(s.text) == squeezed(text)


async def test_a_fence_that_is_open_where_a_message_ends_is_closed_there_and_opened_again() -> None:
    code: list[Piece] = [Code("```py\n"), *(Code(f"line_{n} = {n}\n") for n in range(900))]
    async with stage() as s, s.open_reply() as reply:
        text = await write_all(reply, [*code, Code("```"), Prose("\nDone.")])
        answers = s.answers

    assert len(answers) > 1
    assert all(m.markdown.startswith("```py\n") for m in answers)
    assert all(open_fence(m.markdown) == "" for m in answers)
    lines = [ln for m in answers for ln in m.markdown.splitlines() if not ln.startswith("```")]
    assert lines == [ln for ln in text.splitlines() if not ln.startswith("```")]


async def test_a_fence_of_many_messages_that_comes_at_once_fills_each_of_them() -> None:
    code: list[Piece] = [Code("```py\n"), *(Code(f"line_{n} = {n}\n") for n in range(2_500))]
    async with stage() as s, s.open_reply() as reply:
        await reply.write([*code, Code("```")])
        await reply.finish(an_answer("A fence."))
        lines = [line for m in s.answers for line in m.markdown.splitlines() if "=" in line]

        assert len(s.answers) < 10
    assert lines == [f"line_{n} = {n}" for n in range(2_500)]


async def test_a_429_is_waited_out_and_nothing_is_lost() -> None:
    async with stage() as s, s.open_reply() as reply:
        s.slack.fail("chat.appendStream", status=429, retry_after=0.05, times=2)
        text = await write_all(reply, words(100))

    assert squeezed(s.text) == squeezed(text)
    assert len(s.answers) == 1


@pytest.mark.parametrize("method", ["chat.appendStream", "chat.stopStream"])
async def test_a_lost_answer_of_slack_neither_doubles_nor_loses_text(method: str) -> None:
    async with stage() as s, s.open_reply() as reply:
        s.slack.fail(method, after=True, times=1)
        text = await write_all(reply, words(100))
        [message] = s.answers

    shown = message.markdown or "".join(
        str(b.get("text")) for b in message.blocks if b["type"] == "markdown"
    )
    assert squeezed(shown) == squeezed(text)


@pytest.mark.parametrize("code", ["unknown_method", "feature_not_enabled", "missing_scope"])
async def test_where_streaming_is_refused_the_reply_is_posted_and_updated(code: str) -> None:
    async with stage() as s:
        s.slack.fail("chat.startStream", error=code, times=100)
        async with s.open_reply() as reply:
            text = await write_all(reply, words(3_000))
        async with s.open_reply() as reply:
            await reply.help()
        answers = s.answers

    shown = " ".join(str(b["text"]) for m in answers for b in m.blocks if b["type"] == "markdown")
    assert squeezed(shown) == squeezed(text) + " Ask me things."
    assert len(s.slack.calls_of("chat.startStream")) == 1  # remembered, not asked again
    assert all(
        call.params.get("unfurl_links") is False for call in s.slack.calls_of("chat.postMessage")
    )


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_a_429_on_any_message_of_a_posted_reply_is_outlasted(number: int) -> None:
    async with stage() as s:
        s.slack.fail("chat.startStream", error="unknown_method")
        s.slack.fail("chat.postMessage", status=429, retry_after=0.05, skip=number, times=2)
        async with s.open_reply() as reply:
            text = await write_all(reply, words(4_000))
        answers = s.answers

    shown = " ".join(str(b["text"]) for m in answers for b in m.blocks if b["type"] == "markdown")
    assert len(answers) >= 3
    assert squeezed(shown) == squeezed(text)


async def test_when_slack_has_no_stream_left_for_now_the_reply_is_posted_at_once() -> None:
    async with stage() as s:
        s.slack.fail("chat.startStream", status=429, retry_after=60)
        async with s.open_reply() as reply:
            text = await write_all(reply, words(20))
        [message] = s.answers

    assert squeezed(str(message.blocks[0]["text"])) == squeezed(text)
    assert len(s.slack.calls_of("chat.startStream")) == 1


async def test_when_the_minutes_streams_are_used_up_the_reply_is_posted() -> None:
    async with stage() as s:
        for _ in range(11):
            async with s.open_reply() as reply:
                await write_all(reply, [Prose("Short.")])

    assert len(s.slack.calls_of("chat.startStream")) == 10
    assert len(s.slack.calls_of("chat.postMessage")) == 1
    assert len(s.answers) == 11


async def test_a_stream_is_left_before_slack_closes_it() -> None:
    async with stage() as s, s.open_reply() as reply:
        await write_all(reply, [Prose("First words. ")], finish=False)
        await s.slack.until(lambda _: "First" in s.text)
        s.clock.ahead += PAGE_SECONDS + 1
        await write_all(reply, [Prose("Second.")])
        answers = s.answers

    assert [squeezed(message.markdown) for message in answers] == ["First words.", "Second."]
    assert answers[0].plan_title == "Continued below"


async def test_a_search_that_runs_while_a_stream_gets_old_goes_on_in_the_next_message() -> None:
    async with stage() as s, s.open_reply() as reply:
        await reply.show_search("ws_1", None)
        await s.slack.until(lambda _: s.answers and "ws_1" in s.answers[0].tasks)
        await reply.is_open.wait()
        s.clock.ahead += PAGE_SECONDS + 1
        await reply.show_search("ws_2", None)
        await s.slack.until(lambda _: len(s.answers) == 2)
        await reply.show_search("ws_1", SEARCH)
        await write_all(reply, [Prose("Text.")])
        answers = s.answers

    assert [list(m.tasks) for m in answers] == [["question", "ws_1", "ws_2"], ["ws_1", "ws_2"]]
    assert {task.status for m in answers for task in m.tasks.values()} == {"complete"}


async def test_a_stop_by_the_person_ends_the_writing() -> None:
    async with stage() as s, s.open_reply() as reply:
        await write_all(reply, [Prose("Begin with it. ")], finish=False)
        await s.slack.until(lambda _: "Begin" in s.text)
        await s.slack.stop(s.question.user, s.question.thread.channel, s.answers[0].ts)
        with pytest.raises(StoppedByUser):
            await write_for_ever(reply)
        await reply.stopped()
        calls = len(s.slack.calls)

    assert len(s.slack.calls) == calls
    assert len(s.answers) == 1


async def test_a_failure_is_told_below_what_was_written_and_nothing_spins() -> None:
    async with stage() as s, s.open_reply() as reply:
        await reply.show_search("ws_1", None)
        await write_all(reply, [Prose("Half an ans")], finish=False)
        await reply.fail("The model broke off.", "5")
        [message] = s.answers

    assert message.markdown == "Half an ans"
    assert message.streaming_state == "completed"
    assert "The model broke off.  (reference 5)" in str(message.final_blocks)
    assert "in_progress" not in {task.status for task in message.tasks.values()}


async def test_a_reply_that_is_left_in_the_middle_is_closed_with_words() -> None:
    async with stage() as s:
        with pytest.raises(KeyError):
            await write_and_break(s)
        [message] = s.answers

    assert message.streaming_state == "completed"
    assert FootnoteError.public in str(message.final_blocks)


async def test_where_the_bot_may_not_write_the_reply_does_not_open() -> None:
    async with stage(channel="random") as s:
        with pytest.raises(SlackRefused, match="not_in_channel"):
            async with s.open_reply() as reply:
                await reply.finish(an_answer(""))


async def test_blocks_that_slack_refuses_do_not_leave_the_stream_open() -> None:
    async with stage() as s:
        s.slack.fail("chat.stopStream", error="invalid_blocks", times=1)
        with pytest.raises(SlackRefused, match="invalid_blocks"):
            async with s.open_reply() as reply:
                await write_all(reply, [Prose("Text.")])

    assert [message.streaming_state for message in s.answers] == ["completed"]


async def test_hundred_replies_at_once_stay_within_what_slack_allows_together() -> None:
    async with stage() as s:

        async def one() -> None:
            async with s.open_reply() as reply:
                await write_all(reply, words(20))

        await asyncio.gather(*(one() for _ in range(12)))

    assert [call for call in s.slack.calls if call.status == 429] == []
    assert len(s.answers) == 12


@pytest.mark.parametrize("how", ["drop", "after"])
async def test_a_start_that_gets_lost_leaves_one_message_and_nothing_spinning(how: str) -> None:
    async with stage() as s:
        s.slack.fail("chat.startStream", times=1, **{how: True})
        async with s.open_reply() as reply:
            text = await write_all(reply, words(60))
        [message] = s.answers

    assert squeezed(message.markdown) == squeezed(text)
    assert message.streaming_state == "completed"


async def test_a_slack_that_cannot_be_reached_at_all_is_given_up() -> None:
    async with stage() as s:
        s.slack.fail("chat.startStream", drop=True, times=99)
        with pytest.raises(SlackUnreachable):
            async with s.open_reply() as reply:
                await reply.finish(an_answer(""))

    assert s.answers == []


async def test_a_posted_reply_survives_lost_answers_and_full_messages() -> None:
    async with stage() as s:
        s.slack.fail("chat.startStream", error="unknown_method")
        s.slack.fail("chat.update", after=True, times=2)
        async with s.open_reply() as reply:
            begin = await write_all(reply, [Prose("It begins so. ")], finish=False)
            await s.slack.until(lambda slack: len(slack.calls_of("chat.update")) == 3)
            s.slack.fail("chat.update", error="msg_too_long")
            text = begin + await write_all(reply, words(300))
        answers = s.answers

    shown = " ".join(str(b["text"]) for m in answers for b in m.blocks if b["type"] == "markdown")
    assert squeezed(shown) == squeezed(text)
    assert len(answers) == 2


async def test_a_posted_reply_shows_what_it_does_until_there_is_text() -> None:
    async with stage() as s:
        s.slack.fail("chat.startStream", error="unknown_method")
        async with s.open_reply() as reply:
            await reply.show_search("ws_1", None)
            await s.slack.until(
                lambda _: s.answers and "Searching the web" in str(s.answers[0].blocks)
            )
            await write_all(reply, [Prose("Text.")])
        [message] = s.answers

    assert "Searching" not in str(message.blocks)
    assert message.metadata is not None


async def test_an_error_of_slack_in_the_middle_reaches_who_writes() -> None:
    async with stage() as s:
        s.slack.fail("chat.appendStream", error="channel_not_found", times=1)
        with pytest.raises(SlackRefused, match="channel_not_found"):
            async with s.open_reply() as reply:
                await write_for_ever(reply)

    assert [message.streaming_state for message in s.answers] == ["completed"]


async def test_a_reply_that_is_cancelled_while_it_finishes_is_closed_with_words() -> None:
    async with stage() as s:
        s.slack.fail("chat.appendStream", status=429, retry_after=0.2, times=3, skip=1)

        async def answer() -> None:
            async with s.open_reply() as reply:
                await reply.is_open.wait()
                await write_all(reply, words(60))

        task = asyncio.create_task(answer())
        await s.slack.until(lambda slack: len(slack.calls_of("chat.appendStream")) > 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        answers = s.answers

    assert {message.streaming_state for message in answers} == {"completed"}
    assert GOING_ON in str(answers[-1].final_blocks)


async def test_a_reply_that_is_cancelled_while_it_opens_leaves_nothing_spinning() -> None:
    async with stage() as s:

        async def answer() -> None:
            async with s.open_reply():
                await asyncio.Event().wait()

        task = asyncio.create_task(answer())
        # Slack has begun the stream; its answer is still on the way.
        await s.slack.until(lambda slack: slack.calls_of("chat.startStream"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert [message.streaming_state for message in s.answers] == ["completed"]


async def test_what_slack_did_not_take_then_is_delivered_when_the_failure_is_told() -> None:
    async with stage() as s:
        s.slack.fail("chat.appendStream", error="channel_not_found")
        text = "".join(piece.text for piece in words(60))
        with pytest.raises(SlackRefused, match="channel_not_found"):
            await write_once_and_wait(s, text)

    assert squeezed(s.text) == squeezed(text)


async def write_once_and_wait(s: Stage, text: str) -> None:
    async with s.open_reply() as reply, asyncio.timeout(5):
        await reply.write([Prose(text)])
        while True:
            await reply.write([])
            await asyncio.sleep(0)


async def test_trouble_of_slacks_own_is_waited_out() -> None:
    async with stage() as s:
        for method in ("chat.startStream", "chat.appendStream", "chat.stopStream"):
            s.slack.fail(method, error="internal_error")
        async with s.open_reply() as reply:
            text = await write_all(reply, words(60))
        [message] = s.answers

    shown = message.markdown or str(message.blocks[0]["text"])
    assert squeezed(shown) == squeezed(text)


async def test_a_table_over_two_messages_raises_no_alarm(caplog: pytest.LogCaptureFixture) -> None:
    rows = "".join(f"| row {n} | {'x' * 60} |\n" for n in range(200))
    async with stage() as s, s.open_reply() as reply:
        await write_all(reply, [Prose(f"| a | b |\n|---|---|\n{rows}")])

    assert len(s.answers) > 1
    assert "other text" not in caplog.text


async def interrupted(s: Stage, pieces: list[Piece], messages: int = 1) -> None:
    """Write so far, and die: no further call is made, nothing is closed."""
    async with s.open_reply() as reply:
        await write_all(reply, pieces, finish=False)
        await s.slack.until(lambda _: len(s.answers) == messages and s.answers[-1].markdown)
        await reply.let_go()


def shown(s: Stage) -> str:
    """Say what the messages say, streamed or posted."""
    return "".join(
        message.markdown
        + "".join(str(block["text"]) for block in message.blocks if block["type"] == "markdown")
        + "\n" * (len(s.answers) > 1)
        for message in s.answers
    )


async def test_what_a_dead_process_began_is_made_whole_in_the_same_message() -> None:
    async with stage() as s:
        await interrupted(s, [Prose("Half an ans")])
        async with s.open_reply(s.taken_over()) as reply:
            text = await write_all(reply, words(60))
        [message] = s.answers

    assert squeezed(shown(s)) == squeezed(text)
    assert "Written by" in str(message.blocks)
    assert (message.streaming_state, message.tasks) == (None, {})


async def test_a_shorter_answer_takes_the_messages_away_that_the_dead_one_had_beyond() -> None:
    async with stage() as s:
        await interrupted(s, words(1_500), messages=2)
        async with s.open_reply(s.taken_over()) as reply:
            await write_all(reply, [Prose("Short.")])

        assert (len(s.answers), shown(s)) == (1, "Short.")
    assert list(s.steps.sent) == [(5, 1)]


async def test_a_longer_answer_goes_on_in_new_messages() -> None:
    async with stage() as s:
        await interrupted(s, [Prose("Half an ans")])
        async with s.open_reply(s.taken_over()) as reply:
            text = await write_all(reply, words(3_000))

        assert len(s.answers) > 2
        assert squeezed(shown(s)) == squeezed(text)
    assert {message.streaming_state for message in s.answers} <= {None, "completed"}


async def test_a_stream_that_slack_has_closed_meanwhile_is_replaced() -> None:
    async with stage() as s:
        await interrupted(s, [Prose("Half an ans")])
        s.answers[0].streaming_state = "errored"
        async with s.open_reply(s.taken_over()) as reply:
            await write_all(reply, [Prose("Whole.")])

        assert (len(s.answers), shown(s)) == (1, "Whole.")


async def test_a_message_that_is_gone_is_posted_again() -> None:
    async with stage() as s:
        await interrupted(s, [Prose("Half an ans")])
        channel = s.slack.workspace.channels[s.question.thread.channel]
        del channel.messages[s.answers[0].ts]
        async with s.open_reply(s.taken_over()) as reply:
            await write_all(reply, [Prose("Whole.")])

        assert (len(s.answers), shown(s)) == (1, "Whole.")


async def test_a_message_that_was_stopped_meanwhile_stays_as_it_is() -> None:
    async with stage() as s:
        await interrupted(s, [Prose("Half an answer.\n\n")])
        before = shown(s)
        await s.slack.stop(s.question.user, s.question.thread.channel, s.answers[0].ts)
        async with s.open_reply(s.taken_over()) as reply:
            with pytest.raises(StoppedByUser):
                await write_for_ever(reply)
            await reply.stopped()

        assert (len(s.answers), shown(s)) == (1, before)


@pytest.mark.parametrize("streaming", [True, False], ids=["a stream", "a post"])
async def test_what_was_posted_and_not_recorded_is_found_in_the_thread(*, streaming: bool) -> None:
    async with stage() as s:
        if not streaming:
            s.slack.fail("chat.startStream", error="unknown_method", times=9)
        async with s.open_reply() as reply:
            await s.slack.until(lambda _: bool(s.answers))
            await reply.let_go()
        s.steps.sent[5, 1] = None
        async with s.open_reply(s.taken_over()) as reply:
            await write_all(reply, [Prose("Whole.")])

        assert (len(s.answers), shown(s)) == (1, "Whole.")
        assert s.steps.sent == {(5, 1): s.answers[0].ts}


@pytest.mark.parametrize(
    ("method", "misses", "is_too_late"),
    [
        ("conversations.replies", 2, False),
        ("conversations.replies", 10, True),  # what only reads is repeated by the library as well
        ("chat.stopStream", 2, False),
        ("chat.stopStream", 5, True),
        ("chat.update", 2, False),
        ("chat.update", 5, True),
    ],
)
async def test_a_slack_that_does_not_hear_a_takeover_is_told_in_the_message_that_is_there(
    method: str, misses: int, *, is_too_late: bool
) -> None:
    async with stage() as s:
        await interrupted(s, [Prose("Half an ans")])
        if method == "conversations.replies":
            s.steps.sent[5, 1] = None
        s.slack.fail(method, drop=True, times=misses)
        with contextlib.suppress(SlackUnreachable):
            async with s.open_reply(s.taken_over()) as reply:
                await write_all(reply, [Prose("Whole.")])

        assert len(s.answers) == 1
        assert s.answers[0].streaming_state in {None, "completed"}
        assert "Half" not in shown(s)
        below = str([*s.answers[0].blocks, *s.answers[0].final_blocks])
        assert ("try_again" in below) == is_too_late


@pytest.mark.parametrize("what", ["drop", "after"])
async def test_a_slack_that_hears_no_post_for_long_has_one_message_in_the_end(what: str) -> None:
    async with stage() as s:
        s.slack.fail("chat.startStream", times=5, **{what: True})
        with contextlib.suppress(SlackUnreachable):
            async with s.open_reply() as reply:
                await write_all(reply, [Prose("Whole.")])

        assert len(s.answers) == 1


async def test_what_was_intended_and_never_posted_is_posted() -> None:
    async with stage() as s:
        s.steps.sent[5, 1] = None
        async with s.open_reply(s.taken_over()) as reply:
            await write_all(reply, [Prose("Whole.")])

        assert (len(s.answers), shown(s)) == (1, "Whole.")


async def test_other_messages_of_the_bot_are_not_taken_for_lost_ones() -> None:
    async with stage() as s:
        s.steps.sent[4, 1] = None
        async with s.open_reply(Turn(4, s.question, None)) as reply:
            await write_all(reply, [Prose("Of another turn.")])
        async with s.open_reply(Turn(6, s.question, None)) as reply:  # a stream, recorded
            await reply.is_open.wait()
            await reply.let_go()
        s.steps.sent[5, 1] = None
        turn = Turn(5, s.question, None, epoch=2, sent=(Sent(1, None, streamed=True),))
        async with s.open_reply(turn) as reply:
            await write_all(reply, [Prose("Mine.")])
        answers = s.answers

    assert [message.markdown for message in answers] == ["Of another turn.", "", "Mine."]


async def test_where_the_thread_may_not_be_read_a_lost_message_is_posted_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with stage() as s:
        s.slack.fail("conversations.replies", error="missing_scope")
        s.slack.fail("chat.startStream", drop=True)
        async with s.open_reply() as reply:
            await write_all(reply, [Prose("Whole.")])

        assert (len(s.answers), shown(s)) == (1, "Whole.")
    assert "cannot be looked for" in caplog.text


@pytest.mark.parametrize("how", ["drop", "after"])
async def test_a_post_that_gets_lost_leaves_one_message(how: str) -> None:
    async with stage() as s:
        s.slack.fail("chat.startStream", error="unknown_method")
        s.slack.fail("chat.postMessage", times=1, **{how: True})
        async with s.open_reply() as reply:
            text = await write_all(reply, words(60))

        assert len(s.answers) == 1
        assert squeezed(shown(s)) == squeezed(text)


@pytest.mark.parametrize("step", ["intend", "deliver"])
async def test_who_has_lost_a_turn_calls_slack_no_more(step: str) -> None:
    async with stage() as s:
        s.steps.lost_after = step
        with pytest.raises(TurnLost):
            async with s.open_reply() as reply:
                await write_for_ever(reply)
        posts = [call for call in s.slack.calls if call.method.startswith("chat.")]

    assert len(posts) == (1 if step == "deliver" else 0)  # the stream that is the next one's now


async def test_who_has_lost_a_turn_in_two_places_at_once_leaves_no_error_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with stage() as s:
        s.steps.lost_after = "intend"
        with contextlib.suppress(TurnLost):
            async with s.open_reply() as reply:
                await reply.is_open.wait()
                raise TurnLost(1)
        del reply
        gc.collect()

    assert "never retrieved" not in caplog.text


async def test_who_loses_a_turn_while_posting_takes_the_post_away_again() -> None:
    async with stage() as s:
        s.steps.lost_after = "confirm"
        with pytest.raises(TurnLost):
            async with s.open_reply() as reply:
                await write_for_ever(reply)

        assert s.answers == []


async def test_an_interrupted_reply_says_that_it_goes_on_and_goes_on_in_its_message() -> None:
    async with stage() as s:

        async def answer() -> None:
            async with s.open_reply() as reply:
                await write_all(reply, [Prose("Half an ans")], finish=False)
                await asyncio.Event().wait()

        task = asyncio.create_task(answer())
        await s.slack.until(lambda _: "Half" in s.text)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        left = s.answers[0].final_blocks, s.answers[0].streaming_state
        async with s.open_reply(s.taken_over()) as reply:
            await write_all(reply, [Prose("Whole.")])

        assert (len(s.answers), shown(s)) == (1, "Whole.")
    assert GOING_ON in str(left[0])
    assert left[1] == "completed"


async def test_a_failure_can_be_tried_again_in_the_same_message() -> None:
    async with stage() as s:
        async with s.open_reply() as reply:
            await reply.fail("The model broke off.", "5")
        button = s.answers[0].final_blocks[-1]["elements"][0]
        async with s.open_reply(s.taken_over()) as reply:
            await write_all(reply, [Prose("Whole.")])

        assert (len(s.answers), shown(s)) == (1, "Whole.")
        assert "try_again" not in str(s.answers[0].blocks)
    assert (button["action_id"], button["value"]) == ("try_again", "5")


async def test_a_message_that_arrives_after_the_turn_was_lost_is_taken_away_again() -> None:
    async with stage() as st:
        with contextlib.suppress(TurnLost):
            async with st.open_reply():
                await st.slack.until(lambda slack: slack.calls_of("chat.startStream"))
                st.steps.lost.add(5)
                raise TurnLost(5)  # as whatever the turn records next does

    assert st.answers == []


async def test_a_message_that_has_no_room_for_what_stands_below_it_is_not_left_spinning() -> None:
    async with stage() as st:
        st.slack.fail("chat.stopStream", error="msg_blocks_too_long")
        async with st.open_reply() as reply:
            await reply.write([Prose("Heat pumps work. ")])
            await reply.finish(an_answer("Heat pumps work. "))

    assert [message.streaming_state for message in st.answers] == ["completed", "completed"]
