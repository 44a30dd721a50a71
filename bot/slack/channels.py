"""Channels as digests need them: what was written where and when."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.digests.digest import Reading
from bot.errors import SlackRefused
from bot.slack.caller import Caller
from bot.slack.period_messages import is_written, order, ts_of
from bot.slack.reading_pace import REPLIES
from bot.slack.saying import said

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.digests.digest import Message
    from bot.digests.memory import Behind
    from bot.digests.request import DigestRequest
    from bot.slack.period import PeriodReader, Progress

    Json = dict[str, Any]

log = logging.getLogger(__name__)

PAGE = 1_000
THREAD_PAGES = 10  # of one thread; a longer one is read in part


@dataclass(frozen=True, slots=True)
class Channels:
    """Implements the `Channels` of digests/run.py and digests/memory.py."""

    reader: PeriodReader

    async def read(
        self, team: str, request: DigestRequest, tell: Callable[[str], Awaitable[None]]
    ) -> Reading:
        """Return what people wrote in the channel that is wanted, or in the thread.

        Raises SlackRefused where it may not be read, and other SlackErrors where Slack gives
        nothing for too long.
        """
        if request.thread_ts:
            return await self._thread(team, request.channel, request.thread_ts)
        shown = ""

        async def tell_progress(progress: Progress) -> None:
            nonlocal shown
            words = _words(progress)
            if words and words != shown:
                shown = words
                await tell(words)

        return await self.reader.read(team, request, tell_progress)

    async def behind(
        self, team: str, channel: str, places: Sequence[Behind]
    ) -> tuple[Message, ...]:
        """Return the messages at these places that are still there."""
        caller, wanted = self._caller(team), defaultdict[str, set[str]](set)
        for place in places:
            wanted[place.thread_ts].add(place.ts)
        found: list[Json] = []
        for thread_ts, all_ts in wanted.items():
            first, last = min(all_ts, key=order), max(all_ts, key=order)
            try:
                page, _ = await self._page(caller, channel, thread_ts, oldest=first, latest=last)
            except SlackRefused as error:
                log.info("the messages behind a point are gone", extra={"code": error.code})
                continue
            found += [message for message in page if message["ts"] in all_ts]
        return await said(found, self.reader.people, caller)

    async def _thread(self, team: str, channel: str, thread_ts: str) -> Reading:
        caller, cursor, found = self._caller(team), None, dict[str, Any]()
        for _ in range(THREAD_PAGES):
            page, cursor = await self._page(caller, channel, thread_ts, cursor=cursor)
            found |= {message["ts"]: message for message in page}
            if cursor is None:
                break
        unread = () if cursor is None else (f"all after the first {len(found):,} messages",)
        messages = await said(found.values(), self.reader.people, caller)
        return Reading(messages=messages, unread=unread)

    async def _page(
        self,
        caller: Caller,
        channel: str,
        thread_ts: str,
        **span: Any,  # noqa: ANN401 - JSON
    ) -> tuple[list[Json], str | None]:
        """Read a page of what people wrote in a thread; return the cursor of the next."""
        answer = await caller.until_heard(
            REPLIES, channel=channel, ts=thread_ts, limit=PAGE, inclusive=True, **span
        )
        page = [each for each in answer.get("messages") or () if isinstance(each, dict)]
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        written = [each for each in page if ts_of(each) and is_written(each, self.reader.bot)]
        return [each | {"thread_ts": thread_ts} for each in written], cursor

    def _caller(self, team: str) -> Caller:
        return Caller(self.reader.web, self.reader.pacing, team)


def _words(progress: Progress) -> str:
    """Say how long it takes where it does not come at once; the minutes in steps, not each one."""
    if progress.a_minute is None:
        return ""
    minutes = max(5, -(-progress.minutes // 5) * 5)
    return (
        f"Reading the messages. Slack lets me read {progress.a_minute} of them a minute here, so "
        f"this takes about {minutes} minutes"
    )
