"""However the work on a turn ends, it is recorded, counted and told, or left to another."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bot.errors import SlackRefused, SlackUnreachable
from bot.metrics import Metrics
from bot.turns.settle import End, Settling
from bot.turns.turn import Turn, TurnLost, TurnPutOff
from tests.fakes import FakeStore, a_question
from tests.store.examples import an_answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.turns.answer import Answer

TURN = Turn(7, a_question(), None)
GONE = SlackRefused("chat.postMessage", "thread_not_found")


@dataclass
class FakeReply:
    """A thread in which a failure is told, or cannot be."""

    failing: Exception | None = None
    told: list[str] = field(default_factory=list)

    async def fail(self, words: str, reference: str) -> None:
        assert words, reference
        if self.failing is not None:
            raise self.failing
        self.told.append(reference)


@asynccontextmanager
async def opened(reply: FakeReply) -> AsyncIterator[FakeReply]:
    yield reply


def raising(error: BaseException) -> Callable[[FakeReply], Awaitable[Answer | End]]:
    async def work(_: FakeReply) -> Answer | End:
        raise error

    return work


async def test_a_failure_is_told_recorded_and_counted() -> None:
    store, metrics, reply = FakeStore(), Metrics(0.0), FakeReply()
    await Settling(store, metrics).settle(TURN, opened(reply), raising(ValueError()))

    assert reply.told == ["7"]
    assert store.ends == [("failed", 7, "ValueError")]
    assert metrics.failed.count == 1


async def test_a_failure_that_cannot_be_told_is_recorded_and_counted() -> None:
    store, metrics = FakeStore(), Metrics(0.0)
    reply = FakeReply(failing=GONE)
    await Settling(store, metrics).settle(TURN, opened(reply), raising(ValueError()))

    assert store.ends == [("failed", 7, "SlackRefused")]
    assert metrics.failed.count == 1


async def test_a_failure_that_cannot_be_told_is_recorded_as_one_that_nobody_saw() -> None:
    unseen: list[tuple[int, Exception]] = []

    async def fail_unseen(turn: Turn, error: Exception) -> None:
        unseen.append((turn.id, error))

    store, metrics = FakeStore(), Metrics(0.0)
    settling = Settling(store, metrics, fail_unseen)
    await settling.settle(TURN, opened(FakeReply()), raising(ValueError()))
    assert unseen == []
    await settling.settle(TURN, opened(FakeReply(failing=GONE)), raising(ValueError()))

    assert unseen == [(7, GONE)]
    assert store.ends == [("failed", 7, "ValueError")]


@pytest.mark.parametrize("in_work", [True, False])
async def test_what_may_wait_for_slack_is_handed_over_and_nobody_told(*, in_work: bool) -> None:
    away = SlackUnreachable("chat.update", "http_503")
    store, metrics = FakeStore(), Metrics(0.0)
    reply = FakeReply(failing=None if in_work else away)
    left: list[Exception] = []

    @asynccontextmanager
    async def opened() -> AsyncIterator[FakeReply]:
        try:
            yield reply
        except TurnPutOff as error:  # by which the reply knows that it is left as it is
            left.append(error)
            raise

    def may_wait(turn: Turn, error: Exception) -> bool:
        return turn == TURN and error is away

    settling = Settling(store, metrics, may_wait=may_wait)
    await settling.settle(TURN, opened(), raising(away if in_work else ValueError()))

    assert (reply.told, len(left)) == ([], 1)
    assert store.ends == [("handed over", 7)]
    assert metrics.failed.count == 0


async def test_what_another_process_has_is_left_to_it() -> None:
    store, metrics, reply = FakeStore(), Metrics(0.0), FakeReply()
    await Settling(store, metrics).settle(TURN, opened(reply), raising(TurnLost(7)))

    assert (reply.told, store.ends, metrics.failed.count) == ([], [], 0)


async def test_what_is_cut_short_is_handed_over() -> None:
    store, metrics = FakeStore(), Metrics(0.0)
    with pytest.raises(asyncio.CancelledError):
        await Settling(store, metrics).settle(
            TURN, opened(FakeReply()), raising(asyncio.CancelledError())
        )

    assert store.ends == [("handed over", 7)]


async def test_what_was_stopped_is_counted_as_that() -> None:
    async def stopped(_: FakeReply) -> Answer | End:
        return End.STOPPED

    store, metrics = FakeStore(), Metrics(0.0)
    await Settling(store, metrics).settle(TURN, opened(FakeReply()), stopped)

    assert (store.ends, metrics.stopped.count) == ([("stopped", 7)], 1)


@pytest.mark.parametrize("end", [an_answer(), End.HELPED])
async def test_an_answer_is_recorded_and_counted_and_so_is_help(end: Answer | End) -> None:
    async def answered(_: FakeReply) -> Answer | End:
        return end

    store, metrics = FakeStore(), Metrics(0.0)
    await Settling(store, metrics).settle(TURN, opened(FakeReply()), answered)

    assert (store.ends, metrics.answered.count) == ([("answered", 7)], 1)
    assert store.last_response_id == (None if end is End.HELPED else "resp_1")


async def test_an_answer_is_recorded_in_another_way_where_there_is_one_and_help_is_not() -> None:
    async def answered(_: FakeReply) -> Answer | End:
        return an_answer()

    async def helped(_: FakeReply) -> Answer | End:
        return End.HELPED

    finished: list[tuple[int, Answer]] = []

    async def finish(turn: Turn, answer: Answer) -> None:
        finished.append((turn.id, answer))

    store, metrics = FakeStore(), Metrics(0.0)
    settling = Settling(store, metrics, finish=finish)
    await settling.settle(TURN, opened(FakeReply()), answered)
    await settling.settle(TURN, opened(FakeReply()), helped)

    assert finished == [(7, an_answer())]
    assert store.ends == [("answered", 7)]
