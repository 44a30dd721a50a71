"""Digests that come by themselves: which one is due, and what becomes of those that were missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.digests.digest import Period
from bot.digests.recurrence import due_times, next_times, time_before
from bot.digests.request import DigestRequest, request_text
from bot.digests.since import LONGEST
from bot.turns.question import Question, Thread

if TYPE_CHECKING:
    from datetime import datetime

    from bot.digests.recurrence import Recurrence

CATCH_UP = timedelta(hours=6)  # after its time, for which a digest is still posted, at least
LONGEST_CATCH_UP = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledDigest:
    """A digest that is wanted again and again."""

    team: str
    user: str  #: whose it is
    user_team: str
    source: str  #: the channel that is read
    target: str  #: where it is posted; "" for its owner's direct message
    recurrence: Recurrence
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule in the database."""

    id: int
    digest: ScheduledDigest
    next_due: datetime
    covered_until: datetime | None = None  #: the last time that was due; None: not known, or paused
    skipped: tuple[datetime, ...] = ()  #: times that are still to be told of
    paused_why: str | None = None  #: "" where its owner paused it; None while it runs

    @property
    def is_paused(self) -> bool:
        """Whether it comes no more until it is resumed."""
        return self.paused_why is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is to be done about one that is due."""

    last: datetime  #: of the times until now
    run: datetime | None  #: the time that is made up for; None where all are too long ago
    skipped: tuple[datetime, ...]  #: what is to be told of with it, or with a later one
    next_due: datetime | None  #: None where it never comes again


def plan(schedule: Schedule, now: datetime) -> Due:
    """Say which of the times until now is made up for: the newest, unless it is too long ago."""
    recurrence, told = schedule.digest.recurrence, schedule.skipped
    *missed, last = (schedule.next_due, *due_times(recurrence, schedule.next_due, now))
    following = next(iter(next_times(recurrence, now, 1)), None)
    if now - last > catch_up(_period(schedule, last)):
        return Due(last=last, run=None, skipped=(*told, *missed, last), next_due=following)
    return Due(last=last, run=last, skipped=(*told, *missed), next_due=following)


def catch_up(period: Period) -> timedelta:
    """Return how long after its end a digest is still posted: a quarter of it, within bounds."""
    return min(max(CATCH_UP, (period.until - period.since) / 4), LONGEST_CATCH_UP)


def question_of(schedule: Schedule, due: Due, at: datetime) -> Question:
    """Return the question of the digest for a due time, which has the time in its key."""
    digest = schedule.digest
    request = DigestRequest(
        channel=digest.source,
        period=_period(schedule, at),
        about=digest.about,
        zone=digest.recurrence.zone,
        schedule_id=schedule.id,
        skipped=due.skipped,
    )
    return Question(
        thread=Thread(team=digest.team, channel=digest.target, thread_ts=""),
        ts=f"/{schedule.id}-{at.timestamp():.0f}",
        user=digest.user,
        user_team=digest.user_team,
        text=request_text(request),
        kind="digest",
    )


def _period(schedule: Schedule, at: datetime) -> Period:
    """Return what the digest of a due time is about: the time since the one before.

    The first one after a change of its times begins where the last one ended.
    """
    covered = schedule.covered_until
    if covered is not None and at == schedule.next_due and covered < at:
        return Period(max(covered, at - LONGEST), at)
    return Period(time_before(schedule.digest.recurrence, at), at)
