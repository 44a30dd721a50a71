"""Where a process stands still: before each call of the world outside, until a rule opens it."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bot.turns.turn import Turn

# The turn that is worked on, where one is.
WORKED_ON: ContextVar[Turn | None] = ContextVar("worked_on", default=None)
FAULTS = 3  # of one turn: the bot repeats a call five times


class Outcome(Enum):
    """What becomes of a call."""

    WELL = auto()
    LOST = auto()  #: it acts, and its answer gets lost
    UNHEARD = auto()  #: it does not arrive
    FULL = auto()  #: Slack takes no more of this message, the model none of this question


class Killed(BaseException):
    """The process is no more: whatever it would do next is not done."""

    def __init__(self, *, acts: bool = False) -> None:
        super().__init__()
        self.acts = acts  #: what was on its way arrives all the same


@dataclass(frozen=True)
class Gate:
    """A call that is about to be made."""

    kind: Literal["slack", "store", "model"]
    name: str
    turn: Turn | None
    opened: asyncio.Future[Outcome]

    @property
    def key(self) -> tuple[object, ...]:
        """What it is known by."""
        turn = (self.turn.id, self.turn.epoch) if self.turn else (0, 0)
        return (*turn, self.kind, self.name)


@dataclass
class Gates:
    """All that a process is about to do."""

    waiting: list[Gate] = field(default_factory=list)
    is_dead: bool = False
    acts_at_last: bool = False  #: what is on its way arrives, although nobody waits for it
    faults: dict[int, int] = field(default_factory=dict)

    async def at(self, kind: Literal["slack", "store", "model"], name: str) -> Outcome:
        """Wait to be let through."""
        if self.is_dead:
            raise Killed
        opened: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        gate = Gate(kind, name, WORKED_ON.get(), opened)
        self.waiting.append(gate)
        try:
            return await opened
        finally:
            self.waiting.remove(gate)

    def in_order(self) -> list[Gate]:
        """Return them in the same order whenever all is repeated; the bot has them in sets."""
        return sorted(self.waiting, key=lambda gate: gate.key)

    def open(self, gate: Gate, outcome: Outcome = Outcome.WELL) -> None:
        """Let one through; a turn meets only so many faults."""
        if outcome is not Outcome.WELL:
            turn = gate.turn.id if gate.turn else 0
            self.faults[turn] = self.faults.get(turn, 0) + 1
            if self.faults[turn] > FAULTS:
                outcome = Outcome.WELL
        gate.opened.set_result(outcome)

    def kill(self, *, acts: bool = False) -> None:
        """Let nothing through any more; what is on its way may still arrive."""
        self.is_dead = True
        for gate in self.waiting:
            if not gate.opened.done():
                gate.opened.set_exception(Killed(acts=acts))
