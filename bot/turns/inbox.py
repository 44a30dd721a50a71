"""Takes questions in, once each, and runs them in order within a thread."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from bot.turns.question import Question, Thread
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)


class Store(Protocol):
    """What the inbox needs to remember."""

    async def take(self, question: Question) -> int | None:
        """Claim the question and return its turn's id; None when it was taken before."""
        ...

    async def start(self, turn_id: int) -> Turn:
        """Begin the turn, chained to what its thread's last answer is by now."""
        ...


class Inbox:
    """Owns the tasks that answer. Within a thread, the earlier question is answered first."""

    def __init__(self, store: Store, run: Callable[[Turn], Awaitable[None]]) -> None:
        self._store = store
        self._run = run
        self._waiting: dict[Thread, list[tuple[str, int]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    async def take(self, question: Question) -> bool:
        """Take a question in; False when it was taken before. When this returns, it is stored."""
        turn_id = await self._store.take(question)
        if turn_id is None:
            log.info("question already taken", extra={"ts": question.ts})
            return False
        self.enqueue(question, turn_id)
        return True

    def enqueue(self, question: Question, turn_id: int) -> None:
        """Run a turn that was taken, now or after those before it in its thread."""
        waiting = self._waiting.get(question.thread)
        if waiting is not None:
            waiting.append((question.ts, turn_id))
            return
        self._waiting[question.thread] = [(question.ts, turn_id)]
        self.own(self._run_thread(question.thread))

    def own(self, work: Coroutine[None, None, None]) -> None:
        """Run something as a task that is waited for on closing."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, seconds: float) -> None:
        """Let what is running come to its end for so long, then interrupt it."""
        self._closing = True  # what waits in a thread is begun at the next start
        tasks = list(self._tasks)
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run_thread(self, thread: Thread) -> None:
        waiting = self._waiting[thread]
        try:
            while waiting and not self._closing:
                earliest = min(waiting)
                waiting.remove(earliest)
                await self._run_one(earliest[1])
        finally:
            del self._waiting[thread]

    async def _run_one(self, turn_id: int) -> None:
        try:
            await self._run(await self._store.start(turn_id))
        except Exception:  # the thread's next question must not wait for ever
            log.exception("turn ended in an unforeseen way", extra={"turn": turn_id})
