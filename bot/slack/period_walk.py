"""The way through a channel's period: its pages, the newest first, and the threads that they show.

A thread is worth a call if it has a reply since the period began, and not by this bot alone, whose
digests and answers are threads too. So roots are looked at for longer than the period, and that
costs pages of a channel but no call for each message or quiet thread.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bot.errors import SlackRefused, SlackUnreachable
from bot.slack.caller import next_cursor
from bot.slack.period_messages import is_by_app, is_written, order, ts_of
from bot.slack.reading_pace import HISTORY, REPLIES

if TYPE_CHECKING:
    from bot.slack.caller import Caller
    from bot.slack.events import Bot
    from bot.slack.reading_pace import ReadingPace

    Json = dict[str, Any]

log = logging.getLogger(__name__)

PAGE, PAGE_OF_REPLIES = 999, 1_000  # the most that Slack gives
UNHEARD_THREADS = 3  # one after the other: then it is not the threads
_MICROSECOND = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Span:
    """The times of a reading, in seconds as ts have them."""

    back: Decimal  #: from where on roots of threads are looked for
    since: Decimal
    until: Decimal

    def has(self, ts: str) -> bool:
        """Whether a message is of the period: from `since` on, before `until`."""
        return self.since <= order(ts) < self.until


@dataclass
class _Thread:
    ts: str
    cursor: str | None = None  #: of its next page


@dataclass
class Walk:
    """Goes through a channel, page by page."""

    caller: Caller
    pace: ReadingPace
    bot: Bot
    channel: str
    span: Span
    new: dict[str, Json] = field(default_factory=dict)  #: messages of the period, as Slack has them
    roots: dict[str, Json] = field(default_factory=dict)  #: of older threads; both by ts
    threads: deque[_Thread] = field(default_factory=deque)  #: that are to be read, in this order
    by_apps: set[str] = field(default_factory=set)  #: ts of messages of the period by other apps
    untold_threads: int = 0  #: whose replies Slack did not give
    pages: int = 0  #: of the channel that were read
    reached: Decimal = field(init=False)  #: down to where the channel was seen
    is_whole: bool = False  #: it was seen to its beginning
    _cursor: str | None = None
    _queued: set[str] = field(default_factory=set)
    _was_page: bool = False
    _unheard: int = 0

    def __post_init__(self) -> None:
        self.reached = self.span.until

    @property
    def has_pages(self) -> bool:
        """Whether the channel is to be seen further back."""
        return not self.is_whole and self.reached >= self.span.back

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be read."""
        return not self.has_pages and not self.threads

    async def step(self) -> None:
        """Read one page of the channel or of a thread.

        All pages of the channel come first. At the slow pace the two take turns, as each has an
        allowance of its own: so what is newest is read with its replies.
        """
        is_threads_turn = self.pace.is_slow and self._was_page
        if self.has_pages and not (self.threads and is_threads_turn):
            await self._read_page()
        else:
            await self._read_thread()

    async def _read_page(self) -> None:
        self._was_page = True
        # No `oldest`: so the last page says whether anything is older, and where it ends.
        latest = _asked(self.span.until)
        messages, self._cursor = await self._read(HISTORY, PAGE, self._cursor, latest=latest)
        self.pages += 1
        for message in messages:
            self._see(message)
        self.reached = min([self.reached, *(order(message["ts"]) for message in messages)])
        self.is_whole = self._cursor is None

    def _see(self, message: Json) -> None:
        """Take a message of the channel, and its thread if that has new replies."""
        ts = message["ts"]
        root = ts_of(message, "thread_ts") or ts
        if self.span.has(ts):
            self._take(message, root)
        # A broadcast is a new reply itself, of a thread whose root may be out of sight.
        if self.span.has(ts) if root != ts else self._has_new_replies(message):
            self._queue(root)

    def _has_new_replies(self, root: Json) -> bool:
        latest = ts_of(root, "latest_reply")
        has_replies = bool(root.get("reply_count")) and not self._is_ours(root)
        return has_replies and (not latest or order(latest) >= self.span.since)

    def _is_ours(self, root: Json) -> bool:
        """Whether this bot alone has replied; a root names who has, but not all where many have."""
        users = root.get("reply_users")
        if not isinstance(users, list) or root.get("reply_users_count") != len(users):
            return False
        return bool(users) and all(user in {self.bot.user, self.bot.bot_id} for user in users)

    def _queue(self, root: str) -> None:
        if root not in self._queued:
            self._queued.add(root)
            self.threads.append(_Thread(root))

    async def _read_thread(self) -> None:
        self._was_page = False
        thread = self.threads[0]
        is_older = order(thread.ts) < self.span.since
        try:
            messages, thread.cursor = await self._read(
                REPLIES,
                PAGE_OF_REPLIES,
                thread.cursor,
                ts=thread.ts,
                oldest=_asked(self.span.since - _MICROSECOND) if is_older else None,
                latest=_asked(self.span.until),
            )
        except (SlackRefused, SlackUnreachable) as error:
            self._give_up(error)
            return
        self._unheard = 0
        for message in messages:
            self._take(message, thread.ts)
        if thread.cursor is None:
            self.threads.popleft()

    def _give_up(self, error: SlackRefused | SlackUnreachable) -> None:
        """Go on without a thread, unless Slack is not to be heard at all."""
        self._unheard = self._unheard + 1 if isinstance(error, SlackUnreachable) else 0
        if self._unheard >= UNHEARD_THREADS:
            raise error
        log.warning("a thread cannot be read", extra={"code": error.code})
        self.threads.popleft()
        self.untold_threads += 1

    def _take(self, message: Json, root: str) -> None:
        """Keep what a person wrote in the period, and what such was a reply to."""
        ts = message["ts"]
        if is_by_app(message, self.bot) and self.span.has(ts):
            self.by_apps.add(ts)
        if not is_written(message, self.bot):
            return
        if self.span.has(ts):
            self.new[ts] = message | {"thread_ts": root}
        elif ts == root and order(ts) < self.span.since:
            self.roots[ts] = message | {"thread_ts": root}

    async def _read(
        self,
        method: str,
        limit: int,
        cursor: str | None,
        **params: Any,  # noqa: ANN401 - JSON
    ) -> tuple[list[Json], str | None]:
        """Read a page; return its messages, and the cursor of the next one."""
        answer = await self.caller.until_heard(
            method, channel=self.channel, limit=limit, cursor=cursor, **params
        )
        page = answer.get("messages")
        messages = [m for m in page if isinstance(m, dict)] if isinstance(page, list) else []
        following = next_cursor(answer)
        self.pace.saw_page(len(messages), has_more=following is not None)
        return [message for message in messages if ts_of(message)], following


def _asked(seconds: Decimal) -> str:
    return f"{seconds:.6f}"
