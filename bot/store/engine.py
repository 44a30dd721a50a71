"""Opens the database that DATABASE_URL names, or says what is wrong with it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sqlalchemy.engine import URL, Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

READS_ONLY = "reads_only"  # execution option of a connection that changes nothing
BUSY_SECONDS = 10.0  # how long to wait for another process that is writing
QUEUE_SECONDS = 60.0  # how long to wait for the one connection
EXAMPLE = "write it like sqlite+aiosqlite:///data/footnote.db"
# FULL: what was committed outlives a power cut, which WAL alone does not promise.
SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
TRIALS = {"sqlite": "PRAGMA user_version = 1", "postgresql": "SELECT 1"}


@asynccontextmanager
async def open_engine(url: str) -> AsyncGenerator[AsyncEngine]:
    """Open the database, with the folder of its file; close it on leaving.

    Raises SettingsError when it cannot be read and written.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        await asyncio.to_thread(_check_file, parsed)
    engine = _engine(parsed)
    try:
        await _try_out(engine)
        yield engine
    finally:
        await engine.dispose()


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Without its cause: that may quote the URL, and the URL may hold a password.
        raise SettingsError(f"DATABASE_URL is not a database's address: {EXAMPLE}") from None


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() not in TRIALS:
        raise SettingsError(f"DATABASE_URL names {url.drivername}, which I cannot use: {EXAMPLE}")
    try:
        return _sqlite_engine(url) if url.get_backend_name() == "sqlite" else _server_engine(url)
    except (ArgumentError, InvalidRequestError, ImportError) as error:
        raise SettingsError(
            f"DATABASE_URL names {url.drivername}, which is not an async driver installed here: "
            f"{EXAMPLE}"
        ) from error


def _server_engine(url: URL) -> AsyncEngine:
    return create_async_engine(url, hide_parameters=True, pool_pre_ping=True)


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
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _check_file(url: URL) -> None:
    """Open the file as it will be opened later.

    Of a file that cannot be opened aiosqlite leaves a thread behind, which breaks when it finds
    the event loop closed; so it is given only what can be opened.
    """
    file = url.database or ":memory:"
    if file == ":memory:" or file.startswith("file:"):
        return
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            # A write, since SQLite begins a transaction even on a file that it may only read.
            connection.execute(TRIALS["sqlite"])
            connection.rollback()
    except sqlite3.Error as error:
        raise _cannot_open(url, str(error)) from error
    except OSError as error:
        raise _cannot_open(url, error.strerror or type(error).__name__) from error


def _set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that turns from reading to writing fails at once, without waiting, if another
    # has written meanwhile (SQLITE_BUSY_SNAPSHOT), so what may write takes the lock first.
    reads_only = connection.get_execution_options().get(READS_ONLY)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


async def _try_out(engine: AsyncEngine) -> None:
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(TRIALS[engine.dialect.name])
            await connection.rollback()
    except DBAPIError as error:
        raise _cannot_open(engine.url, str(error.orig)) from error
    except (SQLAlchemyError, OSError) as error:
        raise _cannot_open(engine.url, type(error).__name__) from error


def _cannot_open(url: URL, reason: str) -> SettingsError:
    where = url.set(query={}).render_as_string(hide_password=True)
    return SettingsError(f"DATABASE_URL: the database {where} cannot be used: {reason}")
