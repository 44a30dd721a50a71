"""Turns in the database: each question taken once, and where its turn stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import (
    and_,
    exists,
    func,
    or_,
    select,
    update,
)

from bot.store import statements as sql
from bot.store.claims import Claims
from bot.store.messages import sent_by
from bot.store.rows import (
    answer_columns,
    failure_columns,
    order_of,
    question_columns,
    question_of,
    thread_of,
    turn_of,
)
from bot.store.tables import processes, turns
from bot.store.tenure import IS_OURS, refuse
from bot.turns.question import OFF_THE_WEB
from bot.turns.transcript import Past
from bot.turns.turn import OWNED, Taken, Turn, TurnState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Executable

    from bot.store.database import Database
    from bot.store.tenure import Tenure
    from bot.turns.answer import Answer
    from bot.turns.question import Question, Thread

KEPT_FOR = timedelta(days=29)  # OpenAI keeps a response for "at least 30 days"
PAST = 200  # earlier turns that are told again at most
FORGOTTEN_AFTER = timedelta(seconds=10)


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
        self._claims = Claims(database.dialect, tenure, clock)
        self._is_shared = database.dialect != "sqlite"

    # Taking questions.

    async def take(self, question: Question) -> Taken | None:
        """Claim the question, and start its turn unless one of its thread is running.

        Returns None when it was taken before.
        """

        def operation(connection: Connection) -> Taken | None:
            self._lock(connection, question.thread)
            turn_id = self._claims.claim(connection, question, TurnState.WAITING)
            if turn_id is None:
                return None
            return Taken(turn_id, self._start_next(connection, question.thread))

        return await self._database.run(operation)

    async def take_to_place(self, question: Question) -> Turn | None:
        """Claim a question whose thread is still to be posted; None when it was taken before."""
        return await self._database.run(lambda c: self._claims.to_place(c, question))

    async def place(self, turn: Turn, question: Question) -> Taken:
        """Record where a turn's thread is by now, and start it there: that is the same attempt."""
        key = self._tenure.key(turn)
        at = self._clock()
        columns = question_columns(question) | {"created_at": at, "updated_at": at}
        columns |= {"state": TurnState.WAITING, "owner": None, "attempt": turn.attempt - 1}
        statement = (
            update(turns).where(IS_OURS, sql.may_become(TurnState.WAITING)).values(**columns)
        )

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
        return await self._again(turn_id, sql.TRY_AGAIN, sql.FORGET_RUN)

    async def start_now(self, turn_id: int) -> Taken | None:
        """Go on with a research that has asked something; None if that is answered by now."""
        return await self._again(turn_id, sql.START_NOW, sql.BEGIN_AGAIN)

    async def _again(self, turn_id: int, first: Executable, second: Executable) -> Taken | None:
        key = {"of_turn": turn_id, "new_at": self._clock()}

        def operation(connection: Connection) -> Taken | None:
            row = connection.execute(select(*sql.TURN).where(turns.c.id == turn_id)).one_or_none()
            if row is None:
                return None
            thread = thread_of(row)
            self._lock(connection, thread)
            if not connection.execute(first, key).rowcount:
                return None
            connection.execute(second, key)
            return Taken(turn_id, self._start_next(connection, thread))

        return await self._database.run(operation)

    async def withdraw(self, team: str, channel: str, ts: str) -> bool:
        """Stop the turn of a question that was deleted before it was begun."""
        at = self._clock()
        place = {"of_team": team, "of_channel": channel, "of_ts": ts, "new_at": at}
        return await self._database.run(lambda c: bool(c.execute(sql.WITHDRAW, place).rowcount))

    # The steps of a turn that is running.

    async def note_response(self, turn: Turn, response_id: str) -> None:
        """Record which response a running turn is given, as soon as it is known."""
        new = {"new_response_id": response_id, "new_at": self._clock()}
        await self._step(turn, sql.NOTE_RESPONSE, new, "given a response")

    async def finish_turn(self, turn: Turn, answer: Answer | None) -> None:
        """Record the answer, which the thread's next turn is chained to; None for help."""
        if answer is None:
            await self._end(turn, sql.HELPED, TurnState.ANSWERED)
        else:
            columns = answer_columns(answer)
            if turn.question.kind in OFF_THE_WEB:  # whatever the server kept of it
                columns["response_id"] = None
            await self._end(turn, sql.ANSWERED, TurnState.ANSWERED, **columns)

    async def fail_turn(self, turn: Turn, error: BaseException) -> None:
        """Record that the turn ended without an answer: the kind of error, not its text."""
        await self._end(turn, sql.FAILED, TurnState.FAILED, **failure_columns(error))

    async def stop_turn(self, turn: Turn) -> None:
        """Record that somebody stopped the turn."""
        await self._end(turn, sql.STOPPED, TurnState.STOPPED)

    async def note_cost(self, turn: Turn, answer: Answer) -> None:
        """Record what a running turn has cost that comes to no answer."""
        columns = answer_columns(answer)
        new = {f"new_{name}": columns[name] for name in sql.COST}
        await self._step(turn, sql.NOTE_COST, {"new_at": self._clock(), **new}, "charged")

    async def hand_over(self, turn: Turn) -> None:
        """Leave a turn to the next process; that this one had to end is no failed attempt."""
        await self._step(turn, sql.HAND_OVER, {"new_at": self._clock()}, "handed over")

    async def begun_anew(self, turn: Turn) -> Turn:
        """Return the turn with the messages it has by now, chained to nothing."""
        sent = await self._database.run(lambda c: sent_by(c, [turn.id]).get(turn.id, ()))
        return replace(turn, previous_response_id=None, response_id=None, sent=sent)

    async def past(self, turn: Turn) -> list[Past]:
        """Return what was answered in the thread before, the first one first."""
        place = sql.place(turn.question.thread) | {"of_most": PAST}

        def operation(connection: Connection) -> list[Past]:
            rows = connection.execute(sql.PAST, place).all()
            return [Past(question_of(row), row.answer) for row in reversed(rows)]

        return await self._database.run(operation)

    # What died.

    async def recover(self, running: Collection[int]) -> list[Turn]:
        """Take over turns whose process died; `running` are those that this process works on.

        Returns some of them at a time, each of which no other process is given.
        """
        statement = (
            select(turns.c.id)
            .where(turns.c.state.in_(OWNED), self._is_orphan(running))
            .order_by(turns.c.ts_order)
            .limit(sql.RECOVERED_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        new = {"new_owner": self._tenure.owner, "new_at": self._clock()}

        def operation(connection: Connection) -> list[Turn]:
            ids = list(connection.scalars(statement))
            if not ids:
                return []
            sent = sent_by(connection, ids)
            rows = connection.execute(sql.TAKE_OVER, {"of_turns": ids, **new})
            return sorted((turn_of(row, sent.get(row.id, ())) for row in rows), key=order_of)

        return await self._database.run(operation)

    async def stranded(self) -> list[Thread]:
        """Return threads in which a turn waits and none is running: who was to start it died."""
        return await self._database.run(
            lambda c: [thread_of(row) for row in c.execute(sql.STRANDED)]
        )

    # What is known of a thread.

    async def has_asked(self, thread: Thread, user: str) -> bool:
        """Whether this person has a turn in the thread that is answered or on its way."""
        place = sql.place(thread) | {"of_user": user}
        return await self._database.run(lambda c: bool(c.scalar(sql.HAS_ASKED, place)))

    async def has_answered(self, thread: Thread) -> bool:
        """Whether the bot has answered in the thread; to have said how to ask does not count."""
        return await self._database.run(
            lambda c: bool(c.scalar(sql.HAS_ANSWERED, sql.place(thread)))
        )

    async def question(self, turn_id: int) -> Question | None:
        """Return what was asked with a turn; None where there is no such."""
        key = {"of_turn": turn_id}
        row = await self._database.run(lambda c: c.execute(sql.QUESTION, key).one_or_none())
        return None if row is None else question_of(row)

    async def is_answered(self, turn_id: int) -> bool:
        """Whether there is a whole answer to it."""
        key = {"of_turn": turn_id}
        row = await self._database.run(lambda c: c.execute(sql.ANSWER_OF, key).one_or_none())
        return row is not None

    async def shared_in(self, turn_id: int, channel: str) -> str | None:
        """Return the ts of the thread that a digest was shared in; None where it was not."""
        key = {"of_turn": turn_id, "of_channel": channel}
        found: str | None = await self._database.run(lambda c: c.scalar(sql.SHARED_IN, key))
        return found

    async def keep_shared(self, turn_id: int, thread: Thread) -> None:
        """Record that an answered digest can be asked about in another thread too; twice is once.

        There it is a turn that was answered before, and has cost nothing.
        """
        at = self._clock()

        def operation(connection: Connection) -> None:
            row = connection.execute(sql.ANSWER_OF, {"of_turn": turn_id}).one_or_none()
            if row is None:
                return
            question = replace(question_of(row), thread=thread, ts=thread.thread_ts)
            said = {"answer": row.answer, "model": row.model, "ended_at": at}
            self._claims.claim(connection, question, TurnState.ANSWERED, **said)

        await self._database.run(operation)

    async def has_digest(self, thread: Thread) -> bool:
        """Whether the thread is a digest's."""
        return await self._database.run(lambda c: bool(c.scalar(sql.HAS_DIGEST, sql.place(thread))))

    def _lock(self, connection: Connection, thread: Thread) -> None:
        """Let nobody else take or start a turn of the thread until the transaction ends.

        SQLite has one writer at a time as it is.
        """
        if self._is_shared:
            key = f"{thread.team} {thread.channel} {thread.thread_ts}"
            connection.execute(sql.LOCK, {"of_key": key})

    def _start_next(self, connection: Connection, thread: Thread) -> Turn | None:
        at = self._clock()
        new = {"new_owner": self._tenure.owner, "new_at": at, "of_oldest": at - KEPT_FOR}
        row = connection.execute(sql.START_NEXT, sql.place(thread) | new).one_or_none()
        if row is None:
            return None
        # Only what was tried before has messages already.
        return turn_of(row, sent_by(connection, [row.id]).get(row.id, ()) if row.epoch > 1 else ())

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
