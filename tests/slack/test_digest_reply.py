"""A digest in its thread, whatever Slack does with its messages."""

from __future__ import annotations

import contextlib
import json
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.clock import CLOCK
from bot.digests.digest import Digest, Period
from bot.digests.request import DigestRequest, request_text
from bot.errors import SlackUnreachable
from bot.metrics import Metrics
from bot.playground.slack import LocalSlack
from bot.slack.agent import Agent
from bot.slack.caller import RESENDS
from bot.slack.connection import open_client
from bot.slack.hints import Hints
from bot.slack.identity import People
from bot.slack.pacing import Pacing
from bot.slack.replies import Replies
from bot.slack.roots import Roots
from bot.slack.web import SlackWeb
from bot.turns.question import Question, Thread
from bot.turns.turn import Sent, Turn, TurnLost, TurnPutOff
from tests.digests.readings import at, claim, message, reading, topic
from tests.fakes import FakeSteps
from tests.slack.test_roots import hurried

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.playground.slack.workspace import Message
    from bot.slack.digest import DigestReply

READ = reading(message(1))
SHORT = Digest(topics=(topic("Billing", claim("It moves.", 1)),))
LONG = Digest(
    topics=tuple(topic(f"Topic {n}", *[claim("word " * 150, 1)] * 12) for n in range(1, 5))
)


class Stage:
    """A local Slack with the root of a digest in it, and what is needed to reply."""

    def __init__(self, slack: LocalSlack, web: SlackWeb, turn: Turn) -> None:
        self.slack = slack
        self.turn = turn
        self.steps = FakeSteps()
        people, pacing = People(web, lambda: 0.0, share_names=True), Pacing(sleep=hurried)
        roots = Roots(web, pacing, self.steps, Hints(), people, CLOCK.now)
        agent, metrics = Agent(web, lambda: 0.0), Metrics(0.0)
        self._replies = Replies(
            web, pacing, self.steps, agent, roots, metrics, slack.bot_user, "Ask me things."
        )

    def open(self, turn: Turn | None = None) -> AbstractAsyncContextManager[DigestReply]:
        return self._replies.open_digest(turn or self.turn)

    def taken_over(self) -> Turn:
        """The turn as the next process gets it."""
        sent = tuple(
            Sent(part, ts, streamed=False) for (_, part), ts in sorted(self.steps.sent.items())
        )
        return replace(self.turn, epoch=2, attempt=2, sent=sent)

    async def finish(self, reply: DigestReply, digest: Digest = SHORT) -> None:
        await reply.finish(digest, READ, "Read 1 message.", may_share=False)

    @property
    def messages(self) -> list[Message]:
        thread = self.turn.question.thread
        return self.slack.thread(thread.channel, thread.thread_ts)[1:]

    def shown(self) -> list[str]:
        """Say what each message is: of the digest its topics, else its words."""
        return [_gist(json.dumps([m.text, m.blocks])) for m in self.messages]


def _gist(said: str) -> str:
    topics = [f"Topic {n}" for n in range(1, 5) if f"Topic {n}*" in said]
    if "It moves" in said or topics:
        return " ".join(topics) or "digest"
    return next((word for word in ("Reading", "No digest") if word in said), "more")


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    async with (
        LocalSlack.start() as slack,
        open_client(slack.bot_token, slack.api_url) as client,
    ):
        you, channel = slack.users["you"], slack.channels["general"]
        ts = await slack.say(you, channel, "Digest")
        thread = Thread(team=slack.team, channel=channel, thread_ts=ts)
        text = request_text(DigestRequest(channel=channel, period=Period(at(0), at(60))))
        question = Question(
            thread=thread, ts=ts, user=you, user_team=slack.team, text=text, kind="digest"
        )
        yield Stage(slack, SlackWeb(client), Turn(5, question, None))


@pytest.mark.parametrize("number", [1, 2])
async def test_a_long_digest_outlasts_a_429_on_any_of_its_messages(number: int) -> None:
    async with stage() as s, s.open() as reply:
        await reply.show("Reading the messages")
        await s.finish(reply, LONG)
        undisturbed = s.shown()
    async with stage() as s, s.open() as reply:
        s.slack.fail(
            "chat.postMessage", status=429, retry_after=0.05, skip=number, times=RESENDS - 1
        )
        await reply.show("Reading the messages")
        await s.finish(reply, LONG)
        shown = s.shown()

    assert len(undisturbed) >= 3
    assert shown == undisturbed


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("after", [True, False], ids=["its answer lost", "not there"])
async def test_to_finish_again_goes_on_from_what_is_there(number: int, *, after: bool) -> None:
    async with stage() as s, s.open() as reply:
        await reply.show("Reading the messages")
        await s.finish(reply, LONG)
        undisturbed = s.shown()
    async with stage() as s, s.open() as reply:
        await reply.show("Reading the messages")
        method = "chat.postMessage" if number else "chat.update"
        times = 1 if after else 10**6
        s.slack.fail(method, status=503, after=after, skip=max(number - 1, 0), times=times)
        s.slack.fail("conversations.replies", status=503, times=10**6)
        with contextlib.suppress(SlackUnreachable):
            await s.finish(reply, LONG)
        s.slack.mend(method)
        s.slack.mend("conversations.replies")
        await s.finish(reply, LONG)
        shown = s.shown()

    assert shown == undisturbed


