"""Looks at the database from outside, beside a bot that may be using it, and changes nothing."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, make_url, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from bot.errors import SettingsError, StoreUnreachable
from bot.findings import Finding, explained, failed, warning, well
from bot.store.database import open_database
from bot.store.migrate import applied, known, newest
from bot.store.sqlite import file_of, is_held
from bot.store.tables import turns, unsupported

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from bot.findings import Looked

DATABASE, MIGRATIONS = "database", "migrations"
BUSY_SECONDS = 5.0  # what reads waits for next to nothing in WAL mode


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database says of itself."""

    revision: str | None  #: that its tables are at
    channel: str | None  #: in which the bot was asked last
    #: what the model's servers were seen not to support: base URL, model, name, and when
    unsupported: tuple[tuple[str, str, str, datetime], ...] = ()


async def check_database(url: str) -> Looked[Stored]:
    """Read from the database. A file that is not there yet is not made."""
    if url.startswith("sqlite"):
        return await asyncio.to_thread(_look_at_file, file_of(make_url(url)))
    try:
        async with open_database(url) as database:
            stored = await database.run(_stored)
    except SettingsError as error:
        return explained(DATABASE, str(error), "Correct DATABASE_URL."), None
    except StoreUnreachable as error:
        found = f"The PostgreSQL database does not answer ({error})."
        return failed(DATABASE, found, "Look whether the server runs, and into its log."), None
    return well(DATABASE, "The PostgreSQL database answers."), stored


def check_migrations(stored: Stored) -> Finding:
    """Compare the tables with those that this version needs."""
    found, needed = stored.revision, newest()
    if found is None:
        return well(MIGRATIONS, "There are no tables yet; the first start makes them.")
    if found == needed:
        return well(MIGRATIONS, f"The tables are those of this version ({needed}).")
    if found in known():
        return warning(
            MIGRATIONS,
            f"The tables are at {found}, and this version needs {needed}.",
            "The next start brings them there, as `bot migrate` does. Copy the database before.",
        )
    return failed(
        MIGRATIONS,
        "The tables were made by a version of the bot that this one does not know.",
        "Run the version that made them, or set DATABASE_URL to another database.",
    )


def _look_at_file(file: str | None) -> Looked[Stored]:
    if file is None:
        return warning(
            DATABASE,
            "The database is in memory: with the process ends all that the bot knows.",
            "Name a file in DATABASE_URL, like sqlite+aiosqlite:///footnote.db",
        ), None
    path = Path(os.path.realpath(file))
    if not path.exists():
        return _not_there(path), None
    try:
        stored = _read(path)
    except DBAPIError as error:
        if is_held(file):
            return well(DATABASE, f"The file {path} is in use by a running bot."), None
        return failed(
            DATABASE,
            f"The file {path} cannot be read: {error.orig}.",
            "Name another file in DATABASE_URL, or put a copy of this one back.",
        ), None
    return _readable(file, path), stored


def _not_there(path: Path) -> Finding:
    folder = next(folder for folder in path.parents if folder.exists())
    if folder.is_dir() and os.access(folder, os.W_OK):
        return well(DATABASE, f"There is no file {path} yet; the first start makes it.")
    return failed(
        DATABASE,
        f"There is no file {path}, and none can be made in {folder}.",
        "Let the user who runs the bot write there, or name another file in DATABASE_URL.",
    )


def _readable(file: str, path: Path) -> Finding:
    if is_held(file):
        return well(DATABASE, f"The file {path} can be read, and a running bot uses it.")
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return well(DATABASE, f"The file {path} can be read and written; no bot uses it now.")
    return failed(
        DATABASE,
        f"The file {path} or its folder may only be read.",
        "Let the user who runs the bot write to both.",
    )


def _read(path: Path) -> Stored:
    engine = create_engine(
        "sqlite://", creator=lambda: _connect(path), poolclass=NullPool, hide_parameters=True
    )
    with engine.connect() as connection:
        return _stored(connection)


def _connect(path: Path) -> sqlite3.Connection:
    """Open a file for reading.

    While a bot runs, and after one was killed, the files beside it are there and are shared. Else
    SQLite would make them and leave them behind, as somebody's whom the bot may not be: so it is
    told that nobody writes, and makes none.
    """
    beside = [Path(f"{path}{suffix}") for suffix in ("-wal", "-shm")]
    how = "mode=ro" if all(file.exists() for file in beside) else "immutable=1"
    return sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=BUSY_SECONDS)


def _stored(connection: Connection) -> Stored:
    revision = applied(connection)
    latest = select(turns.c.channel).where(turns.c.thread_ts != "").order_by(turns.c.id.desc())
    if revision != newest():
        return Stored(revision, None)
    noted = (tuple(row) for row in connection.execute(select(unsupported)))
    return Stored(revision, connection.scalar(latest.limit(1)), tuple(noted))
