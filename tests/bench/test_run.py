from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import make_url

from tests.bench.__main__ import MEASURES, open_database, report
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
    for environment in ({}, {"DB": ""}, {"DB": "sqlite"}):
        with open_database(environment) as database:
            assert database is None


def test_postgres_is_the_one_of_the_tests(postgres_server: str) -> None:
    given = {"DB": "postgres", "TEST_DATABASE_URL": postgres_server}
    with open_database(given) as database:
        assert database is not None
        assert make_url(database).port == make_url(postgres_server).port
        assert database != postgres_server  # which holds what is not the bench's


def test_a_database_of_another_kind_is_refused() -> None:
    with (
        pytest.raises(BenchError, match="choose sqlite or postgres"),
        open_database({"DB": "oracle"}),
    ):
        pass
