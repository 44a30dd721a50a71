"""The thread of a question that a command asked is posted, or it is recorded why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bot.turns.question import Question
    from bot.turns.settle import Settling
    from bot.turns.turn import Turn


class Replies(Protocol):
    """Where threads are posted."""

    async def place(self, turn: Turn) -> Question:
        """Post the thread of a question that a command asked. Raises a SlackError if it cannot."""
        ...


@dataclass(frozen=True, slots=True)
class Placing:
    """Posts threads, one call each."""

    replies: Replies
    settling: Settling

    async def place(self, turn: Turn) -> Question | None:
        """Post the thread of a turn's question; None when it cannot be had.

        A turn that is given up is posted too: only in its thread can that be said.
        """
        async with self.settling.recorded(turn):
            return await self.replies.place(turn)
        return None
