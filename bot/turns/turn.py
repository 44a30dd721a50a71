"""A turn: one question with its answer or its failure, and the messages it has in its thread."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.errors import FootnoteError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.turns.question import Question

ATTEMPTS = 3  # by as many processes, of which each died or was stopped; then the thread is told
RUN_ATTEMPTS = 20  # likewise, of a research whose run the model's server has


class TurnState(StrEnum):
    """Where a turn stands."""

    PLACING = "placing"  #: asked by a command; its thread is still to be posted
    WAITING = "waiting"  #: taken; an earlier turn of its thread is running
    RUNNING = "running"
    ANSWERED = "answered"
    FAILED = "failed"
    STOPPED = "stopped"  #: by the person who asked, or another in the thread


MAY_FOLLOW: Mapping[TurnState, frozenset[TurnState]] = {
    TurnState.PLACING: frozenset({TurnState.WAITING, TurnState.FAILED, TurnState.STOPPED}),
    TurnState.WAITING: frozenset({TurnState.RUNNING, TurnState.STOPPED}),
    TurnState.RUNNING: frozenset({TurnState.ANSWERED, TurnState.FAILED, TurnState.STOPPED}),
    TurnState.ANSWERED: frozenset({TurnState.WAITING}),  # "Start", where it was answered by asking
    TurnState.FAILED: frozenset({TurnState.WAITING}),  # somebody pressed "Try again"
    TurnState.STOPPED: frozenset({TurnState.WAITING}),  # or "Research again"
}
# A turn that stands here belongs to one process, and to another when that one died.
OWNED = (TurnState.PLACING, TurnState.RUNNING)


def states_before(state: TurnState) -> frozenset[TurnState]:
    """Return the states that this one may follow."""
    return frozenset(earlier for earlier, later in MAY_FOLLOW.items() if state in later)


class WrongState(FootnoteError):
    """A turn was to do what it cannot do where it stands. `stands` is None for an unknown turn."""

    def __init__(self, turn_id: int, stands: TurnState | None, wanted: str) -> None:
        super().__init__(f"turn {turn_id} is {stands or 'unknown'} and cannot be {wanted}")
        self.turn_id = turn_id
        self.stands = stands


class TurnLost(FootnoteError):
    """The turn is no longer this process's: it may post nothing more of it.

    Another process has taken it over, or may have by now, as this one could not say in time that
    it lives.
    """

    def __init__(self, turn_id: int) -> None:
        super().__init__(f"turn {turn_id} belongs to another process by now")
        self.turn_id = turn_id


class TurnPutOff(FootnoteError):
    """Nobody waits for the turn, and Slack does not take it now: it is gone on with later."""


class ThreadForgotten(FootnoteError):
    """The model answered without the thread, and text of that was shown: all is to be replaced."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of a turn as it is recorded: intended before the call, confirmed after it."""

    part: int  #: counted from 1; 0 is the root that a command posts, -1 a file
    ts: str | None  #: None while it is unknown whether Slack has it
    streamed: bool
    intended_at: datetime | None = None  #: when it was about to be posted, by our clock


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was taken, and what its answer is chained to."""

    id: int
    question: Question
    previous_response_id: str | None  #: of the thread's last answered turn, once it is running
    epoch: int = 0  #: counts the owners; who has an older one may record nothing and post nothing
    attempt: int = 1  #: counts the processes that began to answer
    response_id: str | None = None  #: that an earlier attempt was given
    sent: tuple[Sent, ...] = ()  #: the messages of earlier attempts

    @property
    def is_given_up(self) -> bool:
        """Whether so many processes died over it that no further one is to try.

        A run that goes on at the model's server is worth more of them.
        """
        is_run = self.question.kind == "research" and self.response_id is not None
        return self.attempt > (RUN_ATTEMPTS if is_run else ATTEMPTS)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a question that was taken: its turn, running already or still waiting."""

    turn_id: int
    turn: Turn | None  #: None while an earlier turn of the thread is running
