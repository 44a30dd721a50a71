"""The next message of a reply, in the one of two ways that Slack allows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack.place import RESENDS, Place
from bot.slack.posted import PostedMessage
from bot.slack.streamed import StreamedMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.growth import Growth, Json

log = logging.getLogger(__name__)

# Slack's method pages, and what third parties have met beside them.
NO_STREAMING_IN_TEAM = frozenset(
    {"unknown_method", "feature_not_enabled", "missing_scope", "method_deprecated"}
)
NO_STREAMING_IN_CHANNEL = frozenset({"channel_type_not_supported", "messages_tab_disabled"})


class Message(Protocol):
    """A message of the bot that grows. Raises MessageFull, StoppedByUser or a SlackError."""

    streamed: bool
    opened_at: float

    async def append(self, growth: Growth) -> None:
        """Add to it; when this returns, Slack has it."""
        ...

    async def close(self, growth: Growth, blocks: Sequence[Json], metadata: Json) -> None:
        """Add the last of it, and what stands below the text."""
        ...


async def open_message(place: Place, growth: Growth) -> Message:
    """Open the next message of a reply, trying again where Slack could not be reached."""
    for attempt in range(RESENDS - 1):
        try:
            return await _open_message(place, growth)
        except SlackUnreachable as error:
            log.info("no message could be opened yet", extra={"error": str(error)})
            await place.pause(attempt)
    return await _open_message(place, growth)


async def _open_message(place: Place, growth: Growth) -> Message:
    """Open a streamed message where Slack lets us, else post one."""
    thread, pacing = place.question.thread, place.pacing
    if pacing.may_stream(thread.team, thread.channel):
        try:
            return await StreamedMessage.open(place, growth)
        except SlackRateLimited:
            log.info("no stream for now, posting instead")
        except SlackRefused as error:
            if error.code in NO_STREAMING_IN_TEAM:
                pacing.streaming_refused(thread.team)
            elif error.code in NO_STREAMING_IN_CHANNEL:
                pacing.streaming_refused(thread.channel)
            # Whatever the reason, a post may still be taken; if not, it says why.
            log.info("no stream here, posting instead", extra={"code": error.code})
    return await PostedMessage.open(place, growth)
