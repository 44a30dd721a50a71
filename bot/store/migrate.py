"""Brings the database's tables to where this version needs them, with Alembic.

Everything runs in one transaction: a migration that fails half-way leaves nothing behind, and of
two processes that start at once the second finds it done.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from bot.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.config import Config
    from sqlalchemy import Connection

    from bot.store.database import Database

# Alembic is imported only when there is something to migrate: it costs a start a quarter of a
# second and the process ten megabytes.
# ruff: noqa: PLC0415

Result = TypeVar("Result")
ROOT = Path(__file__).parents[2]
PYPROJECT = ROOT / "pyproject.toml"


async def upgrade(database: Database, to: str = "head") -> None:
    """Apply what is missing. Raises SettingsError where the database does not let itself."""
    if to == "head" and await is_current(database):
        return
    await _run(database, lambda connection: _upgrade(connection, to))


async def downgrade(database: Database, to: str = "base") -> None:
    """Take migrations back; `base` takes back all of them, with everything stored."""
    await _run(database, lambda connection: _downgrade(connection, to))


async def pending(database: Database) -> tuple[str, ...]:
    """Return the revisions that are still to be applied, the next one first."""
    return await _run(database, _pending)


async def is_current(database: Database) -> bool:
    """Whether there is nothing to apply."""
    return await database.run(applied) == newest()


def newest() -> str:
    """Return this version's last revision."""
    return max(known(), default="")


def known() -> frozenset[str]:
    """Return the revisions that this version knows, by the names of the files."""
    files = (ROOT / "migrations" / "versions").glob("[0-9]*.py")
    return frozenset(path.name.partition("_")[0] for path in files)


def applied(connection: Connection) -> str | None:
    """Return the revision that the tables are at; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _upgrade(connection: Connection, to: str) -> None:
    from alembic import command

    _lock(connection)
    command.upgrade(_config(connection), to)


def _downgrade(connection: Connection, to: str) -> None:
    from alembic import command

    _lock(connection)
    command.downgrade(_config(connection), to)


def _pending(connection: Connection) -> tuple[str, ...]:
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    applied = MigrationContext.configure(connection).get_current_heads()
    scripts = ScriptDirectory.from_config(_config(connection))
    missing = scripts.iterate_revisions("heads", applied or "base")
    return tuple(script.revision for script in missing)[::-1]


def _lock(connection: Connection) -> None:
    """Let one process migrate at a time; SQLite has one writer as it is."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('migrate', 0))"))


async def _run(database: Database, act: Callable[[Connection], Result]) -> Result:
    from alembic.script.revision import RevisionError
    from alembic.util import CommandError

    try:
        return await database.run(act)
    except (CommandError, RevisionError) as error:
        raise SettingsError(
            f"The database was made by another version of the bot: {error}. "
            "Run that version, or set DATABASE_URL to another database."
        ) from error
    except DBAPIError as error:
        raise SettingsError(
            f"The database could not be brought up to date: {error.orig}"
        ) from error


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    if not PYPROJECT.is_file():
        raise SettingsError(
            "The migrations are missing: the bot runs from its source tree, where pyproject.toml "
            "and the folder migrations are beside the folder bot."
        )
    return Config(toml_file=PYPROJECT, attributes={"connection": connection})
