"""Schedules mean what people mean by them, on every day of the year."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.digests.recurrence import Recurrence, UnknownRecurrence, due_times, next_times, time_before
from bot.digests.recurrence_words import in_words, read_recurrence

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("words", "cron", "said"),
    [
        ("weekdays 9:00", "0 9 * * 1-5", "every weekday at 09:00"),
        ("every weekday at 9", "0 9 * * 1-5", "every weekday at 09:00"),
        ("daily 18:30", "30 18 * * *", "every day at 18:30"),
        ("every day at noon", "0 12 * * *", "every day at 12:00"),
        ("daily", "0 9 * * *", "every day at 09:00"),
        ("Mondays 8:30", "30 8 * * 1", "every Monday at 08:30"),
        ("monday 8.30", "30 8 * * 1", "every Monday at 08:30"),
        ("on Sundays at 12am", "0 0 * * 7", "every Sunday at 00:00"),
        ("Mon and Thu 9am", "0 9 * * 1,4", "every Monday and Thursday at 09:00"),
        ("Mon, Wed, Fri 4:15pm", "15 16 * * 1,3,5", "every Monday, Wednesday and Friday at 16:15"),
        ("weekly", "0 9 * * 1", "every Monday at 09:00"),
        ("first of the month", "0 9 1 * *", "on the first of each month at 09:00"),
        ("first day of every month 7:00", "0 7 1 * *", "on the first of each month at 07:00"),
        ("every 2nd of the month 10:00", "0 10 2 * *", "on day 2 of each month at 10:00"),
        ("the 15th at 8 am", "0 8 15 * *", "on day 15 of each month at 08:00"),
        ("monthly", "0 9 1 * *", "on the first of each month at 09:00"),
        ("last day of the month 17:00", "0 17 L * *", "on the last day of each month at 17:00"),
        ("1st day of the month", "0 9 1 * *", "on the first of each month at 09:00"),
        ("2nd day of every month", "0 9 2 * *", "on day 2 of each month at 09:00"),
        ("every third day of the month", "0 9 3 * *", "on day 3 of each month at 09:00"),
        ("15 of the month 7:00", "0 7 15 * *", "on day 15 of each month at 07:00"),
        ("every 15th at 8", "0 8 15 * *", "on day 15 of each month at 08:00"),
        ("weekdays, 9:00", "0 9 * * 1-5", "every weekday at 09:00"),
        ("daily, at 9", "0 9 * * *", "every day at 09:00"),
        ("first of the month, 9:00", "0 9 1 * *", "on the first of each month at 09:00"),
        ("9:00, on Mondays", "0 9 * * 1", "every Monday at 09:00"),
        ("Mon & Thu 9:00", "0 9 * * 1,4", "every Monday and Thursday at 09:00"),
        ("Mon-Fri 9:00", "0 9 * * 1-5", "every weekday at 09:00"),
        ("Monday to Friday 9:00", "0 9 * * 1-5", "every weekday at 09:00"),
        ("from Mon – Wed, 9:00", "0 9 * * 1,2,3", "every Monday, Tuesday and Wednesday at 09:00"),
        ("Sat-Mon and Thu", "0 9 * * 1,4,6,7",
         "every Monday, Thursday, Saturday and Sunday at 09:00"),
        ("Mon to Sun", "0 9 * * *", "every day at 09:00"),
        ("weekends 10:00", "0 10 * * 6,7", "every Saturday and Sunday at 10:00"),
        ("first Monday of the month 9:00", "0 9 * * 1#1",
         "on the first Monday of each month at 09:00"),
        ("on the 2nd tues of each month", "0 9 * * 2#2",
         "on the second Tuesday of each month at 09:00"),
        ("last Friday of the month 16:00", "0 16 * * 5L",
         "on the last Friday of each month at 16:00"),
        ("last Sunday of the month", "0 9 * * 7L", "on the last Sunday of each month at 09:00"),
        ("0 9 * * 0#4", "0 9 * * 0#4", "on the fourth Sunday of each month at 09:00"),
        ("0 9 * * 1-5", "0 9 * * 1-5", "every weekday at 09:00"),
        ("30 8 * jan mon", "30 8 * JAN MON", "at 08:30 on Monday in January"),
        ("0  */6 * * *", "0 */6 * * *", "at minute 0 past every sixth hour"),
        ("0 */6 * * *", "0 */6 * * *", "at minute 0 past every sixth hour"),
    ],
)  # fmt: skip
def test_words_and_cron_are_read_and_said_back(words: str, cron: str, said: str) -> None:
    schedule = read_recurrence(words, BERLIN)

    assert schedule == Recurrence(cron, BERLIN)
    assert in_words(schedule) == f"{said} ({BERLIN})"


@pytest.mark.parametrize(
    "words",
    [
        "",
        "sometimes",
        "9:00",
        "weekdays 25:00",
        "weekdays 9:61",
        "weekdays 13pm",
        "mondays and sometimes 9:00",
        "99 99 * * *",
        "0 9 31 2 *",
        "* * * * *",
        "*/5 * * * *",
        "hourly",
        "every 5 minutes",
        "the 32nd",
        "0 9 * *",
        "every second day 9:00",
        "every 2nd day",
        "each third day at 8",
        "on every second day",
        "every second",
        "every second Monday",
        "every first Monday",
        "fifth Monday of the month",
        "9",
        "the 15 9:00",
        "and 9:00",
        "Mon-Wed-Fri",
        "Monday to",
        "1 day of each year",
        "monday" * 500,
    ],
)
def test_what_says_no_time_or_comes_too_often_is_refused_with_examples(words: str) -> None:
    with pytest.raises(UnknownRecurrence) as refused:
        read_recurrence(words, BERLIN)

    assert "weekdays 9:00" in refused.value.public
    assert len(refused.value.public) < 250


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(UnknownRecurrence):
        read_recurrence("daily", "Mars/Olympus")


def local(zone: str, *times: datetime) -> list[str]:
    return [f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %z}" for at in times]


# Put forward, a time is missing and comes right behind the gap; put back, it comes once of twice.
CHANGES: dict[str, tuple[str, str, str, list[str]]] = {
    "forward in Berlin": (
        "Europe/Berlin",
        "30 2 * * *",
        "2026-03-28T12",
        ["2026-03-29 03:00 +0200", "2026-03-30 02:30 +0200"],
    ),
    "forward in New York": (
        "America/New_York",
        "30 2 * * *",
        "2026-03-07T12",
        ["2026-03-08 03:00 -0400", "2026-03-09 02:30 -0400"],
    ),
    "forward on Lord Howe": (
        "Australia/Lord_Howe",
        "15 2 * * *",
        "2026-10-03T00",
        ["2026-10-04 02:30 +1100", "2026-10-05 02:15 +1100"],
    ),
    "back in Berlin": (
        "Europe/Berlin",
        "30 2 * * *",
        "2026-10-24T12",
        ["2026-10-25 02:30 +0200", "2026-10-26 02:30 +0100"],
    ),
    "back in New York": (
        "America/New_York",
        "30 1 * * *",
        "2026-10-31T12",
        ["2026-11-01 01:30 -0400", "2026-11-02 01:30 -0500"],
    ),
    "back on Lord Howe": (
        "Australia/Lord_Howe",
        "45 1 * * *",
        "2026-04-04T00",
        ["2026-04-05 01:45 +1100", "2026-04-06 01:45 +1030"],
    ),
    "steps back on Lord Howe": (
        "Australia/Lord_Howe",
        "0 */6 * * *",
        "2026-04-04T12",
        ["2026-04-05 00:00 +1100", "2026-04-05 06:00 +1030"],
    ),
    "steps forward on Lord Howe": (
        "Australia/Lord_Howe",
        "0 */6 * * *",
        "2026-10-03T12",
        ["2026-10-04 00:00 +1030", "2026-10-04 06:00 +1100"],
    ),
    "steps back in Berlin": (
        "Europe/Berlin",
        "0 */2 * * *",
        "2026-10-24T23",
        ["2026-10-25 02:00 +0200", "2026-10-25 04:00 +0100"],
    ),
    "every hour back in Berlin": (
        "Europe/Berlin",
        "0 */1 * * *",
        "2026-10-24T23",
        ["2026-10-25 02:00 +0200", "2026-10-25 02:00 +0100"],
    ),
    "none in Kolkata": (
        "Asia/Kolkata",
        "30 2 * * *",
        "2026-03-28T12",
        ["2026-03-29 02:30 +0530", "2026-03-30 02:30 +0530"],
    ),
}


@pytest.mark.parametrize(("zone", "cron", "after", "expected"), CHANGES.values(), ids=CHANGES)
def test_the_days_on_which_clocks_change(
    zone: str, cron: str, after: str, expected: list[str]
) -> None:
    began = datetime.fromisoformat(f"{after}:00+00:00")

    assert local(zone, *next_times(Recurrence(cron, zone), began, 2)) == expected


@pytest.mark.parametrize(
    "zone", [BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]
)
@pytest.mark.parametrize("time", ["0 0", "30 2", "15 2", "45 1", "0 9"])
def test_a_daily_schedule_comes_once_on_each_day_of_three_years(zone: str, time: str) -> None:
    schedule = Recurrence(f"{time} * * *", zone)
    times = next_times(schedule, datetime(2026, 1, 1, tzinfo=UTC), 3 * 365)

    assert all(earlier < later for earlier, later in pairwise(times))
    days = [at.astimezone(ZoneInfo(zone)).date() for at in times]
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))


def test_months_without_the_day_are_left_out_and_leap_days_come() -> None:
    zone = "UTC"
    after = datetime(2027, 1, 31, 12, tzinfo=UTC)
    last = next_times(Recurrence("0 9 L * *", zone), after, 3)
    leap = next_times(Recurrence("0 9 29 2 *", zone), after, 1)

    assert [at.day for at in last] == [28, 31, 30]
    assert local(zone, *leap) == ["2028-02-29 09:00 +0000"]


def test_a_weekday_of_a_month_comes_on_that_one_of_each_month() -> None:
    after = datetime(2026, 1, 31, 12, tzinfo=UTC)
    first = next_times(read_recurrence("first Monday of the month", "UTC"), after, 3)
    last = next_times(read_recurrence("last Sunday of the month", "UTC"), after, 3)

    assert [f"{at:%a %d %b}" for at in first] == ["Mon 02 Feb", "Mon 02 Mar", "Mon 06 Apr"]
    assert [f"{at:%a %d %b}" for at in last] == ["Sun 22 Feb", "Sun 29 Mar", "Sun 26 Apr"]


WORDS = (
    "every each on the from second 2nd first last fifth day of month monthly mon friday weekdays "
    "and , & - to 9:00 at 9 noon 25:00 0 * */6 */0 */24 1-5 5L 1#1 MON JAN LW 31 0,30 \u0663"
)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=30) | st.lists(st.sampled_from(WORDS.split()), max_size=7).map(" ".join))
def test_whatever_is_typed_is_refused_or_read_and_can_be_said_and_read_again(words: str) -> None:
    with suppress(UnknownRecurrence):
        schedule = read_recurrence(words, "Australia/Lord_Howe")
        assert in_words(schedule)
        assert read_recurrence(schedule.cron, schedule.zone) == schedule


@pytest.mark.parametrize("cron", ["0 9 * * 1-5", "30 2 * * *", "0 9 1 * *", "0 9 29 2 *"])
def test_the_time_before_a_due_one_is_the_one_that_came_before_it(cron: str) -> None:
    schedule = Recurrence(cron, BERLIN)
    times = next_times(schedule, datetime(2025, 12, 1, tzinfo=UTC), 400 if cron[-1] != "2" else 4)

    assert all(time_before(schedule, later) == earlier for earlier, later in pairwise(times))


def test_all_that_came_due_is_told_up_to_now() -> None:
    schedule = Recurrence("0 9 * * *", "UTC")
    nine = datetime(2026, 11, 20, 9, tzinfo=UTC)
    day = timedelta(days=1)

    assert due_times(schedule, nine, nine + 3 * day) == (nine + day, nine + 2 * day, nine + 3 * day)
    assert due_times(schedule, nine, nine + day - timedelta(seconds=1)) == ()
