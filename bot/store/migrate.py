"""Brings the database's tables to where this version needs them, with Alembic.

Everything runs on the engine's own connection and in one transaction: a migration that fails
half-way leaves nothing behind, and of two processes that start at once the second finds it done.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from bot.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

Result = TypeVar("Result")
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


async def upgrade(engine: AsyncEngine, to: str = "head") -> None:
    """Apply what is missing. Raises SettingsError where the database does not let itself."""
    await _run(engine, lambda connection: command.upgrade(_config(connection), to))


async def downgrade(engine: AsyncEngine, to: str = "base") -> None:
    """Take migrations back; `base` takes back all of them, with everything stored."""
    await _run(engine, lambda connection: command.downgrade(_config(connection), to))


async def pending(engine: AsyncEngine) -> tuple[str, ...]:
    """Return the revisions that are still to be applied, the next one first."""
    return await _run(engine, _pending)


def _pending(connection: Connection) -> tuple[str, ...]:
    applied = MigrationContext.configure(connection).get_current_heads()
    scripts = ScriptDirectory.from_config(_config(connection))
    missing = scripts.iterate_revisions("heads", applied or "base")
    return tuple(script.revision for script in missing)[::-1]


async def _run(engine: AsyncEngine, act: Callable[[Connection], Result]) -> Result:
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(act)
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
    if not PYPROJECT.is_file():
        raise SettingsError(
            "The migrations are missing: the bot runs from its source tree, where pyproject.toml "
            "and the folder migrations are beside the folder bot."
        )
    return Config(toml_file=PYPROJECT, attributes={"connection": connection})
