"""Looks at the database without changing it: whether it answers, and whose tables it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from bot.store.migrate import applied, newest

if TYPE_CHECKING:
    from bot.store.database import Database


async def check_database(database: Database) -> str:
    """Return "ok" when it answers. Raises what the driver raises."""
    await database.run(lambda connection: connection.scalar(text("SELECT 1")))
    return "ok"


async def check_migrations(database: Database) -> str:
    """Return "ok" while the tables are those of this version, else whose they are."""
    found, needed = await database.run(applied), newest()
    return "ok" if found == needed else f"at {found or 'nothing'}, and {needed} is needed"
