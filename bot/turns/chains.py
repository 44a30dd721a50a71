"""How the model is reminded of a thread: what is wanted, and what its server makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bot.turns.unsupported import Unsupported

# By the last response that the server has kept, by telling the thread again, or, where the first
# fails, by the second.
Chaining = Literal["auto", "previous_response_id", "replay"]

PARAMETER = "previous_response_id"
LOSSES = 2  # in a row, of which one may be a response that somebody deleted


class Chains:
    """Knows whether a response is worth naming.

    A server that has forgotten two threads in a row is told the others again at once for a day, as
    each attempt costs the person the time of a request.
    """

    def __init__(self, chaining: Chaining, unsupported: Unsupported) -> None:
        self._chaining = chaining
        self._unsupported = unsupported
        self._losses = 0

    @property
    def may_name(self) -> bool:
        """Whether to name a thread's last response."""
        if self._chaining == "auto":
            return PARAMETER not in self._unsupported
        return self._chaining == PARAMETER

    @property
    def may_tell_again(self) -> bool:
        """Whether a thread that was lost may be told again."""
        return self._chaining != PARAMETER

    def kept(self) -> None:
        """Take note that the server knew a thread."""
        self._losses = 0

    async def lost(self, *, keeps_none: bool = False) -> None:
        """Take note that the server did not know a thread, or, as it says, keeps none at all."""
        self._losses += 1
        if keeps_none or self._losses >= LOSSES:
            await self._unsupported.note(PARAMETER)
