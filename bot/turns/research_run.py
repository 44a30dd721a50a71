"""The path of a research: begun once, followed whatever happens, reported once or stopped.

The run belongs to the model's server; this process only follows it. How far it was heard is in the
database before it is shown, so whoever takes the turn over follows the same run.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from bot.errors import (
    ModelCutOff,
    ModelRunTooLong,
    TurnInterrupted,
)
from bot.turns.answer import Finished
from bot.turns.following import Following
from bot.turns.preparation import with_brief
from bot.turns.settle import End, Settling
from bot.turns.settle import Store as Ends
from bot.turns.transcript import transcript

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.metrics import Metrics
    from bot.turns.answer import Answer
    from bot.turns.memory import Memory
    from bot.turns.preparation import Preparation
    from bot.turns.prices import Prices
    from bot.turns.question import Asked
    from bot.turns.research import Progress, Ran, Report, Run, Step
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

    async def cancel(self, response_id: str) -> Finished:
        """Have a run end, and return what it used, as far as that is known.

        Raises nothing: it may have ended, or be out of reach.
        """
        ...


class Reply(Protocol):
    """A run in the thread, and its report."""

    async def show(self, progress: Progress) -> None:
        """Show how far it has come; returns at once."""
        ...

    async def brief(self, text: str) -> None:
        """Show what is going to be researched; returns at once."""
        ...

    async def ask(self, questions: Sequence[str]) -> None:
        """Ask the person before the run begins."""
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


class Store(Ends, Protocol):
    """What the bot remembers of a turn. Raises TurnLost where another process has it by now."""

    async def note_cost(self, turn: Turn, answer: Answer) -> None:
        """Record what a turn has cost that comes to no answer."""
        ...


class Runs(Protocol):
    """What the bot remembers of runs. Raises TurnLost where another process has one by now."""

    async def begin(self, turn: Turn) -> Run:
        """Return how far the run of a turn has come; a new one begins now."""
        ...

    async def prepare(self, turn: Turn, run: Run) -> None:
        """Record what is asked before a run, and what is to be researched."""
        ...

    async def note(
        self, turn: Turn, response_id: str, sequence_number: int | None, ran: Sequence[Ran]
    ) -> None:
        """Record how far it has come by now."""
        ...

    async def is_stop_asked(self, turn: Turn) -> bool:
        """Whether somebody wants the run stopped."""
        ...


@dataclass(frozen=True, slots=True)
class ResearchRunner:
    """Follows runs, one call each."""

    replies: Replies
    memory: Memory
    model: Model
    store: Store
    runs: Runs
    preparation: Preparation
    metrics: Metrics
    prices: Prices
    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    deadline: timedelta = timedelta(minutes=60)

    async def run(self, turn: Turn) -> None:
        """Research a question and report in its thread, or say there why not."""

        async def work(reply: Reply) -> Answer | End:
            return await self._answer(turn, reply)

        opened = self.replies.open_research(turn)
        await Settling(self.store, self.metrics).settle(turn, opened, work)

    async def _answer(self, turn: Turn, reply: Reply) -> Answer | End:
        """Return the report, or what is asked before there can be one."""
        if turn.is_given_up:
            raise TurnInterrupted
        following = Following(await self.runs.begin(turn), self.clock)
        work = asyncio.create_task(self._work(turn, following, reply))
        ending = asyncio.create_task(self._ending(turn, following))
        try:
            await asyncio.wait({work, ending}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                finished = work.result()
                return await self._deliver(finished, following, reply)
            is_late = ending.result() == "late"
        finally:
            for task in (work, ending):
                task.cancel()
            await asyncio.gather(work, ending, return_exceptions=True)
        finished = Finished("", "", "too_late")
        if following.response_id is not None:
            finished = await self.model.cancel(following.response_id)
        if is_late and following.is_written:
            return await self._deliver(following.cut(finished), following, reply)
        await self.store.note_cost(turn, following.cost(finished, self.prices))
        if is_late:
            raise ModelRunTooLong
        await reply.stopped(following.progress)
        return End.STOPPED

    async def _deliver(
        self, finished: Finished | None, following: Following, reply: Reply
    ) -> Answer:
        if finished is None:
            await reply.ask(following.run.questions or ())
            return following.question()
        report = following.report(finished, self.prices)
        await reply.finish(report)
        return report.answer

    async def _work(self, turn: Turn, following: Following, reply: Reply) -> Finished | None:
        """Come to the end of the run; None where something is to be asked before it."""
        await reply.show(following.progress)
        asked = await self._told(turn)
        if following.run.brief is None and following.run.response_id is None:
            if await self._has_questions(asked, turn, following):
                return None
            briefed = await self.preparation.brief(asked, turn)
            await self.runs.prepare(turn, following.briefed(briefed.brief, briefed.spent))
        brief = following.run.brief or ""
        await reply.brief(brief)
        return await self._hear(with_brief(asked, brief), turn, following, reply)

    async def _told(self, turn: Turn) -> Asked:
        """Say the question with what was said before it.

        Told, and not chained: a run has a model of its own, and may be begun weeks later.
        """
        asked = await self.memory.read(turn.question)
        told = transcript((await self.memory.said_before(turn)).exchanges, TOLD_TOKENS)
        return replace(asked, earlier=told.exchanges)

    async def _has_questions(self, asked: Asked, turn: Turn, following: Following) -> bool:
        """Find out whether something is to be asked first, which is done only once."""
        run = following.run
        if run.is_answer or run.is_taken_up or not self.preparation.asks:
            return False
        if run.questions is None:
            clarified = await self.preparation.clarify(asked, turn)
            run = following.asked(clarified.questions, clarified.spent)
            await self.runs.prepare(turn, run)
        return bool(run.questions)

    async def _hear(self, asked: Asked, turn: Turn, following: Following, reply: Reply) -> Finished:
        """Hear the run to its end, each step recorded before it is shown."""
        run = following.run
        known = replace(turn, response_id=run.response_id, previous_response_id=None)
        steps = self.model.research(asked, known, run.sequence_number)
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
