"""The path of a digest: who may have it, what was written, what that comes to, who may see it.

request ─► audience ─► messages of the period ─► parts ─► claims ─► audience ─► thread

What is read in Slack is told to a model without any tool, and its texts are kept nowhere. Whether
the person may have it is asked again right before it is shown.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.digests.audience import GONE
from bot.digests.gate import ScheduledNotAdmitted
from bot.digests.memory import remembered
from bot.digests.request import read_request
from bot.digests.words import coverage_words, skipped_words
from bot.errors import (
    FootnoteError,
    SlackRateLimited,
    SlackRefused,
    SlackUnreachable,
    TurnInterrupted,
)
from bot.turns.answer import Answer, Finished

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from bot.clock import Clock
    from bot.digests.digest import Digest, Reading
    from bot.digests.ends import DigestEnds
    from bot.digests.gate import Gate
    from bot.digests.request import DigestRequest
    from bot.digests.writer import DigestWriter, WrittenDigest
    from bot.metrics import Metrics
    from bot.turns.question import Question
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

ELSEWHERE = "I could not post this in the channel, so it comes to you."
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 300.0  # between two attempts to show a digest
CUT = "The model broke off, so something may be missing."


class TooLate(FootnoteError):
    """The window in which a scheduled digest is made up for is over."""


class Channels(Protocol):
    """What was written in channels."""

    async def read(
        self, team: str, request: DigestRequest, tell: Callable[[str], Awaitable[None]]
    ) -> Reading:
        """Return what people wrote in the channel that is wanted, or in the thread."""
        ...


class Reply(Protocol):
    """A digest in its thread."""

    async def show(self, words: str) -> None:
        """Say what is being done."""
        ...

    async def finish(
        self, digest: Digest, reading: Reading, coverage: str, *, may_share: bool
    ) -> None:
        """Deliver the digest of what was read."""
        ...

    async def fail(self, words: str, reference: str) -> None:
        """Say why there is none."""
        ...


class Replies(Protocol):
    """Where digests are shown."""

    async def place(self, turn: Turn) -> Question:
        """Post the root of its thread. Raises a SlackError where that cannot be."""
        ...

    def open_digest(self, turn: Turn) -> AbstractAsyncContextManager[Reply]:
        """Open the reply; on leaving, nothing of it is left unfinished."""
        ...


class Schedules(Protocol):
    """Digests that come by themselves."""

    async def runs(self, schedule_id: int) -> bool:
        """Whether there is such a schedule, and it is not paused."""
        ...

    async def pause(self, schedule_id: int, why: str) -> bool:
        """Have one come no more until it is resumed; False where it does not come now."""
        ...

    async def stop_due(self, turn: Turn) -> None:
        """Record that a digest is not wanted; the next tells of what it was to tell of."""
        ...


@dataclass(frozen=True, slots=True)
class DigestRunner:
    """Runs digests, one call each."""

    replies: Replies
    channels: Channels
    gate: Gate
    writer: DigestWriter
    schedules: Schedules
    ends: DigestEnds
    metrics: Metrics
    clock: Clock

    async def run(self, turn: Turn) -> None:
        """Write a digest in its thread, or say there why not.

        A scheduled one waits for Slack: before it is written for whichever process comes to it, and
        from then on in this one, as to write it anew costs.
        """

        async def work(reply: Reply) -> Answer:
            return await self._answer(turn, reply)

        await self.ends.settling().settle(turn, self.replies.open_digest(turn), work)

    async def place(self, turn: Turn) -> Question | None:
        """Post the thread of a digest; None where that is not possible, or not wanted any more.

        A scheduled one is posted as late as its window allows, however often Slack fails before.
        """
        async with self.ends.settling().recorded(turn):
            request = read_request(turn.question.text)
            if request.schedule_id is None:
                return await self.replies.place(turn)
            return await self._place_scheduled(turn, request, request.schedule_id)
        return None

    async def _place_scheduled(
        self, turn: Turn, request: DigestRequest, schedule_id: int
    ) -> Question | None:
        """Post the thread of a scheduled digest, unless it came to be too late or not wanted.

        A schedule whose owner has left is paused, as no direct message reaches them any more; but
        not before the root is there, as who goes on would take it for one that is not wanted.
        """
        # Asked first, as it may take minutes where many are due.
        is_gone = await self.gate.is_gone(turn)
        if not turn.sent:
            if not await self.schedules.runs(schedule_id):
                log.info("a scheduled digest is not wanted any more")
                await self.schedules.stop_due(turn)
                return None
            if self.ends.is_late(request):
                raise TooLate
        try:
            placed = await self.replies.place(turn)
        except SlackRefused:
            if is_gone:
                await self.schedules.pause(schedule_id, GONE.words)
            raise
        if is_gone:
            await self.schedules.pause(schedule_id, GONE.words)
        return placed

    async def _answer(self, turn: Turn, reply: Reply) -> Answer:
        if turn.is_given_up:
            raise TurnInterrupted
        self.writer.check()
        began, request = self.clock.monotonic(), read_request(turn.question.text)
        await reply.show("Reading the messages")  # first, as it says whether Slack is there
        is_elsewhere = await self.gate.admit(turn, request)
        reading = await self.channels.read(turn.question.thread.team, request, reply.show)
        if reading.new:
            await reply.show("Writing the digest")
        written = await self.writer.write(reading, request, turn)
        coverage = _coverage(reading, written, request, ELSEWHERE if is_elsewhere else "")
        may_share = turn.question.thread.channel != request.channel and bool(written.digest.topics)
        await self._show(
            turn,
            request,
            lambda: reply.finish(written.digest, reading, coverage, may_share=may_share),
        )
        seconds = self.clock.monotonic() - began
        self.metrics.answer_seconds.observe(seconds)
        return _answer(written, remembered(written.digest, coverage, reading), seconds)

    async def _show(
        self, turn: Turn, request: DigestRequest, finish: Callable[[], Awaitable[None]]
    ) -> None:
        """Show a digest that is written, if it may still be had there.

        A scheduled one waits here until it would be too late: whoever came to it next would have it
        written anew.
        """
        pause = PAUSE_SECONDS
        while True:
            try:
                await self.gate.admit(turn, request)  # again: this may have taken an hour
                return await finish()
            except (SlackUnreachable, SlackRateLimited, ScheduledNotAdmitted) as error:
                is_known = isinstance(error, ScheduledNotAdmitted) and error.refusal.is_known
                if is_known or request.schedule_id is None or self.ends.is_late(request):
                    raise
                log.warning("a digest is shown later", extra={"turn": turn.id, "error": str(error)})
                await self.clock.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _coverage(reading: Reading, written: WrittenDigest, request: DigestRequest, where: str) -> str:
    """Say what was read and what is missing, and where it is if that is not where it was to be."""
    sentences = [
        coverage_words(reading, written.digest, request),
        CUT if written.is_cut else "",
        skipped_words(request),
        where,
    ]
    return " ".join(filter(None, sentences))


def _answer(written: WrittenDigest, text: str, seconds: float) -> Answer:
    """Return a digest as what was answered in its thread.

    It names no response: a turn that is chained to it would carry it to a model that searches.
    """
    return Answer(
        finished=Finished("", written.model, "completed", written.spent.usage),
        text=text,
        citations=(),
        searches=(),
        unlinked=0,
        seconds=seconds,
        usd=written.spent.usd,
    )
