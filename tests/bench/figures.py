"""Figures of the floor and the bot side by side: percentiles, the table, the JSON object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: its key, what it says, its unit and its decimals."""

    key: str
    says: str
    unit: str
    decimals: int = 1


ROWS = (
    Row("request_alone_p50_ms", "event to model request, alone, p50", "ms"),
    Row("request_alone_p99_ms", "event to model request, alone, p99", "ms"),
    Row("request_load_p50_ms", "event to model request, 50 a second, p50", "ms"),
    Row("request_load_p99_ms", "event to model request, 50 a second, p99", "ms"),
    Row("append_alone_p50_ms", "delta to its append, alone, p50", "ms"),
    Row("append_alone_p99_ms", "delta to its append, alone, p99", "ms"),
    Row("append_load_p50_ms", "delta to its append, 50 a second, p50", "ms"),
    Row("append_load_p99_ms", "delta to its append, 50 a second, p99", "ms"),
    Row("ack_load_p99_ms", "event to acknowledgement, 50 a second, p99", "ms"),
    Row("cpu_load_percent", "... CPU meanwhile", "% of a core"),
    Row("cpu_ms_a_turn", "... CPU of one turn", "ms"),
    Row("cpu_s_per_1000_deltas", "CPU of 1,000 deltas, many answers at once", "s", 3),
    Row("appends_per_1000_deltas", "... which went out in so many appends", "", 0),
    Row("memory_per_answer_kb", "memory of an answer that is being written", "kB", 0),
    Row("turns_a_second", "turns a second, instant model", "1/s"),
    Row("turns_cpu_percent", "... CPU meanwhile", "% of a core"),
    Row("start_s", "start to connected socket", "s", 2),
    Row("rest_mb", "resident memory at rest", "MB"),
    Row("idle_cpu_percent", "CPU at rest", "% of a core", 2),
    Row("packages", "packages of the run-time install", "", 0),
    Row("install_mb", "megabytes of the run-time install", "MB"),
)
HEADS = ("", "unit", "floor", "bot", "added", "ratio")


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the value below which so many percent lie, between two samples if need be."""
    if not samples:
        raise ValueError("there is no sample")
    ordered = sorted(samples)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def p50_and_p99(name: str, seconds: Sequence[float]) -> Figures:
    """Return both percentiles in milliseconds, under their keys."""
    return {
        f"{name}_p50_ms": percentile(seconds, 50) * 1_000,
        f"{name}_p99_ms": percentile(seconds, 99) * 1_000,
    }


def compared(floor: Mapping[str, float], bot: Mapping[str, float]) -> dict[str, object]:
    """Return both, what the bot adds to the floor, and how many times the floor it is."""
    both = [row.key for row in ROWS if row.key in floor and row.key in bot]
    return {
        "floor": {key: round(floor[key], 4) for key in both},
        "bot": {key: round(bot[key], 4) for key in both},
        "added": {key: round(bot[key] - floor[key], 4) for key in both},
        "ratio": {key: _ratio(floor[key], bot[key]) for key in both},
    }


def table(floor: Mapping[str, float], bot: Mapping[str, float]) -> str:
    """Draw the figures in aligned columns."""
    lines = [HEADS, *(_cells(row, floor, bot) for row in ROWS if row.key in bot)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    return "\n".join(_aligned(line, widths) for line in lines)


def _cells(row: Row, floor: Mapping[str, float], bot: Mapping[str, float]) -> tuple[str, ...]:
    low, high = floor[row.key], bot[row.key]
    ratio = _ratio(low, high)
    values = (f"{value:,.{row.decimals}f}" for value in (low, high, high - low))
    return (row.says, row.unit, *values, "-" if ratio is None else f"{ratio:.2f}")


def _aligned(line: tuple[str, ...], widths: list[int]) -> str:
    words = [cell.ljust(width) for cell, width in zip(line[:2], widths[:2], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True)]
    return "  ".join([*words, *numbers])


def _ratio(floor: float, bot: float) -> float | None:
    return round(bot / floor, 2) if floor > 0 else None
