"""Questions and answers to store; each call says only what matters to its test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.store.tenure import Tenure
from bot.store.turns import TurnStore
from bot.turns.answer import Answer, Finished, Search, Usage
from bot.turns.question import Question, Thread

if TYPE_CHECKING:
    from bot.store.database import Database
    from bot.turns.turn import Taken, Turn

THREAD = Thread(team="T1", channel="C1", thread_ts="1726000000.000100")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that only moves when it is told to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def a_question(ts: str = "1726000000.000100", *, thread: Thread = THREAD, **said: str) -> Question:
    user = said.get("user", "U1")
    return Question(
        thread=thread, ts=ts, user=user, user_team="T1", text=said.get("text", "Why is it so?")
    )


def an_answer(response_id: str = "resp_1", *, usage: Usage | None = None) -> Answer:
    return Answer(
        finished=Finished(
            response_id=response_id,
            model="gpt-6.1-sol",
            ending="completed",
            usage=usage,
            request_id="req_1",
        ),
        text="Because.",
        citations=(),
        searches=(Search("search", ("why",)), Search("open_page", url="https://example.org/")),
        unlinked=0,
        seconds=3.25,
    )


async def taken(store: TurnStore, question: Question) -> Taken:
    taken = await store.take(question)
    assert taken is not None
    return taken


async def started(store: TurnStore, question: Question) -> Turn:
    turn = (await taken(store, question)).turn
    assert turn is not None
    return turn


async def answered(store: TurnStore, question: Question, response_id: str) -> Turn:
    turn = await started(store, question)
    await store.finish_turn(turn, an_answer(response_id))
    return turn


def a_store(database: Database, clock: Clock | None = None) -> TurnStore:
    """A store of a process of its own."""
    return TurnStore(database, Tenure(lambda: 0.0), clock or Clock())
