"""A Slack, a database and the processes that share them, taken forward step by step."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import delete, text, update

from bot.store.database import open_database
from bot.store.tables import messages, metadata, processes, turns
from tests.machine.gates import Outcome
from tests.machine.loop import StepLoop
from tests.machine.outside import InOneThread, local_slack
from tests.machine.people import People
from tests.machine.process import Process
from tests.machine.watch import Watch

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from sqlalchemy import ColumnElement, Connection

    from bot.playground.slack import LocalSlack
    from bot.store.database import Database
    from tests.machine.gates import Gate

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POSTING = {"chat.postMessage", "chat.startStream"}


class Storage(Protocol):
    """Where the database is."""

    def open(self, loop: StepLoop) -> Database:
        """Return it empty, as it was when the world began."""
        ...

    def close(self, loop: StepLoop) -> None:
        """Leave it."""
        ...


class InMemory:
    """An SQLite in memory."""

    def __init__(self) -> None:
        self._file = InOneThread()

    def open(self, loop: StepLoop) -> Database:
        database = self._file.opened()
        loop.run(database.run(metadata.create_all))
        return database

    def close(self, loop: StepLoop) -> None:
        del loop
        self._file.close()


class OnServer:
    """A PostgreSQL that has all tables."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened: AbstractAsyncContextManager[Database] | None = None

    def open(self, loop: StepLoop) -> Database:
        self._opened = open_database(self._url)
        database = loop.run(self._opened.__aenter__())
        loop.run(database.run(_empty))
        return database

    def close(self, loop: StepLoop) -> None:
        assert self._opened is not None
        loop.run(self._opened.__aexit__(None, None, None))


def _empty(connection: Connection) -> None:
    for table in (messages, turns, processes):
        connection.execute(delete(table))
    connection.execute(text("ALTER SEQUENCE turns_id_seq RESTART"))


class World:
    """Everything there is."""

    def __init__(self, storage: Storage) -> None:
        self.loop = StepLoop()
        self.slack: LocalSlack = local_slack(self.loop.time)
        self.people = People(self.slack)
        self.told: list[str] = []  #: questions whose askers were told something alone
        self.processes: list[Process] = []
        self._storage = storage
        self._moments = itertools.count()
        self.database = storage.open(self.loop)
        self.watch = Watch(self.database)

    def now(self) -> datetime:
        """Return the time of day; no two moments are the same."""
        return NOON + timedelta(seconds=self.loop.time(), microseconds=next(self._moments))

    @property
    def is_shared(self) -> bool:
        """Whether several processes may use the database at one time."""
        return self.database.dialect != "sqlite"

    @property
    def alive(self) -> list[Process]:
        """The processes that were not killed yet."""
        return [process for process in self.processes if not process.is_dead]

    @property
    def hearing(self) -> list[Process]:
        """The processes that Slack delivers to."""
        return [p for p in self.alive if p.hears and (self.is_shared or not p.is_stalled)]

    def start(self) -> Process:
        """Start a process, and let it come so far that it hears."""
        process = Process(self, self.database)
        self.processes.append(process)
        self.loop.run_until_idle()
        while process.listeners is None:
            self.open(process, process.gates.waiting[0])
        if not self.is_shared:
            self.watch.living = {process.tenure.owner}
        return process

    def openable(self, process: Process) -> list[Gate]:
        """Return what a process may do next.

        Two processes at one file are none of the bot's cases, but one that stood still knows of no
        other: it goes on with the turns that it has in hand, and with nothing else.
        """
        if self.is_shared or not process.is_stalled:
            return process.gates.in_order()
        return [gate for gate in process.gates.in_order() if gate.turn is not None]

    def open(self, process: Process, gate: Gate, outcome: Outcome = Outcome.WELL) -> None:
        """Let a process make one call, and run until it waits before the next ones."""
        process.gates.open(gate, outcome)
        self.loop.run_until_idle()

    def stall(self, process: Process, *, knows: bool) -> None:
        """Let a process stand still until others may take its turns.

        What it has on its way to Slack arrives before that, except for new messages: those are
        looked for by who takes over, and taken back by who comes late.
        """
        for gate in [gate for gate in process.gates.in_order() if gate.kind == "slack"]:
            if gate.name not in POSTING:
                self.open(process, gate)
        process.stall(knows=knows)
        self.lapse(process)

    def lapse(self, process: Process) -> None:
        """Let the lease of a process lapse."""
        if self.is_shared:
            self._lapse(processes.c.id == process.tenure.owner)
        else:
            self.watch.living.discard(process.tenure.owner)

    def lapse_others(self, process: Process) -> None:
        """Let all leases lapse but that of one process."""
        if self.is_shared:
            self._lapse(processes.c.id != process.tenure.owner)

    def _lapse(self, which: ColumnElement[bool]) -> None:
        ago = text("now() - interval '1 second'")
        lapse = update(processes).where(which).values(lease_until=ago)
        self.loop.run(self.database.run(lambda connection: connection.execute(lapse).rowcount))
        self.loop.run(self.watch.look())

    def comes_late(self, process: Process) -> bool:
        """Whether a process is about to post for a turn that is another's by now.

        It takes the message back, unless it dies in that very moment too.
        """
        turns = [gate.turn for gate in process.gates.waiting if gate.turn is not None]
        return not all(self.watch.is_owned(turn) for turn in turns)

    def close(self) -> None:
        """Leave nothing behind."""
        for process in self.alive:
            process.kill(acts=False)
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_idle()
        self._storage.close(self.loop)
        self.loop.close()
