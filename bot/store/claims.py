"""Questions are claimed: of all deliveries of one, the first makes a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store.messages import INSERTS
from bot.store.rows import question_columns
from bot.store.tables import turns
from bot.turns.turn import Turn, TurnState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from bot.store.tenure import Tenure
    from bot.turns.question import Question


class Claims:
    """Claims questions, within somebody's transaction."""

    def __init__(self, dialect: str, tenure: Tenure, clock: Callable[[], datetime]) -> None:
        self._tenure = tenure
        self._clock = clock
        self._claim = (
            INSERTS[dialect](turns)
            .on_conflict_do_nothing(index_elements=["team", "channel", "ts"])
            .returning(turns.c.id)
        )

    def claim(
        self, connection: Connection, question: Question, state: TurnState, **more: object
    ) -> int | None:
        """Make the turn of a question and return its id; None where there was one before."""
        at = self._clock()
        row = question_columns(question) | {"state": state, "created_at": at, "updated_at": at}
        turn_id: int | None = connection.scalar(self._claim, row | more)
        return turn_id

    def to_place(self, connection: Connection, question: Question) -> Turn | None:
        """Make a turn whose thread this process is to post; None where there was one before."""
        ours = {"owner": self._tenure.owner, "epoch": 1, "attempt": 1}
        turn_id = self.claim(connection, question, TurnState.PLACING, **ours)
        return None if turn_id is None else Turn(turn_id, question, None, epoch=1)
