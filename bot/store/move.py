"""Moves everything from an SQLite file to a PostgreSQL that is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, func, insert, select, text, tuple_
from sqlalchemy.engine import URL

from bot.errors import SettingsError
from bot.store.tables import metadata, processes, unsupported
from bot.turns.characters import whole_characters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection, Table

    from bot.store.database import Database

    Rows = list[dict[str, Any]]

BATCH = 500  # rows
# Processes are those of one database, and what a model's server supports is soon found out again.
STAYS = (processes, unsupported)
# In the order in which each finds what it refers to.
TABLES = tuple(table for table in metadata.sorted_tables if table not in STAYS)


async def move(file: str, target: Database) -> Mapping[str, int]:
    """Copy the tables of a file into a server's, compare them, and say how many rows each has.

    Both must have this version's tables, and nobody may write to the file. All of it is one
    transaction: a failure leaves the target as it was. What was being answered is gone on with by
    the first bot that starts there. Raises SettingsError where the target is not empty, or holds
    something else in the end.
    """
    engine = create_engine(URL.create("sqlite", database=file), hide_parameters=True)

    def operation(connection: Connection) -> dict[str, int]:
        with engine.connect() as source:
            return _copy(source, connection)

    try:
        return await target.run(operation)
    finally:
        engine.dispose()


def _copy(source: Connection, target: Connection) -> dict[str, int]:
    names = ", ".join(table.name for table in TABLES)
    target.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))
    for table in TABLES:
        _check_empty(target, table)
    return {table.name: _copy_table(source, target, table) for table in TABLES}


def _check_empty(target: Connection, table: Table) -> None:
    count = target.scalar(select(func.count()).select_from(table))
    if count:
        raise SettingsError(
            f"The database of DATABASE_URL has {count} {table.name} already: name an empty one."
        )


def _copy_table(source: Connection, target: Connection, table: Table) -> int:
    count = 0
    for rows in _moved(source, table):
        target.execute(insert(table), rows)
        count += len(rows)
    for rows in _moved(source, table):
        if not _are_there(target, table, rows):
            raise _differs(table)
    if target.scalar(select(func.count()).select_from(table)) != count:
        raise _differs(table)
    _go_on_counting(source, target, table)
    return count


def _are_there(target: Connection, table: Table, rows: Rows) -> bool:
    """Look rows up by their keys, as the order of texts is another one in each database."""
    keys = tuple_(*table.primary_key).in_([_key(table, row) for row in rows])
    found = target.execute(select(table).where(keys)).mappings()
    return {_key(table, row): dict(row) for row in found} == {_key(table, row): row for row in rows}


def _key(table: Table, row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key)


def _differs(table: Table) -> SettingsError:
    return SettingsError(f"The {table.name} differ after they were moved. Nothing was kept.")


def _moved(source: Connection, table: Table) -> Iterator[Rows]:
    """Yield a table's rows as they are to be: nobody's, in characters that PostgreSQL stores."""
    for rows in _batches(source, table):
        yield [{name: _fit(name, value) for name, value in row.items()} for row in rows]


def _fit(name: str, value: object) -> object:
    if name == "owner":
        return None
    # SQLite has taken NULs, which PostgreSQL does not.
    return whole_characters(value) if type(value) is str else value


def _batches(source: Connection, table: Table) -> Iterator[Rows]:
    """Yield a table's rows in the order of their key, some at a time."""
    key = tuple_(*table.primary_key)
    statement = select(table).order_by(*table.primary_key).limit(BATCH)
    rows: Rows = [dict(row) for row in source.execute(statement).mappings()]
    while rows:
        yield rows
        following = source.execute(statement.where(key > _key(table, rows[-1])))
        rows = [dict(row) for row in following.mappings()]


def _go_on_counting(source: Connection, target: Connection, table: Table) -> None:
    """Give new rows higher ids than any that the file has given."""
    column = table.autoincrement_column
    if column is None:
        return
    given = source.scalar(
        text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}
    )
    highest = source.scalar(select(func.max(column)))
    if given or highest:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        target.execute(select(func.setval(sequence, max(given or 0, highest or 0))))
