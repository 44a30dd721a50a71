"""The thread of a question that a command asked is posted, or it is recorded why not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.errors import FootnoteError
from bot.turns.run import LEFT, log_failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.metrics import Metrics
    from bot.turns.question import Question
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)


class Replies(Protocol):
    """Where threads are posted."""

    async def place(self, turn: Turn) -> Question | None:
        """Post the thread of a question that a command asked; None if that is refused for good."""
        ...


class Store(Protocol):
    """What the bot remembers of a turn. Raises TurnLost where another process has it by now."""

    async def fail_turn(self, turn: Turn, error: BaseException) -> None:
        """Record that the turn ended without an answer."""
        ...

    async def hand_over(self, turn: Turn) -> None:
        """Leave it to the next process."""
        ...


@dataclass(frozen=True, slots=True)
class Placing:
    """Posts threads, one call each."""

    replies: Replies
    store: Store
    metrics: Metrics

    async def place(
        self, turn: Turn, fail: Callable[[Turn, Exception], Awaitable[None]] | None = None
    ) -> Question | None:
        """Post the thread of a turn's question; None when it cannot be had.

        A turn that is given up is posted too: only in its thread can that be said. `fail` records
        that it cannot be posted.
        """
        try:
            return await self.replies.place(turn)
        except LEFT as error:
            log.warning("turn left to another process", extra={"error": str(error)})
        except asyncio.CancelledError:
            with contextlib.suppress(FootnoteError):  # it may be lost by now
                await self.store.hand_over(turn)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is recorded and logged
            log_failure(turn, error)
            await (fail or self.store.fail_turn)(turn, error)
            self.metrics.failed.add()
        return None
