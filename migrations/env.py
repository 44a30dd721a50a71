# ruff: noqa: INP001 - Alembic runs this file, nothing imports it
"""Runs the migrations: on the bot's own connection, or for `alembic` on DATABASE_URL."""

from __future__ import annotations

import asyncio
import os

from alembic import context
from sqlalchemy import Connection

from bot.settings_database import database
from bot.store.engine import open_engine
from bot.store.tables import metadata


def migrate(connection: Connection) -> None:
    """Apply or take back, in the transaction that the connection is in."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,  # SQLite changes a table by copying it
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate_by_url(url: str) -> None:
    """Open the database for one command of Alembic's."""
    async with open_engine(url) as engine, engine.begin() as connection:
        await connection.run_sync(migrate)


given = context.config.attributes.get("connection")
if isinstance(given, Connection):
    migrate(given)
else:
    asyncio.run(migrate_by_url(database(os.environ["DATABASE_URL"])))
