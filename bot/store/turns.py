"""Turns in the database: each question taken once, and where its turn stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from bot.errors import ModelError
from bot.store.engine import READS_ONLY
from bot.store.tables import TurnRow
from bot.turns.question import Question, Thread
from bot.turns.turn import Turn, TurnState, WrongState, states_before

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row, ScalarSelect
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from bot.turns.answer import Answer

# ON CONFLICT is spelt alike in both, but each dialect has its own Insert for it.
INSERTS: dict[str, Callable[[type[TurnRow]], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
TURN = (
    TurnRow.id,
    TurnRow.team,
    TurnRow.channel,
    TurnRow.thread_ts,
    TurnRow.ts,
    TurnRow.user,
    TurnRow.user_team,
    TurnRow.text,
    TurnRow.previous_response_id,
)


class TurnStore:
    """Every question that was taken, in short transactions.

    A turn moves as `bot.turns.turn.MAY_FOLLOW` says. The state it may come from is part of each
    UPDATE, so of two that would move it only one does; the other raises WrongState.
    """

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._reading = engine.execution_options(**{READS_ONLY: True})
        self._insert = INSERTS[engine.dialect.name]
        self._clock = clock

    async def take(self, question: Question) -> int | None:
        """Claim the question and return its turn's id; None when it is already taken."""
        at = self._clock()
        statement = (
            self._insert(TurnRow)
            .values(
                **_question_columns(question), state=TurnState.WAITING, created_at=at, updated_at=at
            )
            .on_conflict_do_nothing(index_elements=["team", "channel", "ts"])
            .returning(TurnRow.id)
        )
        async with self._engine.begin() as connection:
            return await connection.scalar(statement)

    async def start(self, turn_id: int) -> Turn:
        """Set a waiting turn running, chained to what its thread's last answered turn is now."""
        statement = (
            update(TurnRow)
            .where(TurnRow.id == turn_id, TurnRow.state.in_(states_before(TurnState.RUNNING)))
            .values(
                state=TurnState.RUNNING,
                previous_response_id=_last_response_id(),
                updated_at=self._clock(),
            )
            .returning(*TURN)
        )
        async with self._engine.begin() as connection:
            row = (await connection.execute(statement)).one_or_none()
            if row is None:
                raise await _wrong_state(connection, turn_id, TurnState.RUNNING)
        return _turn(row)

    async def note_response(self, turn: Turn, response_id: str) -> None:
        """Record which response a running turn is given, as soon as it is known."""
        running = frozenset({TurnState.RUNNING})
        await self._change(turn, running, "given a response", response_id=response_id)

    async def finish_turn(self, turn: Turn, answer: Answer | None) -> None:
        """Record the answer, which the thread's next turn is chained to; None for help."""
        columns = {} if answer is None else _answer_columns(answer)
        await self._move(turn, TurnState.ANSWERED, **columns)

    async def fail_turn(self, turn: Turn, error: BaseException) -> None:
        """Record that the turn ended without an answer: the kind of error, not its text."""
        request_id = error.request_id if isinstance(error, ModelError) else None
        await self._move(turn, TurnState.FAILED, error=type(error).__name__, request_id=request_id)

    async def stop_turn(self, turn: Turn) -> None:
        """Record that somebody stopped the turn."""
        await self._move(turn, TurnState.STOPPED)

    async def waiting(self) -> list[Turn]:
        """Return the turns that were taken and not begun, in the order they were asked."""
        return await self._in(TurnState.WAITING)

    async def unfinished(self) -> list[Turn]:
        """Return the turns left running, in the order they were asked.

        Before anything is started, these are the turns of a process that died.
        """
        return await self._in(TurnState.RUNNING)

    async def has_asked(self, thread: Thread, user: str) -> bool:
        """Whether this person has a turn in the thread that is answered or on its way."""
        counts = (TurnState.WAITING, TurnState.RUNNING, TurnState.ANSWERED)
        return await self._any(_in_thread(thread), TurnRow.user == user, TurnRow.state.in_(counts))

    async def has_answered(self, thread: Thread) -> bool:
        """Whether the bot has answered in the thread; to have said how to ask does not count."""
        answered = (TurnRow.state == TurnState.ANSWERED, TurnRow.response_id.is_not(None))
        return await self._any(_in_thread(thread), *answered)

    async def _move(self, turn: Turn, to: TurnState, **columns: object) -> None:
        await self._change(turn, states_before(to), to, state=to, **columns)

    async def _change(
        self, turn: Turn, stands: frozenset[TurnState], wanted: str, **columns: object
    ) -> None:
        statement = (
            update(TurnRow)
            .where(TurnRow.id == turn.id, TurnRow.state.in_(stands))
            .values(**columns, updated_at=self._clock())
        )
        async with self._engine.begin() as connection:
            if not (await connection.execute(statement)).rowcount:
                raise await _wrong_state(connection, turn.id, wanted)

    async def _in(self, state: TurnState) -> list[Turn]:
        statement = select(*TURN).where(TurnRow.state == state).order_by(TurnRow.ts_order)
        async with self._reading.connect() as connection:
            return [_turn(row) for row in await connection.execute(statement)]

    async def _any(self, *conditions: ColumnElement[bool]) -> bool:
        statement = select(exists().where(*conditions))
        async with self._reading.connect() as connection:
            return bool(await connection.scalar(statement))


