from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot.errors import SettingsError
from bot.store import migrate
from bot.store.engine import open_engine
from bot.store.migrate import downgrade, pending, upgrade
from bot.store.tables import Base
from bot.store.turns import TurnStore
from tests.store.examples import Clock, a_question

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine


@pytest.fixture
async def empty(url: str) -> AsyncIterator[AsyncEngine]:
    async with open_engine(url) as engine:
        yield engine


async def schema(engine: AsyncEngine) -> list[tuple[str, str]]:
    async with engine.connect() as connection:
        rows = await connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
        )
        return [(row.name, row.sql) for row in rows]


def differences(connection: Connection) -> object:
    compared = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return compare_metadata(compared, Base.metadata)


async def test_the_migrated_schema_is_that_of_the_tables(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)

    assert found == []


async def test_up_down_and_up_again_makes_the_same_schema(empty: AsyncEngine) -> None:
    await upgrade(empty)
    first = await schema(empty)
    await downgrade(empty)
    left = [name for name, _ in await schema(empty)]
    await upgrade(empty)

    assert left == ["alembic_version", "sqlite_sequence"]
    assert await schema(empty) == first


async def test_pending_says_what_is_still_to_be_applied(empty: AsyncEngine) -> None:
    before = await pending(empty)
    await upgrade(empty)

    assert before == ("0001",)
    assert await pending(empty) == ()


async def test_upgrading_again_keeps_what_is_stored(empty: AsyncEngine) -> None:
    await upgrade(empty)
    store = TurnStore(empty, Clock())
    await store.take(a_question())
    await upgrade(empty)

    assert await store.take(a_question()) is None


async def test_two_that_upgrade_at_once_do_not_disturb_each_other(url: str) -> None:
    async with open_engine(url) as one, open_engine(url) as other:
        await asyncio.gather(upgrade(one), upgrade(other))

        assert (await pending(one), await pending(other)) == ((), ())


async def test_a_migration_that_fails_leaves_nothing_behind(empty: AsyncEngine) -> None:
    async with empty.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE other (state TEXT)")
        await connection.exec_driver_sql("CREATE INDEX ix_turns_state ON other (state)")

    with pytest.raises(SettingsError, match="could not be brought up to date: index ix_turns"):
        await upgrade(empty)

    assert [name for name, _ in await schema(empty)] == ["ix_turns_state", "other"]


async def test_a_database_of_a_later_version_is_refused(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    for attempt in (upgrade, pending):
        with pytest.raises(SettingsError, match="made by another version of the bot"):
            await attempt(engine)


async def test_the_migrations_are_found_from_any_folder(
    empty: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await upgrade(empty)

    assert await pending(empty) == ()
    assert migrate.PYPROJECT.is_file()
