"""A message that is posted and then replaced by longer ones, where there is no streaming."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import SlackError, SlackRefused
from bot.slack.blocks import markdown_blocks
from bot.slack.growth import Growth, Json, Task
from bot.slack.markdown import notification
from bot.slack.place import MessageFull, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.place import Place


@dataclass
class PostedMessage:
    """A message that is posted and then replaced by a longer one, where there is no streaming."""

    place: Place
    ts: str
    opened_at: float
    streamed: bool = False
    _text: str = ""
    _tasks: dict[str, Task] = field(default_factory=dict)
    _plan: str = ""

    @classmethod
    async def open(cls, place: Place, growth: Growth) -> PostedMessage:
        """Post the message into the thread."""
        message = cls(place, "", place.pacing.clock())
        message._grow(growth)
        answer = await place.call(
            "chat.postMessage",
            thread_ts=place.question.thread.thread_ts,
            unfurl_links=False,
            unfurl_media=False,
            **message._content(()),
        )
        message.ts = str(answer["ts"])
        return message

    async def append(self, growth: Growth) -> None:
        """Replace the message by a longer one."""
        await self._update(growth, (), None)

    async def close(self, growth: Growth, blocks: Sequence[Json], metadata: Json) -> None:
        """Replace the message by the whole one."""
        self._tasks = {}
        await self._update(Growth(text=growth.text, plan=growth.plan), blocks, metadata)

    async def _update(self, growth: Growth, blocks: Sequence[Json], metadata: Json | None) -> None:
        before = self._text, dict(self._tasks), self._plan
        self._grow(growth)
        try:
            await self._set(self._content(blocks), metadata)
        except (MessageFull, SlackError):
            self._text, self._tasks, self._plan = before
            raise

    async def _set(self, content: Json, metadata: Json | None) -> None:
        try:  # a repeat sets the same text again, so it does no harm
            await self.place.call_until_heard(
                "chat.update", ts=self.ts, metadata=metadata, **content
            )
        except SlackRefused as error:
            raise refusal(error) from error

    def _grow(self, growth: Growth) -> None:
        self._text += growth.text
        self._tasks |= {task.id: task for task in growth.tasks}
        self._plan = growth.plan or self._plan

    def _content(self, blocks: Sequence[Json]) -> Json:
        running = [task.title for task in self._tasks.values() if task.status == "in_progress"]
        status = running[-1] if running else self._plan
        shown = self._text or ("" if blocks else f"_{status or 'Working on it'}…_")
        return {
            "text": notification(shown) or "Answer",
            "blocks": [*markdown_blocks(shown), *blocks],
        }
