"""All messages of a channel's period, read from Slack with as few calls as that takes.

A reading takes no longer than LONGEST_SECONDS. That is plenty for 2,500 threads at the usual 50
calls a minute. Where Slack lets an app read 15 messages a minute (reading_pace.py), it is too
little for a busy channel: 5,000 messages would take more than five hours, and nobody waits that
long for a digest. There the newest are read with their replies, and what was not read is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.digests.digest import Reading
from bot.digests.times import moment_words
from bot.errors import SlackRateLimited
from bot.slack.caller import Caller
from bot.slack.pacing import CALLS_A_MINUTE
from bot.slack.period_messages import seconds_of
from bot.slack.period_walk import Span, Walk
from bot.slack.reading_pace import REPLIES, SLOW_OBJECTS, ReadingPace
from bot.slack.saying import said

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.digests.request import DigestRequest
    from bot.slack.events import Bot
    from bot.slack.identity import People
    from bot.slack.pacing import Pacing
    from bot.slack.web import SlackWeb

    Tell = Callable[["Progress"], Awaitable[None]]

LOOK_BACK = timedelta(days=30)  # before the period, at least: for threads that get new replies
LONGEST_SECONDS = 55 * 60.0  # from the first call to the beginning of the last


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reading has come."""

    messages: int  #: of the period that were read
    minutes: int  #: until it is over, about; no more than it may take
    a_minute: int | None  #: so few messages may be read in a minute; None: as many as wanted


@dataclass(frozen=True, slots=True)
class PeriodReader:
    """Reads what was written in a channel."""

    web: SlackWeb
    pacing: Pacing
    people: People
    bot: Bot

    async def read(self, team: str, request: DigestRequest, tell: Tell) -> Reading:
        """Return what people wrote in a channel in a period, and say what could not be read.

        The times in that are in the reader's zone. `tell` is told after each page. Raises
        SlackRefused where the channel may not be read, and SlackUnreachable or SlackRateLimited
        where Slack gives nothing for too long.
        """
        pace = ReadingPace(self.pacing, team)
        caller = Caller(self.web, self.pacing, team, pace.saw_pause)
        period, zone = request.period, ZoneInfo(request.zone)
        since, until = seconds_of(period.since), seconds_of(period.until)
        span = Span(seconds_of(period.since - LOOK_BACK), since, until)
        walk = Walk(caller, pace, self.bot, request.channel, span)
        await self._go(walk, tell)
        told = {message["thread_ts"] for message in walk.new.values()}
        roots = {ts: root for ts, root in walk.roots.items() if ts in told}
        messages = [*walk.new.values(), *roots.values()]
        read, unnamed = await said(messages, self.people, caller, roots.keys())
        return Reading(
            messages=read,
            unnamed=unnamed,
            unread=tuple(_unread(walk, zone)),
            unseen=tuple(_unseen(walk, zone)),
            by_apps=len(walk.by_apps),
        )

    async def _go(self, walk: Walk, tell: Tell) -> None:
        """Walk to the end, or as far as there is time."""
        clock = self.pacing.clock
        end = clock() + LONGEST_SECONDS
        while not walk.is_over and clock() < end:
            try:
                await walk.step()
            except SlackRateLimited:
                if not walk.pages:
                    raise
                return
            await tell(_progress(walk, (end - clock()) / 60))


def _progress(walk: Walk, minutes_left: float) -> Progress:
    """Estimate what is left, as if the rest of the channel were like what was seen of it."""
    span, is_slow = walk.span, walk.pace.is_slow
    seen, unseen = span.until - walk.reached, max(walk.reached - span.since, Decimal(0))
    pages = float(unseen / seen) * walk.pages if seen and walk.has_pages else 0.0
    threads = len(walk.threads) * (1 + pages / walk.pages)
    # Both at once where they take turns: each method has an allowance of its own.
    calls = max(pages, threads) if is_slow else pages + threads
    minutes = calls if is_slow else calls / CALLS_A_MINUTE[REPLIES]
    at_most = max(0, math.ceil(min(minutes, minutes_left)))
    return Progress(len(walk.new), at_most, SLOW_OBJECTS if is_slow else None)


def _unread(walk: Walk, zone: ZoneInfo) -> list[str]:
    """Say what was not read of what is there."""
    unread = []
    if not walk.is_whole and walk.reached > walk.span.since:
        unread.append(f"messages before {_at(walk.reached, walk, zone)}")
    if walk.threads:
        unread.append(f"replies of {_threads(len(walk.threads))}, for lack of time")
    if walk.untold_threads:
        unread.append(f"replies of {_threads(walk.untold_threads)} that Slack did not give")
    return unread


def _unseen(walk: Walk, zone: ZoneInfo) -> list[str]:
    """Say where replies may be that nobody looked for."""
    if walk.is_whole:
        return []
    since, reached = (_at(each, walk, zone) for each in (walk.span.since, walk.reached))
    return [f"replies since {since} in threads older than {reached}"]


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count:,} threads"


def _at(seconds: Decimal, walk: Walk, zone: ZoneInfo) -> str:
    """Say a time to the minute, no earlier than it was: what came after it was read."""
    at = datetime.fromtimestamp(math.ceil(seconds / 60) * 60, UTC)
    return moment_words(at, zone, beside=datetime.fromtimestamp(float(walk.span.until), UTC))
