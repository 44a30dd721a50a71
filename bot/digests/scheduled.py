"""Digests that come by themselves: which one is due, and what becomes of those that were missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.digests.digest import Period
from bot.digests.request import DigestRequest, request_text
from bot.digests.schedule import due_times, next_times, time_before
from bot.digests.since import LONGEST
from bot.turns.question import Question, Thread

if TYPE_CHECKING:
    from datetime import datetime

    from bot.digests.schedule import Schedule

CATCH_UP = timedelta(hours=6)  # after its time, for which a digest is still posted, at least
LONGEST_CATCH_UP = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchedule:
    """A digest that is wanted again and again."""

    team: str
    user: str  #: whose it is
    user_team: str
    source: str  #: the channel that is read
    target: str  #: where it is posted; "" for its owner's direct message
    schedule: Schedule
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A schedule in the database."""

    id: int
    new: NewSchedule
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


def plan(scheduled: Scheduled, now: datetime) -> Due:
    """Say which of the times until now is made up for: the newest, unless it is too long ago."""
    schedule = scheduled.new.schedule
    due = (scheduled.next_due, *due_times(schedule, scheduled.next_due, now))
    following = next(iter(next_times(schedule, now, 1)), None)
    if now - due[-1] > catch_up(_period(scheduled, due[-1])):
        return Due(last=due[-1], run=None, skipped=(*scheduled.skipped, *due), next_due=following)
    return Due(
        last=due[-1], run=due[-1], skipped=(*scheduled.skipped, *due[:-1]), next_due=following
    )


def catch_up(period: Period) -> timedelta:
    """Return how long after its end a digest is still posted: a quarter of it, within bounds."""
    return min(max(CATCH_UP, (period.until - period.since) / 4), LONGEST_CATCH_UP)


def question_of(scheduled: Scheduled, due: Due, at: datetime) -> Question:
    """Return the question of the digest for a due time, which has the time in its key."""
    new = scheduled.new
    request = DigestRequest(
        channel=new.source,
        period=_period(scheduled, at),
        about=new.about,
        zone=new.schedule.zone,
        schedule_id=scheduled.id,
        skipped=due.skipped,
    )
    return Question(
        thread=Thread(team=new.team, channel=new.target, thread_ts=""),
        ts=f"/{scheduled.id}-{at.timestamp():.0f}",
        user=new.user,
        user_team=new.user_team,
        text=request_text(request),
        kind="digest",
    )


def _period(scheduled: Scheduled, at: datetime) -> Period:
    """Return what the digest of a due time is about: the time since the one before.

    The first one after a change of its times begins where the last one ended.
    """
    covered = scheduled.covered_until
    if covered is not None and at == scheduled.next_due and covered < at:
        return Period(max(covered, at - LONGEST), at)
    return Period(time_before(scheduled.new.schedule, at), at)
