"""A file's content arrives whole in a PostgreSQL, or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select, text

from bot.digests.recurrence import Recurrence
from bot.digests.schedule import ScheduledDigest
from bot.errors import SettingsError
from bot.store import move as moving
from bot.store.database import open_database, open_file
from bot.store.messages import MessageStore
from bot.store.migrate import upgrade
from bot.store.move import move
from bot.store.schedules import ScheduleStore
from bot.store.tables import messages, runs, schedules, turns
from bot.store.tenure import Tenure
from bot.store.turns import TurnStore
from tests.store.examples import (
    NOON,
    THREAD,
    Clock,
    a_question,
    a_store,
    an_answer,
    answered,
    started,
    taken,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from bot.store.database import Database

WEEKLY = ScheduledDigest(
    team="T1",
    user="U1",
    user_team="T1",
    source="C1",
    target="",
    recurrence=Recurrence("0 9 * * 1", "Europe/Berlin"),
)
WIDE = "Wie weit? \N{EARTH GLOBE EUROPE-AFRICA} " + "lang " * 5_000


@pytest.fixture
async def file(tmp_path: Path) -> str:
    """A file with turns that stand everywhere, with their messages."""
    path = f"{tmp_path}/old.db"
    async with open_file(path) as database:
        await upgrade(database)
        clock, tenure = Clock(), Tenure(lambda: 0.0)
        store, shown = TurnStore(database, tenure, clock), MessageStore(database, tenure, clock)
        for n in range(12):  # more than a batch of this test
            clock.advance(0.000_001)
            thread = replace(THREAD, thread_ts=f"{n}.1")
            turn = await started(store, a_question(f"{n}.1", thread=thread, text=f"{n} {WIDE}"))
            await shown.intend(turn, 1, streamed=True)
            await shown.confirm(turn, 1, f"{n}.2")
            await store.finish_turn(turn, an_answer(f"resp_{n}"))
        failed = await started(store, a_question("100.1", thread=replace(THREAD, channel="C2")))
        await store.fail_turn(failed, TimeoutError())
        await answered(store, a_question(), "resp_first")
        running = await started(store, a_question("201.1"))
        await shown.intend(running, 1, streamed=False)
        await taken(store, a_question("202.1"))
        await store.take_to_place(a_question("/abc", thread=replace(THREAD, thread_ts="")))
        await ScheduleStore(database, tenure, clock).add(WEEKLY, NOON)
        with_nul = text("UPDATE turns SET text = char(65, 0, 66) WHERE id = 3")
        await database.run(lambda c: c.execute(with_nul).rowcount)
        await database.run(lambda c: c.execute(insert(turns).values(**_last(c))).rowcount)
        await database.run(lambda c: c.execute(turns.delete().where(turns.c.id == 500)).rowcount)
    return path


def _last(connection: Any) -> dict[str, Any]:  # noqa: ANN401 - a connection
    """Return a turn with a high id, to be deleted."""
    row = dict(connection.execute(select(turns).where(turns.c.id == 1)).mappings().one())
    return row | {"id": 500, "ts": "500.1"}


@pytest.fixture
async def target(postgres_url: str) -> AsyncIterator[Database]:
    async with open_database(postgres_url) as database:
        yield database


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "BATCH", 5)


async def content(database: Database) -> dict[str, list[dict[str, Any]]]:
    def operation(connection: Any) -> dict[str, list[dict[str, Any]]]:  # noqa: ANN401 - a connection
        return {
            table.name: [
                dict(row)
                for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in (turns, messages, runs, schedules)
        }

    return await database.run(operation)


async def execute(database: Database, *statements: str) -> None:
    def operation(connection: Any) -> None:  # noqa: ANN401 - a connection
        for statement in statements:
            connection.execute(text(statement))

    await database.run(operation)


def dump(path: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


async def test_every_row_arrives_as_it_was_and_belongs_to_nobody(
    file: str, target: Database
) -> None:
    before = dump(file)
    moved = await move(file, target)
    async with open_file(file) as source:
        there, here = await content(target), await content(source)

    for row in here["turns"]:
        row["owner"] = None
    here["turns"][2]["text"] = "AB"  # no database but SQLite stores a NUL
    assert there == here
    assert moved == {"turns": 17, "messages": 13, "runs": 0, "schedules": 1}
    assert dump(file) == before


async def test_schedules_go_on_with_numbers_of_their_own(file: str, target: Database) -> None:
    await move(file, target)
    store = ScheduleStore(target, Tenure(lambda: 0.0), Clock())
    other = await store.add(replace(WEEKLY, about="prices"), NOON)

    assert [each.id for each in await store.of_user("T1", "U1")] == [1, other.id]
    assert other.id != 1


async def test_the_bot_goes_on_where_it_was(file: str, target: Database) -> None:
    await move(file, target)
    store = a_store(target, Clock(NOON + timedelta(hours=1)))
    placing, running = await store.recover([])
    await store.finish_turn(running, an_answer("resp_moved"))
    following = await store.start_next(THREAD)
    new = await taken(store, a_question("300.1", thread=replace(THREAD, thread_ts="300.1")))

    assert (placing.question.ts, running.question.ts) == ("/abc", "201.1")
    assert running.previous_response_id == "resp_first"
    assert [sent.part for sent in running.sent] == [1]
    assert following is not None
    assert following.previous_response_id == "resp_moved"
    assert new.turn_id == 501  # the file had given 500, and deleted it
    assert await store.take(a_question()) is None


async def test_a_target_that_is_not_empty_is_refused_and_left_alone(
    file: str, target: Database
) -> None:
    await taken(a_store(target), a_question())
    before = await content(target)

    with pytest.raises(SettingsError, match="has 1 turns already: name an empty one"):
        await move(file, target)
    assert await content(target) == before


async def test_what_fails_half_way_leaves_nothing_behind(
    file: str, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(*_: object) -> object:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(moving, "_go_on_counting", torn)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        await move(file, target)

    count = select(func.count()).select_from(turns)
    assert await target.run(lambda connection: connection.scalar(count)) == 0


async def test_a_connection_that_is_lost_half_way_costs_nothing(
    file: str, target: Database
) -> None:
    await execute(
        target,
        "CREATE SEQUENCE losses",  # which a rollback does not take back
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.part = 1 AND nextval('losses') = 3 THEN"
        " PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$",
        "CREATE TRIGGER lose BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION lose()",
    )
    moved = await move(file, target)
    there = await content(target)

    assert moved == {name: len(rows) for name, rows in there.items()}
    assert moved == {"turns": 17, "messages": 13, "runs": 0, "schedules": 1}


async def test_tables_of_a_later_version_come_along(
    file: str, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = MetaData()
    words = Table("words", later, Column("word", String(40), primary_key=True))
    counted = Table("counted", later, Column("id", Integer, primary_key=True))
    monkeypatch.setattr(moving, "TABLES", (*moving.TABLES, words, counted))
    kept = [{"word": word} for word in ("a", "B", "ä", "Z", "z", "_", "ab", "Ab", "😀", "1", "ﬀ")]
    async with open_file(file) as source:
        await source.run(later.create_all)
        await source.run(lambda c: c.execute(insert(words), kept).rowcount)
        await source.run(lambda c: c.execute(insert(counted), [{"id": 7}, {"id": 3}]).rowcount)
    await target.run(later.create_all)
    moved = await move(file, target)
    new = await target.run(lambda c: c.scalar(insert(counted).returning(counted.c.id)))

    assert moved == {
        "turns": 17,
        "messages": 13,
        "runs": 0,
        "schedules": 1,
        "words": len(kept),
        "counted": 2,
    }
    assert new == 8


async def test_a_row_that_nobody_moved_is_not_kept_either(file: str, target: Database) -> None:
    await execute(
        target,
        "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF pg_trigger_depth() = 1 THEN"
        " INSERT INTO messages VALUES (NEW.turn_id, 2, false, NULL, 0, now()); END IF;"
        " RETURN NEW; END $$",
        "CREATE TRIGGER more AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION more()",
    )
    with pytest.raises(SettingsError, match="messages differ after they were moved"):
        await move(file, target)

    assert not any((await content(target)).values())


async def test_what_differs_in_the_end_is_not_kept(file: str, target: Database) -> None:
    rule = text(
        "CREATE RULE clip AS ON INSERT TO messages DO ALSO"
        " UPDATE messages SET delivered = 7 WHERE part = 1"
    )
    await target.run(lambda connection: connection.execute(rule).rowcount)
    with pytest.raises(SettingsError, match="messages differ after they were moved"):
        await move(file, target)

    assert not any((await content(target)).values())
