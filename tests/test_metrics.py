"""What is counted, and whether it is written as the text format wants it."""

from __future__ import annotations

import math
import re
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.exposition import Family, Sample, exposition, histogram, text_of
from bot.metrics import Counter, Gauge, Histogram, Metrics

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
NUMBER = r"[+-]Inf|NaN|-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?"
SAMPLE = re.compile(rf"({NAME})(?:{{((?:{LABEL},)*{LABEL})}})? ({NUMBER})")
COMMENT = re.compile(rf"# (HELP|TYPE) ({NAME}) ((?:[^\\\n]|\\[\\n])*)")
SUFFIXES = {"counter": {""}, "gauge": {""}, "histogram": {"_bucket", "_sum", "_count"}}


def read(text: str) -> dict[str, dict[str, float]]:
    """Read the text format by its rules; give each family's samples."""
    found: dict[str, dict[str, float]] = {}
    assert text.endswith("\n")
    lines = text.removesuffix("\n").split("\n")
    while lines:
        about, kind = (COMMENT.fullmatch(lines.pop(0)) for _ in range(2))
        assert about, text
        assert kind, text
        assert (about[1], kind[1]) == ("HELP", "TYPE")
        assert about[2] == kind[2]
        assert kind[2] not in found, "a family stands in one piece"
        found[kind[2]] = {}
        while lines and not lines[0].startswith("#"):
            sample = SAMPLE.fullmatch(lines.pop(0))
            assert sample, text
            assert sample[1].removeprefix(kind[2]) in SUFFIXES[kind[3]]
            key = f"{sample[1]}{{{sample[2] or ''}}}"
            assert key not in found[kind[2]], "every line of its own"
            found[kind[2]][key] = float(sample[3])
    return found


def some_metrics() -> Metrics:
    metrics = Metrics(started=1_790_000_000.25)
    for number, each in enumerate(fields(metrics)):
        what = getattr(metrics, each.name)
        if isinstance(what, Counter | Gauge):
            what.count = number
    return metrics


def test_every_count_stands_below_its_name() -> None:
    metrics = some_metrics()
    found = read(exposition(metrics, 1.5))
    (memory,) = found.pop("process_resident_memory_bytes").values()

    assert memory > 1_000_000
    assert found["footnote_questions_taken_total"] == {
        "footnote_questions_taken_total{}": metrics.taken.count
    }
    assert found["footnote_turns_ended_total"] == {
        'footnote_turns_ended_total{state="answered"}': metrics.answered.count,
        'footnote_turns_ended_total{state="failed"}': metrics.failed.count,
        'footnote_turns_ended_total{state="stopped"}': metrics.stopped.count,
    }
    assert {
        name: next(iter(samples.values())) for name, samples in found.items() if len(samples) == 1
    } == {
        "footnote_questions_taken_total": metrics.taken.count,
        "footnote_turns_taken_over_total": metrics.taken_over.count,
        "footnote_turns_running": metrics.running.count,
        "footnote_duplicates_total": metrics.duplicates.count,
        "footnote_redelivered_total": metrics.redelivered.count,
        "footnote_socket_heard_seconds_ago": 1.5,
        "process_start_time_seconds": 1_790_000_000.25,
    }


def test_the_names_of_the_durations_say_that_they_are_seconds() -> None:
    found = read(exposition(some_metrics(), None))

    assert {name for name, samples in found.items() if len(samples) > 3} == {
        "footnote_first_sign_seconds",
        "footnote_first_text_seconds",
        "footnote_answer_seconds",
    }


def test_a_bot_without_a_socket_says_nothing_of_one() -> None:
    assert "socket" not in exposition(some_metrics(), None)


def test_a_duration_is_counted_in_every_bucket_whose_bound_it_does_not_exceed() -> None:
    durations = Histogram((0.5, 1.0))
    for seconds in (0.25, 0.5, 0.75, 8.0):
        durations.observe(seconds)

    assert text_of([histogram("took_seconds", "How long.", durations)]) == (
        "# HELP took_seconds How long.\n"
        "# TYPE took_seconds histogram\n"
        'took_seconds_bucket{le="0.5"} 2\n'
        'took_seconds_bucket{le="1.0"} 3\n'
        'took_seconds_bucket{le="+Inf"} 4\n'
        "took_seconds_sum 9.5\n"
        "took_seconds_count 4\n"
    )


@given(st.lists(st.floats(min_value=0, max_value=1e6)))
def test_buckets_grow_to_the_count_whatever_was_measured(durations: list[float]) -> None:
    metrics = some_metrics()
    for seconds in durations:
        metrics.answer_seconds.observe(seconds)
    lines = read(exposition(metrics, None))["footnote_answer_seconds"]
    *buckets, total, count = lines.values()

    assert buckets == sorted(buckets)
    assert buckets[-1] == count == len(durations)
    assert total == pytest.approx(sum(durations))


@pytest.mark.parametrize(
    ("value", "written"),
    [(3, "3"), (0.1, "0.1"), (1e21, "1e+21"), (math.inf, "+Inf"), (-math.inf, "-Inf")],
)
def test_a_number_is_written_whole(value: float, written: str) -> None:
    text = text_of([Family("a", "gauge", "b", (Sample(value),))])

    assert text.splitlines()[-1] == f"a {written}"


def test_what_is_no_number_is_said_to_be_none() -> None:
    text = text_of([Family("a", "gauge", "b", (Sample(math.nan),))])

    assert text.splitlines()[-1] == "a NaN"


def test_what_would_end_a_label_or_a_line_is_escaped() -> None:
    sample = Sample(1, {"one": 'a "b"\\\nc', "two": "é"})
    text = text_of([Family("a", "gauge", 'says "b"\\\nc', (sample,))])

    assert text == (
        '# HELP a says "b"\\\\\\nc\n'  # quotation marks are nothing special here
        "# TYPE a gauge\n"
        'a{one="a \\"b\\"\\\\\\nc",two="é"} 1\n'
    )
    read(text)


def test_what_goes_on_is_counted_until_it_ends_in_whatever_way() -> None:
    running = Gauge()
    with pytest.raises(ValueError), running.during(), running.during():  # noqa: PT012 - the end
        assert running.count == 2
        raise ValueError

    assert running.count == 0
