from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from bot.store.database import open_database
from bot.store.migrate import upgrade
from tests.postgres import new_database, open_server

if TYPE_CHECKING:
    from collections.abc import Iterator


# How long an example takes says nothing where all cores are busy; speed is for `make bench`.
settings.register_profile("footnote", deadline=None)
settings.load_profile("footnote")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL on which databases may be created."""
    with open_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a database with all tables, to be copied."""
    with new_database(postgres_server) as url:
        asyncio.run(_migrate(url))
        yield url.rpartition("/")[2].partition("?")[0]


@pytest.fixture
def whole_log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log of the bot down to its details, and of all others as they are run."""
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "bot")
    return caplog


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """The address of a database without tables."""
    with new_database(postgres_server) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """The address of a database with all tables, and nothing in them."""
    with new_database(postgres_server, postgres_template) as url:
        yield url


async def _migrate(url: str) -> None:
    async with open_database(url) as database:
        await upgrade(database)
