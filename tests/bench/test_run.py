from __future__ import annotations

import asyncio
import json

import pytest

from tests.bench.__main__ import MEASURES, database_of, report
from tests.bench.figures import ROWS, Figures
from tests.bench.install import bot_install, floor_install
from tests.bench.processes import BenchError
from tests.bench.sizes import TINY
from tests.bench.stage import BOT, FLOOR, Contestant


async def figures_of(contestant: Contestant) -> Figures:
    """All measures at once: here it is no matter how fast anything is."""
    taken = await asyncio.gather(*(take(contestant, TINY, None) for take in MEASURES))
    return {key: value for figures in taken for key, value in figures.items()}


async def test_a_run_ends_with_one_line_that_holds_every_figure() -> None:
    floor, bot = await asyncio.gather(figures_of(FLOOR), figures_of(BOT))
    given = report(TINY, None, floor | floor_install(), bot | bot_install())

    line = json.loads(given.splitlines()[-1])
    keys = {row.key for row in ROWS}
    assert [line[part].keys() for part in ("floor", "bot", "added", "ratio")] == [keys] * 4
    assert line["database"] == "sqlite"
    assert all(line["bot"][key] > 0 for key in keys - {"idle_cpu_percent"})


def test_sqlite_in_the_folder_of_the_run_is_the_default() -> None:
    assert [database_of({}), database_of({"DB": ""}), database_of({"DB": "sqlite"})] == [None] * 3


def test_postgres_is_the_one_of_the_tests() -> None:
    url = "postgresql+asyncpg://bench@127.0.0.1/bench"

    assert database_of({"DB": "postgres", "TEST_DATABASE_URL": url}) == url


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        pytest.param(
            {"DB": "postgres"}, "needs TEST_DATABASE_URL", id="postgres without an address"
        ),
        pytest.param(
            {"DB": "oracle"}, "choose sqlite or postgres", id="a database of another kind"
        ),
    ],
)
def test_this_is_refused(environment: dict[str, str], words: str) -> None:
    with pytest.raises(BenchError, match=words):
        database_of(environment)
