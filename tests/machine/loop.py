"""An event loop that a test takes forward: it stops when nothing moves, and time is only told."""

from __future__ import annotations

import asyncio
import selectors
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

Result = TypeVar("Result")
PATIENCE = 0.1  # seconds between two looks at a server that works


class _Selector(selectors.DefaultSelector):
    """Says when the loop would sleep, instead of sleeping."""

    loop: StepLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if self.loop.is_awaited:
            return super().select(PATIENCE)
        self.loop.seconds_to_timer = timeout
        self.loop.stop()
        return []


class StepLoop(asyncio.SelectorEventLoop):
    """Runs until everything waits, and has a clock of its own."""

    def __init__(self) -> None:
        self._now = 0.0
        self._outside = 0
        self.seconds_to_timer: float | None = None  #: None while nobody waits for a time
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        # Of who was killed nobody retrieves the end.
        self.set_exception_handler(lambda _loop, _context: None)

    def time(self) -> float:
        """Return the seconds that have passed."""
        return self._now

    @property
    def is_awaited(self) -> bool:
        """Whether something outside of this process is at work."""
        return self._outside > 0

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Wait for something outside of this process meanwhile."""
        self._outside += 1
        try:
            yield
        finally:
            self._outside -= 1

    def run_until_idle(self) -> None:
        """Run what can run."""
        self.run_forever()

    def run(self, work: Coroutine[None, None, Result]) -> Result:
        """Run something to its end."""
        with self.outside():
            return self.run_until_complete(work)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, stopping at whatever waits for a moment in between."""
        until = self._now + seconds
        self.run_until_idle()
        while self.seconds_to_timer is not None and self._now + self.seconds_to_timer <= until:
            self._now += self.seconds_to_timer
            self.run_until_idle()
        self._now = until
        self.run_until_idle()
