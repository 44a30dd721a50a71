"""Operations that wait at one moment share a transaction, and do not share their failures."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.errors import SettingsError
from bot.store.database import open_database, open_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection


def insert(number: int) -> Callable[[Connection], int]:
    def operation(connection: Connection) -> int:
        connection.execute(text("INSERT INTO numbers VALUES (:n)"), {"n": number})
        return number

    return operation


def numbers(connection: Connection) -> list[int]:
    return list(connection.scalars(text("SELECT n FROM numbers ORDER BY n")))


def create(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE numbers (n INTEGER PRIMARY KEY)"))


async def test_operations_that_wait_at_the_same_moment_are_committed_together(
    tmp_path: Path,
) -> None:
    transactions: set[object] = set()

    def note(connection: Connection) -> None:
        transactions.add(connection.get_transaction())

    async with open_file(f"{tmp_path}/f.db") as database:
        await database.run(create)
        results = await asyncio.gather(*(database.run(insert(n)) for n in range(50)))
        await asyncio.gather(*(database.run(note) for _ in range(50)))

        assert results == list(range(50))
        assert await database.run(numbers) == results
    assert len(transactions) == 1


async def test_one_that_fails_fails_alone(tmp_path: Path) -> None:
    async with open_file(f"{tmp_path}/f.db") as database:
        await database.run(create)
        results = await asyncio.gather(
            *(database.run(insert(n)) for n in (1, 2, 2, 3)), return_exceptions=True
        )

        assert [type(result) for result in results] == [int, int, IntegrityError, int]
        assert await database.run(numbers) == [1, 2, 3]


async def test_what_was_committed_is_there_when_run_returns(tmp_path: Path) -> None:
    async with open_file(f"{tmp_path}/f.db") as database, open_file(f"{tmp_path}/f.db") as other:
        await database.run(create)
        for n in range(20):
            await database.run(insert(n))
            assert await other.run(numbers) == list(range(n + 1))


async def test_who_is_cancelled_while_waiting_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    async with open_file(f"{tmp_path}/f.db") as database:
        await database.run(create)
        tasks = [asyncio.create_task(database.run(insert(n))) for n in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)

        assert [results[0], results[2]] == [0, 2]
        assert isinstance(results[1], asyncio.CancelledError)


async def test_closing_finishes_what_waits(tmp_path: Path) -> None:
    async with open_file(f"{tmp_path}/f.db") as database:
        await database.run(create)
        tasks = [asyncio.create_task(database.run(insert(n))) for n in range(20)]
        await asyncio.sleep(0)
    async with open_file(f"{tmp_path}/f.db") as database:
        assert await database.run(numbers) == list(range(20))
    await asyncio.gather(*tasks)


async def test_a_closed_database_says_so_to_everybody(tmp_path: Path) -> None:
    async with open_file(f"{tmp_path}/f.db") as database:
        await database.run(create)

    with pytest.raises((ValueError, OperationalError)):
        await database.run(numbers)


async def test_a_second_process_on_the_file_is_refused_in_clear_words(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/f.db"
    async with open_database(url):
        with pytest.raises(SettingsError, match="Another bot is running with the database"):
            async with open_database(url):
                pass
    async with open_database(url) as database:  # it is free again
        await database.run(create)


async def test_a_file_has_one_lock_by_whatever_path_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "f.db")
    async with open_database(f"sqlite+aiosqlite:///{tmp_path}/f.db"):
        with pytest.raises(SettingsError, match="Another bot is running with the database"):
            async with open_database(f"sqlite+aiosqlite:///{tmp_path}/link.db"):
                pass
