"""A look at the database, beside a bot that uses it or before there is one."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bot.store.checkup import Stored, check_database, check_migrations
from bot.store.database import open_database, open_file
from bot.store.migrate import downgrade, newest, upgrade
from bot.store.sqlite import is_held, locked
from bot.turns.question import Thread
from tests.store.examples import THREAD, a_question, a_store

if TYPE_CHECKING:
    from pathlib import Path

    from bot.findings import Finding


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """A file with a question, which nobody has open. Its name has to be written as a URI."""
    path = tmp_path / "what?%20now.db"
    async with open_file(str(path)) as database:
        await upgrade(database)
        await a_store(database).take(a_question())
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def look(path: Path) -> tuple[Finding, Stored | None]:
    return await check_database(f"sqlite+aiosqlite:///{path}")


@pytest.fixture
def plain(file: Path) -> Path:
    """The same file by a name that an address can hold."""
    return file.rename(file.with_name("footnote.db"))


async def test_a_file_that_nobody_uses_is_read_and_nothing_left_beside_it(plain: Path) -> None:
    finding, stored = await look(plain)

    assert (finding.state, stored) == ("ok", Stored(newest(), THREAD.channel))
    assert finding.found == f"The file {plain} can be read and written; no bot uses it now."
    assert names_in(plain.parent) == ["footnote.db"]


async def test_the_channel_is_that_of_the_last_question(plain: Path) -> None:
    thread = Thread(team="T1", channel="C2", thread_ts="1726000000.000400")
    async with open_file(str(plain)) as database:
        await a_store(database).take(a_question("1726000000.000400", thread=thread))
    _, stored = await look(plain)

    assert stored == Stored(newest(), "C2")


async def test_a_name_with_marks_of_an_address_is_read_too(file: Path) -> None:
    link = file.with_name("link.db")
    link.symlink_to(file)
    _, stored = await look(link)

    assert stored == Stored(newest(), THREAD.channel)


async def test_what_a_running_bot_wrote_last_is_read_and_the_bot_writes_on(plain: Path) -> None:
    async with open_database(f"sqlite+aiosqlite:///{plain}") as database:
        store = a_store(database)
        await store.take(a_question("1726000000.000200"))
        beside = names_in(plain.parent)
        finding, stored = await look(plain)
        await store.take(a_question("1726000000.000300"))

        assert names_in(plain.parent) == beside
    assert (finding.state, stored) == ("ok", Stored(newest(), THREAD.channel))
    assert finding.found.endswith("a running bot uses it.")


async def test_what_a_killed_bot_left_beside_the_file_is_read_and_left_there(
    plain: Path, tmp_path: Path
) -> None:
    left = tmp_path / "left"
    left.mkdir()
    async with open_file(str(plain)) as database:
        await downgrade(database)
        for name in ("footnote.db", "footnote.db-wal", "footnote.db-shm"):
            shutil.copy(plain.with_name(name), left / name)
    before = (left / "footnote.db-wal").read_bytes()
    _, stored = await look(left / "footnote.db")

    assert stored == Stored(None, None)
    assert names_in(left) == ["footnote.db", "footnote.db-shm", "footnote.db-wal"]
    assert (left / "footnote.db-wal").read_bytes() == before


async def test_a_file_that_a_bot_is_just_changing_as_a_whole_is_not_called_broken(
    plain: Path,
) -> None:
    with locked(str(plain)), closing(sqlite3.connect(plain, isolation_level=None)) as bot:
        bot.execute("PRAGMA locking_mode = EXCLUSIVE")
        bot.execute("PRAGMA journal_mode = DELETE")
        bot.execute("BEGIN EXCLUSIVE")
        bot.execute("PRAGMA user_version = 7")
        plain.with_name("footnote.db-wal").touch()
        plain.with_name("footnote.db-shm").touch()
        finding, stored = await look(plain)

    assert (finding.state, stored) == ("ok", None)
    assert finding.found == f"The file {plain} is in use by a running bot."


async def test_a_file_that_is_no_database_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "footnote.db"
    path.write_text("these are no pages of a database, but words\n" * 100)
    finding, stored = await look(path)

    assert (finding.state, stored) == ("failed", None)
    assert finding.found == f"The file {path} cannot be read: file is not a database."


async def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    finding, stored = await look(tmp_path / "data" / "footnote.db")

    assert (finding.state, stored) == ("ok", None)
    assert finding.found.endswith("footnote.db yet; the first start makes it.")
    assert names_in(tmp_path) == []


async def test_a_file_that_cannot_be_made_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    finding, stored = await look(tmp_path / "data" / "footnote.db")

    assert (finding.state, stored) == ("failed", None)
    assert finding.found.endswith(f"and none can be made in {tmp_path / 'data'}.")


async def test_an_empty_file_has_no_tables_yet(tmp_path: Path) -> None:
    (tmp_path / "footnote.db").touch()
    finding, stored = await look(tmp_path / "footnote.db")

    assert (finding.state, stored) == ("ok", Stored(None, None))


async def test_a_database_in_memory_is_a_warning() -> None:
    finding, stored = await check_database("sqlite+aiosqlite:///:memory:")

    assert (finding.state, stored) == ("warning", None)


async def test_a_server_is_read(postgres_url: str) -> None:
    finding, stored = await check_database(postgres_url)

    assert (finding.state, stored) == ("ok", Stored(newest(), None))


async def test_why_a_server_cannot_be_used_and_what_to_do_are_told_apart() -> None:
    finding, stored = await check_database("postgresql+asyncpg://u:tellnobody@127.0.0.1:1/d")

    assert (finding.state, stored) == ("failed", None)
    assert finding.found == (
        "The PostgreSQL database d at 127.0.0.1:1 cannot be used: no connection could be made."
    )
    assert finding.fix.startswith("Check host and port of its address")


@pytest.mark.parametrize(
    ("revision", "state", "words"),
    [
        (None, "ok", "There are no tables yet; the first start makes them."),
        (newest(), "ok", f"The tables are those of this version ({newest()})."),
        ("0001", "warning", f"The tables are at 0001, and this version needs {newest()}."),
        ("9999", "failed", "The tables were made by a version of the bot that this one does not"),
    ],
)
def test_the_tables_are_compared_with_this_versions(
    revision: str | None, state: str, words: str
) -> None:
    finding = check_migrations(Stored(revision, None))

    assert finding.state == state
    assert finding.found.startswith(words)


def test_whether_a_file_is_held_is_seen_without_making_a_lock(tmp_path: Path) -> None:
    file = str(tmp_path / "footnote.db")
    before = is_held(file)
    none_made = names_in(tmp_path) == []
    with locked(file):
        during = is_held(file)
    after = is_held(file)

    assert (before, during, after) == (False, True, False)
    assert none_made
    with locked(file):
        pass
