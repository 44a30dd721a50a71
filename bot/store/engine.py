"""Opens the database that DATABASE_URL names, or says what is wrong with it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy import event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.errors import SettingsError
from bot.store.server import server_engine, try_server
from bot.store.sqlite import BUSY_SECONDS, TRIAL, begin, cannot_open, check_file, set_up

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sqlalchemy.engine import URL

QUEUE_SECONDS = 60.0  # how long to wait for the one connection
EXAMPLE = "write it like sqlite+aiosqlite:///data/footnote.db"
BACKENDS = ("sqlite", "postgresql")


@asynccontextmanager
async def open_engine(url: str) -> AsyncGenerator[AsyncEngine]:
    """Open the database, with the folder of its file; close it on leaving.

    Raises SettingsError when it cannot be read and written.
    """
    parsed = parsed_url(url)
    if parsed.get_backend_name() == "sqlite":
        await asyncio.to_thread(check_file, parsed)
    engine = _engine(parsed)
    try:
        await _try_out(engine)
        yield engine
    finally:
        await engine.dispose()


def parsed_url(url: str) -> URL:
    """Read an address. Raises SettingsError for what is none."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Without its cause: that may quote the URL, and the URL may hold a password.
        raise SettingsError(f"DATABASE_URL is not a database's address: {EXAMPLE}") from None


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() not in BACKENDS:
        raise SettingsError(f"DATABASE_URL names {url.drivername}, which I cannot use: {EXAMPLE}")
    try:
        return _sqlite_engine(url) if url.get_backend_name() == "sqlite" else server_engine(url)
    except (ArgumentError, InvalidRequestError, ImportError) as error:
        raise SettingsError(
            f"DATABASE_URL names {url.drivername}, which is not an async driver installed here: "
            f"{EXAMPLE}"
        ) from error


def _sqlite_engine(url: URL) -> AsyncEngine:
    """Make an engine with one connection.

    SQLite lets one write at a time. Who waits for the connection is served in order; who waits
    for SQLite's lock polls for it with growing pauses.
    """
    engine = create_async_engine(
        url,
        hide_parameters=True,  # or an error's text would quote the question
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=QUEUE_SECONDS,
        connect_args={"timeout": BUSY_SECONDS},
    )
    event.listen(engine.sync_engine, "connect", set_up)
    event.listen(engine.sync_engine, "begin", begin)
    return engine


async def _try_out(engine: AsyncEngine) -> None:
    if engine.dialect.name == "postgresql":
        await try_server(engine)
        return
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(TRIAL)
            await connection.rollback()
    except DBAPIError as error:
        raise cannot_open(engine.url, str(error.orig)) from error
    except (SQLAlchemyError, OSError) as error:
        raise cannot_open(engine.url, type(error).__name__) from error
