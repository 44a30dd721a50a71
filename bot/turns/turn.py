"""A turn: one question with its answer or its failure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.turns.question import Question


class TurnState(StrEnum):
    """Where a turn stands. Running is followed by one of the others, and they by nothing."""

    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was taken, and what its answer is chained to."""

    id: int
    question: Question
    previous_response_id: str | None  #: of the thread's last answered turn
