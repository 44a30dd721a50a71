from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from bot.errors import SettingsError
from bot.store import migrate
from bot.store.database import open_database, open_file
from bot.store.migrate import downgrade, newest, pending, upgrade
from bot.store.tables import metadata
from tests.store.examples import a_question, a_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy import Connection

    from bot.store.database import Database
    from bot.turns.turn import Turn


@pytest.fixture
async def empty(any_url: str) -> AsyncIterator[Database]:
    async with open_database(any_url) as database:
        yield database


async def schema(database: Database) -> object:
    """Return everything there is: tables, columns, types, keys and indices."""

    def described(connection: Connection) -> object:
        found = inspect(connection)
        return [
            (
                name,
                said(found.get_columns(name)),
                sorted(map(said, found.get_indexes(name))),
                sorted(map(said, found.get_unique_constraints(name))),
                sorted(map(said, found.get_foreign_keys(name))),
                said(found.get_pk_constraint(name)),
            )
            for name in sorted(found.get_table_names())
        ]

    return await database.run(described)


def said(what: object) -> str:
    """Say what was found, be it of types that compare by identity."""
    if isinstance(what, dict):
        return str(sorted((name, said(value)) for name, value in what.items()))
    return str([said(each) for each in what]) if isinstance(what, list) else str(what)


async def tables(database: Database) -> list[str]:
    return await database.run(lambda connection: sorted(inspect(connection).get_table_names()))


async def execute(database: Database, *statements: str) -> None:
    def operation(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    await database.run(operation)


def differences(connection: Connection) -> object:
    compared = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return compare_metadata(compared, metadata)


async def test_the_migrated_schema_is_that_of_the_tables(database: Database) -> None:
    assert await database.run(differences) == []


async def test_up_down_and_up_again_makes_the_same_schema(empty: Database) -> None:
    await upgrade(empty)
    first = await schema(empty)
    await downgrade(empty)
    left = await tables(empty)
    await upgrade(empty)

    assert left == ["alembic_version"]
    assert await schema(empty) == first


async def test_pending_says_what_is_still_to_be_applied(empty: Database) -> None:
    before = await pending(empty)
    await upgrade(empty)

    assert before == ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
    assert await pending(empty) == ()


async def test_the_newest_revision_is_the_one_that_the_files_end_with(empty: Database) -> None:
    assert (await pending(empty))[-1] == newest()


async def test_upgrading_again_keeps_what_is_stored(empty: Database) -> None:
    await upgrade(empty)
    store = a_store(empty)
    await store.take(a_question())
    await upgrade(empty)

    assert await store.take(a_question()) is None


async def test_two_processes_that_find_an_empty_server_both_come_up(
    empty_postgres_url: str,
) -> None:
    async with (
        open_database(empty_postgres_url) as one,
        open_database(empty_postgres_url) as other,
    ):
        await asyncio.gather(upgrade(one), upgrade(other))

        assert (await pending(one), await pending(other)) == ((), ())


async def test_two_that_upgrade_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    file = f"{tmp_path}/footnote.db"
    async with open_file(file) as one, open_file(file) as other:
        await execute(one, "SELECT 1")  # what turns the file to WAL is not waited for by SQLite
        await asyncio.gather(upgrade(one), upgrade(other))

        assert (await pending(one), await pending(other)) == ((), ())


async def test_a_migration_that_fails_leaves_nothing_behind(empty: Database) -> None:
    await execute(
        empty, "CREATE TABLE other (state TEXT)", "CREATE INDEX ix_turns_state ON other (state)"
    )

    with pytest.raises(SettingsError, match=r"could not be brought up to date: .*ix_turns_state"):
        await upgrade(empty)

    assert await tables(empty) == ["other"]


async def test_a_database_of_a_later_version_is_refused(database: Database) -> None:
    await execute(database, "UPDATE alembic_version SET version_num = '9999'")

    for attempt in (upgrade, pending):
        with pytest.raises(SettingsError, match="made by another version of the bot"):
            await attempt(database)


async def test_the_migrations_are_found_from_any_folder(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await upgrade(empty)

    assert await pending(empty) == ()
    assert migrate.PYPROJECT.is_file()


async def test_what_the_version_before_left_running_twice_in_a_thread_is_put_in_order(
    empty: Database,
) -> None:
    await upgrade(empty, "0001")
    for number, state in enumerate(("answered", "running", "running", "waiting"), start=1):
        await execute(
            empty,
            'INSERT INTO turns (state, team, channel, thread_ts, ts, ts_order, "user", user_team,'  # noqa: S608 - ours
            f" text, created_at, updated_at) VALUES ('{state}', 'T1', 'C1', '1.1', '{number}.1',"
            f" {number}, 'U1', 'T1', 'x', '2026-03-01 12:00:00', '2026-03-01 12:00:00')",
        )
    await upgrade(empty)
    store = a_store(empty)
    order = []
    [turn] = await store.recover([])
    following: Turn | None = turn
    while following is not None:
        order.append(following.question.ts)
        await store.finish_turn(following, None)
        following = await store.start_next(turn.question.thread)

    assert order == ["2.1", "3.1", "4.1"]


async def test_a_bot_that_has_nothing_to_migrate_does_not_import_alembic(url: str) -> None:
    async with open_database(url) as database:
        await upgrade(database)
    program = (
        "import asyncio, sys\n"
        "from bot.store.database import open_database\n"
        "from bot.store.migrate import upgrade\n"
        "async def main():\n"
        f"    async with open_database({url!r}) as database:\n"
        "        await upgrade(database)\n"
        "asyncio.run(main())\n"
        "print([name for name in ('alembic', 'sqlalchemy.orm') if name in sys.modules])\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=PIPE)
    output, _ = await process.communicate()

    assert output == b"[]\n"
