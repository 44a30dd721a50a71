from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import OperationalError

from bot.store.checks import applied_revisions, check_database, check_migrations
from bot.store.engine import open_engine
from bot.store.migrate import downgrade

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine


async def test_a_database_that_answers_is_well(engine: AsyncEngine) -> None:
    assert await check_database(engine) == "ok"


async def test_it_is_well_while_another_process_writes(engine: AsyncEngine, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "footnote.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        needed = await applied_revisions(engine)

        assert await check_database(engine) == "ok"
        assert await check_migrations(engine, needed) == "ok"


async def test_tables_that_another_version_took_back_are_told(engine: AsyncEngine) -> None:
    needed = await applied_revisions(engine)
    await downgrade(engine)

    assert await check_migrations(engine, needed) == f"at nothing, and {needed[0]} is needed"


async def test_a_file_that_is_no_database_any_more_raises(url: str, tmp_path: Path) -> None:
    async with open_engine(url) as engine:
        await engine.dispose()  # or what is open would go on being read
        (tmp_path / "footnote.db").unlink()
        (tmp_path / "footnote.db").mkdir()
        with pytest.raises(OperationalError):
            await check_database(engine)
