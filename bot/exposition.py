"""Writes the metrics down as Prometheus reads them: its text format, version 0.0.4.

By hand, as the format is small: Prometheus' client library would take a megabyte of memory for it.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bot.metrics import Histogram, Metrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATM = Path("/proc/self/statm")  # of Linux; elsewhere the memory is left out


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of a family."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""  #: of the family's name


@dataclass(frozen=True, slots=True)
class Family:
    """All lines of one name."""

    name: str
    kind: str  #: counter, gauge or histogram
    help: str
    samples: tuple[Sample, ...]


def exposition(metrics: Metrics, heard_seconds_ago: float | None) -> str:
    """Write everything down; `heard_seconds_ago` is the socket's, None where there is none."""
    families = [*_turns(metrics), *_durations(metrics), *_deliveries(metrics), *_process(metrics)]
    if heard_seconds_ago is not None:
        about = "Seconds since Slack's last sign of life on the socket."
        families.append(_one("footnote_socket_heard_seconds_ago", about, heard_seconds_ago))
    return text_of(families)


def text_of(families: Iterable[Family]) -> str:
    """Write families down in the text format."""
    return "".join(f"{line}\n" for family in families for line in _lines(family))


def histogram(name: str, about: str, what: Histogram) -> Family:
    """Make a histogram's family, in which every bucket holds all that is below its bound."""
    totals = list(accumulate(what.counts))
    bounds = (*what.bounds, math.inf)
    buckets = (
        Sample(total, {"le": _number(bound)}, "_bucket")
        for bound, total in zip(bounds, totals, strict=True)
    )
    ends = (Sample(what.seconds, suffix="_sum"), Sample(totals[-1], suffix="_count"))
    return Family(name, "histogram", about, (*buckets, *ends))


def _turns(metrics: Metrics) -> Iterator[Family]:
    yield _one("footnote_questions_taken_total", "Questions taken in.", metrics.taken.count)
    yield Family(
        "footnote_turns_ended_total",
        "counter",
        "Turns that have ended, by how.",
        (
            Sample(metrics.answered.count, {"state": "answered"}),
            Sample(metrics.failed.count, {"state": "failed"}),
            Sample(metrics.stopped.count, {"state": "stopped"}),
        ),
    )
    about = "Turns taken over from a process that had died."
    yield _one("footnote_turns_taken_over_total", about, metrics.taken_over.count)
    yield _one("footnote_turns_running", "Turns being answered.", metrics.running.count)


def _durations(metrics: Metrics) -> Iterator[Family]:
    about = "From a turn's start to the first sign in its thread, in seconds."
    yield histogram("footnote_first_sign_seconds", about, metrics.first_sign_seconds)
    about = "From a turn's start to the first words of its answer, in seconds."
    yield histogram("footnote_first_text_seconds", about, metrics.first_text_seconds)
    about = "From a turn's start to the end of its answer, in seconds."
    yield histogram("footnote_answer_seconds", about, metrics.answer_seconds)


def _deliveries(metrics: Metrics) -> Iterator[Family]:
    about = "Questions that came again and were left alone; a mention's second event is one."
    yield _one("footnote_duplicates_total", about, metrics.duplicates.count)
    about = "Deliveries that Slack made once more."
    yield _one("footnote_redelivered_total", about, metrics.redelivered.count)


def _process(metrics: Metrics) -> Iterator[Family]:
    about = "When the process started, in seconds of Unix time."
    yield _one("process_start_time_seconds", about, metrics.started)
    memory = _resident_bytes()
    if memory is not None:
        yield _one("process_resident_memory_bytes", "Resident memory in bytes.", memory)


def _one(name: str, about: str, value: float) -> Family:
    kind = "counter" if name.endswith("_total") else "gauge"
    return Family(name, kind, about, (Sample(value),))


def _resident_bytes() -> int | None:
    try:
        pages = int(STATM.read_text(encoding="ascii").split()[1])
    except (OSError, LookupError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _lines(family: Family) -> Iterator[str]:
    about = family.help.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {family.name} {about}"
    yield f"# TYPE {family.name} {family.kind}"
    for sample in family.samples:
        yield f"{family.name}{sample.suffix}{_labels(sample.labels)} {_number(sample.value)}"


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)
