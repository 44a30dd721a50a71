from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from bot.turns.inbox import Inbox
from bot.turns.question import Thread
from tests.fakes import FakeStore, a_question

if TYPE_CHECKING:
    from bot.turns.turn import Turn


@dataclass
class Runs:
    """Runs that begin, and end when they are told to."""

    begun: list[str] = field(default_factory=list)
    may_end: dict[str, asyncio.Event] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ended: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)

    async def __call__(self, turn: Turn) -> None:
        ts = turn.question.ts
        self.begun.append(ts)
        self.changed.set()
        try:
            await self.may_end.setdefault(ts, asyncio.Event()).wait()
            if ts in self.failing:
                raise RuntimeError(ts)
        finally:
            self.ended.append(ts)
            self.changed.set()

    def end(self, ts: str) -> None:
        self.may_end.setdefault(ts, asyncio.Event()).set()

    async def until(self, *, begun: int = 0, ended: int = 0) -> None:
        async with asyncio.timeout(5):
            while len(self.begun) < begun or len(self.ended) < ended:
                self.changed.clear()
                await self.changed.wait()


async def test_a_question_is_taken_once_however_often_it_comes() -> None:
    runs = Runs()
    inbox = Inbox(FakeStore(), runs)
    taken = [await inbox.take(a_question()) for _ in range(3)]
    runs.end("100.000200")
    await runs.until(ended=1)
    await inbox.close(1)

    assert taken == [True, False, False]
    assert runs.begun == ["100.000200"]


async def test_questions_of_one_thread_run_one_after_another_in_the_order_of_their_ts() -> None:
    runs = Runs()
    inbox = Inbox(FakeStore(), runs)
    for ts in ("100.1", "100.3", "100.2"):
        await inbox.take(a_question(ts=ts))
    await runs.until(begun=1)
    assert runs.begun == ["100.1"]
    for ts in ("100.1", "100.2", "100.3"):
        runs.end(ts)
    await runs.until(ended=3)
    await inbox.close(1)

    assert runs.begun == ["100.1", "100.2", "100.3"]


async def test_questions_of_other_threads_run_at_once() -> None:
    runs = Runs()
    inbox = Inbox(FakeStore(), runs)
    for number in range(20):
        thread = Thread(team="T1", channel="C1", thread_ts=f"{number}.0")
        await inbox.take(replace(a_question(ts=f"{number}.1"), thread=thread))
    await runs.until(begun=20)
    for ts in list(runs.begun):
        runs.end(ts)
    await inbox.close(5)

    assert sorted(runs.ended) == sorted(runs.begun)


async def test_a_turn_that_breaks_does_not_hold_up_the_next_one() -> None:
    runs = Runs(failing={"100.1"})
    inbox = Inbox(FakeStore(), runs)
    await inbox.take(a_question(ts="100.1"))
    await inbox.take(a_question(ts="100.2"))
    runs.end("100.1")
    runs.end("100.2")
    await runs.until(ended=2)
    await inbox.close(1)

    assert runs.begun == ["100.1", "100.2"]


async def test_a_store_that_fails_makes_the_delivery_fail_so_that_it_comes_again() -> None:
    inbox = Inbox(FakeStore(failing={"take": OSError("disk full")}), Runs())

    with pytest.raises(OSError, match="disk full"):
        await inbox.take(a_question())


async def test_closing_waits_for_what_runs_and_interrupts_it_when_the_time_is_up() -> None:
    runs = Runs()
    inbox = Inbox(FakeStore(), runs)
    await inbox.take(a_question())
    await runs.until(begun=1)
    await inbox.close(0.01)

    assert runs.ended == ["100.000200"]


async def test_closing_begins_nothing_that_waits() -> None:
    runs = Runs()
    inbox = Inbox(FakeStore(), runs)
    await inbox.take(a_question(ts="100.1"))
    await inbox.take(a_question(ts="100.2"))
    await runs.until(begun=1)
    runs.end("100.1")
    await inbox.close(1)

    assert runs.begun == ["100.1"]


async def test_closing_with_nothing_running_is_at_once() -> None:
    await Inbox(FakeStore(), Runs()).close(60)
