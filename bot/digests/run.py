"""The path of a digest: who may have it, what was written, what that comes to, who may see it.

request ─► audience ─► messages of the period ─► parts ─► claims ─► audience ─► thread

What is read in Slack is told to a model without any tool, and its texts are kept nowhere. Whether
the person may have it is asked again right before it is shown.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bot.digests.admission import NotAdmitted
from bot.digests.audience import GONE
from bot.digests.memory import remembered
from bot.digests.request import is_scheduled, read_request
from bot.digests.schedule import catch_up
from bot.digests.words import coverage_words, skipped_words
from bot.errors import (
    FootnoteError,
    SlackRateLimited,
    SlackRefused,
    SlackUnreachable,
    TurnInterrupted,
)
from bot.turns.answer import Answer, Finished
from bot.turns.settle import Settling

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from bot.clock import Clock
    from bot.digests.admission import Admission
    from bot.digests.audience import Refusal
    from bot.digests.digest import Digest, Reading
    from bot.digests.request import DigestRequest
    from bot.digests.schedule import Schedule
    from bot.digests.writer import DigestWriter, WrittenDigest
    from bot.metrics import Metrics
    from bot.turns.question import Question
    from bot.turns.settle import Store
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

PAUSED = (
    "Scheduled digest {number} is paused, as {why}. The person who scheduled it can resume it on "
    "my Home tab."
)
ELSEWHERE = "I could not post this in the channel, so it comes to you."
HELD_BACK = "There is no digest this time, as {why}."
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 300.0  # between two attempts to show a digest
CUT = "The model broke off, so something may be missing."


class ScheduledNotAdmitted(NotAdmitted):
    """A scheduled digest that its owner may not have there, in words for whoever reads it there."""

    def __init__(self, refusal: Refusal, number: int) -> None:
        super().__init__(refusal)
        words = PAUSED if refusal.is_known else HELD_BACK
        self.public = words.format(number=number, why=refusal.of_owner)
        self.may_do_better = not refusal.is_known  # to try it again would not resume it


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

    async def get(self, schedule_id: int) -> Schedule | None:
        """Return one; None where there is no such."""
        ...

    async def pause(self, schedule_id: int, why: str) -> bool:
        """Have one come no more until it is resumed; False where it does not come now."""
        ...

    async def fail_due(self, turn: Turn, error: BaseException) -> None:
        """Record that a digest failed unseen; the next of its schedule tells of it."""
        ...

    async def stop_due(self, turn: Turn) -> None:
        """Record that a digest is not wanted; the next tells of what it was to tell of."""
        ...

    async def finish_due(self, turn: Turn, answer: Answer) -> None:
        """Record a digest; should it have failed unseen before, none tells of that any more."""
        ...


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
    clock: Clock
    _written: set[int] = field(default_factory=set, init=False)  #: turns, while they are shown

    async def run(self, turn: Turn) -> None:
        """Write a digest in its thread, or say there why not.

        A scheduled one waits for Slack: before it is written for whichever process comes to it, and
        from then on in this one, as to write it anew costs.
        """

        async def work(reply: Reply) -> Answer:
            return await self._answer(turn, reply)

        try:
            await self._settling().settle(turn, self.replies.open_digest(turn), work)
        finally:
            self._written.discard(turn.id)

    async def place(self, turn: Turn) -> Question | None:
        """Post the thread of a digest; None where that is not possible, or not wanted any more.

        A scheduled one is posted as late as its window allows, however often Slack fails before.
        """
        async with self._settling().recorded(turn):
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
        question = turn.question  # asked first, as it may take minutes where many are due
        is_gone = await self.admission.is_gone(question.thread.team, question.user)
        if not turn.sent:
            if not await self.schedules.runs(schedule_id):
                log.info("a scheduled digest is not wanted any more")
                await self.schedules.stop_due(turn)
                return None
            if self._is_late(request):
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

    def _is_late(self, request: DigestRequest) -> bool:
        return self.clock.now() - request.period.until > catch_up(request.period)

    def _settling(self) -> Settling:
        return Settling(
            self.store, self.metrics, self._fail_unseen, self._finish, may_wait=self._may_wait
        )

    def _may_wait(self, turn: Turn, error: Exception) -> bool:
        """Whether nobody waits for a digest that Slack does not take now, and there is time."""
        if turn.id in self._written or not isinstance(error, (SlackUnreachable, SlackRateLimited)):
            return False
        text = turn.question.text
        return is_scheduled(text) and not self._is_late(read_request(text))

    async def _finish(self, turn: Turn, answer: Answer) -> None:
        if is_scheduled(turn.question.text):
            await self.schedules.finish_due(turn, answer)
        else:
            await self.store.finish_turn(turn, answer)

    async def _fail_unseen(self, turn: Turn, error: Exception) -> None:
        """Record a failure that nobody could be told of."""
        if is_scheduled(turn.question.text):
            await self.schedules.fail_due(turn, error)
        else:
            await self.store.fail_turn(turn, error)

    async def _answer(self, turn: Turn, reply: Reply) -> Answer:
        if turn.is_given_up:
            raise TurnInterrupted
        self.writer.check()
        began, request = self.clock.monotonic(), read_request(turn.question.text)
        await reply.show("Reading the messages")  # first, as it says whether Slack is there
        is_elsewhere = await self._admit(turn, request)
        reading = await self.channels.read(turn.question.thread.team, request, reply.show)
        if reading.new:
            await reply.show("Writing the digest")
        written = await self.writer.write(reading, request, turn)
        self._written.add(turn.id)
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
        """Show a digest that is written, if it may still be had there; a scheduled one waits."""
        pause = PAUSE_SECONDS
        while True:
            try:
                await self._admit(turn, request)  # again: this may have taken an hour
                return await finish()
            except (SlackUnreachable, SlackRateLimited, ScheduledNotAdmitted) as error:
                is_known = isinstance(error, ScheduledNotAdmitted) and error.refusal.is_known
                if is_known or request.schedule_id is None or self._is_late(request):
                    raise
                log.warning("a digest is shown later", extra={"turn": turn.id, "error": str(error)})
                await self.clock.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _admit(self, turn: Turn, request: DigestRequest) -> bool:
        """Raise NotAdmitted unless this digest may be had there; return whether it was kept out.

        A schedule whose owner is known not to be allowed it is paused. So is one whose channel does
        not take it any more, of which its owner is told in their direct message.
        """
        question, thread = turn.question, turn.question.thread
        is_elsewhere = await self._is_elsewhere(turn, request)
        targets = (thread.channel, *([request.channel] if is_elsewhere else []))
        try:
            for target in targets:
                await self.admission.check(thread.team, question.user, request.channel, target)
        except NotAdmitted as refused:
            number, refusal = request.schedule_id, refused.refusal
            if number is None:
                raise
            if refusal.is_known:
                await self.schedules.pause(number, refusal.words)
            raise ScheduledNotAdmitted(refusal, number) from refused
        return is_elsewhere

    async def _is_elsewhere(self, turn: Turn, request: DigestRequest) -> bool:
        """Whether a digest was scheduled for its channel, and Slack took it somewhere else only."""
        if request.schedule_id is None or turn.question.thread.channel == request.channel:
            return False
        schedule = await self.schedules.get(request.schedule_id)
        return schedule is not None and schedule.digest.target == request.channel


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
