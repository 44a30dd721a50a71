"""What is measured of a program, each on a stage of its own."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING, Any, Protocol

from tests.bench.figures import p50_and_p99, percentile
from tests.bench.processes import BenchError, cpu_seconds, resident_kb
from tests.bench.stage import open_servers, open_stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.bench.figures import Figures
    from tests.bench.sizes import Sizes
    from tests.bench.stage import Contestant, Stage

Json = dict[str, Any]


class Measure(Protocol):
    """Measures a program."""

    __name__: str

    async def __call__(self, contestant: Contestant, sizes: Sizes, database: str | None) -> Figures:
        """Return figures by their keys."""
        ...


# So short that a delta which comes alone is not held back by it.
FLUSH_SECONDS = 0.01
DELTAS, DELTA_SECONDS = 3, 0.05  # of a short answer
INSTANT_DELTAS = 5
PATIENCE_SECONDS = 300.0
BUSY_SHARE, LOOK_SECONDS, SETTLE_SECONDS = 0.05, 0.5, 20.0


async def latencies(contestant: Contestant, sizes: Sizes, database: str | None) -> Figures:
    """Measure how long an event and a delta are on their way, alone and under load."""
    async with open_stage(contestant, FLUSH_SECONDS, database) as stage:
        await stage.responses.tell("pace", deltas=DELTAS, delta_seconds=DELTA_SECONDS)
        await _ask_alone(stage, range(sizes.warm_up))
        alone = range(sizes.warm_up, sizes.warm_up + sizes.alone)
        loaded = range(alone.stop, alone.stop + sizes.loaded)
        await _ask_alone(stage, alone)
        cpu, began = cpu_seconds(stage.program.pid), time.monotonic()
        await _ask(stage, loaded, sizes.a_second)
        await stage.has(stage.slack.tell("answered", PATIENCE_SECONDS, count=loaded.stop))
        cpu, took = cpu_seconds(stage.program.pid) - cpu, time.monotonic() - began
        notes = await _notes(stage)
    acks = _between(notes["written"], notes["acked"], map(str, loaded))
    return {
        **p50_and_p99("request_alone", _requests(notes, alone)),
        **p50_and_p99("request_load", _requests(notes, loaded)),
        **p50_and_p99("append_alone", _appends(notes, alone)),
        **p50_and_p99("append_load", _appends(notes, loaded)),
        "ack_load_p99_ms": percentile(acks, 99) * 1_000,
        "cpu_load_percent": cpu / took * 100,
        "cpu_ms_a_turn": cpu / len(loaded) * 1_000,
    }


async def streams(contestant: Contestant, sizes: Sizes, database: str | None) -> Figures:
    """Measure CPU and memory with many answers that are written at the same time.

    All of them wait after their first delta, where memory is read, and after their last one.
    """
    count, deltas = sizes.streams, sizes.stream_deltas
    async with open_stage(contestant, sizes.streams_flush_seconds, database) as stage:
        pid = stage.program.pid
        await stage.responses.tell("pace", deltas=DELTAS)
        await _ask_alone(stage, range(sizes.warm_up))
        numbers = range(sizes.warm_up, sizes.warm_up + count)
        before = resident_kb(pid)
        pace = {"deltas": deltas, "delta_seconds": sizes.stream_delta_seconds, "held": True}
        await stage.responses.tell("pace", **pace)
        await _ask(stage, numbers, sizes.a_second)
        await _held(stage, "first", count)
        await _marked(stage, (f"q{number}d0" for number in numbers))
        grown = resident_kb(pid) - before
        cpu, appends = cpu_seconds(pid), await _appended(stage)
        await stage.responses.tell("release", gate="first")
        await _held(stage, "last", count)
        await _marked(stage, (f"q{number}d{deltas - 1}" for number in numbers))
        cpu, appends = cpu_seconds(pid) - cpu, await _appended(stage) - appends
        await stage.responses.tell("release", gate="last")
        await stage.has(stage.slack.tell("answered", PATIENCE_SECONDS, count=numbers.stop))
        await _notes(stage)
    thousands = count * (deltas - 1) / 1_000
    return {
        "cpu_s_per_1000_deltas": cpu / thousands,
        "appends_per_1000_deltas": appends / thousands,
        "memory_per_answer_kb": grown / count,
    }


async def turns(contestant: Contestant, sizes: Sizes, database: str | None) -> Figures:
    """Measure how many turns a second there are with a model that answers at once.

    Where the program is not busy meanwhile, it is the local servers that take no more.
    """
    threads, each = sizes.threads, sizes.questions_a_thread
    async with open_stage(contestant, FLUSH_SECONDS, database) as stage:
        pid = stage.program.pid
        await stage.responses.tell("pace", deltas=INSTANT_DELTAS)
        await _ask_alone(stage, range(sizes.warm_up))
        asked = {"first": sizes.warm_up, "threads": threads, "each": each}
        total = sizes.warm_up + threads * each
        cpu, began = cpu_seconds(pid), time.monotonic()
        await stage.has(stage.slack.tell("ask_in_threads", PATIENCE_SECONDS, **asked))
        await stage.has(stage.slack.tell("answered", PATIENCE_SECONDS, count=total))
        share = (cpu_seconds(pid) - cpu) / (time.monotonic() - began)
        notes = await _notes(stage)
    seconds = notes["stops"][-1] - notes["written"][str(sizes.warm_up)]
    return {"turns_a_second": threads * each / seconds, "turns_cpu_percent": share * 100}


async def rest(contestant: Contestant, sizes: Sizes, database: str | None) -> Figures:
    """Measure the start, and what the program takes while nobody asks."""
    ready = []
    async with open_servers(database) as servers:
        async with servers.run(contestant.name, contestant.plain):
            pass  # the first start creates the database, and compiles what was not
        for _ in range(sizes.starts - 1):  # the last one is looked at longer
            async with servers.run(contestant.name, contestant.plain) as stage:
                ready.append(stage.ready_seconds)
        async with servers.run(contestant.name, contestant.plain) as stage:
            ready.append(stage.ready_seconds)
            share = await _idle_share(stage.program.pid, sizes.idle_seconds)
            resident = resident_kb(stage.program.pid)
    return {
        "start_s": statistics.median(ready),
        "rest_mb": resident / 1_024,
        "idle_cpu_percent": share * 100,
    }


async def _ask_alone(stage: Stage, numbers: range) -> None:
    asked = {"first": numbers.start, "count": len(numbers)}
    await stage.has(stage.slack.tell("ask_alone", PATIENCE_SECONDS, **asked))


async def _ask(stage: Stage, numbers: range, a_second: float) -> None:
    rate = {"first": numbers.start, "count": len(numbers), "a_second": a_second}
    await stage.has(stage.slack.tell("ask", PATIENCE_SECONDS, **rate))


async def _held(stage: Stage, gate: str, count: int) -> None:
    told = stage.responses.tell("waiting", PATIENCE_SECONDS, gate=gate, count=count)
    await stage.has(told)


async def _marked(stage: Stage, marks: Iterable[str]) -> None:
    await stage.has(stage.slack.tell("marked", PATIENCE_SECONDS, marks=list(marks)))


async def _appended(stage: Stage) -> int:
    return int((await stage.slack.tell("collect"))["methods"].get("chat.appendStream", 0))


async def _notes(stage: Stage) -> Json:
    notes = {**await stage.slack.tell("collect"), **await stage.responses.tell("collect")}
    if notes["refused"]:
        raise BenchError(f"Slack refused {len(notes['refused'])} calls: {notes['refused'][:5]}")
    return notes


def _requests(notes: Json, numbers: range) -> list[float]:
    return _between(notes["written"], notes["arrived"], map(str, numbers))


def _appends(notes: Json, numbers: range) -> list[float]:
    marks = (f"q{number}d{place}" for number in numbers for place in range(DELTAS))
    return _between(notes["sent"], notes["marks"], marks)


def _between(
    early: Mapping[str, float], late: Mapping[str, float], keys: Iterable[str]
) -> list[float]:
    return [late[key] - early[key] for key in keys]


async def _idle_share(pid: int, seconds: float) -> float:
    """Measure the share of a core that is used, once what follows a start has ended."""
    until = time.monotonic() + SETTLE_SECONDS
    while await _share(pid, LOOK_SECONDS) > BUSY_SHARE and time.monotonic() < until:
        pass
    return await _share(pid, seconds)


async def _share(pid: int, seconds: float) -> float:
    cpu, began = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu_seconds(pid) - cpu) / (time.monotonic() - began)
