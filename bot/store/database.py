"""Runs operations on the database, each in a transaction, in the way that suits it best.

An operation is a function of a connection that reads and writes; it must bear to be run once more
after a rollback. What it returns has been committed when `run` returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import aiosqlite
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.pool import StaticPool

from bot.errors import StoreUnreachable
from bot.store.sqlite import BUSY_SECONDS, begin, check_file, file_of, locked, set_up

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from sqlalchemy import Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Outcome = tuple[Any, Exception | None]

SHARED_BY = 500  # operations in one transaction at most
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)  # seconds between attempts on a lost server


class Database(Protocol):
    """Where operations run."""

    dialect: str

    async def run(
        self, operation: Callable[[Connection], Result], *, ahead: bool = False
    ) -> Result:
        """Run an operation in a transaction and return its result once that is committed.

        One that goes `ahead` does not stand in line behind the others.
        """
        ...


@asynccontextmanager
async def open_database(url: str) -> AsyncGenerator[Database]:
    """Open the database, an SQLite file for this process alone; close it on leaving.

    Raises SettingsError when it cannot be used, or another process uses the file.
    """
    if not url.startswith("sqlite"):
        # Imported here, as a bot with a file has no use for the six megabytes of it.
        from bot.store.engine import open_engine  # noqa: PLC0415
        from bot.store.server import SERVER_CONNECTIONS  # noqa: PLC0415

        async with open_engine(url) as engine:
            yield ServerDatabase(engine, SERVER_CONNECTIONS)
        return
    address = make_url(url)
    await asyncio.to_thread(check_file, address)
    file = file_of(address)
    with locked(file) if file else contextlib.nullcontext():
        async with open_file(file or ":memory:") as database:
            yield database


@asynccontextmanager
async def open_file(file: str) -> AsyncGenerator[FileDatabase]:
    """Open an SQLite file that can be opened."""
    async with aiosqlite.connect(file, timeout=BUSY_SECONDS) as connection:
        database = FileDatabase(connection)
        try:
            yield database
        finally:
            await database.close()


@dataclass(slots=True)
class _Waiting(Generic[Result]):
    operation: Callable[[Connection], Result]
    done: asyncio.Future[Result]


class FileDatabase:
    """An SQLite file on one connection, where operations that wait at one moment share a commit.

    aiosqlite keeps the connection in a thread of its own; a whole transaction runs there at once.
    To send every statement there by itself costs three times as much.
    """

    dialect = "sqlite"

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._engine = _engine_on(connection)
        self._waiting: list[_Waiting[Any]] = []
        self._worker: asyncio.Task[None] | None = None

    async def run(
        self, operation: Callable[[Connection], Result], *, ahead: bool = False
    ) -> Result:
        """Run an operation, together with those that wait at the same moment: there is no line."""
        del ahead
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(operation, done))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await done

    async def close(self) -> None:
        """Finish what waits."""
        if self._worker is not None:
            await self._worker

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:SHARED_BY], self._waiting[SHARED_BY:]
                for waiting, (result, error) in zip(
                    batch, await self._outcomes(batch), strict=True
                ):
                    _tell(waiting.done, result, error)
        finally:
            self._worker = None

    async def _outcomes(self, batch: Sequence[_Waiting[Any]]) -> list[Outcome]:
        try:
            # aiosqlite has no public way to run a function in its thread.
            run: Any = self._connection._execute  # noqa: SLF001
            outcomes: list[Outcome] = await run(_transact, self._engine, batch)
        except Exception as error:  # noqa: BLE001 - it is raised where each operation is waited for
            return [(None, error)] * len(batch)
        return outcomes


def _engine_on(connection: aiosqlite.Connection) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=lambda: connection._conn,  # noqa: SLF001 - the connection that its thread holds
        poolclass=StaticPool,
        hide_parameters=True,  # or an error's text would quote the question
    )
    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", begin)
    return engine


def _transact(engine: Engine, batch: Sequence[_Waiting[Any]]) -> list[Outcome]:
    """Run operations in one transaction; if any of them fails, each in one of its own."""
    if len(batch) > 1:
        with contextlib.suppress(Exception):
            return _together(engine, batch)
    return [_alone(engine, waiting) for waiting in batch]


def _together(engine: Engine, batch: Sequence[_Waiting[Any]]) -> list[Outcome]:
    with engine.begin() as connection:
        return [(waiting.operation(connection), None) for waiting in batch]


def _alone(engine: Engine, waiting: _Waiting[Any]) -> Outcome:
    try:
        with engine.begin() as connection:
            result = waiting.operation(connection)
    except Exception as error:  # noqa: BLE001 - it is raised where the operation is waited for
        return None, error
    return result, None


def _tell(done: asyncio.Future[Any], result: object, error: Exception | None) -> None:
    if done.done():  # who waited for it was cancelled
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


class ServerDatabase:
    """A PostgreSQL, on a pool of connections; an operation outlives the loss of its connection."""

    dialect = "postgresql"

    def __init__(self, engine: AsyncEngine, connections: int) -> None:
        self.engine = engine
        self._line = asyncio.Semaphore(connections - 1)  # the last one is for who goes ahead

    async def run(
        self, operation: Callable[[Connection], Result], *, ahead: bool = False
    ) -> Result:
        """Run an operation; again where the connection was lost. Raises StoreUnreachable.

        Where the answer to a commit got lost, the operation runs twice, which it has to bear.
        """
        async with contextlib.nullcontext() if ahead else self._line:
            for pause in PAUSES:
                try:
                    return await self._once(operation)
                except StoreUnreachable as error:
                    log.warning("the database does not answer", extra={"error": str(error)})
                    await asyncio.sleep(pause)
            return await self._once(operation)

    async def _once(self, operation: Callable[[Connection], Result]) -> Result:
        try:
            async with self.engine.begin() as connection:
                return await connection.run_sync(operation)
        except DBAPIError as error:
            if not _is_lost(error):
                raise
            raise StoreUnreachable(type(error.orig).__name__) from error
        except (OSError, TimeoutError, NoConnectionLeft) as error:
            raise StoreUnreachable(type(error).__name__) from error


def _is_lost(error: DBAPIError) -> bool:
    """Whether the server is away, or on its way down or up, rather than of another opinion."""
    state = getattr(error.orig, "sqlstate", None) or ""
    # 08: connection; 57P01 to 57P03: shutting down, crashed, starting; 25006: fell back to a
    # standby; 40: deadlock and serialization, which a repeat resolves; 53300: too many connections.
    away = state.startswith(("08", "57P", "40")) or state in {"25006", "53300"}
    return error.connection_invalidated or away
