"""Research in the database: its run at the model's server, and what was searched so far."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, bindparam, exists, func, select, update

from bot.store.messages import INSERTS
from bot.store.rows import question_of
from bot.store.statements import IS_OPEN, QUESTION, in_thread, place
from bot.store.tables import UtcDateTime, runs, turns
from bot.store.tenure import IS_OURS, refuse
from bot.turns.answer import Search, Usage
from bot.turns.prices import NOTHING_SPENT, Spent
from bot.turns.research import Ran, Run, Running
from bot.turns.turn import TurnState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Executable, Row

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

_OF_THREAD = select(turns.c.id).where(in_thread())
_IS_ANSWER = select(
    exists().where(runs.c.turn_id.in_(_OF_THREAD), runs.c.taken_up_by == bindparam("of_ts"))
)
_TAKE_UP = (
    update(runs)
    .where(
        runs.c.turn_id.in_(
            _OF_THREAD.where(
                turns.c.user == bindparam("of_user"), turns.c.state == TurnState.ANSWERED
            )
        ),
        IS_OPEN,
    )
    .values(taken_up_by=bindparam("of_ts"))
)

_STOP_WAITING = (
    update(turns)
    .where(
        in_thread(),
        turns.c.kind == "research",
        turns.c.state == TurnState.WAITING,
        turns.c.user == func.coalesce(bindparam("of_user", type_=String), turns.c.user),
    )
    .values(
        state=TurnState.STOPPED,
        ended_at=bindparam("new_at", type_=UtcDateTime),
        updated_at=bindparam("new_at", type_=UtcDateTime),
    )
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
        where = place(turn.question.thread) | {"of_ts": turn.question.ts}

        def operation(connection: Connection) -> Run:
            connection.execute(self._begin, new)
            is_answer = bool(connection.scalar(_IS_ANSWER, where))
            return _run_of(connection.execute(_RUN, key).one(), is_answer=is_answer)

        return await self._database.run(operation)

    async def note(
        self, turn: Turn, response_id: str, sequence_number: int | None, ran: Sequence[Ran]
    ) -> None:
        """Record how far it has come by now."""
        new = {"new_sequence_number": sequence_number, "new_trail": _written(ran)}
        await self._record(turn, _NOTE, response_id, new)

    async def prepare(self, turn: Turn, run: Run) -> None:
        """Record what is asked before a run, and what is to be researched."""
        questions = None if run.questions is None else json.dumps(run.questions)
        new = {"questions": questions, "brief": run.brief, "spent": _written_spent(run.spent)}
        await self._record(turn, update(runs).where(_OF_TURN).values(**new))

    async def take_up(self, question: Question) -> bool:
        """Take a message for the answer to what was asked last in its thread, of this person.

        False where nothing was, or where that is taken up already, by another message or by the
        button: of both, one counts.
        """
        key = place(question.thread) | {"of_user": question.user, "of_ts": question.ts}

        def operation(connection: Connection) -> bool:
            if connection.scalar(_IS_ANSWER, key):
                return True  # the same message once more
            return bool(connection.execute(_TAKE_UP, key).rowcount)

        return await self._database.run(operation)

    async def brief(self, turn_id: int) -> str:
        """Return what was to be researched in a run."""
        found = select(runs.c.brief).where(_OF_TURN)
        return await self._database.run(lambda c: c.scalar(found, {"of_turn": turn_id})) or ""

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

    async def stop_waiting(self, thread: Thread, user: str | None = None) -> bool:
        """Take back research that waits for its turn there, of this person or of anybody."""
        key = place(thread) | {"of_user": user, "new_at": self._clock()}
        return await self._database.run(lambda c: bool(c.execute(_STOP_WAITING, key).rowcount))

    async def running_in(self, thread: Thread) -> Running | None:
        """Return the run that goes on in a thread."""
        found = (
            select(turns.c.id, turns.c.user)
            .join(runs, runs.c.turn_id == turns.c.id)
            .where(in_thread(), turns.c.state == TurnState.RUNNING)
        )
        key = place(thread)
        row = await self._database.run(lambda c: c.execute(found, key).one_or_none())
        return None if row is None else Running(row.id, row.user)

    async def question(self, turn_id: int) -> Question | None:
        """Return what was asked with a turn; None where there is no such."""
        key = {"of_turn": turn_id}
        row = await self._database.run(lambda c: c.execute(QUESTION, key).one_or_none())
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

    async def _record(
        self,
        turn: Turn,
        statement: Executable,
        response_id: str | None = None,
        new: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        key = {**self._tenure.key(turn), "new_response_id": response_id}

        def operation(connection: Connection) -> None:
            if not connection.execute(_GOT_ON, key).rowcount:
                refuse(connection, key, "noted")
            connection.execute(statement, {**key, **new})

        await self._database.run(operation)


def _run_of(row: Row[Any], *, is_answer: bool = False) -> Run:
    return Run(
        began_at=row.began_at,
        response_id=row.response_id,
        sequence_number=row.sequence_number,
        ran=tuple(map(_read, json.loads(row.trail))),
        questions=None if row.questions is None else tuple(json.loads(row.questions)),
        is_taken_up=row.taken_up_by is not None,
        is_answer=is_answer,
        brief=row.brief,
        spent=_read_spent(row.spent),
    )


def _written_spent(spent: Spent) -> str:
    return json.dumps({"usage": spent.usage and asdict(spent.usage), "usd": spent.usd})


def _read_spent(said: str | None) -> Spent:
    if said is None:
        return NOTHING_SPENT
    read = json.loads(said)
    return Spent(read["usage"] and Usage(**read["usage"]), read["usd"])


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
