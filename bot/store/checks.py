"""Looks at the database without changing it: whether it answers, and whose tables it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.migration import MigrationContext
from sqlalchemy import text

from bot.store.engine import READS_ONLY

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine


async def check_database(engine: AsyncEngine) -> str:
    """Return "ok" when it answers. Raises what the driver raises."""
    async with _reading(engine).connect() as connection:
        await connection.execute(text("SELECT 1"))
    return "ok"


async def check_migrations(engine: AsyncEngine, needed: tuple[str, ...]) -> str:
    """Return "ok" while the tables are those of these revisions, else whose they are."""
    applied = await applied_revisions(engine)
    if applied == needed:
        return "ok"
    return f"at {', '.join(applied) or 'nothing'}, and {', '.join(needed)} is needed"


async def applied_revisions(engine: AsyncEngine) -> tuple[str, ...]:
    """Return the newest revisions that were applied: one, where the history has no branches."""
    async with _reading(engine).connect() as connection:
        return await connection.run_sync(_applied)


def _applied(connection: Connection) -> tuple[str, ...]:
    return tuple(sorted(MigrationContext.configure(connection).get_current_heads()))


def _reading(engine: AsyncEngine) -> AsyncEngine:
    # Or each look would wait for the one lock by which SQLite lets one write at a time.
    return engine.execution_options(**{READS_ONLY: True})
