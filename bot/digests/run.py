"""The path of a digest: who may have it, what was written, what that comes to, who may see it.

request ─► audience ─► messages of the period ─► parts ─► claims ─► audience ─► thread

What is read in Slack is told to a model without any tool, and its texts are kept nowhere. Whether
the person may have it is asked again right before it is shown.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from bot.digests.audience import GONE, may_ask, may_post
from bot.digests.digest import Period
from bot.digests.memory import remembered
from bot.digests.request import is_scheduled, read_request, skipped_words
from bot.digests.words import coverage_words
from bot.errors import FootnoteError, TurnInterrupted
from bot.turns.answer import Answer, Finished
from bot.turns.settle import Settling

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from bot.digests.audience import Person, Place, Refusal
    from bot.digests.digest import Digest, Reading
    from bot.digests.request import DigestRequest
    from bot.digests.writer import DigestWriter, WrittenDigest
    from bot.metrics import Metrics
    from bot.turns.question import Question, Thread
    from bot.turns.settle import Store
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

PAUSED = "This scheduled digest is paused and comes no more. To who scheduled it: {}"
CUT = "The model broke off, so something may be missing."


class NotAdmitted(FootnoteError):
    """Somebody may not have a digest, or not there."""

    def __init__(self, refusal: Refusal, words: str = "{}") -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
        self.public = words.format(refusal.words)


class Channels(Protocol):
    """Channels, and who is in them."""

    async def facts(self, team: str, channel: str, user: str) -> tuple[Person, Place]:
        """Return what a person is in a channel, and what that is, as of now. Raises nothing."""
        ...

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

    async def place(self, turn: Turn) -> Question | None:
        """Post the root of its thread; None if that is refused for good."""
        ...

    def open_digest(self, turn: Turn) -> AbstractAsyncContextManager[Reply]:
        """Open the reply; on leaving, nothing of it is left unfinished."""
        ...


class Schedules(Protocol):
    """Digests that come by themselves."""

    async def pause(self, schedule_id: int, why: str) -> bool:
        """Have one come no more until it is resumed; False where it does not come now."""
        ...

    async def fail_due(self, turn: Turn, error: BaseException) -> None:
        """Record that a digest failed unseen; the next of its schedule tells of it."""
        ...


@dataclass(frozen=True, slots=True)
class Admission:
    """Asks, each time anew, who may have a digest and where it may be posted."""

    channels: Channels

    async def check(self, thread: Thread, user: str, source: str) -> None:
        """Raise NotAdmitted unless this person may have a digest of the source in this place."""
        person, place = await self.channels.facts(thread.team, source, user)
        refusal = may_ask(person, place)
        if refusal is None:
            target = place
            if thread.channel != source:
                _, target = await self.channels.facts(thread.team, thread.channel, user)
            refusal = may_post(place, target, person)
        if refusal is not None:
            log.info("no digest for this person here", extra={"code": refusal.code})
            raise NotAdmitted(refusal)


@dataclass(frozen=True, slots=True)
class DigestRunner:
    """Runs digests, one call each."""

    replies: Replies
    channels: Channels
    admission: Admission
    writer: DigestWriter
    schedules: Schedules
    store: Store
    metrics: Metrics
    clock: Callable[[], float]  #: seconds, for the time it took

    async def run(self, turn: Turn) -> None:
        """Write a digest in its thread, or say there why not."""

        async def work(reply: Reply) -> Answer:
            return await self._answer(turn, reply)

        await self._settling().settle(turn, self.replies.open_digest(turn), work)

    async def place(self, turn: Turn) -> Question | None:
        """Post the thread of a digest; None where that is not possible.

        A schedule whose owner has left is paused: no direct message reaches them any more.
        """
        async with self._settling().recorded(turn):
            request = read_request(turn.question.text)
            if request.schedule_id is not None and await self._is_gone(turn, request.channel):
                await self.schedules.pause(request.schedule_id, GONE.words)
            return await self.replies.place(turn)
        return None

    def _settling(self) -> Settling:
        return Settling(self.store, self.metrics, self._fail_unseen)

    async def _is_gone(self, turn: Turn, channel: str) -> bool:
        question = turn.question
        person, _ = await self.channels.facts(question.thread.team, channel, question.user)
        return person.kind == "gone"

    async def _fail_unseen(self, turn: Turn, error: Exception) -> None:
        """Record a failure that nobody could be told of."""
        if is_scheduled(turn.question.text):
            await self.schedules.fail_due(turn, error)
        else:
            await self.store.fail_turn(turn, error)

    async def _answer(self, turn: Turn, reply: Reply) -> Answer:
        if turn.is_given_up:
            raise TurnInterrupted
        began, request = self.clock(), read_request(turn.question.text)
        await self._admit(turn, request)
        reading = await self._read(turn, request, reply)
        if reading.new:
            await reply.show("Writing the digest")
        written = await self.writer.write(reading, request, turn)
        coverage = _coverage(reading, written, request)
        await self._admit(turn, request)  # again: this may have taken an hour
        may_share = turn.question.thread.channel != request.channel and bool(written.digest.topics)
        await reply.finish(written.digest, reading, coverage, may_share=may_share)
        seconds = self.clock() - began
        self.metrics.answer_seconds.observe(seconds)
        return _answer(written, remembered(written.digest, coverage, reading.messages), seconds)

    async def _read(self, turn: Turn, request: DigestRequest, reply: Reply) -> Reading:
        await reply.show("Reading the messages")
        return await self.channels.read(turn.question.thread.team, request, reply.show)

    async def _admit(self, turn: Turn, request: DigestRequest) -> None:
        """Raise NotAdmitted unless this digest may be had there; for good pauses a schedule."""
        question = turn.question
        try:
            await self.admission.check(question.thread, question.user, request.channel)
        except NotAdmitted as refused:
            if request.schedule_id is None or not refused.refusal.is_final:
                raise
            await self.schedules.pause(request.schedule_id, refused.public)
            raise NotAdmitted(refused.refusal, PAUSED) from refused


def _coverage(reading: Reading, written: WrittenDigest, request: DigestRequest) -> str:
    """Say what was read and what is missing."""
    zone, period = ZoneInfo(request.zone), request.period
    if request.thread_ts and reading.messages:
        times = [datetime.fromtimestamp(float(each.ts), UTC) for each in reading.messages]
        period = Period(min(times), max(times))
    sentences = [
        coverage_words(reading, written.digest, period, zone),
        CUT if written.is_cut else "",
        skipped_words(request),
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
