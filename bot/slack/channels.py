"""Channels as digests need them: what was written where and when."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.digests.digest import Reading
from bot.errors import SlackRateLimited, SlackRefused
from bot.slack.caller import Caller
from bot.slack.period import LONGEST_SECONDS, Progress
from bot.slack.period_messages import order
from bot.slack.reading_pace import SLOW_OBJECTS, ReadingPace
from bot.slack.saying import said
from bot.slack.thread_walk import ThreadWalk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.digests.digest import Message
    from bot.digests.memory import Behind
    from bot.digests.request import DigestRequest
    from bot.slack.period import PeriodReader, Tell

log = logging.getLogger(__name__)

REFUSED = "Slack does not let me read it ({code})"
BEHIND_SECONDS = 30.0  # after which no further page is begun: somebody waits for an answer


@dataclass(frozen=True, slots=True)
class Channels:
    """Implements the `Channels` of digests/run.py and digests/memory.py."""

    reader: PeriodReader

    async def read(
        self, team: str, request: DigestRequest, tell: Callable[[str], Awaitable[None]]
    ) -> Reading:
        """Return what people wrote in the channel that is wanted, or in the thread.

        Where Slack does not let it be read, nothing was. Raises other SlackErrors where Slack gives
        nothing for too long.
        """
        shown = ""

        async def tell_progress(progress: Progress) -> None:
            nonlocal shown
            words = _words(progress)
            if words and words != shown:
                shown = words
                await tell(words)

        read = self._thread if request.thread_ts else self.reader.read
        try:
            return await read(team, request, tell_progress)
        except SlackRefused as error:
            log.warning("a channel cannot be read", extra={"code": error.code})
            return Reading(messages=(), unread=(REFUSED.format(code=error.code),))

    async def behind(
        self, team: str, channel: str, places: Sequence[Behind], unnamed: Sequence[str]
    ) -> tuple[Message, ...]:
        """Return the messages at these places that are still there and can be read in time.

        `unnamed` are those who are known by their numbers in this list.
        """
        caller, wanted = self._caller(team), defaultdict[str, set[str]](set)
        for place in places:
            wanted[place.thread_ts].add(place.ts)
        end, found = self.reader.pacing.clock() + BEHIND_SECONDS, list[dict[str, Any]]()
        for thread_ts, all_ts in wanted.items():
            first, last = min(all_ts, key=order), max(all_ts, key=order)
            walk = ThreadWalk(caller, self.reader.bot, channel, thread_ts, first, last)
            await self._go(walk, all_ts, end)
            found += [walk.written[ts] for ts in all_ts & walk.written.keys()]
        messages, _ = await said(found, self.reader.people, caller, unnamed=unnamed)
        return messages

    async def _go(self, walk: ThreadWalk, wanted: set[str], end: float) -> None:
        """Walk until all that is wanted was met, or as far as there is time."""
        clock = self.reader.pacing.clock
        try:
            while not (walk.is_over or wanted <= walk.written.keys()) and clock() < end:
                await walk.step()
        except SlackRefused as error:
            log.info("the messages behind a point are gone", extra={"code": error.code})

    async def _thread(self, team: str, request: DigestRequest, tell: Tell) -> Reading:
        """Read a thread to its end, or as far as there is time."""
        pacing = self.reader.pacing
        pace = ReadingPace(pacing, team)
        caller = self._caller(team, pace)
        walk = ThreadWalk(caller, self.reader.bot, request.channel, request.thread_ts)
        end = pacing.clock() + LONGEST_SECONDS
        while not walk.is_over and pacing.clock() < end:
            try:
                await walk.step()
            except SlackRateLimited:
                if not walk.objects:
                    raise
                break
            pace.saw_page(walk.objects, has_more=not walk.is_over)
            await tell(_progress(walk, pace, (end - pacing.clock()) / 60))
        messages, unnamed = await said(walk.written.values(), self.reader.people, caller)
        left = f"all after the first {len(messages):,} messages, for lack of time"
        unread = () if walk.is_over else (left,)
        by_apps = len(walk.by_apps)
        return Reading(messages=messages, unread=unread, by_apps=by_apps, unnamed=unnamed)

    def _caller(self, team: str, pace: ReadingPace | None = None) -> Caller:
        web, pacing = self.reader.web, self.reader.pacing
        return Caller(web, pacing, team, pace.saw_pause) if pace else Caller(web, pacing, team)


def _progress(walk: ThreadWalk, pace: ReadingPace, minutes_left: float) -> Progress:
    """Estimate what is left of a thread, by the number of replies that its root names."""
    seen = len(walk.written) + len(walk.by_apps)
    pages = math.ceil(max(walk.replies + 1 - seen, 0) / SLOW_OBJECTS)
    minutes = max(0, math.ceil(min(pages, minutes_left)))
    return Progress(len(walk.written), minutes, SLOW_OBJECTS if pace.is_slow else None)


def _words(progress: Progress) -> str:
    """Say how long it takes where it does not come at once; the minutes in steps, not each one."""
    if progress.a_minute is None:
        return ""
    minutes = max(5, -(-progress.minutes // 5) * 5)
    return (
        f"Reading the messages. Slack lets me read {progress.a_minute} of them a minute here, so "
        f"this will take about {minutes} more minutes"
    )
