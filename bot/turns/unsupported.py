"""What the model's server was seen not to support: kept, and tried again after a day."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from bot.errors import FootnoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

log = logging.getLogger(__name__)

TRIED_AGAIN_AFTER = timedelta(days=1)


class Notes(Protocol):
    """Where it is written down, for this server and model."""

    async def note_unsupported(self, name: str, at: datetime) -> None:
        """Write down that this is not supported."""
        ...


class Unsupported:
    """Names of parameters, tools and endpoints that the server did not take within the last day.

    Like `previous_response_id`, `tools.user_location`, `web_search` and `input_tokens`.
    """

    def __init__(
        self, noted: Mapping[str, datetime], notes: Notes | None, clock: Callable[[], datetime]
    ) -> None:
        """Begin with what was noted before, each with its time; without notes nothing is kept."""
        self._noted = dict(noted)
        self._notes = notes
        self._clock = clock

    def __contains__(self, name: object) -> bool:
        """Whether to do without it for now."""
        at = self._noted.get(name) if isinstance(name, str) else None
        return at is not None and self._clock() < at + TRIED_AGAIN_AFTER

    def __iter__(self) -> Iterator[str]:
        """Name all of them, in order."""
        return (name for name in sorted(self._noted) if name in self)

    async def note(self, name: str) -> None:
        """Do without it for a day. Where the database fails, a restart tries it again sooner."""
        self._noted[name] = self._clock()
        log.warning("the model's server does not support %s; tried again in a day", name)
        if self._notes is None:
            return
        try:
            await self._notes.note_unsupported(name, self._noted[name])
        except FootnoteError as error:
            log.warning("this could not be kept", extra={"error": type(error).__name__})
