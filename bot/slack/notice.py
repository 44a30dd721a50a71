"""A message of blocks that is posted once, and then replaced again and again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.errors import SlackRefused
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

    async def put(self, words: str, blocks: Sequence[Json]) -> None:
        """Post the message, or replace it. Where it may not be changed, it stays.

        Raises a SlackError where the thread takes nothing.
        """
        if self._is_gone:
            return
        if self._message is None:
            self._message = await self._series.post(blocks, escape(words))
            return
        try:
            await self._message.close(Growth(plan=escape(words)), blocks)
        except MessageFull:
            log.info("a message that was to be replaced is gone")
            self._is_gone = True
        except SlackRefused as error:
            if error.code in NO_PLACE:
                raise
            log.warning("a message is not replaced", extra={"code": error.code})
