"""Processes that share a server: each lives by its lease, and nobody works on what another has."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, text

from bot.errors import StoreUnreachable
from bot.store.database import open_database
from bot.store.leases import Beat, hold_lease
from bot.store.migrate import upgrade
from bot.store.tables import processes
from bot.store.tenure import Tenure
from bot.store.turns import TurnStore
from bot.turns.turn import TurnLost
from tests.postgres import LocalPostgres, create_database, open_postgres
from tests.store.examples import THREAD, Clock, a_question, an_answer, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bot.store.database import Database
    from bot.turns.turn import Turn

QUICK = Beat(lease=0.6, pause=0.1)


@dataclass
class Replica:
    """A process at the server, as far as leases go."""

    database: Database
    tenure: Tenure
    store: TurnStore
    found: list[Turn] = field(default_factory=list)
    dropped: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def recover(self) -> int:
        found = await self.store.recover([turn.id for turn in self.found])
        self.found += found
        self.changed.set()
        return len(found)

    def drop(self) -> None:
        self.dropped += 1
        self.changed.set()

    async def until(self, *, found: int = 0, dropped: int = 0) -> None:
        async with asyncio.timeout(10):
            while len(self.found) < found or self.dropped < dropped:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def replica(url: str, beat: Beat = QUICK) -> AsyncIterator[Replica]:
    loop = asyncio.get_running_loop()
    async with open_database(url) as database:
        tenure = Tenure(loop.time)
        async with hold_lease(database, tenure, beat, loop.time) as name_heir:
            one = Replica(database, tenure, TurnStore(database, tenure, Clock()))
            name_heir(one)
            yield one


async def test_what_a_replica_left_running_is_the_next_ones_as_soon_as_it_leaves(
    postgres_url: str,
) -> None:
    async with replica(postgres_url) as heir:
        async with replica(postgres_url) as leaving:
            turn = await started(leaving.store, a_question())
        await heir.until(found=1)

    assert [found.id for found in heir.found] == [turn.id]


async def test_what_a_dead_replica_left_is_taken_over_when_its_lease_has_lapsed(
    postgres_url: str,
) -> None:
    async with AsyncExitStack() as stack:
        heir = await stack.enter_async_context(replica(postgres_url))
        dead = await stack.enter_async_context(replica(postgres_url, Beat(lease=0.6, pause=60)))
        turn = await started(dead.store, a_question())
        await heir.until(found=1)
        lost = await asyncio.gather(
            dead.store.finish_turn(turn, an_answer()), return_exceptions=True
        )

    assert [found.epoch for found in heir.found] == [turn.epoch + 1]
    assert isinstance(lost[0], TurnLost)


async def test_a_replica_that_lives_keeps_its_turns(postgres_url: str) -> None:
    async with replica(postgres_url) as one, replica(postgres_url) as other:
        turn = await started(one.store, a_question())
        for _ in range(12):  # two leases long
            other.changed.clear()
            await other.changed.wait()
        await one.store.finish_turn(turn, an_answer())

        assert other.found == []


async def test_what_one_left_is_shared_by_those_who_look_and_given_to_one_each(
    postgres_url: str,
) -> None:
    async with AsyncExitStack() as stack:
        heirs = [await stack.enter_async_context(replica(postgres_url)) for _ in range(3)]
        async with replica(postgres_url) as leaving:
            for n in range(20):
                thread = replace(THREAD, thread_ts=f"{n}.1")
                await started(leaving.store, a_question(f"{n}.1", thread=thread))
        async with asyncio.timeout(10):
            while sum(len(heir.found) for heir in heirs) < 20:
                heirs[0].changed.clear()
                await heirs[0].changed.wait()
        ids = [turn.id for heir in heirs for turn in heir.found]

    assert len(set(ids)) == len(ids) == 20


@pytest.fixture
def own_server() -> Iterator[LocalPostgres]:
    """A server that a test may kill."""
    with open_postgres() as server:
        yield server


async def test_who_cannot_renew_stops_before_others_may_begin_and_goes_on_as_another_later(
    own_server: LocalPostgres,
) -> None:
    url = await create_database(own_server.url)
    async with open_database(url) as database:
        await upgrade(database)
    async with replica(url) as one:
        turn = await started(one.store, a_question())
        before = one.tenure.owner
        await asyncio.to_thread(own_server.kill)
        await one.until(dropped=1)
        refused = await asyncio.gather(
            one.store.finish_turn(turn, an_answer()), return_exceptions=True
        )
        await asyncio.to_thread(own_server.start)
        await one.until(found=1)

        assert isinstance(refused[0], TurnLost | StoreUnreachable)
        assert one.tenure.owner != before
        assert one.found[0].id == turn.id


async def test_an_operation_outlives_the_loss_of_its_connections(
    postgres_url: str,
) -> None:
    ending = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with open_database(postgres_url) as one, open_database(postgres_url) as other:
        for _ in range(3):
            await asyncio.gather(*(one.run(lambda c: c.scalar(text("SELECT 1"))) for _ in range(5)))
            await other.run(lambda connection: connection.scalar(ending))
            count = await one.run(lambda c: c.scalar(select(func.count()).select_from(processes)))

            assert count == 0


async def test_a_server_that_stays_away_is_told_after_a_while(own_server: LocalPostgres) -> None:
    url = await create_database(own_server.url)
    async with open_database(url) as database:
        await asyncio.to_thread(own_server.kill)
        with pytest.raises(StoreUnreachable):
            await database.run(lambda connection: connection.scalar(text("SELECT 1")))


async def test_who_is_only_busy_is_not_taken_for_dead(postgres_url: str) -> None:
    async with replica(postgres_url) as busy, replica(postgres_url) as heir:
        turn = await started(busy.store, a_question())
        long = text("SELECT pg_sleep(0.8)")  # more than a lease
        work = [busy.database.run(lambda c: c.execute(long).rowcount) for _ in range(30)]
        await asyncio.gather(*work)
        await busy.store.finish_turn(turn, an_answer())

        assert (busy.dropped, heir.found) == (0, [])
