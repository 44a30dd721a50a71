"""When a digest comes by itself: a cron expression in its owner's time zone, and the times it says.

A time that a day does not have, as clocks are put forward, comes right after the gap; one that a
day has twice comes once. Both are as in Debian's cron, which the library follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from bot.errors import FootnoteError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_DUE = 1_000  # due times that are told at once
EXAMPLES = "Try `weekdays 9:00`, `Mondays 8:30`, `first of the month`, or cron like `0 9 * * 1-5`."


class UnknownRecurrence(FootnoteError):
    """Words that say no time, or one that comes too often. Its own words say which."""

    def __init__(self, words: str) -> None:
        super().__init__("unknown schedule")
        self.public = f"{words} {EXAMPLES}"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Times that come again and again."""

    cron: str  #: five fields
    zone: str  #: in which they are meant, an IANA name


def next_times(recurrence: Recurrence, after: datetime, count: int) -> tuple[datetime, ...]:
    """Return the next times after this one, in UTC; fewer where there are no more."""
    return tuple(islice(_times(recurrence, after), count))


def time_before(recurrence: Recurrence, due: datetime) -> datetime:
    """Return the time before a due one, in UTC."""
    local = due.astimezone(ZoneInfo(recurrence.zone))
    # Backwards the library skips a gap the other way, so the way there is walked forwards.
    for days in (2, 10, 40, 400, 4_000):
        times = list(_until(recurrence, local - timedelta(days=days), due - timedelta(seconds=1)))
        if times:
            return times[-1]
    return due - timedelta(days=1)


def due_times(recurrence: Recurrence, after: datetime, now: datetime) -> tuple[datetime, ...]:
    """Return the times after one and until now, the newest MOST_DUE of them."""
    return tuple(_until(recurrence, after, now))[-MOST_DUE:]


def cron_words(recurrence: Recurrence) -> str:
    """Say a cron expression field by field, as the library does."""
    explained: str = CronSim(recurrence.cron, datetime(2026, 1, 1, tzinfo=UTC)).explain()
    return explained


def _until(recurrence: Recurrence, after: datetime, until: datetime) -> Iterator[datetime]:
    for at in _times(recurrence, after):
        if at > until:
            return
        yield at


def _times(recurrence: Recurrence, after: datetime) -> Iterator[datetime]:
    try:
        local = after.astimezone(ZoneInfo(recurrence.zone))
        # From a little before: what falls into a gap is moved behind it.
        times = CronSim(_written_out(recurrence.cron), local - timedelta(hours=3))
    except (CronSimError, ZoneInfoNotFoundError, ValueError) as error:
        raise UnknownRecurrence("I do not understand this cron expression.") from error
    last = after
    for at in times:
        due = at.astimezone(UTC)
        if due > last:
            last = due
            yield due


def _written_out(cron: str) -> str:
    """Name the hours of `*/6` one by one.

    The library counts on through a step as through every hour: it loses a time where clocks change
    by half an hour, and has one twice where they are put back.
    """
    minute, hour, *days = cron.split()
    if (step := re.fullmatch(r"\*/(\d{1,2})", hour)) and int(step[1]) > 1:  # */1 is every hour
        hour = ",".join(map(str, range(0, 24, int(step[1]))))
    return " ".join((minute, hour, *days))
