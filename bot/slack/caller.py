"""Calls that are made in their turn, and again until Slack has answered."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import SlackRateLimited, SlackUnreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.slack.pacing import Pacing
    from bot.slack.web import SlackWeb

log = logging.getLogger(__name__)

Json = dict[str, Any]

RESENDS = 5  # of one call, after 429 or without an answer
PAUSE_SECONDS = 0.5  # after the first call without an answer; doubled each time
LONGEST_PAUSE_SECONDS = 5.0


def next_cursor(answer: Json) -> str | None:
    """Return where the next page of an answer begins; None where this one is the last."""
    metadata = answer.get("response_metadata")
    return (metadata.get("next_cursor") or None) if isinstance(metadata, dict) else None


async def nothing() -> None:
    """Do nothing before a call: what only reads needs no record."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls the Web API within a workspace's allowance."""

    web: SlackWeb
    pacing: Pacing
    team: str  #: the workspace whose allowance is used
    slowed: Callable[[SlackRateLimited], None] = lambda _: None  #: is told of each 429

    async def once(
        self,
        method: str,
        before: Callable[[], Awaitable[None]] = nothing,
        **params: Any,  # noqa: ANN401 - JSON
    ) -> Json:
        """Call a method in its turn, right after `before`; a 429 is heeded by all, and raised."""
        await self.pacing.turn(self.team, method)
        await before()
        try:
            return await self.web.call(method, **params)
        except SlackRateLimited as error:
            log.info("slack slows us down", extra={"method": method, "s": error.retry_after})
            self.pacing.rest(self.team, method, error.retry_after)
            self.slowed(error)
            raise

    async def call(
        self,
        method: str,
        before: Callable[[], Awaitable[None]] = nothing,
        **params: Any,  # noqa: ANN401 - JSON
    ) -> Json:
        """Call a method in its turn, and again after a 429."""
        for _ in range(RESENDS - 1):
            with contextlib.suppress(SlackRateLimited):
                return await self.once(method, before, **params)
        return await self.once(method, before, **params)

    async def until_heard(
        self,
        method: str,
        before: Callable[[], Awaitable[None]] = nothing,
        lost: Callable[[], None] = lambda: None,
        **params: Any,  # noqa: ANN401 - JSON
    ) -> Json:
        """Call a method that may be repeated until Slack answers; `lost` is told of each miss."""
        for attempt in range(RESENDS - 1):
            try:
                return await self.call(method, before, **params)
            except SlackUnreachable as error:
                log.info("slack's answer got lost", extra={"error": str(error)})
                lost()
                await self.pause(attempt)
        return await self.call(method, before, **params)

    async def pause(self, attempt: int) -> None:
        """Wait before another attempt, longer each time."""
        await self.pacing.sleep(min(PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS))
