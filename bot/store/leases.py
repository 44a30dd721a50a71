"""Says again and again that this process lives, and looks for what dead ones left.

Among processes at one server, each holds a lease by the server's clock. Who cannot renew it stops
before the others may begin with its turns, as its own clock started earlier than the lease did.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import bindparam, delete, func, null, update
from sqlalchemy.dialects import postgresql

from bot.errors import FootnoteError
from bot.store.tables import processes, turns
from bot.turns.turn import OWNED

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from sqlalchemy import Connection

    from bot.store.database import Database
    from bot.store.tenure import Tenure

log = logging.getLogger(__name__)

MARGIN = 0.9  # of a lease, after which its holder stops
JITTER = 0.2  # of a beat, so that processes started together do not look at the same moment


class Heir(Protocol):
    """Who goes on with what dead processes left."""

    async def recover(self) -> int:
        """Take over some of it; return how much that was."""
        ...

    def drop(self) -> None:
        """Leave everything at once: by now other processes may be working on it."""
        ...


@dataclass(frozen=True, slots=True)
class Beat:
    """How often, in seconds. What a dead process left is taken over after both together."""

    lease: float = 6.0
    pause: float = 2.0


@asynccontextmanager
async def hold_lease(
    database: Database, tenure: Tenure, beat: Beat, clock: Callable[[], float]
) -> AsyncGenerator[Callable[[Heir], None]]:
    """Hold a lease, which is given up on leaving with all turns; yields what names the heir.

    A file belongs to one process and needs no lease; there only what was forgotten is looked for.
    """
    lease = _Lease(database, tenure, beat, clock)
    await lease.renew()
    tasks: list[asyncio.Task[None]] = []
    try:

        def name_heir(heir: Heir) -> None:
            beats = (lease.keep(heir), lease.look(heir))
            tasks.extend(asyncio.create_task(beat) for beat in beats)

        yield name_heir
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await lease.leave()
        except Exception as error:  # noqa: BLE001 - then it lapses
            log.warning("the lease could not be given up", extra={"error": type(error).__name__})


class _Lease:
    def __init__(
        self, database: Database, tenure: Tenure, beat: Beat, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._tenure = tenure
        self._beat = beat
        self._clock = clock

    async def keep(self, heir: Heir) -> None:
        """Renew the lease for ever; where that was not to be done in time, the heir drops all."""
        while True:
            await self._beat_once("the lease is not renewed", self.renew)
            if self._tenure.lapsed:
                self._tenure.end()
                heir.drop()
                log.error("the lease was not renewed in time; all turns are left to the others")

    async def look(self, heir: Heir) -> None:
        """Have the heir look for ever for what was left."""

        async def all_of_it() -> None:
            while await heir.recover():
                log.info("going on with what was left")

        while True:
            await self._beat_once("what was left is not looked for", all_of_it)

    async def _beat_once(self, otherwise: str, act: Callable[[], Awaitable[object]]) -> None:
        try:
            async with asyncio.timeout(self._beat.lease):
                await act()
        except (FootnoteError, TimeoutError) as error:
            log.warning(otherwise, extra={"error": type(error).__name__})
        except Exception:  # the next time may go better
            log.exception("a beat failed in an unforeseen way")
        await asyncio.sleep(self._beat.pause * random.uniform(1 - JITTER, 1))  # noqa: S311

    async def renew(self) -> None:
        """Say that this process lives."""
        if self._database.dialect == "sqlite":
            return
        began = self._clock()
        lease = {"of_owner": self._tenure.owner, "new_seconds": self._beat.lease}
        # Ahead of all others: who is only busy is not to be taken for dead.
        await self._database.run(lambda c: c.execute(_RENEW, lease).rowcount, ahead=True)
        self._tenure.renew(began + self._beat.lease * MARGIN)

    async def leave(self) -> None:
        """Give all turns to who takes them first."""
        key = {"of_owner": self._tenure.owner}

        def operation(connection: Connection) -> None:
            connection.execute(_LEAVE, key)
            connection.execute(_DIE, key)

        await self._database.run(operation)


_UNTIL = func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, bindparam("new_seconds"))
_RENEW = (
    postgresql.insert(processes)
    .values(id=bindparam("of_owner"), lease_until=_UNTIL)
    .on_conflict_do_update(index_elements=["id"], set_={"lease_until": _UNTIL})
)
_LEAVE = (
    update(turns)
    .where(turns.c.owner == bindparam("of_owner"), turns.c.state.in_(OWNED))
    .values(owner=null())
)
_DIE = delete(processes).where(processes.c.id == bindparam("of_owner"))
