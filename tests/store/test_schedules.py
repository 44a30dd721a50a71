"""Of each due time one question is taken, whoever looks and however often."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from bot.digests.recurrence import Recurrence, next_times
from bot.digests.request import read_request
from bot.digests.schedule import CATCH_UP, ScheduledDigest, plan, question_of
from bot.errors import SlackRefused
from bot.store.schedules import ScheduleStore
from bot.store.tables import turns
from bot.store.tenure import Tenure
from bot.store.turns import TurnStore
from bot.turns.turn import TurnLost
from tests.store.examples import Clock, an_answer

if TYPE_CHECKING:
    from bot.digests.schedule import Schedule
    from bot.store.database import Database
    from bot.turns.turn import Turn

DAY = timedelta(days=1)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
NEW = ScheduledDigest(
    team="T1",
    user="U1",
    user_team="T1",
    source="C1",
    target="C1",
    recurrence=Recurrence("0 9 * * *", "UTC"),
    about="prices",
)


class Process:
    """A process with its stores."""

    def __init__(self, database: Database) -> None:
        self.database, tenure, clock = database, Tenure(lambda: 0.0), Clock()
        self.store = ScheduleStore(database, tenure, clock)
        self.turns = TurnStore(database, tenure, clock)

    async def take(self, schedule: Schedule, now: datetime) -> Turn | None:
        due = plan(schedule, now)
        assert due.run is not None
        return await self.store.take_due(schedule, due, question_of(schedule, due, due.run))


@pytest.fixture
def process(database: Database) -> Process:
    return Process(database)


async def test_a_schedule_is_kept_and_the_same_twice_is_one(process: Process) -> None:
    kept = await process.store.add(NEW, NINE)

    assert (kept.digest, kept.next_due, kept.is_paused) == (NEW, NINE, False)
    assert await process.store.add(NEW, NINE + DAY) == kept
    assert await process.store.get(kept.id) == kept
    assert await process.store.get(kept.id + 1) is None
    assert await process.store.of_user("T1", "U1") == [kept]
    assert await process.store.of_user("T1", "U2") == []


async def test_of_two_processes_that_are_told_the_same_one_keeps_it(
    process: Process, other: Database
) -> None:
    second = Process(other)
    kept = await asyncio.gather(*(each.store.add(NEW, NINE) for each in (process, second) * 4))

    assert await process.store.of_user("T1", "U1") == kept[:1]


async def test_what_is_paused_and_added_again_comes_again(process: Process) -> None:
    kept = await process.store.add(NEW, NINE)
    await process.store.pause(kept.id, "why")
    again = await process.store.add(NEW, NINE + DAY)

    assert again == await process.store.get(kept.id) == replace(kept, next_due=NINE + DAY)


async def test_of_two_processes_that_look_one_takes_what_is_due(
    process: Process, other: Database
) -> None:
    second = Process(other)
    await process.store.add(NEW, NINE)
    [mine], [theirs] = await process.store.due(NINE), await second.store.due(NINE)

    taken = await asyncio.gather(process.take(mine, NINE), second.take(theirs, NINE))

    [turn] = [each for each in taken if each is not None]
    request = read_request(turn.question.text)
    assert (request.period.since, request.period.until) == (NINE - DAY, NINE)
    assert (request.channel, request.about, request.skipped) == ("C1", "prices", ())
    assert (turn.question.kind, turn.question.thread.channel) == ("digest", "C1")
    assert await process.store.due(NINE) == []
    [tomorrow] = await process.store.due(NINE + DAY)
    assert tomorrow.next_due == NINE + DAY
    count = await process.database.run(lambda c: c.scalar(select(func.count(turns.c.id))))
    assert count == 1


async def test_a_turn_that_was_taken_is_found_by_who_goes_on_after_a_death(
    process: Process, other: Database
) -> None:
    schedule = await process.store.add(NEW, NINE)
    turn = await process.take(schedule, NINE)
    assert turn is not None
    if process.database.dialect != "sqlite":
        return  # there a lease has to lapse before: see test_leases.py
    [found] = await Process(other).turns.recover(())

    assert (found.id, found.question) == (turn.id, turn.question)


async def test_what_was_missed_is_made_up_for_once_and_the_others_are_told_of(
    process: Process,
) -> None:
    schedule = await process.store.add(NEW, NINE)
    late = NINE + 3 * DAY + CATCH_UP
    turn = await process.take(schedule, late)

    assert turn is not None
    request = read_request(turn.question.text)
    assert request.skipped == (NINE, NINE + DAY, NINE + 2 * DAY)
    assert (request.period.since, request.period.until) == (NINE + 2 * DAY, NINE + 3 * DAY)


async def test_what_is_too_long_ago_is_skipped_and_told_of_with_the_next(
    process: Process,
) -> None:
    schedule = await process.store.add(NEW, NINE)
    late = NINE + DAY + CATCH_UP + timedelta(seconds=1)
    due = plan(schedule, late)
    assert due.run is None
    assert await process.store.skip(schedule, due)
    assert not await process.store.skip(schedule, due)

    [again] = await process.store.due(NINE + 2 * DAY)
    turn = await process.take(again, NINE + 2 * DAY)
    assert turn is not None
    assert read_request(turn.question.text).skipped == (NINE, NINE + DAY)


async def test_a_paused_one_does_not_come_until_it_is_resumed(process: Process) -> None:
    schedule = await process.store.add(NEW, NINE)
    assert await process.store.pause(schedule.id, "You left.")
    assert not await process.store.pause(schedule.id, "")
    assert await process.store.due(NINE) == []
    assert await process.take(schedule, NINE) is None  # which was seen before
    [paused] = await process.store.of_user("T1", "U1")
    assert paused.paused_why == "You left."

    assert await process.store.resume(schedule.id, NINE + 2 * DAY)
    assert not await process.store.resume(schedule.id, NINE)
    assert await process.store.due(NINE + DAY) == []
    assert len(await process.store.due(NINE + 2 * DAY)) == 1


async def test_a_changed_one_comes_as_is_wanted_now_and_tells_of_what_was_skipped(
    process: Process,
) -> None:
    schedule = await process.store.add(NEW, NINE)
    late = plan(schedule, NINE + CATCH_UP + timedelta(seconds=1))
    assert await process.store.skip(schedule, late)
    assert await process.store.pause(schedule.id, "You left.")
    wanted = replace(NEW, recurrence=Recurrence("0 10 * * *", "UTC"), about="people")
    assert await process.store.change(schedule.id, wanted, TEN + DAY)

    assert await process.store.due(NINE + DAY) == []
    [changed] = await process.store.due(TEN + DAY)
    assert (changed.digest, changed.is_paused, changed.skipped) == (wanted, False, (NINE,))
    assert not await process.store.change(schedule.id + 1, wanted, TEN)
    assert not await process.store.change(schedule.id, replace(wanted, user="U2"), TEN)


async def test_a_deleted_one_is_gone(process: Process) -> None:
    schedule = await process.store.add(NEW, NINE)
    assert await process.store.delete(schedule.id)

    assert not await process.store.delete(schedule.id)
    assert await process.take(schedule, NINE) is None


async def test_what_failed_unseen_is_told_of_with_the_next(process: Process) -> None:
    schedule = await process.store.add(NEW, NINE)
    turn = await process.take(schedule, NINE + 2 * DAY)
    assert turn is not None
    await process.store.fail_due(turn, SlackRefused("chat.postMessage", "is_archived"))
    await process.store.fail_due(turn, SlackRefused("chat.postMessage", "is_archived"))  # repeated

    assert await state(process, turn) == ("failed", "SlackRefused")
    [again] = await process.store.due(NINE + 3 * DAY)
    assert again.skipped == (NINE, NINE + DAY, NINE + 2 * DAY)


async def test_what_failed_unseen_and_came_after_all_is_told_of_no_more(process: Process) -> None:
    schedule = await process.store.add(NEW, NINE)
    turn = await process.take(schedule, NINE + DAY)
    assert turn is not None
    await process.store.fail_due(turn, ValueError())
    [seen] = await process.store.due(NINE + 2 * DAY)
    again = await process.turns.try_again(turn.id)
    assert again is not None
    assert again.turn is not None
    for _ in range(2):  # as where the answer to the commit got lost
        await process.store.finish_due(again.turn, an_answer())

    assert await state(process, turn) == ("answered", None)
    assert seen.skipped == (NINE, NINE + DAY)
    [schedule] = await process.store.due(NINE + 2 * DAY)
    assert schedule.skipped == ()


async def test_what_is_not_wanted_gives_back_what_it_was_to_tell_of(process: Process) -> None:
    schedule = await process.store.add(NEW, NINE)
    turn = await process.take(schedule, NINE + 2 * DAY)
    assert turn is not None
    await process.store.stop_due(turn)

    assert await state(process, turn) == ("stopped", None)
    [again] = await process.store.due(NINE + 3 * DAY)
    assert again.skipped == (NINE, NINE + DAY)


async def test_of_two_that_failed_unseen_both_are_told_of(process: Process) -> None:
    await process.store.add(NEW, NINE)
    for now in (NINE, NINE + DAY):
        [schedule] = await process.store.due(now)
        turn = await process.take(schedule, now)
        assert turn is not None
        await process.store.fail_due(turn, ValueError())
    late = await process.store.due(NINE + 2 * DAY)

    assert [each.skipped for each in late] == [(NINE, NINE + DAY)]


async def test_what_is_given_back_by_many_at_once_is_all_told_of(process: Process) -> None:
    await process.store.add(NEW, NINE)
    times = [NINE + day * DAY for day in range(10)]
    taken: list[Turn] = []
    for now in times:
        [schedule] = await process.store.due(now)
        turn = await process.take(schedule, now)
        assert turn is not None
        taken.append(turn)
    await asyncio.gather(*(process.store.fail_due(turn, ValueError()) for turn in taken))

    [schedule] = await process.store.due(NINE + 10 * DAY)
    assert list(schedule.skipped) == times


async def test_who_has_lost_a_digest_gives_no_time_back(process: Process) -> None:
    schedule = await process.store.add(NEW, NINE)
    turn = await process.take(schedule, NINE)
    assert turn is not None
    with pytest.raises(TurnLost):
        await process.store.fail_due(replace(turn, epoch=turn.epoch - 1), ValueError())

    assert await state(process, turn) == ("placing", None)
    [again] = await process.store.due(NINE + DAY)
    assert again.skipped == ()


async def test_a_time_that_is_given_back_while_the_next_is_taken_is_not_lost(
    process: Process,
) -> None:
    schedule = await process.store.add(NEW, NINE)
    turn = await process.take(schedule, NINE)
    assert turn is not None
    [seen] = await process.store.due(NINE + DAY)
    await process.store.fail_due(turn, ValueError())

    assert await process.take(seen, NINE + DAY) is None  # as it is not what was seen any more
    [again] = await process.store.due(NINE + DAY)
    following = await process.take(again, NINE + DAY)
    assert following is not None
    assert read_request(following.question.text).skipped == (NINE,)


async def test_what_failed_unseen_of_a_deleted_schedule_has_failed(process: Process) -> None:
    schedule = await process.store.add(NEW, NINE)
    turn = await process.take(schedule, NINE)
    assert turn is not None
    await process.store.delete(schedule.id)
    await process.store.fail_due(turn, ValueError())

    assert await state(process, turn) == ("failed", "ValueError")


async def test_what_is_to_be_told_of_is_kept_over_a_pause(process: Process) -> None:
    schedule = await process.store.add(NEW, NINE)
    late = plan(schedule, NINE + CATCH_UP + timedelta(seconds=1))
    assert await process.store.skip(schedule, late)
    assert await process.store.pause(schedule.id, "")
    assert await process.store.resume(schedule.id, NINE + 2 * DAY)

    [again] = await process.store.due(NINE + 2 * DAY)
    assert again.skipped == (NINE,)


async def state(process: Process, turn: Turn) -> tuple[str, str | None]:
    found = select(turns.c.state, turns.c.error).where(turns.c.id == turn.id)
    row = await process.database.run(lambda c: c.execute(found).one())
    return row.state.value, row.error


WEEKLY = replace(NEW, recurrence=Recurrence("0 16 * * 5", "UTC"))
FRIDAY = datetime(2026, 2, 27, 16, tzinfo=UTC)
WEEKDAYS = replace(WEEKLY, recurrence=Recurrence("0 9 * * 1-5", "UTC"))


async def period_of(process: Process, now: datetime) -> tuple[datetime, datetime]:
    """Take what is due, and return what it is about."""
    [due] = await process.store.due(now)
    turn = await process.take(due, now)
    assert turn is not None
    period = read_request(turn.question.text).period
    return period.since, period.until


async def test_a_change_of_its_times_leaves_no_message_out_and_tells_none_twice(
    process: Process,
) -> None:
    kept = await process.store.add(WEEKLY, FRIDAY)
    assert await period_of(process, FRIDAY) == (FRIDAY - 7 * DAY, FRIDAY)
    friday_morning = FRIDAY + 7 * DAY - timedelta(hours=7)
    await process.store.change(kept.id, WEEKDAYS, friday_morning)
    assert await period_of(process, friday_morning) == (FRIDAY, friday_morning)
    await process.store.change(kept.id, WEEKLY, FRIDAY + 7 * DAY)
    assert await period_of(process, FRIDAY + 7 * DAY) == (friday_morning, FRIDAY + 7 * DAY)


async def test_what_was_written_during_a_pause_is_in_no_digest(process: Process) -> None:
    kept = await process.store.add(NEW, NINE)
    await period_of(process, NINE)
    for begin_again in (
        process.store.resume(kept.id, NINE + 9 * DAY),
        process.store.change(kept.id, replace(NEW, about="plans"), NINE + 9 * DAY),
    ):
        await process.store.pause(kept.id, "")
        await begin_again
        [found] = await process.store.due(NINE + 9 * DAY)
        due = plan(found, NINE + 9 * DAY)
        assert due.run is not None
        period = read_request(question_of(found, due, due.run).text).period
        assert period.since == NINE + 8 * DAY


async def test_what_was_skipped_is_in_no_later_digest(process: Process) -> None:
    await process.store.add(NEW, NINE)
    await period_of(process, NINE)
    [late] = await process.store.due(NINE + 2 * DAY - timedelta(hours=1))
    await process.store.skip(late, plan(late, NINE + 2 * DAY - timedelta(hours=1)))

    assert await period_of(process, NINE + 2 * DAY) == (NINE + DAY, NINE + 2 * DAY)


@pytest.mark.parametrize(
    ("cron", "hours"), [("0 9 * * *", 6), ("0 */6 * * *", 6), ("0 9 * * 1", 24), ("0 9 1 * *", 24)]
)
async def test_what_comes_seldom_is_made_up_for_longer(
    process: Process, cron: str, hours: int
) -> None:
    new = replace(NEW, recurrence=Recurrence(cron, "UTC"))
    first = next_times(new.recurrence, NINE, 1)[0]
    kept = await process.store.add(new, first)
    window = timedelta(hours=hours)
    later = next_times(new.recurrence, first, 1)[0]

    assert plan(kept, min(first + window, later - DAY / 1440)).run == first
    if first + window < later:
        assert plan(kept, first + window + timedelta(seconds=1)).run is None
