"""The next message of a reply, in the one of two ways that Slack allows; or one that is there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack.caller import RESENDS
from bot.slack.growth import Growth
from bot.slack.place import MessageFull
from bot.slack.posted import PostedMessage
from bot.slack.streamed import StreamedMessage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.slack.growth import Json
    from bot.slack.part import Part

log = logging.getLogger(__name__)

# Slack's method pages, and what third parties have met beside them.
NO_STREAMING_IN_TEAM = frozenset(
    {"unknown_method", "feature_not_enabled", "missing_scope", "method_deprecated"}
)
NO_STREAMING_IN_CHANNEL = frozenset({"channel_type_not_supported", "messages_tab_disabled"})
NOT_TO_BE_CHANGED = frozenset({"edit_window_closed", "cant_update_message"})


class Message(Protocol):
    """A message of the bot that grows. Raises MessageFull, StoppedByUser or a SlackError."""

    part: Part
    ts: str
    streamed: bool
    opened_at: float

    async def append(self, growth: Growth) -> None:
        """Add to it; when this returns, Slack has it."""
        ...

    async def close(self, growth: Growth, blocks: Sequence[Json]) -> None:
        """Add the last of it, and what stands below the text."""
        ...


async def open_message(part: Part, growth: Growth) -> Message:
    """Open the next message of a reply: streamed where Slack lets us, else posted."""
    return await _until_there(part, growth, lambda: _open_message(part, growth))


async def post_message(part: Part, words: str, blocks: Sequence[Json]) -> Message:
    """Post a message that has only blocks; the words are its notification's."""
    growth = Growth(plan=words)
    return await _until_there(part, growth, lambda: PostedMessage.open(part, growth, blocks))


async def take_over(part: Part, ts: str, growth: Growth, *, streamed: bool) -> Message | None:
    """Go on with a message that an earlier attempt left behind; None if it is gone by now.

    Nobody knows for sure what that one showed, so all of it is replaced.
    """
    await _stop_earlier(part, ts, streamed=streamed)
    message = PostedMessage.found(part, ts, Growth())
    try:
        await message.append(growth)
    except MessageFull:
        return None
    return message


async def replace_earlier(
    part: Part, ts: str, words: str, blocks: Sequence[Json], *, streamed: bool
) -> Message | None:
    """Put blocks in the place of what an earlier attempt left behind; None if it is gone by now.

    Where nothing may be changed any more, it stays: it was whole from the first.
    """
    await _stop_earlier(part, ts, streamed=streamed)
    message = PostedMessage.found(part, ts, Growth())
    try:
        await message.close(Growth(plan=words), blocks)
    except MessageFull:
        return None
    except SlackRefused as error:
        if error.code not in NOT_TO_BE_CHANGED:
            raise
        log.info("an earlier message stays as it is", extra={"code": error.code})
    return message


async def _stop_earlier(part: Part, ts: str, *, streamed: bool) -> None:
    if streamed:
        try:
            await part.call("chat.stopStream", 0, ts=ts)
        except MessageFull:
            log.info("an earlier stream has ended already", extra={"part": part.number})


async def _until_there(
    part: Part, growth: Growth, post: Callable[[], Awaitable[Message]]
) -> Message:
    """Post a message, again after a 429, or where Slack was not reached and does not have it."""
    for attempt in range(RESENDS):
        try:
            ts = await part.find() if part.doubtful else None
            return await post() if ts is None else _found(part, ts, growth)
        except (SlackUnreachable, SlackRateLimited) as error:
            if attempt == RESENDS - 1:
                raise
            log.info("no message could be opened yet", extra={"error": str(error)})
            await part.place.pause(attempt)
    raise AssertionError


def _found(part: Part, ts: str, growth: Growth) -> Message:
    kind = StreamedMessage if part.streamed else PostedMessage
    return kind.found(part, ts, growth)


async def _open_message(part: Part, growth: Growth) -> Message:
    thread, pacing = part.place.question.thread, part.place.pacing
    if pacing.may_stream(thread.team, thread.channel):
        try:
            return await StreamedMessage.open(part, growth)
        except SlackRateLimited:
            log.info("no stream for now, posting instead")
        except SlackRefused as error:
            if error.code in NO_STREAMING_IN_TEAM:
                pacing.streaming_refused(thread.team)
            elif error.code in NO_STREAMING_IN_CHANNEL:
                pacing.streaming_refused(thread.channel)
            # Whatever the reason, a post may still be taken; if not, it says why.
            log.info("no stream here, posting instead", extra={"code": error.code})
    return await PostedMessage.open(part, growth)
