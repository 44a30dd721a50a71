"""A message of blocks that is posted once, and then replaced again and again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.errors import SlackError, SlackRefused
from bot.slack.growth import Growth
from bot.slack.markdown import escape
from bot.slack.place import MessageFull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.blocks import Json
    from bot.slack.messages import Message
    from bot.slack.series import Series

log = logging.getLogger(__name__)

# The thread takes nothing more, so there is nobody to work for.
NO_PLACE = frozenset(
    {
        "account_inactive",
        "channel_not_found",
        "invalid_auth",
        "is_archived",
        "not_authed",
        "not_in_channel",
        "thread_not_found",
        "token_revoked",
    }
)


class Notice:
    """The next message of a series."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._message: Message | None = None
        self._is_gone = False

    @property
    def is_there(self) -> bool:
        """Whether there is a message to change."""
        return self._message is not None

    async def put(self, words: str, blocks: Sequence[Json]) -> bool:
        """Post the message, or replace it; False where it is gone, or may not be changed and stays.

        Raises a SlackError where the thread takes nothing.
        """
        if self._is_gone:
            return False
        if self._message is None:
            self._message = await self._series.post(blocks, escape(words))
            return True
        try:
            await self._message.close(Growth(plan=escape(words)), blocks)
        except MessageFull:
            log.info("a message that was to be replaced is gone")
            self._is_gone = True
        except SlackRefused as error:
            if error.code in NO_PLACE:
                raise
            log.warning("a message is not replaced", extra={"code": error.code})
        else:
            return True
        return False

    async def take_away(self) -> None:
        """Take the message away, if that is possible: what it was to say is said below it."""
        if self._message is not None:
            await take_away(self._message)


async def take_away(message: Message) -> None:
    """Take a message of a reply away, if that is possible."""
    try:
        await message.part.drop(message.ts)
    except SlackError as error:
        log.warning("a message is not taken away", extra={"code": error.code})
