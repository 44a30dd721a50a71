from __future__ import annotations

import pytest

from tests.bench.figures import ROWS, compared, p50_and_p99, percentile, table


@pytest.mark.parametrize(
    ("samples", "percent", "value"),
    [
        pytest.param([3.0], 99, 3.0, id="of one sample it is the sample"),
        pytest.param([5.0, 1.0, 3.0], 50, 3.0, id="the middle one, in whatever order they came"),
        pytest.param([1.0, 2.0], 50, 1.5, id="between two samples"),
        pytest.param([float(n) for n in range(101)], 99, 99.0, id="the 99th of a hundred"),
        pytest.param([1.0, 2.0, 9.0], 100, 9.0, id="the largest"),
        pytest.param([1.0, 2.0, 9.0], 0, 1.0, id="the smallest"),
    ],
)
def test_percentile_is(samples: list[float], percent: float, value: float) -> None:
    assert percentile(samples, percent) == pytest.approx(value)


def test_no_samples_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no sample"):
        percentile([], 50)


def test_percentiles_are_given_in_milliseconds() -> None:
    assert p50_and_p99("append", [0.002]) == {"append_p50_ms": 2.0, "append_p99_ms": 2.0}


def test_bot_is_compared_with_the_floor() -> None:
    given = compared(
        {"start_s": 0.5, "idle_cpu_percent": 0.0}, {"start_s": 2, "idle_cpu_percent": 1}
    )

    assert given == {
        "floor": {"start_s": 0.5, "idle_cpu_percent": 0.0},
        "bot": {"start_s": 2, "idle_cpu_percent": 1},
        "added": {"start_s": 1.5, "idle_cpu_percent": 1.0},
        "ratio": {"start_s": 4.0, "idle_cpu_percent": None},
    }


def test_table_is_aligned_and_has_units_and_ratios() -> None:
    drawn = table({"start_s": 0.5, "packages": 16}, {"start_s": 1.25, "packages": 1034})

    assert drawn.splitlines() == [
        "                                  unit  floor    bot  added  ratio",
        "start to connected socket         s      0.50   1.25   0.75   2.50",
        "packages of the run-time install           16  1,034  1,018  64.62",
    ]


def test_every_figure_has_a_key_of_its_own() -> None:
    assert len({row.key for row in ROWS}) == len(ROWS)
