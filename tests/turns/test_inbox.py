from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from bot.errors import StoreUnreachable
from bot.metrics import Metrics
from bot.turns.inbox import Inbox
from bot.turns.question import Question, Thread
from bot.turns.turn import Turn, TurnState
from tests.fakes import FakeStore, a_question


@dataclass
class Runs:
    """Runs that begin, and end when they are told to."""

    begun: list[str] = field(default_factory=list)
    may_end: dict[str, asyncio.Event] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ended: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)

    store: FakeStore = field(default_factory=FakeStore)
    waits: list[str] = field(default_factory=list)
    may_be_placed: bool = True

    async def wait(self, question: Question) -> None:
        self.waits.append(question.ts)

    async def place(self, turn: Turn) -> Question | None:
        if not self.may_be_placed:
            return None
        thread = replace(turn.question.thread, thread_ts="7.7")
        return replace(turn.question, thread=thread, ts="7.7")

    async def run(self, turn: Turn) -> None:
        ts = turn.question.ts
        self.begun.append(ts)
        self.changed.set()
        try:
            await self.may_end.setdefault(ts, asyncio.Event()).wait()
            if ts in self.failing:
                await self.store.fail_turn(turn, RuntimeError(ts))
                raise RuntimeError(ts)
            await self.store.finish_turn(turn, None)
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


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_question_is_taken_once_however_often_it_comes() -> None:
    runs = Runs()
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    taken = [await inbox.take(a_question()) for _ in range(3)]
    runs.end("100.000200")
    await runs.until(ended=1)
    await inbox.close(1)

    assert taken == [True, False, False]
    assert runs.begun == ["100.000200"]


async def test_questions_of_one_thread_run_one_after_another_in_the_order_of_their_ts() -> None:
    runs = Runs()
    inbox = Inbox(runs.store, runs, Metrics(0.0))
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
    inbox = Inbox(runs.store, runs, Metrics(0.0))
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
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    await inbox.take(a_question(ts="100.1"))
    await inbox.take(a_question(ts="100.2"))
    runs.end("100.1")
    runs.end("100.2")
    await runs.until(ended=2)
    await inbox.close(1)

    assert runs.begun == ["100.1", "100.2"]


async def test_a_store_that_fails_makes_the_delivery_fail_so_that_it_comes_again() -> None:
    inbox = Inbox(FakeStore(failing={"take": OSError("disk full")}), Runs(), Metrics(0.0))

    with pytest.raises(OSError, match="disk full"):
        await inbox.take(a_question())


async def test_closing_waits_for_what_runs_and_interrupts_it_when_the_time_is_up() -> None:
    runs = Runs()
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    await inbox.take(a_question())
    await runs.until(begun=1)
    await inbox.close(0.01)

    assert runs.ended == ["100.000200"]


async def test_closing_begins_nothing_that_waits() -> None:
    runs = Runs()
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    await inbox.take(a_question(ts="100.1"))
    await inbox.take(a_question(ts="100.2"))
    await runs.until(begun=1)
    runs.end("100.1")
    await inbox.close(1)

    assert runs.begun == ["100.1"]


async def test_closing_with_nothing_running_is_at_once() -> None:
    await Inbox(FakeStore(), Runs(), Metrics(0.0)).close(60)


async def test_a_question_that_waits_says_so_in_its_thread() -> None:
    runs = Runs()
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    await inbox.take(a_question(ts="100.1"))
    await inbox.take(a_question(ts="100.2"))
    await inbox.close(0.01)

    assert runs.waits == ["100.2"]


async def test_what_dead_processes_left_is_gone_on_with_once() -> None:
    runs = Runs()
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    runs.store.left = [Turn(9, a_question(ts="100.9"), None, epoch=2, attempt=2)]
    found = [await inbox.recover(), await inbox.recover()]
    await runs.until(begun=1)
    await inbox.close(0.01)

    assert (found, runs.begun) == ([1, 0], ["100.9"])


async def test_what_is_running_here_is_not_taken_over() -> None:
    runs = Runs()
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    await inbox.take(a_question())
    runs.store.left = [Turn(1, a_question(), None)]

    assert await inbox.recover() == 0
    await inbox.close(0.01)


async def test_a_thread_whose_next_turn_could_not_be_started_is_found_later() -> None:
    runs = Runs()
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    for ts in ("100.1", "100.2"):
        await inbox.take(a_question(ts=ts))
    await runs.until(begun=1)
    runs.store.failing["start_next"] = StoreUnreachable("away")
    runs.end("100.1")
    await runs.until(ended=1)
    await settled()
    del runs.store.failing["start_next"]

    assert await inbox.recover() == 1
    await runs.until(begun=2)
    await inbox.close(0.01)
    assert runs.begun == ["100.1", "100.2"]


async def test_a_commands_question_is_answered_in_the_thread_that_is_posted_for_it() -> None:
    runs = Runs()
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    asked = a_question(ts="/1")
    asked = replace(asked, thread=replace(asked.thread, thread_ts=""))
    taken = [await inbox.take_to_place(asked) for _ in range(2)]
    await runs.until(begun=1)
    await inbox.close(0.01)

    assert (taken, runs.begun) == ([True, False], ["7.7"])


async def test_a_commands_question_that_can_be_posted_nowhere_is_not_run() -> None:
    runs = Runs(may_be_placed=False)
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    asked = a_question(ts="/1")
    await inbox.take_to_place(replace(asked, thread=replace(asked.thread, thread_ts="")))
    await inbox.close(1)

    assert runs.begun == []


async def test_what_failed_is_answered_once_more_when_somebody_wishes_it_and_only_then() -> None:
    runs = Runs(failing={"100.1"})
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    await inbox.take(a_question(ts="100.1"))
    refused = await inbox.try_again(1)  # while it runs
    runs.end("100.1")
    await runs.until(ended=1)
    await settled()
    runs.failing.clear()
    again = [await inbox.try_again(1), await inbox.try_again(1)]
    await runs.until(begun=2)
    await inbox.close(1)

    assert (refused, again) == (False, [True, False])
    assert runs.store.states == {1: TurnState.ANSWERED}


async def test_a_question_that_is_deleted_while_it_waits_is_not_answered() -> None:
    runs = Runs()
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    for ts in ("100.1", "100.2"):
        await inbox.take(a_question(ts=ts))
    for ts in ("100.1", "100.2", "100.3"):  # one that runs, one that waits, one nobody asked
        await inbox.withdraw("T1", "C1", ts)
    runs.end("100.1")
    await runs.until(ended=1)
    await inbox.close(1)

    assert runs.store.states == {1: TurnState.ANSWERED, 2: TurnState.STOPPED}


async def test_everything_is_dropped_at_once_when_others_may_be_working_on_it() -> None:
    runs = Runs()
    inbox = Inbox(runs.store, runs, Metrics(0.0))
    await inbox.take(a_question())
    await runs.until(begun=1)
    inbox.drop()
    await runs.until(ended=1)

    assert runs.store.ends == []
    await inbox.close(1)


async def test_work_beside_the_answers_that_breaks_harms_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken() -> None:
        raise RuntimeError

    inbox = Inbox(FakeStore(), Runs(), Metrics(0.0))
    inbox.own(broken())
    await inbox.close(1)

    assert "unforeseen" in caplog.text
