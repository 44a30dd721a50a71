"""Rules by which people, processes and mishaps follow each other in any order.

A process stands still before each call of Slack, the database and the model; a rule opens some of
these gates. So it can die, stall or be overtaken between any two steps of any turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from bot.turns.turn import TurnState
from tests.machine.gates import Outcome
from tests.machine.verdict import judge
from tests.machine.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.machine.people import Delivery
    from tests.machine.process import Process
    from tests.machine.world import Storage

Item = TypeVar("Item")

PROCESSES = 3  # at one database
QUESTIONS = 8
ROUNDS = 12  # beats until everything has come to rest
STEPS = 400  # between two beats
WHICH = st.integers(0, 30)  # one of those that there are


def one_of(items: Sequence[Item], which: int) -> Item:
    """Return one of what there is."""
    return items[which % len(items)]


class PromiseBroken(AssertionError):
    """What was promised did not hold."""


def holds(faults: Iterable[str]) -> None:
    """Say which promises were broken, if any was."""
    broken = list(faults)
    if broken:
        raise PromiseBroken("\n".join(broken))


class Machine(RuleBasedStateMachine):
    """The bot's processes, and everything that happens to them."""

    def __init__(self, open_storage: Callable[[], Storage]) -> None:
        super().__init__()
        self.world = World(open_storage())
        self.people = self.world.people

    @initialize()
    def begin(self) -> None:
        self.world.start()

    # What people do.

    @precondition(lambda self: self._may_ask())
    @rule(thread=WHICH, process=WHICH, twins=st.booleans())
    def ask(self, thread: int, process: int, *, twins: bool) -> None:
        """Ask, in a new thread or below another question."""
        roots = [None, *self.people.roots()]
        events = self.people.ask(one_of(roots, thread))
        self._deliver(events[0], process)
        if twins:
            self._deliver(events[1], process + 1)

    @precondition(lambda self: self._may_ask())
    @rule(process=WHICH)
    def ask_by_command(self, process: int) -> None:
        self._deliver(self.people.command(), process)

    @precondition(lambda self: self.world.hearing and self._events())
    @rule(event=WHICH, process=WHICH)
    def deliver_again(self, event: int, process: int) -> None:
        """Deliver what was delivered before, or its twin."""
        self._deliver(one_of(self._events(), event), process)

    @precondition(lambda self: self.world.hearing and self.people.can_change())
    @rule(question=WHICH, process=WHICH)
    def edit(self, question: int, process: int) -> None:
        changed = one_of(self.people.can_change(), question)
        self._deliver(self.people.edit(changed), process)

    @precondition(lambda self: self.world.hearing and self.people.can_change())
    @rule(question=WHICH, process=WHICH)
    def delete(self, question: int, process: int) -> None:
        deleted = one_of(self.people.can_change(), question)
        self.world.watch.deleted.add(str(deleted.ts))
        self._deliver(self.people.delete(deleted), process)

    @precondition(lambda self: self.world.hearing and self.world.watch.rows)
    @rule(turn=WHICH, process=WHICH, shown=st.booleans())
    def try_again(self, turn: int, process: int, *, shown: bool) -> None:
        """Press the button of a turn that failed; or of any, as a late delivery may."""
        failed = [row.id for row in self.world.watch.in_state(TurnState.FAILED)]
        turn_id = one_of(failed if failed and shown else list(self.world.watch.rows), turn)
        self.world.watch.presses[turn_id] += 1
        self._deliver(self.people.press(turn_id), process)

    # What the processes do.

    @precondition(lambda self: self._busy())
    @rule(
        process=WHICH,
        gate=WHICH,
        outcome=st.sampled_from([Outcome.WELL, *Outcome]),
        count=st.integers(1, 24),
    )
    def go_on(self, process: int, gate: int, outcome: Outcome, count: int) -> None:
        """Let a process make some calls, of which the first may go wrong."""
        going = one_of(self._busy(), process)
        for n in range(count):
            gates = self.world.openable(going)
            if not gates:
                return
            self.world.open(going, one_of(gates, gate + n), Outcome.WELL if n else outcome)

    @rule(seconds=st.sampled_from([2.0, 11.0]))
    def pass_time(self, seconds: float) -> None:
        self.world.loop.pass_time(seconds)

    @precondition(lambda self: self._killable())
    @rule(process=WHICH, acts=st.booleans(), lapses=st.booleans(), anew=st.booleans())
    def kill(self, process: int, *, acts: bool, lapses: bool, anew: bool) -> None:
        """Kill a process; what it has on its way may still arrive."""
        killed = one_of(self._killable(), process)
        killed.kill(acts=acts and not killed.is_stalled)
        if lapses or not self.world.is_shared:
            self.world.lapse(killed)
        if anew and self._may_start():
            self.world.start()

    @precondition(lambda self: self._may_start())
    @rule()
    def start(self) -> None:
        self.world.start()

    @precondition(lambda self: self._steady())
    @rule(process=WHICH, knows=st.booleans())
    def stall(self, process: int, *, knows: bool) -> None:
        """Let a process stand still, and the others take over what it has."""
        stalled = one_of(self._steady(), process)
        self.world.stall(stalled, knows=knows and self.world.is_shared)
        if not self.world.is_shared:
            self.world.start()

    @precondition(lambda self: self._steady())
    @rule(process=WHICH, acts=st.booleans())
    def stop(self, process: int, *, acts: bool) -> None:
        one_of(self._steady(), process).stop(acts=acts)

    # What holds at any time, and in the end.

    @invariant()
    def nothing_is_wrong(self) -> None:
        holds(self.world.watch.faults)

    def teardown(self) -> None:
        try:
            self._come_to_rest()
            self.nothing_is_wrong()
            holds(judge(self.world))
        finally:
            self.world.close()

    def _come_to_rest(self) -> None:
        """Let everything go well from here on, and one process live."""
        world = self.world
        for stalled in [process for process in world.alive if process.is_stalled]:
            self._open_all(stalled)
        for process in world.processes:
            if process not in world.hearing[:1]:
                process.kill(acts=False)
        last = world.hearing[0] if world.hearing else world.start()
        for delivery in self.people.deliveries:
            if delivery.kind == "event" and not delivery.is_acknowledged:
                last.deliver(delivery)
        for _ in range(ROUNDS):
            world.lapse_others(last)
            self._open_all(last)
            world.loop.pass_time(2.0)

    def _open_all(self, process: Process) -> None:
        for _ in range(STEPS):
            gates = self.world.openable(process)
            if not gates:
                return
            self.world.open(process, gates[0])
        raise AssertionError(f"without an end: {process.gates.waiting}")

    def _deliver(self, delivery: Delivery, process: int) -> None:
        one_of(self.world.hearing, process).deliver(delivery)

    def _may_ask(self) -> bool:
        return bool(self.world.hearing) and len(self.people.questions) < QUESTIONS

    def _events(self) -> list[Delivery]:
        return [delivery for delivery in self.people.deliveries if delivery.kind == "event"]

    def _busy(self) -> list[Process]:
        return [process for process in self.world.alive if self.world.openable(process)]

    def _steady(self) -> list[Process]:
        """Return those that were neither stopped nor stood still."""
        return [process for process in self.world.hearing if not process.is_stalled]

    def _killable(self) -> list[Process]:
        return [process for process in self.world.alive if not self.world.comes_late(process)]

    def _may_start(self) -> bool:
        there = [process for process in self.world.alive if not process.is_stalled]
        return len(there) < (PROCESSES if self.world.is_shared else 1)
