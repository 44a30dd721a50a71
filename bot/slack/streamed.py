"""A message that grows by Slack's own streaming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import SlackRefused, SlackUnreachable
from bot.slack.blocks import markdown_blocks
from bot.slack.markdown import notification
from bot.slack.place import MessageFull, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.growth import Growth, Json
    from bot.slack.place import Place


@dataclass
class StreamedMessage:
    """A message that grows by Slack's own streaming."""

    place: Place
    ts: str
    opened_at: float
    streamed: bool = True
    _text: str = ""
    _uncertain: bool = False

    @classmethod
    async def open(cls, place: Place, growth: Growth) -> StreamedMessage:
        """Start a stream in the thread."""
        question = place.question
        # In a channel both recipients are required, in a direct message some apps need them too.
        # The team is the asker's, which under Slack Connect is not the bot's.
        try:
            answer = await place.call_now(
                "chat.startStream",
                thread_ts=question.thread.thread_ts,
                recipient_user_id=question.user,
                recipient_team_id=question.user_team,
                task_display_mode="plan",
                chunks=growth.chunks or None,
            )
        except SlackUnreachable:
            answer = {"ts": await place.find_stream()}  # Slack may have started it
            if answer["ts"] is None:
                raise
        return cls(place, str(answer["ts"]), place.pacing.clock(), _text=growth.text)

    async def append(self, growth: Growth) -> None:
        """Append to the stream."""
        await self._call("chat.appendStream", chunks=growth.chunks)
        self._text += growth.text

    async def close(self, growth: Growth, blocks: Sequence[Json], metadata: Json) -> None:
        """Stop the stream; repair the message if it is not certain what Slack took."""
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
        try:
            await self.place.call_until_heard(method, self._doubt, ts=self.ts, **params)
        except SlackRefused as error:
            raise refusal(error) from error

    def _doubt(self) -> None:
        """Take note that Slack may have a text twice: the whole of it is set at the end."""
        self._uncertain = True

    async def _repair(self, blocks: Sequence[Json], metadata: Json) -> None:
        await self.place.call(
            "chat.update",
            ts=self.ts,
            text=notification(self._text),
            blocks=[*markdown_blocks(self._text), *blocks],
            metadata=metadata,
        )
