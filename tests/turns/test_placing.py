"""The thread of a command's question is posted once, and what keeps it from that is recorded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.errors import SlackRefused
from bot.metrics import Metrics
from bot.turns.placing import Placing
from bot.turns.settle import Settling
from bot.turns.turn import ATTEMPTS, Turn, TurnLost
from tests.fakes import FakeSlack, FakeStore, a_question

if TYPE_CHECKING:
    from bot.turns.question import Question


async def test_a_commands_question_that_is_being_posted_is_handed_over_when_the_bot_closes() -> (
    None
):
    class Slow(FakeSlack):
        async def place(self, turn: Turn) -> Question:
            started.set()
            await asyncio.Event().wait()
            return await super().place(turn)

    started, store = asyncio.Event(), FakeStore()
    placing = Placing(Slow(), Settling(store, Metrics(0.0)))
    task = asyncio.create_task(placing.place(Turn(7, a_question(), None)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert store.ends == [("handed over", 7)]


async def test_a_commands_question_that_cannot_be_posted_is_recorded_as_failed() -> None:
    slack, store = FakeSlack(refuses=SlackRefused("chat.postMessage", "is_archived")), FakeStore()
    metrics = Metrics(0.0)
    placed = await Placing(slack, Settling(store, metrics)).place(Turn(7, a_question(), None))

    assert (placed, store.ends) == (None, [("failed", 7, "SlackRefused")])
    assert metrics.failed.count == 1


async def test_a_commands_question_that_is_given_up_is_posted_as_its_thread_is_told_so() -> None:
    slack, store = FakeSlack(), FakeStore()
    placing = Placing(slack, Settling(store, Metrics(0.0)))
    placed = await placing.place(Turn(7, a_question(), None, attempt=ATTEMPTS + 1))

    assert placed is not None
    assert (placed.thread.thread_ts, store.ends) == ("7.7", [])


async def test_a_commands_question_that_another_process_has_is_left_to_it() -> None:
    slack, store = FakeSlack(refuses=TurnLost(7)), FakeStore()
    placing = Placing(slack, Settling(store, Metrics(0.0)))

    assert await placing.place(Turn(7, a_question(), None)) is None
    assert store.ends == []
