"""The path of a research: begun once, followed whatever happens, reported once or stopped.

The run belongs to the model's server; this process only follows it. How far it was heard is in the
database before it is shown, so whoever takes the turn over follows the same run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from bot.errors import FootnoteError, ModelCutOff, ModelRunTooLong, TurnInterrupted, public_words
from bot.turns.answer import Answer, Finished, Foreground, Searched, Searching, Started, Writing
from bot.turns.draft import Draft
from bot.turns.research import Progress, Ran, Report, summary_of
from bot.turns.run import LEFT, log_failure
from bot.turns.transcript import transcript

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.metrics import Metrics
    from bot.turns.memory import Memory
    from bot.turns.prices import Prices
    from bot.turns.question import Asked
    from bot.turns.research import Run, Stage, Step
    from bot.turns.run import Store
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

TOLD_TOKENS = 15_000  # of what was said in the thread before
LOOK_SECONDS = 2.0  # between two looks at whether a run is to be stopped


class Model(Protocol):
    """What researches."""

    def research(self, asked: Asked, turn: Turn, after: int | None) -> AsyncGenerator[Step]:
        """Yield a run's steps, from its beginning or after what was heard of it.

        The last part is `Finished`. Raises a ModelError where there is no report.
        """
        ...

    async def cancel(self, response_id: str) -> None:
        """Have a run end. Raises nothing: it may have ended, or be out of reach."""
        ...


class Reply(Protocol):
    """A run in the thread, and its report."""

    async def show(self, progress: Progress) -> None:
        """Show how far it has come; returns at once."""
        ...

    async def finish(self, report: Report) -> None:
        """Deliver the report."""
        ...

    async def fail(self, words: str, reference: str) -> None:
        """Say why there is no report."""
        ...

    async def stopped(self, progress: Progress) -> None:
        """Say that it was stopped, and what was found so far."""
        ...


class Replies(Protocol):
    """Where runs are shown."""

    def open_research(self, turn: Turn) -> AbstractAsyncContextManager[Reply]:
        """Open the reply; on leaving, nothing of it is left spinning."""
        ...


class Runs(Protocol):
    """What the bot remembers of runs. Raises TurnLost where another process has one by now."""

    async def begin(self, turn: Turn) -> Run:
        """Return how far the run of a turn has come; a new one begins now."""
        ...

    async def note(
        self, turn: Turn, response_id: str, sequence_number: int | None, ran: Sequence[Ran]
    ) -> None:
        """Record how far it has come by now."""
        ...

    async def is_stop_asked(self, turn: Turn) -> bool:
        """Whether somebody wants the run stopped."""
        ...


@dataclass
class Following:
    """How far a run was heard in this process."""

    run: Run
    clock: Callable[[], datetime]
    response_id: str | None = None
    sequence_number: int | None = None
    ran: dict[str, Ran] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)
    stage: Stage = "queued"
    is_kept: bool = True
    draft: Draft = field(default_factory=Draft)

    @property
    def seconds(self) -> float:
        """Since the run began, whichever process that was in."""
        return (self.clock() - self.run.began_at).total_seconds()

    @property
    def progress(self) -> Progress:
        """What is shown."""
        ran = tuple(self.ran.values())
        return Progress(stage=self.stage, ran=ran, seconds=self.seconds, is_kept=self.is_kept)

    def take(self, step: Step) -> bool:
        """Take what was heard; tell whether it is to be recorded and shown."""
        if step.sequence_number is not None:
            self.sequence_number = step.sequence_number
        match step.part:
            case Started(response_id):
                self.response_id = response_id
            case Searching(key):
                self.stage = "searching"
                self.begun.setdefault(key, self.seconds)
            case Searched(key, search, failed):
                seconds = self.seconds - self.begun.get(key, self.seconds)
                self.ran.setdefault(key, Ran(search, seconds, failed, key))
            case Writing():
                is_new, self.stage = self.stage != "writing", "writing"
                return is_new
            case Foreground():
                self.is_kept = False
            case _:
                self.draft.add(step.part)
                return False
        self.draft.add(step.part)
        return True


@dataclass(frozen=True, slots=True)
class ResearchRunner:
    """Follows runs, one call each."""

    replies: Replies
    memory: Memory
    model: Model
    store: Store
    runs: Runs
    metrics: Metrics
    prices: Prices
    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    deadline: timedelta = timedelta(minutes=60)

    async def run(self, turn: Turn) -> None:
        """Research a question and report in its thread, or say there why not."""
        try:
            async with self.replies.open_research(turn) as reply:
                await self._run_in(reply, turn)
        except LEFT as error:
            log.warning("run left to another process", extra={"error": str(error)})
        except asyncio.CancelledError:
            with contextlib.suppress(FootnoteError):
                await self.store.hand_over(turn)
            raise
        except Exception as error:
            log.exception("no report could be opened or closed", extra={"turn": turn.id})
            await self._record_failure(turn, error)

    async def _run_in(self, reply: Reply, turn: Turn) -> None:
        try:
            run = await self._begun(turn)
            following = Following(run, self.clock, run.response_id, run.sequence_number)
            following.ran = {each.key: each for each in run.ran}
            answer = await self._follow(turn, following, reply)
        except LEFT:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread is told
            log_failure(turn, error)
            await reply.fail(public_words(error), str(turn.id))
            await self._record_failure(turn, error)
        else:
            if answer is None:
                await self.store.stop_turn(turn)
                self.metrics.stopped.add()
            else:
                await self.store.finish_turn(turn, answer)
                self.metrics.answered.add()

    async def _begun(self, turn: Turn) -> Run:
        if turn.is_given_up:
            raise TurnInterrupted
        return await self.runs.begin(turn)

    async def _record_failure(self, turn: Turn, error: Exception) -> None:
        await self.store.fail_turn(turn, error)
        self.metrics.failed.add()

    async def _follow(self, turn: Turn, following: Following, reply: Reply) -> Answer | None:
        """Follow the run to its report; None where it was stopped."""
        hearing = asyncio.create_task(self._hear(turn, following, reply))
        ending = asyncio.create_task(self._ending(turn, following))
        try:
            await asyncio.wait({hearing, ending}, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                report = self._report(hearing.result(), following)
                await reply.finish(report)
                return report.answer
            is_late = ending.result() == "late"
        finally:
            for task in (hearing, ending):
                task.cancel()
            await asyncio.gather(hearing, ending, return_exceptions=True)
        if following.response_id is not None:
            await self.model.cancel(following.response_id)
        if is_late:
            raise ModelRunTooLong
        await reply.stopped(following.progress)
        return None

    async def _hear(self, turn: Turn, following: Following, reply: Reply) -> Finished:
        """Hear the run to its end, each step recorded before it is shown."""
        asked = await self.memory.read(turn.question)
        # Told, and not chained: a run has a model of its own, and may be begun weeks later.
        told = transcript((await self.memory.said_before(turn)).exchanges, TOLD_TOKENS)
        asked = replace(asked, earlier=told.exchanges)
        known = replace(turn, response_id=following.run.response_id, previous_response_id=None)
        await reply.show(following.progress)
        steps = self.model.research(asked, known, following.run.sequence_number)
        async with aclosing(steps):
            async for step in steps:
                if isinstance(step.part, Finished):
                    return step.part
                if following.take(step):
                    if following.response_id is not None and following.is_kept:
                        ran = tuple(following.ran.values())
                        place = following.sequence_number
                        await self.runs.note(turn, following.response_id, place, ran)
                    await reply.show(following.progress)
        raise ModelCutOff

    async def _ending(self, turn: Turn, following: Following) -> Literal["stopped", "late"]:
        """Return once the run is to be stopped, or has taken too long."""
        while following.seconds < self.deadline.total_seconds():
            if await self.runs.is_stop_asked(turn):
                return "stopped"
            await self.sleep(LOOK_SECONDS)
        return "late"

    def _report(self, finished: Finished, following: Following) -> Report:
        draft = following.draft
        draft.close()
        ran = tuple(following.ran.values())
        searches = finished.billed_searches
        if searches is None:
            searches = sum(each.search.kind == "search" for each in ran)
        answer = Answer(
            finished=finished,
            text=draft.text,
            citations=draft.citations,
            searches=tuple(each.search for each in ran),
            unlinked=draft.unlinked,
            seconds=following.seconds,
            usd=self.prices.of(finished, searches),
        )
        is_partial = finished.ending != "completed"
        return Report(answer=answer, summary=summary_of(draft.text), ran=ran, is_partial=is_partial)
