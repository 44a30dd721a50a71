"""Turns in the database: each question taken once, and where its turn stands."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import (
    and_,
    bindparam,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    update,
)

from bot.errors import ModelError
from bot.store.messages import INSERTS, sent_by
from bot.store.tables import processes, turns
from bot.store.tenure import IS_OURS, refuse
from bot.turns.question import Question, Thread
from bot.turns.turn import OWNED, Sent, Taken, Turn, TurnState, states_before

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import ColumnElement, Connection, Executable, FromClause, Row, ScalarSelect
    from sqlalchemy.sql.dml import ReturningUpdate

    from bot.store.database import Database
    from bot.store.tenure import Tenure
    from bot.turns.answer import Answer

FORGOTTEN_AFTER = timedelta(seconds=10)
RECOVERED_AT_ONCE = 50  # turns or threads; the others are left to the other processes, or for later

TURN = (
    turns.c.id,
    turns.c.state,
    turns.c.team,
    turns.c.channel,
    turns.c.thread_ts,
    turns.c.ts,
    turns.c.user,
    turns.c.user_team,
    turns.c.text,
    turns.c.previous_response_id,
    turns.c.epoch,
    turns.c.attempt,
    turns.c.response_id,
)
ANSWER = (
    "response_id",
    "model",
    "request_id",
    "searches",
    "seconds",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
)


class TurnStore:
    """Every question that was taken, in short transactions.

    A turn moves as `bot.turns.turn.MAY_FOLLOW` says. The state it may come from, and whose it is,
    are part of each UPDATE, so of two that would move it only one does; the other raises WrongState
    or TurnLost.
    """

    def __init__(self, database: Database, tenure: Tenure, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._tenure = tenure
        self._clock = clock
        self._claiming = (
            INSERTS[database.dialect](turns)
            .on_conflict_do_nothing(index_elements=["team", "channel", "ts"])
            .returning(turns.c.id)
        )
        self._is_shared = database.dialect != "sqlite"

    # Taking questions.

    async def take(self, question: Question) -> Taken | None:
        """Claim the question, and start its turn unless one of its thread is running.

        Returns None when it was taken before.
        """
        row = _question_columns(question) | self._new(TurnState.WAITING)

        def operation(connection: Connection) -> Taken | None:
            self._lock(connection, question.thread)
            turn_id = self._claim(connection, row)
            if turn_id is None:
                return None
            return Taken(turn_id, self._start_next(connection, question.thread))

        return await self._database.run(operation)

    async def take_to_place(self, question: Question) -> Turn | None:
        """Claim a question whose thread is still to be posted; None when it was taken before."""
        ours = {"owner": self._tenure.owner, "epoch": 1, "attempt": 1}
        row = _question_columns(question) | self._new(TurnState.PLACING) | ours
        turn_id = await self._database.run(lambda connection: self._claim(connection, row))
        return None if turn_id is None else Turn(turn_id, question, None, epoch=1)

    async def place(self, turn: Turn, question: Question) -> Taken:
        """Record where a turn's thread is by now, and start it there: that is the same attempt."""
        key = self._tenure.key(turn)
        columns = _question_columns(question) | self._new(TurnState.WAITING)
        columns |= {"owner": None, "attempt": turn.attempt - 1}
        statement = update(turns).where(IS_OURS, _may_become(TurnState.WAITING)).values(**columns)

        def operation(connection: Connection) -> Taken:
            self._lock(connection, question.thread)
            if not connection.execute(statement, key).rowcount:
                refuse(connection, key, "placed")
            return Taken(turn.id, self._start_next(connection, question.thread))

        return await self._database.run(operation)

    async def start_next(self, thread: Thread) -> Turn | None:
        """Start the turn of a thread that waits and was asked first, unless one is running."""

        def operation(connection: Connection) -> Turn | None:
            self._lock(connection, thread)
            return self._start_next(connection, thread)

        return await self._database.run(operation)

    async def try_again(self, turn_id: int) -> Taken | None:
        """Set a failed turn waiting again, and start it if it may; None if it has not failed."""

        def operation(connection: Connection) -> Taken | None:
            row = connection.execute(select(*TURN).where(turns.c.id == turn_id)).one_or_none()
            if row is None:
                return None
            thread = _thread(row)
            self._lock(connection, thread)
            if not connection.execute(_TRY_AGAIN, {"of_turn": turn_id}).rowcount:
                return None
            return Taken(turn_id, self._start_next(connection, thread))

        return await self._database.run(operation)

    async def withdraw(self, team: str, channel: str, ts: str) -> bool:
        """Stop the turn of a question that was deleted before it was begun."""
        at = self._clock()
        place = {"of_team": team, "of_channel": channel, "of_ts": ts, "new_at": at}
        return await self._database.run(lambda c: bool(c.execute(_WITHDRAW, place).rowcount))

    # The steps of a turn that is running.

    async def note_response(self, turn: Turn, response_id: str) -> None:
        """Record which response a running turn is given, as soon as it is known."""
        new = {"new_response_id": response_id, "new_at": self._clock()}
        await self._step(turn, _NOTE_RESPONSE, new, "given a response")

    async def finish_turn(self, turn: Turn, answer: Answer | None) -> None:
        """Record the answer, which the thread's next turn is chained to; None for help."""
        if answer is None:
            await self._end(turn, _HELPED, TurnState.ANSWERED)
        else:
            await self._end(turn, _ANSWERED, TurnState.ANSWERED, **_answer_columns(answer))

    async def fail_turn(self, turn: Turn, error: BaseException) -> None:
        """Record that the turn ended without an answer: the kind of error, not its text."""
        request_id = error.request_id if isinstance(error, ModelError) else None
        columns = {"error": type(error).__name__, "request_id": request_id}
        await self._end(turn, _FAILED, TurnState.FAILED, **columns)

    async def stop_turn(self, turn: Turn) -> None:
        """Record that somebody stopped the turn."""
        await self._end(turn, _STOPPED, TurnState.STOPPED)

    async def hand_over(self, turn: Turn) -> None:
        """Leave a turn to the next process; that this one had to end is no failed attempt."""
        await self._step(turn, _HAND_OVER, {"new_at": self._clock()}, "handed over")

    # What died.

    async def recover(self, running: Collection[int]) -> list[Turn]:
        """Take over turns whose process died; `running` are those that this process works on.

        Returns some of them at a time, each of which no other process is given.
        """
        statement = (
            select(turns.c.id)
            .where(turns.c.state.in_(OWNED), self._is_orphan(running))
            .order_by(turns.c.ts_order)
            .limit(RECOVERED_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        new = {"new_owner": self._tenure.owner, "new_at": self._clock()}

        def operation(connection: Connection) -> list[Turn]:
            ids = list(connection.scalars(statement))
            if not ids:
                return []
            sent = sent_by(connection, ids)
            rows = connection.execute(_TAKE_OVER, {"of_turns": ids, **new})
            return sorted((_turn(row, sent.get(row.id, ())) for row in rows), key=_order)

        return await self._database.run(operation)

    async def stranded(self) -> list[Thread]:
        """Return threads in which a turn waits and none is running: who was to start it died."""
        return await self._database.run(lambda c: [_thread(row) for row in c.execute(_STRANDED)])

    # What is known of a thread.

    async def has_asked(self, thread: Thread, user: str) -> bool:
        """Whether this person has a turn in the thread that is answered or on its way."""
        place = _place(thread) | {"of_user": user}
        return await self._database.run(lambda c: bool(c.scalar(_HAS_ASKED, place)))

    async def has_answered(self, thread: Thread) -> bool:
        """Whether the bot has answered in the thread; to have said how to ask does not count."""
        return await self._database.run(lambda c: bool(c.scalar(_HAS_ANSWERED, _place(thread))))

    def _new(self, state: TurnState) -> dict[str, object]:
        at = self._clock()
        return {"state": state, "created_at": at, "updated_at": at}

    def _claim(self, connection: Connection, row: Mapping[str, object]) -> int | None:
        turn_id: int | None = connection.scalar(self._claiming, row)
        return turn_id

    def _lock(self, connection: Connection, thread: Thread) -> None:
        """Let nobody else take or start a turn of the thread until the transaction ends.

        SQLite has one writer at a time as it is.
        """
        if self._is_shared:
            key = f"{thread.team} {thread.channel} {thread.thread_ts}"
            connection.execute(_LOCK, {"of_key": key})

    def _start_next(self, connection: Connection, thread: Thread) -> Turn | None:
        new = {"new_owner": self._tenure.owner, "new_at": self._clock()}
        row = connection.execute(_START_NEXT, _place(thread) | new).one_or_none()
        if row is None:
            return None
        # Only what was tried before has messages already.
        return _turn(row, sent_by(connection, [row.id]).get(row.id, ()) if row.epoch > 1 else ())

    async def _end(
        self, turn: Turn, statement: Executable, state: TurnState, **columns: object
    ) -> None:
        new = {f"new_{name}": value for name, value in columns.items()}
        await self._step(turn, statement, {"new_at": self._clock(), **new}, state, state)

    async def _step(
        self,
        turn: Turn,
        statement: Executable,
        new: Mapping[str, object],
        wanted: str,
        done: TurnState | None = None,
    ) -> None:
        key = {**self._tenure.key(turn), **new}

        def operation(connection: Connection) -> None:
            if not connection.execute(statement, key).rowcount:
                refuse(connection, key, wanted, done)

        await self._database.run(operation)

    def _is_orphan(self, running: Collection[int]) -> ColumnElement[bool]:
        """Select turns that nobody works on. A file has one process, so all others have died."""
        ours = turns.c.owner == self._tenure.owner
        # Started by an operation whose result never arrived here. A younger one may be on its way.
        long_ago = turns.c.updated_at < self._clock() - FORGOTTEN_AFTER
        forgotten = and_(ours, turns.c.id.not_in(running), long_ago)
        if not self._is_shared:
            return or_(turns.c.owner.is_(None), ~ours, forgotten)
        lives = exists().where(
            processes.c.id == turns.c.owner, processes.c.lease_until > func.now()
        )
        return or_(turns.c.owner.is_(None), and_(~ours, ~lives), forgotten)


def ts_order(ts: str) -> int:
    """Return Slack's ts as a whole number of microseconds, by which turns are put in order.

    As text "999.5" would come after "1000.5", and as a float the last digits would be lost. What
    has no ts yet comes first.
    """
    seconds, _, fraction = ts.partition(".")
    return int(seconds + fraction[:6].ljust(6, "0")) if seconds.isdecimal() else 0


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


def _thread(row: Any) -> Thread:  # noqa: ANN401 - a row of any columns
    return Thread(team=row.team, channel=row.channel, thread_ts=row.thread_ts)


def _turn(row: Row[Any], sent: Sequence[Sent]) -> Turn:
    return Turn(
        id=row.id,
        question=Question(
            thread=_thread(row), ts=row.ts, user=row.user, user_team=row.user_team, text=row.text
        ),
        previous_response_id=row.previous_response_id,
        epoch=row.epoch,
        attempt=row.attempt,
        response_id=row.response_id,
        sent=tuple(sent),
    )


def _order(turn: Turn) -> int:
    return ts_order(turn.question.ts)


def _place(thread: Thread) -> dict[str, object]:
    """Return the parameters of `_in_thread`."""
    return {"of_team": thread.team, "of_channel": thread.channel, "of_thread_ts": thread.thread_ts}


def _in_thread(table: Any = turns) -> ColumnElement[bool]:  # noqa: ANN401 - a table or an alias
    return and_(
        table.c.team == bindparam("of_team"),
        table.c.channel == bindparam("of_channel"),
        table.c.thread_ts == bindparam("of_thread_ts"),
    )


def _may_become(state: TurnState) -> ColumnElement[bool]:
    return turns.c.state.in_(states_before(state))


def _last_response_id(earlier: FromClause) -> ScalarSelect[str | None]:
    """Select the last response of the thread, which by then was the last thing said in it."""
    return (
        select(earlier.c.response_id)
        .where(
            _in_thread(earlier),
            earlier.c.state == TurnState.ANSWERED,
            earlier.c.response_id.is_not(None),  # help is an answer without a response
        )
        .order_by(earlier.c.ended_at.desc(), earlier.c.ts_order.desc())
        .limit(1)
        .scalar_subquery()
    )


def _start_next() -> ReturningUpdate[Any]:
    waiting, busy, earlier = (turns.alias(name) for name in ("waiting", "busy", "earlier"))
    first = (
        select(waiting.c.id)
        .where(_in_thread(waiting), waiting.c.state == TurnState.WAITING)
        .order_by(waiting.c.ts_order)
        .limit(1)
        .scalar_subquery()
    )
    is_busy = exists().where(_in_thread(busy), busy.c.state == TurnState.RUNNING)
    return (
        update(turns)
        .where(turns.c.id == first, ~is_busy, ~_may_be_placed_here())
        .values(
            state=TurnState.RUNNING,
            owner=bindparam("new_owner"),
            epoch=turns.c.epoch + 1,
            attempt=turns.c.attempt + 1,
            previous_response_id=_last_response_id(earlier),
            started_at=bindparam("new_at"),
            updated_at=bindparam("new_at"),
        )
        .returning(*TURN)
    )


def _may_be_placed_here() -> ColumnElement[bool]:
    """Select whether the root of the thread may be a command's question that is being placed.

    Between Slack's showing a root and its record here, somebody may ask on in its thread.
    """
    root, placing = turns.alias("root"), turns.alias("placing")
    is_known = exists().where(
        root.c.team == bindparam("of_team"),
        root.c.channel == bindparam("of_channel"),
        root.c.ts == bindparam("of_thread_ts"),
    )
    is_placing = exists().where(
        placing.c.team == bindparam("of_team"), placing.c.state == TurnState.PLACING
    )
    return and_(is_placing, ~is_known)


def _end(state: TurnState, *columns: str) -> Executable:
    """Record that a turn has come to its end."""
    new: dict[str, ColumnElement[Any]] = {name: bindparam(f"new_{name}") for name in columns}
    return (
        update(turns)
        .where(IS_OURS, _may_become(state))
        .values(state=state, ended_at=bindparam("new_at"), **_AT, **new)
    )


def _stranded() -> Executable:
    busy = turns.alias("busy")
    same = and_(
        busy.c.team == turns.c.team,
        busy.c.channel == turns.c.channel,
        busy.c.thread_ts == turns.c.thread_ts,
        busy.c.state == TurnState.RUNNING,
    )
    return (
        select(turns.c.team, turns.c.channel, turns.c.thread_ts)
        .where(turns.c.state == TurnState.WAITING, ~exists().where(same))
        .distinct()
        .limit(RECOVERED_AT_ONCE)
    )


_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("of_key"), literal(0))))
_START_NEXT = _start_next()
_STRANDED = _stranded()
_AT: dict[str, ColumnElement[Any]] = {"updated_at": bindparam("new_at")}
_NOTE_RESPONSE = (
    update(turns).where(IS_OURS).values(response_id=bindparam("new_response_id"), **_AT)
)
_ANSWERED = _end(TurnState.ANSWERED, *ANSWER)
_HELPED = _end(TurnState.ANSWERED)
_FAILED = _end(TurnState.FAILED, "error", "request_id")
_STOPPED = _end(TurnState.STOPPED)
_HAND_OVER = update(turns).where(IS_OURS).values(owner=null(), attempt=turns.c.attempt - 1, **_AT)
_TAKE_OVER = (
    update(turns)
    .where(turns.c.id.in_(bindparam("of_turns", expanding=True)))
    .values(
        owner=bindparam("new_owner"),
        epoch=turns.c.epoch + 1,
        attempt=turns.c.attempt + 1,
        started_at=bindparam("new_at"),
        **_AT,
    )
    .returning(*TURN)
)
_TRY_AGAIN = (
    update(turns)
    .where(turns.c.id == bindparam("of_turn"), turns.c.state == TurnState.FAILED)
    .values(
        state=TurnState.WAITING,
        owner=null(),
        attempt=0,
        ended_at=null(),
        response_id=null(),
        error=null(),
    )
)
_WITHDRAW = (
    update(turns)
    .where(
        turns.c.team == bindparam("of_team"),
        turns.c.channel == bindparam("of_channel"),
        turns.c.ts == bindparam("of_ts"),
        turns.c.state == TurnState.WAITING,
    )
    .values(state=TurnState.STOPPED, ended_at=bindparam("new_at"), **_AT)
)
_COUNTS = (TurnState.WAITING, TurnState.RUNNING, TurnState.ANSWERED)
_HAS_ASKED = select(
    exists().where(_in_thread(), turns.c.user == bindparam("of_user"), turns.c.state.in_(_COUNTS))
)
_HAS_ANSWERED = select(
    exists().where(
        _in_thread(), turns.c.state == TurnState.ANSWERED, turns.c.response_id.is_not(None)
    )
)
