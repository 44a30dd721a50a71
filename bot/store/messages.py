"""The messages of turns: each recorded before Slack is asked to show it, and after it did.

Every record is made only while the turn is this process's, so to record a step is also to ask
whether it may be taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    Boolean,
    Integer,
    and_,
    bindparam,
    delete,
    exists,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.tables import UtcDateTime, messages, turns
from bot.store.tenure import IS_OURS, refuse
from bot.turns.turn import Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Executable, Table

    from bot.store.database import Database
    from bot.store.tenure import Tenure
    from bot.turns.question import Thread
    from bot.turns.turn import Turn

# ON CONFLICT is spelt alike in both, but each dialect has its own Insert for it.
INSERTS: dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}

_OURS = exists().where(IS_OURS)
_PART = and_(messages.c.turn_id == bindparam("of_turn"), messages.c.part == bindparam("of_part"))
_CONFIRM = update(messages).where(_PART, _OURS).values(ts=bindparam("new_ts"))
_DELIVER = update(messages).where(_PART, _OURS).values(delivered=bindparam("new_delivered"))
_FORGET = delete(messages).where(_PART, _OURS)
_KNOWN = (
    select(messages.c.ts)
    .join(turns, turns.c.id == messages.c.turn_id)
    .where(
        turns.c.team == bindparam("of_team"),
        turns.c.channel == bindparam("of_channel"),
        turns.c.thread_ts == bindparam("of_thread_ts"),
        messages.c.ts.is_not(None),
    )
)


class MessageStore:
    """Records the messages of turns. Raises TurnLost where a turn is no longer ours."""

    def __init__(self, database: Database, tenure: Tenure, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._tenure = tenure
        self._clock = clock
        self._intend = _intend(database.dialect)

    async def intend(self, turn: Turn, part: int, *, streamed: bool) -> None:
        """Record that a message is about to be posted."""
        new = {"new_streamed": streamed, "new_intended_at": self._clock()}
        key = {**self._tenure.key(turn), "of_part": part, **new}
        await self._database.run(lambda c: _record(c, self._intend, key, "given a message"))

    async def confirm(self, turn: Turn, part: int, ts: str) -> None:
        """Record that Slack has it, under this ts."""
        await self._step(_CONFIRM, turn, part, {"new_ts": ts})

    async def deliver(self, turn: Turn, part: int, characters: int) -> None:
        """Record how much text Slack has of it, before it is given more."""
        await self._step(_DELIVER, turn, part, {"new_delivered": characters})

    async def forget(self, turn: Turn, part: int) -> None:
        """Record that it is not there: Slack refused it, or it was deleted."""
        await self._step(_FORGET, turn, part, {})

    async def known(self, thread: Thread) -> frozenset[str]:
        """Return the ts of all messages that turns of this thread are known to have there."""
        place = {
            "of_team": thread.team,
            "of_channel": thread.channel,
            "of_thread_ts": thread.thread_ts,
        }
        return await self._database.run(lambda c: frozenset(c.scalars(_KNOWN, place)))

    async def _step(
        self, statement: Executable, turn: Turn, part: int, new: Mapping[str, object]
    ) -> None:
        key = {**self._tenure.key(turn), "of_part": part, **new}
        await self._database.run(lambda c: _record(c, statement, key, "shown"))


def sent_by(connection: Connection, turn_ids: Sequence[int]) -> dict[int, tuple[Sent, ...]]:
    """Return the messages of turns, in order of their parts."""
    statement = select(messages).where(messages.c.turn_id.in_(turn_ids)).order_by(messages.c.part)
    sent: dict[int, tuple[Sent, ...]] = {}
    for row in connection.execute(statement):
        message = Sent(row.part, row.ts, row.streamed, row.intended_at)
        sent[row.turn_id] = (*sent.get(row.turn_id, ()), message)
    return sent


def _intend(dialect: str) -> Executable:
    values = select(
        bindparam("of_turn", type_=Integer),
        bindparam("of_part", type_=Integer),
        bindparam("new_streamed", type_=Boolean),
        bindparam("new_intended_at", type_=UtcDateTime),
        literal(0),
    ).where(_OURS)
    columns = ["turn_id", "part", "streamed", "intended_at", "delivered"]
    statement = INSERTS[dialect](messages).from_select(columns, values)
    return statement.on_conflict_do_update(
        index_elements=["turn_id", "part"],
        set_={
            "streamed": statement.excluded.streamed,
            "intended_at": statement.excluded.intended_at,
            "delivered": 0,
            "ts": null(),
        },
    ).returning(messages.c.part)


def _record(
    connection: Connection, statement: Executable, key: Mapping[str, object], wanted: str
) -> None:
    result = connection.execute(statement, key)
    changed = result.first() is not None if result.returns_rows else result.rowcount
    if not changed:
        refuse(connection, key, wanted)
