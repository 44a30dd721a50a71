"""Research in the database: its run at the model's server, and what was searched so far."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update

from bot.store.messages import INSERTS
from bot.store.rows import question_of
from bot.store.statements import TURN
from bot.store.tables import UtcDateTime, runs, turns
from bot.store.tenure import IS_OURS, refuse
from bot.turns.answer import Search
from bot.turns.research import Ran, Run, Running
from bot.turns.turn import TurnState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from bot.store.database import Database
    from bot.store.tenure import Tenure
    from bot.turns.question import Question, Thread
    from bot.turns.turn import Turn

_OF_TURN = runs.c.turn_id == bindparam("of_turn")
_RUN = select(runs).where(_OF_TURN)
# Who gets on has not died over it: attempts are counted from the last step on.
_GOT_ON = update(turns).where(IS_OURS).values(attempt=1, response_id=bindparam("new_response_id"))
_NOTE = (
    update(runs)
    .where(_OF_TURN)
    .values(
        response_id=bindparam("new_response_id"),
        sequence_number=bindparam("new_sequence_number"),
        trail=bindparam("new_trail"),
    )
)
_ASK_STOP = (
    update(runs)
    .where(
        _OF_TURN,
        runs.c.stop_asked_at.is_(None),
        runs.c.turn_id.in_(select(turns.c.id).where(turns.c.state == TurnState.RUNNING)),
    )
    .values(stop_asked_at=bindparam("new_at", type_=UtcDateTime))
)


class RunStore:
    """The runs of turns. A step of a run raises TurnLost where the turn is no longer ours."""

    def __init__(self, database: Database, tenure: Tenure, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._tenure = tenure
        self._clock = clock
        self._begin = INSERTS[database.dialect](runs).on_conflict_do_nothing()

    async def begin(self, turn: Turn) -> Run:
        """Return how far the run of a turn has come; a new one begins now."""
        key = self._tenure.key(turn)
        new = {"turn_id": turn.id, "began_at": self._clock(), "trail": "[]"}

        def operation(connection: Connection) -> Run:
            connection.execute(self._begin, new)
            return _run_of(connection.execute(_RUN, key).one())

        return await self._database.run(operation)

    async def note(
        self, turn: Turn, response_id: str, sequence_number: int | None, ran: Sequence[Ran]
    ) -> None:
        """Record how far it has come by now."""
        key = {**self._tenure.key(turn), "new_response_id": response_id}
        new = {"new_sequence_number": sequence_number, "new_trail": _written(ran)}

        def operation(connection: Connection) -> None:
            if not connection.execute(_GOT_ON, key).rowcount:
                refuse(connection, key, "noted")
            connection.execute(_NOTE, {**key, **new})

        await self._database.run(operation)

    async def ask_stop(self, turn_id: int) -> bool:
        """Have a run stopped, by whoever works on it; False where none runs."""
        key = {"of_turn": turn_id, "new_at": self._clock()}
        return await self._database.run(lambda c: bool(c.execute(_ASK_STOP, key).rowcount))

    async def ask_stop_of(self, team: str, channel: str, ts: str) -> bool:
        """Have the run of a question stopped, which was deleted; False where none runs."""
        found = select(turns.c.id).where(
            turns.c.team == team, turns.c.channel == channel, turns.c.ts == ts
        )
        turn_id = await self._database.run(lambda c: c.scalar(found))
        return turn_id is not None and await self.ask_stop(turn_id)

    async def running_in(self, thread: Thread) -> Running | None:
        """Return the run that goes on in a thread."""
        found = (
            select(turns.c.id, turns.c.user)
            .join(runs, runs.c.turn_id == turns.c.id)
            .where(
                turns.c.team == thread.team,
                turns.c.channel == thread.channel,
                turns.c.thread_ts == thread.thread_ts,
                turns.c.state == TurnState.RUNNING,
            )
        )
        row = await self._database.run(lambda c: c.execute(found).one_or_none())
        return None if row is None else Running(row.id, row.user)

    async def question(self, turn_id: int) -> Question | None:
        """Return what was asked with a turn; None where there is no such."""
        found = select(*TURN).where(turns.c.id == turn_id)
        row = await self._database.run(lambda c: c.execute(found).one_or_none())
        return None if row is None else question_of(row)

    async def is_stop_asked(self, turn: Turn) -> bool:
        """Whether somebody wants the run stopped."""
        run = await self._database.run(
            lambda c: c.execute(_RUN, {"of_turn": turn.id}).one_or_none()
        )
        return run is not None and run.stop_asked_at is not None

    async def ran(self, turn_id: int) -> tuple[Ran, ...]:
        """Return what was searched and read in a run."""
        run = await self._database.run(
            lambda c: c.execute(_RUN, {"of_turn": turn_id}).one_or_none()
        )
        return () if run is None else _run_of(run).ran


def _run_of(row: Row[Any]) -> Run:
    return Run(
        began_at=row.began_at,
        response_id=row.response_id,
        sequence_number=row.sequence_number,
        ran=tuple(map(_read, json.loads(row.trail))),
    )


def _written(ran: Sequence[Ran]) -> str:
    return json.dumps(
        [
            {
                "key": each.key,
                "kind": each.search.kind,
                "queries": each.search.queries,
                "url": each.search.url,
                "seconds": round(each.seconds, 1),
                "failed": each.failed,
            }
            for each in ran
        ]
    )


def _read(item: dict[str, Any]) -> Ran:
    search = Search(item["kind"], tuple(item["queries"]), item["url"])
    return Ran(search, item["seconds"], item["failed"], item["key"])
