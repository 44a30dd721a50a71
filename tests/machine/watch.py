"""Looks at the database after each operation, and notes what may not be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from bot.store.tables import messages, processes, turns
from bot.turns.turn import ATTEMPTS, MAY_FOLLOW, OWNED, TurnState
from tests.machine.gates import WORKED_ON

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, RowMapping

    from bot.store.database import Database
    from bot.turns.turn import Turn

# One operation may take a turn two steps on.
THROUGH_WAITING = {
    (state, TurnState.RUNNING) for state, later in MAY_FOLLOW.items() if TurnState.WAITING in later
}


@dataclass(frozen=True)
class Row:
    """A turn as it is stored, with its messages."""

    id: int
    state: TurnState
    place: tuple[str, str]  #: channel and thread_ts
    ts: str
    ts_order: int
    text: str
    owner: str | None
    epoch: int
    attempt: int
    previous_response_id: str | None
    response_id: str | None
    messages: tuple[tuple[int, str | None], ...]  #: by part


@dataclass
class Watch:
    """What is stored, and what was wrong about it at any time."""

    database: Database
    rows: dict[int, Row] = field(default_factory=dict)
    living: set[str] = field(default_factory=set)  #: owners whom nobody may take a turn from
    faults: list[str] = field(default_factory=list)
    presses: Counter[int] = field(default_factory=Counter)  #: of "Try again", by turn
    deleted: set[str] = field(default_factory=set)  #: ts of questions
    answered: dict[tuple[str, str], str] = field(default_factory=dict)  #: the last response

    async def look(self) -> None:
        """Compare what is stored with what was stored before."""
        before, living = self.rows, self.living
        self.rows, leases = await self.database.run(self._read)
        if self.database.dialect != "sqlite":
            self.living = leases
        for row in self.rows.values():
            earlier = before.get(row.id)
            if row == earlier:
                continue
            self._check_move(earlier, row)
            self._check_owner(earlier, row, living)
            self._check_start(earlier, row)
            if row.state is TurnState.ANSWERED and row.response_id:
                self.answered[row.place] = row.response_id
        if before.keys() - self.rows.keys():
            self.faults.append("a turn is gone")

    def shows(self, method: str) -> None:
        """Take note that a process is about to show something of a turn."""
        turn = WORKED_ON.get()
        if turn is None or not self.is_owned(turn):
            self.faults.append(
                f"{method} of {turn}, which is {self.rows.get(turn.id if turn else 0)}"
            )

    def withdrawn(self, ts: str) -> None:
        """Take note that a process has dealt with the deletion of a question."""
        if any(row.ts == ts for row in self.in_state(TurnState.WAITING)):
            self.faults.append(f"deleted, and waits: {ts}")

    def asks(self, turn: Turn) -> None:
        """Take note that a process is about to ask the model."""
        if turn.attempt > ATTEMPTS or not self.is_owned(turn):
            self.faults.append(f"the model is asked by {turn}, which is {self.rows[turn.id]}")

    def is_owned(self, turn: Turn) -> bool:
        """Whether nobody has taken a turn away from who has it in this form."""
        row = self.rows[turn.id]
        return row.epoch == turn.epoch and row.owner is not None and row.state in OWNED

    def in_state(self, *states: TurnState) -> list[Row]:
        """Return the turns that stand there."""
        return [row for row in self.rows.values() if row.state in states]

    def _check_move(self, before: Row | None, row: Row) -> None:
        if before is None:
            if row.state not in {TurnState.PLACING, TurnState.WAITING, TurnState.RUNNING}:
                self.faults.append(f"begins like this: {row}")
            return
        move = (before.state, row.state)
        is_allowed = row.state in MAY_FOLLOW[before.state] or move in THROUGH_WAITING
        if before.state is TurnState.FAILED and is_allowed:
            self.presses[row.id] -= 1
            is_allowed = self.presses[row.id] >= 0
        if row.state is TurnState.STOPPED:  # nobody presses Stop
            is_allowed = before.state is TurnState.WAITING and row.ts in self.deleted
        if before.state is not row.state and not is_allowed:
            self.faults.append(f"was {before.state} and is {row}")

    def _check_owner(self, before: Row | None, row: Row, living: set[str]) -> None:
        turn = WORKED_ON.get()
        if before is None:
            return
        if turn is not None and turn.id == row.id and turn.epoch != before.epoch:
            self.faults.append(f"changed by who has lost it: {before}, {row}")
        if row.owner not in {before.owner, None} and row.epoch == before.epoch:
            self.faults.append(f"another's without a new epoch: {before}, {row}")
        is_given_up = before.owner is not None and row.owner is None and row.state in OWNED
        if turn is not None and is_given_up and row.attempt != before.attempt - 1:
            self.faults.append(f"handed over, and counted as an attempt: {before}, {row}")
        is_taken_over = before.state in OWNED and before.state is row.state
        if not is_taken_over or row.epoch == before.epoch:
            return
        if before.owner in living and before.owner != row.owner:
            self.faults.append(f"taken from a process that lives: {before}, {row}")

    def _check_start(self, before: Row | None, row: Row) -> None:
        if row.state is not TurnState.RUNNING or (before and before.state is TurnState.RUNNING):
            return
        there = [other for other in self.rows.values() if other.place == row.place]
        if any(other.state is TurnState.RUNNING and other != row for other in there):
            self.faults.append(f"two turns run in one thread: {there}")
        waiting = (other for other in there if other.state is TurnState.WAITING)
        if any(other.ts_order < row.ts_order for other in waiting):
            self.faults.append(f"started before an earlier one: {row}, {there}")
        if row.previous_response_id != self.answered.get(row.place):
            self.faults.append(f"chained to another answer than the last one: {row}")

    @staticmethod
    def _read(connection: Connection) -> tuple[dict[int, Row], set[str]]:
        sent = list(connection.execute(select(messages).order_by(messages.c.part)))
        rows = {
            row["id"]: _row(row, ((m.part, m.ts) for m in sent if m.turn_id == row["id"]))
            for row in connection.execute(select(turns).order_by(turns.c.id)).mappings()
        }
        if connection.dialect.name == "sqlite":
            return rows, set()
        lives = select(processes.c.id).where(processes.c.lease_until > func.now())
        return rows, set(connection.scalars(lives))


def _row(row: RowMapping, sent: Iterable[tuple[int, str | None]]) -> Row:
    fields = {name: row[name] for name in Row.__dataclass_fields__ if name in row}
    place = (row["channel"], row["thread_ts"])
    return Row(**fields, place=place, messages=tuple(sent))
