"""How much is measured: enough for a p99 by default, seconds with QUICK, a handful in the tests."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of one run."""

    warm_up: int  #: questions before anything is noted
    alone: int  #: questions asked one at a time
    loaded: int  #: questions asked at a steady rate
    streams: int  #: answers that are written at the same time
    stream_deltas: int  #: of each of them
    stream_delta_seconds: float  #: between two of these
    # A thousand answers with an append a second each are more than any local Slack takes; Slack
    # itself takes a hundred a minute.
    streams_flush_seconds: float
    threads: int  #: asked in as fast as Slack is acknowledged
    starts: int
    idle_seconds: float
    a_second: float = 50.0  #: events under load
    questions_a_thread: int = 5


FULL = Sizes(
    warm_up=20,
    alone=200,
    loaded=1_000,
    streams=1_000,
    stream_deltas=60,
    stream_delta_seconds=0.5,
    streams_flush_seconds=10.0,
    threads=200,
    starts=5,
    idle_seconds=20.0,
)
QUICK = replace(FULL, alone=40, loaded=250, streams=100, threads=40, starts=2, idle_seconds=10.0)
TINY = Sizes(
    warm_up=1,
    alone=3,
    loaded=3,
    streams=3,
    stream_deltas=3,
    stream_delta_seconds=0.05,
    streams_flush_seconds=0.05,
    threads=1,
    starts=1,
    idle_seconds=0.1,
)
