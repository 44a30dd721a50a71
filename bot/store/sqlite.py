"""What SQLite needs: a file that can be written, the settings of a connection, one process."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import URL

from bot.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

READS_ONLY = "reads_only"  # execution option of a connection that changes nothing
BUSY_SECONDS = 10.0  # how long to wait for another process that is writing
TRIAL = "PRAGMA user_version = 1"
# FULL: what was committed outlives a power cut, which WAL alone does not promise.
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


def file_of(url: URL) -> str | None:
    """Return the path of the database's file; None for one in memory or named by a URI."""
    file = url.database or ":memory:"
    return None if file == ":memory:" or file.startswith("file:") else file


def address_of(file: str) -> str:
    """Return the address of a file, whatever characters its name has."""
    return URL.create("sqlite+aiosqlite", database=os.path.realpath(file)).render_as_string()


def check_file(url: URL) -> None:
    """Open the file as it will be opened later, with its folder made. Raises SettingsError.

    Of a file that cannot be opened aiosqlite leaves a thread behind, which breaks when it finds
    the event loop closed; so it is given only what can be opened.
    """
    file = file_of(url)
    if file is None:
        return
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            # A write, since SQLite begins a transaction even on a file that it may only read.
            connection.execute(TRIAL)
            connection.rollback()
    except sqlite3.Error as error:
        raise cannot_open(url, str(error)) from error
    except OSError as error:
        raise cannot_open(url, error.strerror or type(error).__name__) from error


@contextmanager
def locked(file: str) -> Iterator[None]:
    """Keep every other process that would answer from this file, by whatever path it knows it.

    It dies with the process. It is on a file of its own: to close any handle of SQLite's file
    drops the locks that SQLite holds on it (sqlite.org, "How to corrupt an SQLite database file",
    2.2).
    """
    with Path(f"{os.path.realpath(file)}.lock").open("a", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SettingsError(
                f"Another bot is running with the database {file}. Stop that one first, or set "
                "DATABASE_URL to another file; several that share their work need PostgreSQL."
            ) from error
        yield


def is_held(file: str) -> bool:
    """Whether a process keeps the others from this file. Makes nothing.

    To see that, the lock is taken where it is free, and let go at once: a bot that starts within
    these microseconds would be refused.
    """
    try:
        with Path(f"{os.path.realpath(file)}.lock").open(encoding="utf-8") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is none, or it may not be read
        return False
    return False


def set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry | None = None) -> None:
    """Set what SQLite does not remember about a file."""
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def begin(connection: Connection) -> None:
    """Begin a transaction.

    One that turns from reading to writing fails at once, without waiting, if another has written
    meanwhile (SQLITE_BUSY_SNAPSHOT), so what may write takes the lock first.
    """
    reads_only = connection.get_execution_options().get(READS_ONLY)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def cannot_open(url: URL, reason: str) -> SettingsError:
    """Say that the database cannot be used, without the password of its address."""
    where = url.set(query={}).render_as_string(hide_password=True)
    return SettingsError(f"The database {where} cannot be used: {reason}")