async def test_a_digest_that_fails_while_it_is_shown_leaves_nothing_of_it_there() -> None:
    async with stage() as s, s.open() as reply:
        await reply.show("Reading the messages")
        s.slack.fail("chat.postMessage", status=503, skip=1, times=10**6)
        with contextlib.suppress(SlackUnreachable):
            await s.finish(reply, LONG)
        half = s.shown()
        await reply.fail("Something went wrong.", "5")
        shown = s.shown()

    assert len(half) == 2
    assert shown == ["No digest"]


async def test_a_digest_that_is_put_off_leaves_its_thread_as_it_is() -> None:
    async with stage() as s:
        with contextlib.suppress(TurnPutOff):
            async with s.open() as reply:
                await reply.show("Reading the messages")
                raise TurnPutOff
        left = s.shown()
        async with s.open(s.taken_over()) as reply:
            await s.finish(reply)
        shown = s.shown()

    assert (left, shown) == (["Reading"], ["digest"])


def refuse_changes(s: Stage, code: str) -> None:
    """Have Slack refuse to change the message that stands there, from now on."""
    if code == "deleted":
        [only] = s.messages
        del s.slack.workspace.channels[s.turn.question.thread.channel].messages[only.ts]
    else:
        s.slack.fail("chat.update", error=code, times=100)


REFUSALS = ["edit_window_closed", "cant_update_message", "invalid_blocks", "deleted"]


@pytest.mark.parametrize("code", REFUSALS)
async def test_where_the_first_message_may_not_be_changed_the_digest_comes_below_it(
    code: str,
) -> None:
    async with stage() as s, s.open() as reply:
        await reply.show("Reading the messages")
        refuse_changes(s, code)
        await reply.show("Writing the digest")
        await s.finish(reply)
        shown, recorded = s.shown(), [ts for ts in s.steps.sent.values() if ts]
        there = [message.ts for message in s.messages]

    assert shown == ["digest"]
    assert recorded == there


@pytest.mark.parametrize("code", REFUSALS)
async def test_where_the_first_message_may_not_be_changed_it_is_said_below_why_there_is_none(
    code: str,
) -> None:
    async with stage() as s, s.open() as reply:
        await reply.show("Reading the messages")
        refuse_changes(s, code)
        await reply.fail("Something went wrong.", "5")
        shown = s.shown()

    assert shown == ["No digest"]


@pytest.mark.parametrize("code", REFUSALS[:2])
async def test_who_goes_on_after_a_death_says_below_what_stays_why_there_is_none(code: str) -> None:
    async with stage() as s:
        async with s.open() as reply:
            await reply.show("Reading the messages")
            await reply.let_go()
        s.slack.fail("chat.update", error=code, times=100)
        async with s.open(s.taken_over()) as reply:
            await reply.fail("Something went wrong.", "5")
        shown = s.shown()

    assert shown == ["No digest"]


async def test_a_message_that_cannot_be_taken_away_stays_above_the_digest() -> None:
    async with stage() as s, s.open() as reply:
        await reply.show("Reading the messages")
        refuse_changes(s, "cant_update_message")
        s.slack.fail("chat.delete", error="cant_delete_message")
        await s.finish(reply)
        shown, is_closed = s.shown(), reply.closed

    assert (shown, is_closed) == (["Reading", "digest"], True)


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("step", ["confirm", "forget"])
async def test_whoever_goes_on_after_a_death_there_is_one_digest(code: str, step: str) -> None:
    async with stage() as s:
        with contextlib.suppress(TurnLost):
            async with s.open() as reply:
                await reply.show("Reading the messages")
                refuse_changes(s, code)
                s.steps.lost_after = step
                await s.finish(reply)
        assert s.steps.lost
        s.steps.lost, s.steps.lost_after = set(), None
        s.slack.mend("chat.update")
        async with s.open(s.taken_over()) as reply:
            await reply.show("Reading the messages")
            await s.finish(reply)
        shown = s.shown()

    assert shown == ["digest"]


@pytest.mark.parametrize("is_mended", [True, False])
async def test_who_finds_the_digest_below_a_message_that_stayed_leaves_one_of_them(
    *, is_mended: bool
) -> None:
    async with stage() as s:
        async with s.open() as reply:
            await reply.show("Reading the messages")
            sent = dict(s.steps.sent)
            refuse_changes(s, "cant_update_message")
            s.slack.fail("chat.delete", error="cant_delete_message")
            await s.finish(reply)
        s.steps.sent |= sent  # as the process died before it could take that one away
        if is_mended:
            s.slack.mend("chat.update")
        async with s.open(s.taken_over()) as reply:
            await reply.show("Reading the messages")
            await s.finish(reply)
        shown = s.shown()

    assert shown == ["digest"]
