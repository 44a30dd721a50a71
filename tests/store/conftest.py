from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.store.database import open_database, open_file
from bot.store.migrate import upgrade
from tests.store.examples import Clock, a_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.store.database import Database
    from bot.store.turns import TurnStore


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a file that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path}/footnote.db"


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with open_database(url) as database:
        await upgrade(database)
        yield database


@pytest.fixture
async def other(database: Database, tmp_path: Path) -> AsyncIterator[Database]:
    """The same database, as another process has it."""
    del database  # it is there
    async with open_file(f"{tmp_path}/footnote.db") as other:
        yield other


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: Database, clock: Clock) -> TurnStore:
    return a_store(database, clock)
