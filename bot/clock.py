"""What time it is, and how it is waited: an argument of everything that depends on it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of day, a time that never goes back, and a way to wait."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic  #: seconds
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


CLOCK = Clock()
