"""A message that grows by Slack's own streaming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.slack.blocks import markdown_blocks
from bot.slack.markdown import notification
from bot.slack.place import MessageFull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.growth import Growth, Json
    from bot.slack.part import Part


@dataclass
class StreamedMessage:
    """A message that grows by Slack's own streaming."""

    part: Part
    ts: str
    opened_at: float
    streamed: bool = True
    _text: str = ""
    _uncertain: bool = False

    @classmethod
    async def open(cls, part: Part, growth: Growth) -> StreamedMessage:
        """Start a stream in the thread."""
        question = part.place.question
        # In a channel both recipients are required, in a direct message some apps need them too.
        # The team is the asker's, which under Slack Connect is not the bot's.
        ts = await part.post(
            "chat.startStream",
            streamed=True,
            thread_ts=question.thread.thread_ts,
            recipient_user_id=question.user,
            recipient_team_id=question.user_team,
            task_display_mode="plan",
            chunks=growth.chunks or None,
        )
        return cls.found(part, ts, growth)

    @classmethod
    def found(cls, part: Part, ts: str, growth: Growth) -> StreamedMessage:
        """Go on with a stream that was started with this."""
        return cls(part, ts, part.place.pacing.clock(), _text=growth.text)

    async def append(self, growth: Growth) -> None:
        """Append to the stream."""
        await self._call("chat.appendStream", chunks=growth.chunks)
        self._text += growth.text

    async def close(self, growth: Growth, blocks: Sequence[Json]) -> None:
        """Stop the stream; repair the message if it is not certain what Slack took."""
        metadata = self.part.metadata
        below = {"blocks": list(blocks) or None, "metadata": metadata, "session_status": "active"}
        try:
            await self._call("chat.stopStream", chunks=growth.chunks or None, **below)
        except MessageFull:
            if not self._uncertain:  # else the call whose answer was lost has stopped it
                raise
        self._text += growth.text
        if self._uncertain:
            await self._repair(blocks, metadata)

    async def _call(self, method: str, **params: object) -> None:
        await self.part.call(method, len(self._text), self._doubt, ts=self.ts, **params)

    def _doubt(self) -> None:
        """Take note that Slack may have a text twice: the whole of it is set at the end."""
        self._uncertain = True

    async def _repair(self, blocks: Sequence[Json], metadata: Json) -> None:
        await self._call(
            "chat.update",
            text=notification(self._text),
            blocks=[*markdown_blocks(self._text), *blocks],
            metadata=metadata,
        )
