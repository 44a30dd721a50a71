"""Any interleaving of events, twins, edits, deletions, deaths and takeovers keeps the promises.

Every question that was taken is answered once, whole, and in its turn in its thread, or its thread
is told that it was not; and who has lost a turn neither shows nor records anything of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.machine import Machine
from tests.machine.world import InMemory, OnServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.machine.world import Storage


def hold(open_storage: Callable[[], Storage], examples: int, steps: int) -> None:
    """Look for an order in which something does not hold; always the same ones."""
    run_state_machine_as_test(
        lambda: Machine(open_storage),  # type: ignore[arg-type]  # which makes one just as well
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_order_of_events_and_mishaps_breaks_a_promise_on_a_file() -> None:
    hold(InMemory, 120, 40)


def test_no_order_of_events_and_mishaps_breaks_a_promise_among_processes_at_a_server(
    postgres_url: str,
) -> None:
    hold(lambda: OnServer(postgres_url), 14, 30)
