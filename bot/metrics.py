"""What the bot counts and measures: of the questions, only how many and how long.

There are no texts here, no ids and no names.
"""

from __future__ import annotations

from bisect import bisect_left
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Upper bounds of the buckets, in seconds.
FIRST_SIGN = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
FIRST_TEXT = (1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
ANSWER = (2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@dataclass
class Counter:
    """Something that happens."""

    count: int = 0

    def add(self) -> None:
        """Count it once."""
        self.count += 1


@dataclass
class Gauge:
    """Something that goes on."""

    count: int = 0

    @contextmanager
    def during(self) -> Iterator[None]:
        """Count it while it goes on inside."""
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1


class Histogram:
    """How long something takes, counted by its seconds."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)  #: of each bucket alone; the last one has no bound
        self.seconds = 0.0  #: all of them together

    def observe(self, seconds: float) -> None:
        """Count one that took so long; a bound belongs to the bucket below it."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.seconds += seconds


@dataclass
class Metrics:
    """What has happened since the process began."""

    started: float  #: Unix time in seconds
    taken: Counter = field(default_factory=Counter)  #: questions that were stored
    duplicates: Counter = field(default_factory=Counter)  #: questions that were stored before
    redelivered: Counter = field(default_factory=Counter)  #: what Slack delivered once more
    running: Gauge = field(default_factory=Gauge)  #: turns
    taken_over: Counter = field(default_factory=Counter)  #: turns begun by a process that died
    answered: Counter = field(default_factory=Counter)  #: turns, also those that gave help
    failed: Counter = field(default_factory=Counter)  #: turns, also those that were interrupted
    stopped: Counter = field(default_factory=Counter)  #: turns that a person stopped
    first_sign_seconds: Histogram = field(default_factory=lambda: Histogram(FIRST_SIGN))
    first_text_seconds: Histogram = field(default_factory=lambda: Histogram(FIRST_TEXT))
    answer_seconds: Histogram = field(default_factory=lambda: Histogram(ANSWER))
