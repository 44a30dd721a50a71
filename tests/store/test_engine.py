from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import SettingsError
from bot.store.database import open_database
from bot.store.engine import open_engine
from bot.store.migrate import upgrade
from tests.store.examples import a_question, a_store

if TYPE_CHECKING:
    from pathlib import Path


async def refusal(url: str) -> str:
    with pytest.raises(SettingsError) as caught:
        async with open_engine(url):
            pass
    return str(caught.value)


async def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    async with open_engine(f"sqlite+aiosqlite:///{tmp_path}/deep/down/footnote.db"):
        pass

    assert (tmp_path / "deep" / "down" / "footnote.db").is_file()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        pytest.param("journal_mode", "wal", id="readers do not block the writer"),
        pytest.param("synchronous", 2, id="what is committed outlives a power cut"),
        pytest.param("foreign_keys", 1, id="references are held"),
        pytest.param("busy_timeout", 10_000, id="a writer waits for another"),
    ],
)
async def test_sqlite_is_set_so_that(url: str, pragma: str, value: object) -> None:
    async with open_engine(url) as engine, engine.connect() as connection:
        found = (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one()

    assert found == value


async def test_opening_a_database_changes_nothing_in_it(url: str) -> None:
    async with open_engine(url):
        pass
    async with open_engine(url) as engine, engine.connect() as connection:
        version = (await connection.exec_driver_sql("PRAGMA user_version")).scalar_one()

    assert version == 0


async def test_a_file_in_memory_holds_turns_until_it_is_closed() -> None:
    async with open_database("sqlite+aiosqlite://") as database:
        await upgrade(database)
        store = a_store(database)
        takes = [await store.take(a_question()) for _ in range(2)]

    assert [taken is not None for taken in takes] == [True, False]


async def test_what_failed_half_way_is_not_kept(url: str) -> None:
    async with open_engine(url) as engine:
        async with engine.connect() as connection:
            await connection.exec_driver_sql("CREATE TABLE half (id INTEGER)")
        async with engine.connect() as connection:
            tables = (await connection.exec_driver_sql("SELECT name FROM sqlite_master")).all()

    assert tables == []


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to be read as the head of one" * 20)
    before = file.read_bytes()

    words = await refusal(f"sqlite+aiosqlite:///{file}")

    assert words.startswith("The database sqlite+aiosqlite:///")
    assert words.endswith("notes.txt cannot be used: file is not a database")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/proc/self/footnote.db", id="read-only folder"),
        pytest.param("/proc/nowhere/footnote.db", id="folder that cannot be made"),
        pytest.param("{tmp_path}", id="folder instead of a file"),
        pytest.param("{tmp_path}/file/footnote.db", id="file instead of a folder"),
    ],
)
async def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    place = path.format(tmp_path=tmp_path)

    words = await refusal(f"sqlite+aiosqlite:///{place}")

    assert words.startswith(f"The database sqlite+aiosqlite:///{place} cannot be used: ")


async def test_a_file_that_may_only_be_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "footnote.db"
    async with open_engine(f"sqlite+aiosqlite:///{file}"):
        pass

    words = await refusal(f"sqlite+aiosqlite:///file:{file}?mode=ro&uri=true")

    assert words.endswith("cannot be used: attempt to write a readonly database")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("footnote.db", "is not a database's address", id="no URL"),
        pytest.param("postgresql://u:secret@h:port/d", "is not a database's address", id="no port"),
        pytest.param("sqlite:///footnote.db", "names sqlite, which is not an async", id="sync"),
        pytest.param("sqlite+nothing:///f.db", "names sqlite+nothing, which", id="no such driver"),
        pytest.param("mysql+aiomysql://u:secret@h/d", "names mysql+aiomysql, which I", id="MySQL"),
    ],
)
async def test_another_url_is_refused_without_its_password(url: str, words: str) -> None:
    told = await refusal(url)

    assert told.startswith(f"DATABASE_URL {words}")
    assert told.endswith("write it like sqlite+aiosqlite:///data/footnote.db")
    assert "secret" not in told
