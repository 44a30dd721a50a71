"""A turn: one question with its answer or its failure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.errors import FootnoteError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.turns.question import Question


class TurnState(StrEnum):
    """Where a turn stands."""

    WAITING = "waiting"  #: taken; an earlier turn of its thread may still be running
    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"
    STOPPED = "stopped"  #: by the person who asked, or another in the thread


MAY_FOLLOW: Mapping[TurnState, frozenset[TurnState]] = {
    TurnState.WAITING: frozenset({TurnState.RUNNING, TurnState.FAILED, TurnState.STOPPED}),
    TurnState.RUNNING: frozenset({TurnState.ANSWERED, TurnState.FAILED, TurnState.STOPPED}),
    TurnState.ANSWERED: frozenset(),
    TurnState.FAILED: frozenset(),
    TurnState.STOPPED: frozenset(),
}


def states_before(state: TurnState) -> frozenset[TurnState]:
    """Return the states that this one may follow."""
    return frozenset(earlier for earlier, later in MAY_FOLLOW.items() if state in later)


class WrongState(FootnoteError):
    """A turn was to do what it cannot do where it stands. `stands` is None for an unknown turn."""

    def __init__(self, turn_id: int, stands: TurnState | None, wanted: str) -> None:
        super().__init__(f"turn {turn_id} is {stands or 'unknown'} and cannot be {wanted}")
        self.turn_id = turn_id
        self.stands = stands


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was taken, and what its answer is chained to."""

    id: int
    question: Question
    previous_response_id: str | None  #: of the thread's last answered turn, once it is running
