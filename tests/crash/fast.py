"""A clock that goes many times as fast, the same in all processes that know its beginning."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.clock import Clock

SHORTEST = 0.01  # of a sleep, in real seconds


@dataclass(frozen=True)
class FastClock:
    """Seconds since the epoch, which have gone fast since a beginning."""

    begin: float
    speed: float

    def seconds(self) -> float:
        return self.begin + (time.time() - self.begin) * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds / self.speed, SHORTEST))

    def real_until(self, seconds: float) -> float:
        """How long it takes until this time comes."""
        return (seconds - self.seconds()) / self.speed

    @property
    def clock(self) -> Clock:
        return Clock(lambda: datetime.fromtimestamp(self.seconds(), UTC), self.seconds, self.sleep)
