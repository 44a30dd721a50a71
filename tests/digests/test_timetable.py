"""What is due is begun, and nothing keeps the timetable from looking again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest

from bot.digests.recurrence import Recurrence
from bot.digests.schedule import CATCH_UP, Due, Schedule, ScheduledDigest
from bot.digests.timetable import LOOK_SECONDS, UNREADABLE, Timetable
from bot.errors import StoreUnreachable
from bot.turns.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.turns.question import Question

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
NEW = ScheduledDigest(
    team="T1",
    user="U1",
    user_team="T1",
    source="C1",
    target="",
    recurrence=Recurrence("0 9 * * *", "UTC"),
)
DAILY = Schedule(id=3, digest=NEW, next_due=NINE)


@dataclass
class FakeTimes:
    """Schedules that are due, and what was done about them."""

    found: Sequence[Schedule] = (DAILY,)
    is_ours: bool = True
    failing: Exception | None = None
    taken: list[Question] = field(default_factory=list)
    skipped: list[Due] = field(default_factory=list)
    paused: list[tuple[int, str]] = field(default_factory=list)

    async def due(self, now: datetime) -> Sequence[Schedule]:
        del now
        if self.failing is not None:
            failing, self.failing = self.failing, None
            raise failing
        return self.found

    async def take_due(self, schedule: Schedule, due: Due, question: Question) -> Turn | None:
        del schedule, due
        self.taken.append(question)
        return Turn(7, question, None, epoch=1) if self.is_ours else None

    async def skip(self, schedule: Schedule, due: Due) -> bool:
        del schedule
        self.skipped.append(due)
        return self.is_ours

    async def pause(self, schedule_id: int, why: str) -> bool:
        self.paused.append((schedule_id, why))
        return True


@dataclass
class FakeInbox:
    begun: list[int] = field(default_factory=list)

    def begin_placing(self, turn: Turn) -> None:
        self.begun.append(turn.id)


async def look(times: FakeTimes, now: datetime = NINE) -> FakeInbox:
    inbox = FakeInbox()
    await Timetable(times, inbox, lambda: now, asyncio.sleep).look()
    return inbox


async def test_what_is_due_is_begun_in_the_direct_message_of_its_owner() -> None:
    times = FakeTimes()
    inbox = await look(times)

    [question] = times.taken
    assert inbox.begun == [7]
    assert (question.kind, question.user, question.thread.channel) == ("digest", "U1", "")
    assert question.ts == f"/3-{NINE.timestamp():.0f}"


async def test_what_another_process_has_taken_is_not_begun() -> None:
    assert (await look(FakeTimes(is_ours=False))).begun == []


async def test_what_is_too_long_ago_is_skipped() -> None:
    times = FakeTimes()
    inbox = await look(times, NINE + CATCH_UP + timedelta(seconds=1))

    assert (inbox.begun, times.taken) == ([], [])
    [due] = times.skipped
    assert due == Due(last=NINE, run=None, skipped=(NINE,), next_due=NINE + timedelta(days=1))


async def test_a_schedule_that_cannot_be_read_is_paused_and_keeps_no_other_from_coming() -> None:
    bad = replace(DAILY, id=9, digest=replace(NEW, recurrence=Recurrence("never", "UTC")))
    times = FakeTimes((bad, DAILY))
    inbox = await look(times)

    assert times.paused == [(9, UNREADABLE)]
    assert inbox.begun == [7]


async def test_a_schedule_that_cannot_be_begun_is_not_paused_and_keeps_no_other_from_coming() -> (
    None
):
    times = FakeTimes((replace(DAILY, next_due=cast("datetime", None)), DAILY))
    inbox = await look(times)

    assert times.paused == []
    assert inbox.begun == [7]


@pytest.mark.parametrize("failing", [StoreUnreachable(), RuntimeError("unforeseen")])
async def test_after_a_failure_it_looks_again(failing: Exception) -> None:
    times, inbox, slept = FakeTimes(failing=failing), FakeInbox(), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Timetable(times, inbox, lambda: NINE, sleep).keep()

    assert inbox.begun == [7]
    assert slept == [LOOK_SECONDS] * 2