def ts_order(ts: str) -> int:
    """Return Slack's ts as a whole number of microseconds, by which turns are put in order.

    As text "999.5" would come after "1000.5", and as a float the last digits would be lost.
    """
    seconds, _, fraction = ts.partition(".")
    return int(seconds + fraction[:6].ljust(6, "0"))


def _answer_columns(answer: Answer) -> dict[str, object]:
    finished, usage = answer.finished, answer.finished.usage
    return {
        # What the server did not keep, no later turn can be chained to.
        "response_id": None if finished.stored is False else finished.response_id,
        "model": finished.model,
        "request_id": finished.request_id,
        "searches": len(answer.searches),
        "seconds": answer.seconds,
        "input_tokens": usage and usage.input_tokens,
        "output_tokens": usage and usage.output_tokens,
        "cached_tokens": usage and usage.cached_tokens,
        "reasoning_tokens": usage and usage.reasoning_tokens,
    }


def _question_columns(question: Question) -> dict[str, object]:
    thread = question.thread
    return {
        "team": thread.team,
        "channel": thread.channel,
        "thread_ts": thread.thread_ts,
        "ts": question.ts,
        "ts_order": ts_order(question.ts),
        "user": question.user,
        "user_team": question.user_team,
        "text": question.text,
    }


def _turn(row: Row[*tuple[Any, ...]]) -> Turn:
    thread = Thread(team=row.team, channel=row.channel, thread_ts=row.thread_ts)
    question = Question(
        thread=thread, ts=row.ts, user=row.user, user_team=row.user_team, text=row.text
    )
    return Turn(row.id, question, row.previous_response_id)


def _in_thread(thread: Thread) -> ColumnElement[bool]:
    return and_(
        TurnRow.team == thread.team,
        TurnRow.channel == thread.channel,
        TurnRow.thread_ts == thread.thread_ts,
    )


def _last_response_id() -> ScalarSelect[str | None]:
    """Select, for the turn that is being changed, the last response of its thread."""
    earlier = aliased(TurnRow)
    return (
        select(earlier.response_id)
        .where(
            earlier.team == TurnRow.team,
            earlier.channel == TurnRow.channel,
            earlier.thread_ts == TurnRow.thread_ts,
            earlier.state == TurnState.ANSWERED,
            earlier.response_id.is_not(None),  # help is an answer without a response
        )
        .order_by(earlier.ts_order.desc())
        .limit(1)
        .scalar_subquery()
    )


async def _wrong_state(connection: AsyncConnection, turn_id: int, wanted: str) -> WrongState:
    stands = await connection.scalar(select(TurnRow.state).where(TurnRow.id == turn_id))
    return WrongState(turn_id, stands, wanted)
