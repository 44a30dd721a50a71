"""A message that is posted and then replaced by longer ones, where there is no streaming."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import SlackError
from bot.slack.blocks import markdown_blocks
from bot.slack.growth import Growth, Json, Task
from bot.slack.markdown import notification
from bot.slack.place import MessageFull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.part import Part


@dataclass
class PostedMessage:
    """A message that is posted and then replaced by a longer one, where there is no streaming."""

    part: Part
    ts: str
    opened_at: float
    streamed: bool = False
    _text: str = ""
    _tasks: dict[str, Task] = field(default_factory=dict)
    _plan: str = ""

    @classmethod
    async def open(cls, part: Part, growth: Growth, blocks: Sequence[Json] = ()) -> PostedMessage:
        """Post the message into the thread."""
        message = cls.found(part, "", growth)
        message.ts = await part.post(
            "chat.postMessage",
            streamed=False,
            thread_ts=part.place.question.thread.thread_ts,
            metadata=part.metadata,
            unfurl_links=False,
            unfurl_media=False,
            **message._content(blocks),  # noqa: SLF001 - its own
        )
        return message

    @classmethod
    def found(cls, part: Part, ts: str, growth: Growth) -> PostedMessage:
        """Go on with a message that was posted with this."""
        message = cls(part, ts, part.place.pacing.clock())
        message._grow(growth)
        return message

    async def append(self, growth: Growth) -> None:
        """Replace the message by a longer one."""
        await self._update(growth, ())

    async def close(self, growth: Growth, blocks: Sequence[Json]) -> None:
        """Replace the message by the whole one."""
        self._tasks = {}
        await self._update(Growth(text=growth.text, plan=growth.plan), blocks)

    async def _update(self, growth: Growth, blocks: Sequence[Json]) -> None:
        before, delivered = (self._text, dict(self._tasks), self._plan), len(self._text)
        self._grow(growth)
        try:  # a repeat sets the same text again, so it does no harm
            await self.part.call(
                "chat.update",
                delivered,
                ts=self.ts,
                metadata=self.part.metadata,
                **self._content(blocks),
            )
        except (MessageFull, SlackError):
            self._text, self._tasks, self._plan = before
            raise

    def _grow(self, growth: Growth) -> None:
        self._text += growth.text
        self._tasks |= {task.id: task for task in growth.tasks}
        self._plan = growth.plan or self._plan

    def _content(self, blocks: Sequence[Json]) -> Json:
        running = [task.title for task in self._tasks.values() if task.status == "in_progress"]
        status = running[-1] if running else self._plan
        shown = self._text or ("" if blocks else f"_{status or 'Working on it'}…_")
        return {
            "text": notification(shown) or self._plan or "Answer",
            "blocks": [*markdown_blocks(shown), *blocks],
        }
