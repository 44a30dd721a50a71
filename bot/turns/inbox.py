"""Takes questions in, once each, and runs them in order within a thread.

What is to be done is in the database and nowhere else: a turn is started there before it runs
here, and the next of its thread when it has ended. So whoever looks there can go on.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from bot.errors import FootnoteError

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine

    from bot.metrics import Metrics
    from bot.turns.question import Question, Thread
    from bot.turns.turn import Taken, Turn

log = logging.getLogger(__name__)

LEAVING_SECONDS = 10.0  # for what is handed over on closing to leave its thread in good order


class Store(Protocol):
    """What the inbox needs to remember."""

    async def take(self, question: Question) -> Taken | None:
        """Claim the question, and start its turn unless one of its thread runs.

        Returns None when it was taken before.
        """
        ...

    async def take_to_place(self, question: Question) -> Turn | None:
        """Claim a question whose thread is still to be posted; None when it was taken before."""
        ...

    async def place(self, turn: Turn, question: Question) -> Taken:
        """Record where a turn's thread is by now, and start it there."""
        ...

    async def start_next(self, thread: Thread) -> Turn | None:
        """Start the turn of a thread that waits and was asked first, unless one is running."""
        ...

    async def try_again(self, turn_id: int) -> Taken | None:
        """Set a failed turn waiting again, and start it if it may; None if it has not failed."""
        ...

    async def start_now(self, turn_id: int) -> Taken | None:
        """Go on with a research that has asked something; None if that is answered by now."""
        ...

    async def withdraw(self, team: str, channel: str, ts: str) -> bool:
        """Stop the turn of a question that was deleted before it was begun."""
        ...

    async def recover(self, running: Collection[int]) -> list[Turn]:
        """Take over some turns whose process died; `running` are those that this one works on."""
        ...

    async def stranded(self) -> list[Thread]:
        """Return threads in which a turn waits and none runs."""
        ...


class Work(Protocol):
    """What is done about a turn."""

    async def run(self, turn: Turn) -> None:
        """Answer a question in its thread, or say there that it failed."""
        ...

    async def place(self, turn: Turn) -> Question | None:
        """Post the thread of a question that a command asked; None when it cannot be had."""
        ...

    async def wait(self, question: Question) -> None:
        """Tell a thread that a question waits there."""
        ...


class Inbox:
    """Owns the tasks that answer. Within a thread, the earlier question is answered first."""

    def __init__(self, store: Store, work: Work, metrics: Metrics) -> None:
        self._store = store
        self._work = work
        self._metrics = metrics
        self._running: dict[int, asyncio.Task[None]] = {}
        self._others: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def running(self) -> int:
        """How many turns are worked on."""
        return len(self._running)

    async def take(self, question: Question) -> bool:
        """Take a question in; False when it was taken before. When this returns, it is stored."""
        taken = await self._store.take(question)
        if taken is None:
            log.info("question already taken", extra={"ts": question.ts})
            self._metrics.duplicates.add()
            return False
        self._metrics.taken.add()
        if not self._begin(taken):
            self.own(self._work.wait(question))
        return True

    async def take_to_place(self, question: Question) -> bool:
        """Take in a question whose thread is still to be posted; False when it was taken before."""
        turn = await self._store.take_to_place(question)
        if turn is None:
            self._metrics.duplicates.add()
            return False
        self._metrics.taken.add()
        self._start(turn)
        return True

    def begin_placing(self, turn: Turn) -> None:
        """Begin with a turn that was taken, whose thread is still to be posted."""
        self._metrics.taken.add()
        self._start(turn)

    async def try_again(self, turn_id: int) -> bool:
        """Answer a question whose turn has failed; False when it has not, or not any more."""
        return self._goes_on(await self._store.try_again(turn_id))

    async def start_now(self, turn_id: int) -> bool:
        """Go on with a research that has asked something; False if that is answered by now."""
        return self._goes_on(await self._store.start_now(turn_id))

    async def withdraw(self, team: str, channel: str, ts: str) -> None:
        """Forget a question that was deleted, unless it is being answered."""
        if await self._store.withdraw(team, channel, ts):
            log.info("question withdrawn", extra={"ts": ts})

    async def recover(self) -> int:
        """Go on with what other processes left when they died; return how much that was."""
        if self._closing:
            return 0
        found = 0
        for turn in await self._store.recover(tuple(self._running)):
            log.warning("turn taken over", extra={"turn": turn.id, "attempt": turn.attempt})
            self._metrics.taken_over.add()
            self._start(turn)
            found += 1
        return found + await self._start_stranded()

    def own(self, work: Coroutine[None, None, None]) -> None:
        """Run something as a task that is waited for on closing."""
        task = asyncio.create_task(_logged(work))
        self._others.add(task)
        task.add_done_callback(self._others.discard)

    def drop(self) -> None:
        """Leave everything at once: by now other processes may be working on it."""
        for task in self._running.values():
            task.cancel()

    async def close(self, seconds: float) -> None:
        """Let what is running come to its end for so long, then hand it over."""
        self._closing = True  # what waits in a thread is begun at the next start
        tasks = [*self._running.values(), *self._others]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=LEAVING_SECONDS)

    def _goes_on(self, taken: Taken | None) -> bool:
        if taken is not None:
            self._begin(taken)
        return taken is not None

    def _begin(self, taken: Taken) -> bool:
        if taken.turn is None:
            return False
        self._start(taken.turn)
        return True

    def _start(self, turn: Turn) -> None:
        task = asyncio.create_task(self._run(turn))
        self._running[turn.id] = task
        task.add_done_callback(lambda done: self._forget(turn.id, done))

    def _forget(self, turn_id: int, task: asyncio.Task[None]) -> None:
        if self._running.get(turn_id) is task:
            del self._running[turn_id]

    async def _run(self, turn: Turn) -> None:
        """Run a turn, and have the next one of its thread begin."""
        try:
            with self._metrics.running.during():
                await (self._work.run if turn.question.has_thread else self._place)(turn)
        except Exception:  # the thread's next question must not wait for ever
            log.exception("turn ended in an unforeseen way", extra={"turn": turn.id})
        if not self._closing:
            await self._start_next(turn.question.thread)

    async def _place(self, turn: Turn) -> None:
        question = await self._work.place(turn)
        if question is not None:
            self._begin(await self._store.place(turn, question))
        await self._start_stranded()  # whose root this might have been

    async def _start_stranded(self) -> int:
        """Start turns that wait where none runs; return how many."""
        started = [await self._store.start_next(thread) for thread in await self._store.stranded()]
        for turn in started:
            if turn is not None:
                self._start(turn)
        return sum(turn is not None for turn in started)

    async def _start_next(self, thread: Thread) -> None:
        try:
            turn = await self._store.start_next(thread)
        except FootnoteError as error:  # it is found stranded later on
            log.warning("the next turn could not be started", extra={"error": str(error)})
            return
        if turn is not None:
            self._start(turn)


async def _logged(work: Coroutine[None, None, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("work beside the answers ended in an unforeseen way")
