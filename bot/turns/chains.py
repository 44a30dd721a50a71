"""How the model is reminded of a thread: what is wanted, and what its server makes of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

# By the last response that the server has kept, by telling the thread again, or, where the first
# fails, by the second.
Chaining = Literal["auto", "previous_response_id", "replay"]

LOSSES = 2  # in a row, of which one may be a response that somebody deleted
TRIED_AGAIN_AFTER = 24 * 3600.0  # seconds


class Chains:
    """Knows whether a response is worth naming.

    A server that has forgotten two threads in a row is told the others again at once for a day, as
    each attempt costs the person the time of a request.
    """

    def __init__(self, chaining: Chaining, clock: Callable[[], float]) -> None:
        self._chaining = chaining
        self._clock = clock
        self._losses = 0
        self._told_again_until = float("-inf")

    @property
    def may_name(self) -> bool:
        """Whether to name a thread's last response."""
        return self._chaining != "replay" and self._clock() >= self._told_again_until

    @property
    def may_tell_again(self) -> bool:
        """Whether a thread that was lost may be told again."""
        return self._chaining != "previous_response_id"

    def kept(self) -> None:
        """Take note that the server knew a thread."""
        self._losses = 0

    def lost(self) -> None:
        """Take note that the server did not know a thread, whether it said so or not."""
        self._losses += 1
        if self._losses >= LOSSES:
            self._told_again_until = self._clock() + TRIED_AGAIN_AFTER
            log.warning("the model's server keeps no threads; they are told again for a day")
