"""Who this process is in the database, and the key to everything it records of a turn."""

from __future__ import annotations

import math
import uuid
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, select

from bot.store.tables import turns
from bot.turns.turn import OWNED, TurnLost, TurnState, WrongState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import ColumnElement, Connection

    from bot.turns.turn import Turn


class Tenure:
    """The right of a process to answer; others may take its turns over once it has lapsed.

    A file belongs to one process, whose tenure does not lapse. Among several at a server each
    renews it in time, or stops acting before the others begin to: see bot.store.leases.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.owner = _new_owner()
        self._clock = clock
        self._until = math.inf

    def renew(self, until: float) -> None:
        """Act until this moment of the clock."""
        self._until = until

    def end(self) -> None:
        """Become another owner: nothing that was begun before may be recorded any more."""
        self.owner = _new_owner()

    @property
    def lapsed(self) -> bool:
        """Whether others may have begun to take over."""
        return self._clock() >= self._until

    def key(self, turn: Turn) -> Mapping[str, object]:
        """Return the parameters of `IS_OURS`. Raises TurnLost when the tenure has lapsed."""
        if self.lapsed:
            raise TurnLost(turn.id)
        return {"of_turn": turn.id, "of_owner": self.owner, "of_epoch": turn.epoch}


# Part of every statement that records a step: who has lost the turn changes nothing.
IS_OURS: ColumnElement[bool] = and_(
    turns.c.id == bindparam("of_turn"),
    turns.c.owner == bindparam("of_owner"),
    turns.c.epoch == bindparam("of_epoch"),
    turns.c.state.in_(OWNED),
)
_STANDS = select(turns.c.state, turns.c.owner, turns.c.epoch).where(
    turns.c.id == bindparam("of_turn")
)


def refuse(
    connection: Connection, key: Mapping[str, object], wanted: str, done: TurnState | None = None
) -> None:
    """Say why a step could not be recorded: raises TurnLost or WrongState.

    Returns where the turn stands as `done` by this very owner: the answer to the commit got lost,
    and the step was repeated.
    """
    turn_id = int(str(key["of_turn"]))
    row = connection.execute(_STANDS, key).one_or_none()
    if row is None:
        raise WrongState(turn_id, None, wanted)
    if (row.owner, row.epoch) != (key["of_owner"], key["of_epoch"]):
        raise TurnLost(turn_id)
    if row.state is not done:
        raise WrongState(turn_id, row.state, wanted)


def _new_owner() -> str:
    return uuid.uuid4().hex
