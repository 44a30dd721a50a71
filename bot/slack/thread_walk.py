"""The way through one thread, page by page, the oldest messages first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.slack.caller import next_cursor
from bot.slack.period_messages import is_by_app, is_written, ts_of
from bot.slack.reading_pace import REPLIES

if TYPE_CHECKING:
    from bot.slack.caller import Caller
    from bot.slack.events import Bot

    Json = dict[str, Any]

PAGE = 1_000  # the most that Slack gives


@dataclass
class ThreadWalk:
    """Goes through a thread."""

    caller: Caller
    bot: Bot
    channel: str
    thread_ts: str
    oldest: str | None = None  #: of the messages that are wanted; None for its beginning
    latest: str | None = None  #: likewise, None for its end
    written: dict[str, Json] = field(default_factory=dict)  #: what people wrote, by ts
    by_apps: set[str] = field(default_factory=set)  #: ts of messages by other apps
    replies: int = 0  #: that the whole thread has, as its root says
    is_over: bool = False
    objects: int = 0  #: on the last page
    _cursor: str | None = None

    async def step(self) -> None:
        """Read a page. Raises SlackRefused where it may not be read, and other SlackErrors."""
        answer = await self.caller.until_heard(
            REPLIES,
            channel=self.channel,
            ts=self.thread_ts,
            limit=PAGE,
            inclusive=True,
            cursor=self._cursor,
            oldest=self.oldest,
            latest=self.latest,
        )
        page = [each for each in answer.get("messages") or () if isinstance(each, dict)]
        self.objects, self._cursor = len(page), next_cursor(answer)
        self.is_over = self._cursor is None
        for message in filter(ts_of, page):
            self._see(message)

    def _see(self, message: Json) -> None:
        ts = message["ts"]
        if ts == self.thread_ts and isinstance(message.get("reply_count"), int):
            self.replies = message["reply_count"]
        if is_by_app(message, self.bot):
            self.by_apps.add(ts)
        elif is_written(message, self.bot):
            self.written[ts] = message | {"thread_ts": self.thread_ts}
