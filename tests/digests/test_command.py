"""What is typed behind the command means what its writer means, in the writer's time zone."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.digests.command import (
    DigestNow,
    HelpWanted,
    ListSchedules,
    ScheduleAction,
    ScheduleWanted,
    read_command,
)
from bot.digests.digest import Period
from bot.digests.since import NotUnderstood, read_period
from bot.digests.times import period_words

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 13, 30, tzinfo=UTC)  # a Wednesday, 14:30 in Berlin


@pytest.mark.parametrize(
    ("words", "since", "until"),
    [
        ("", "2026-11-24 14:30", "2026-11-25 14:30"),
        ("24h", "2026-11-24 14:30", "2026-11-25 14:30"),
        ("90m", "2026-11-25 13:00", "2026-11-25 14:30"),
        ("7d", "2026-11-18 14:30", "2026-11-25 14:30"),
        ("90 mins", "2026-11-25 13:00", "2026-11-25 14:30"),
        ("3 hrs", "2026-11-25 11:30", "2026-11-25 14:30"),
        ("last 2 weeks", "2026-11-11 14:30", "2026-11-25 14:30"),
        ("today", "2026-11-25 00:00", "2026-11-25 14:30"),
        ("yesterday", "2026-11-24 00:00", "2026-11-25 00:00"),
        ("since Monday", "2026-11-23 00:00", "2026-11-25 14:30"),
        ("Monday", "2026-11-23 00:00", "2026-11-25 14:30"),
        ("since wed", "2026-11-25 00:00", "2026-11-25 14:30"),
        ("since Thursday", "2026-11-19 00:00", "2026-11-25 14:30"),
        ("this week", "2026-11-23 00:00", "2026-11-25 14:30"),
        ("last week", "2026-11-16 00:00", "2026-11-23 00:00"),
        ("this month", "2026-11-01 00:00", "2026-11-25 14:30"),
        ("last month", "2026-10-01 00:00", "2026-11-01 00:00"),
        ("29 Feb", "2024-02-29 00:00", "2024-03-01 00:00"),  # the latest that there was
        ("since 2026-11-01", "2026-11-01 00:00", "2026-11-25 14:30"),
        ("2026-11-01..2026-11-07", "2026-11-01 00:00", "2026-11-08 00:00"),
        ("1 Nov to 7 Nov", "2026-11-01 00:00", "2026-11-08 00:00"),
        ("from 1st November until Nov 7", "2026-11-01 00:00", "2026-11-08 00:00"),
        ("20 Nov to today", "2026-11-20 00:00", "2026-11-25 14:30"),
        ("20 Nov", "2026-11-20 00:00", "2026-11-21 00:00"),
        ("since 1 Dec 2025", None, None),
        ("1 Nov to 30 Nov", "2026-11-01 00:00", "2026-11-25 14:30"),  # it is not over
        ("Mon - Fri", "2026-11-23 00:00", "2026-11-25 14:30"),
        ("Monday to Friday", "2026-11-23 00:00", "2026-11-25 14:30"),
        ("Fri-Mon", "2026-11-20 00:00", "2026-11-24 00:00"),
        ("Tue to today", "2026-11-24 00:00", "2026-11-25 14:30"),
        ("20 Nov until yesterday", "2026-11-20 00:00", "2026-11-25 00:00"),
        ("1-7 Nov", "2026-11-01 00:00", "2026-11-08 00:00"),
        ("1st to 7th November 2026", "2026-11-01 00:00", "2026-11-08 00:00"),
        ("Nov 1-7", "2026-11-01 00:00", "2026-11-08 00:00"),
        ("Nov 1-7, 2026", "2026-11-01 00:00", "2026-11-08 00:00"),
        ("1 Nov-7 Nov", "2026-11-01 00:00", "2026-11-08 00:00"),
        ("1 Nov 2026-7 Nov 2026", "2026-11-01 00:00", "2026-11-08 00:00"),
        ("1 Nov–7 Nov", "2026-11-01 00:00", "2026-11-08 00:00"),
        ("2026-11-01 - 2026-11-07", "2026-11-01 00:00", "2026-11-08 00:00"),
        ("1 Nov to 31 Dec 9999", "2026-11-01 00:00", "2026-11-25 14:30"),
        ("28 Dec to 3 Jan 2026", "2025-12-28 00:00", "2026-01-04 00:00"),
        ("28 Dec 2025 to 3 Jan", "2025-12-28 00:00", "2026-01-04 00:00"),
        ("28 Dec to 3 Jan", "2025-12-28 00:00", "2026-01-04 00:00"),
        ("yesterday to 2026-11-25", "2026-11-24 00:00", "2026-11-25 14:30"),
        ("2 days ago", "2026-11-23 14:30", "2026-11-25 14:30"),
        ("since an hour ago", "2026-11-25 13:30", "2026-11-25 14:30"),
        ("since last week", "2026-11-16 00:00", "2026-11-25 14:30"),
        ("since last month", "2026-10-01 00:00", "2026-11-25 14:30"),
        ("since yesterday", "2026-11-24 00:00", "2026-11-25 14:30"),
        ("past week", "2026-11-18 14:30", "2026-11-25 14:30"),
        ("the past 2 days", "2026-11-23 14:30", "2026-11-25 14:30"),
        ("since 9:00", "2026-11-25 09:00", "2026-11-25 14:30"),
        ("since 15:30", "2026-11-24 15:30", "2026-11-25 14:30"),
        ("since 14:30", "2026-11-24 14:30", "2026-11-25 14:30"),
        ("since 9am", "2026-11-25 09:00", "2026-11-25 14:30"),
        ("since 12:15 pm", "2026-11-25 12:15", "2026-11-25 14:30"),
        ("25 Oct", "2026-10-25 00:00", "2026-10-26 00:00"),  # which has 25 hours
    ],
)
def test_periods_are_read(words: str, since: str | None, until: str | None) -> None:
    if since is None:
        with pytest.raises(NotUnderstood):
            read_period(words, NOW, BERLIN)
        return
    period = read_period(words, NOW, BERLIN)
    said = [f"{at.astimezone(BERLIN):%Y-%m-%d %H:%M}" for at in (period.since, period.until)]

    assert said == [since, until]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("1/11", "which is the day and which is the month"),
        ("01.11.2026", "which is the day and which is the month"),
        ("since tomorrow", "which time"),
        ("31 Feb", "no such day"),
        ("2026-13-01", "no such day"),
        ("2026-12-01..2026-12-05", "not begun"),
        ("7 Nov to 1 Nov", "ends before it begins"),
        ("7 Nov 2026 to 1 Nov 2026", "ends before it begins"),
        ("yesterday to 2026-11-20", "ends before it begins"),
        ("1 Jan to 31 Dec", "92 days at most"),
        ("1 Feb to 30 Feb", "no such day"),
        ("1-7 whenever", "which time"),
        ("0001-01-01", "too long ago"),
        ("since 1 Jan 1999", "too long ago"),
        ("9999-12-31", "not begun"),
        ("9999 weeks ago", "92 days at most"),
        ("since 25:00", "no such time"),
        ("since 13pm", "no such time"),
        ("since 9:61", "no such time"),
        ("200d", "92 days at most"),
        ("whenever", "which time"),
        ("7mays", "which time"),
        ("pause", "Which one?"),
        ("change to Mondays", "Which one?"),
        ("7d and more", "which time"),
        ("7d #general", "Pick it from the list"),
        (
            "7d about the budget <#C1|finance>",
            "Put the channel to sum up before `about`. Try `7d #general about prices`.",
        ),
        ("7d about <#C1> and prices in <#C2>", "Put the channel to sum up before `about`."),
        ("7d about prices in <#C1> and in <#C2>", "Put the channel to sum up before `about`."),
        ("<#C1|a> <#C2|b>", "I sum up one channel at a time. Try `7d`"),
    ],
)
def test_what_is_not_understood_says_why(words: str, why: str) -> None:
    with pytest.raises(NotUnderstood) as refused:
        read_command(words, NOW, BERLIN)

    assert why in refused.value.public


WORDS = (
    "since from to until till - .. ago the last past next first an in about schedule change list 1 "
    "9 #3 0001-01-01 9999-12-31 2026-02-30 31 nov february 29 2024 0000 9999 mon friday today "
    "week months 7d 9999w 25:00 9:00 1-7 12am <#C1|a> <#C2> #a & , day every 00:00 \u0663 yesterday"
)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Adak", "Europe/Berlin"])
@settings(deadline=None, max_examples=300)
@given(
    words=st.text(max_size=60) | st.lists(st.sampled_from(WORDS.split()), max_size=7).map(" ".join)
)
def test_whatever_is_typed_is_read_or_refused_in_words(zone: str, words: str) -> None:
    with suppress(NotUnderstood):
        command = read_command(words, NOW, ZoneInfo(zone))
        assert not isinstance(command, DigestNow) or command.period.since < command.period.until


WEEK = Period(NOW - timedelta(days=7), NOW)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("7d", DigestNow(WEEK, None, "")),
        ("7d <#C1|general>", DigestNow(WEEK, "C1", "")),
        ("<#G1> 7d about plan #2 since when", DigestNow(WEEK, "G1", "plan #2 since when")),
        ("7d in <#C1|general>", DigestNow(WEEK, "C1", "")),
        ("In <#C1> 7d about what <#C2|b> decided", DigestNow(WEEK, "C1", "what <#C2|b> decided")),
        ("7d about prices in <#C1>", DigestNow(WEEK, "C1", "prices")),
        ("7d <#C0> about prices in <#C1>", DigestNow(WEEK, "C0", "prices in <#C1>")),
        ("about prices", DigestNow(Period(NOW - timedelta(days=1), NOW), None, "prices")),
        ("list", ListSchedules()),
        ("Help", HelpWanted()),
        ("pause 3", ScheduleAction("pause", 3)),
        ("Resume #3", ScheduleAction("resume", 3)),
        ("delete 3", ScheduleAction("delete", 3)),
        ("schedule weekdays 9:00", ScheduleWanted("weekdays 9:00", None, "")),
        ("change 3 weekdays 9:00", ScheduleWanted("weekdays 9:00", None, "", 3)),
        ("Change #3 to Mondays 8:30 about prices",
         ScheduleWanted("Mondays 8:30", None, "prices", 3)),
        ("schedule Mondays 8:30 in <#C1|general> about prices",
         ScheduleWanted("Mondays 8:30", "C1", "prices")),
        ("schedule Mondays 8:30 about prices In <#C1|general>.",
         ScheduleWanted("Mondays 8:30", "C1", "prices")),
        ("schedule daily 17:00 about 9 to 5 jobs",
         ScheduleWanted("daily 17:00", None, "9 to 5 jobs")),
        ("schedule 0 9 * * 1-5", ScheduleWanted("0 9 * * 1-5", None, "")),
    ],
)  # fmt: skip
def test_commands_are_read(words: str, command: object) -> None:
    assert read_command(words, NOW, BERLIN) == command


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schedule about prices", "Say when the digest should come. Try `schedule weekdays 9:00`."),
        ("schedule", "Say when the digest should come. Try `schedule weekdays 9:00`."),
        ("schedule weekdays about 17:00", "before `about`, and only the topic"),
        ("schedule weekdays about 17:00", "Try `schedule weekdays at 17:00`."),
        ("schedule weekdays at about 5 pm in <#C1>", "Try `schedule weekdays at 5 pm`."),
        ("schedule daily about noon about prices", "Try `schedule weekdays at noon`."),
        ("change 3 daily about 9 o'clock", "Try `change 3 weekdays at 9`."),
        ("change 3", "Say when the digest should come. Try `change 3 weekdays 9:00`."),
        (
            "change 3 weekdays 9:00 in <#C1>",
            "You cannot change the channel of a schedule. Delete it and save a new one.",
        ),
        (
            "change 3 weekdays 9:00 about <#C1>",
            "You cannot change the channel of a schedule. Delete it and save a new one.",
        ),
        (
            "schedule daily about <#C1>",
            "before `about`. Try `schedule weekdays 9:00 #general about prices`.",
        ),
    ],
)
def test_a_schedule_that_leaves_open_when_or_where_it_comes_is_refused(
    text: str, words: str
) -> None:
    with pytest.raises(NotUnderstood) as refused:
        read_command(text, NOW, BERLIN)

    assert words in refused.value.public


def test_what_it_is_to_be_about_is_not_without_an_end() -> None:
    command = read_command(f"7d about {'words ' * 999}", NOW, BERLIN)

    assert isinstance(command, DigestNow)
    assert len(command.about) <= 500


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("yesterday", "24 November 2026"),
        ("last week", "16 to 22 November 2026"),
        ("28 Oct to 3 Nov", "28 October to 3 November 2026"),
        ("7d", "18 Nov 14:30 to 25 Nov 14:30"),
    ],
)
def test_a_period_is_said_to_its_reader(words: str, said: str) -> None:
    assert period_words(read_period(words, NOW, BERLIN), BERLIN) == said
