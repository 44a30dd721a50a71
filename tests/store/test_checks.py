from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.store.checks import check_database, check_migrations
from bot.store.database import open_file
from bot.store.migrate import downgrade, newest

if TYPE_CHECKING:
    from pathlib import Path

    from bot.store.database import Database


async def test_a_database_that_answers_is_well(database: Database) -> None:
    assert await check_database(database) == "ok"
    assert await check_migrations(database) == "ok"


@pytest.mark.parametrize(("to", "found"), [("base", "nothing"), ("0001", "0001")])
async def test_tables_that_another_version_took_back_are_told(
    database: Database, to: str, found: str
) -> None:
    await downgrade(database, to)

    assert await check_migrations(database) == f"at {found}, and {newest()} is needed"


async def test_a_database_that_is_closed_raises(tmp_path: Path) -> None:
    async with open_file(f"{tmp_path}/footnote.db") as database:
        await check_database(database)
    with pytest.raises(ValueError, match="closed"):
        await check_database(database)
