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


@pytest.fixture(params=["sqlite", "postgres"])
def any_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database, of either kind."""
    name = "url" if request.param == "sqlite" else "empty_postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture(params=["sqlite", "postgres"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """The address of a database that is ready, or will be by a migration."""
    return str(request.getfixturevalue("url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    async with open_database(migrated_url) as database:
        await upgrade(database)
        yield database


@pytest.fixture
async def other(database: Database, migrated_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """The same database, as another process has it."""
    if database.dialect == "sqlite":
        async with open_file(f"{tmp_path}/footnote.db") as other:
            yield other
    else:
        async with open_database(migrated_url) as other:
            yield other


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: Database, clock: Clock) -> TurnStore:
    return a_store(database, clock)
