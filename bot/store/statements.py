"""The statements about turns, built once: to build one costs more than to run it.

Parameters begin with `of_` where they say which turn is meant, with `new_` where they are stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Integer,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    update,
)

from bot.store.tables import UtcDateTime, messages, runs, turns
from bot.store.tenure import IS_OURS
from bot.turns.turn import TurnState, states_before

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Executable, FromClause, ScalarSelect
    from sqlalchemy.sql.dml import ReturningUpdate

    from bot.turns.question import Thread

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
    turns.c.kind,
    turns.c.previous_response_id,
    turns.c.epoch,
    turns.c.attempt,
    turns.c.response_id,
)
COST = (
    "model",
    "request_id",
    "searches",
    "usd",
    "seconds",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "cache_write_tokens",
)
ANSWER = ("answer", "response_id", *COST)


def place(thread: Thread) -> dict[str, object]:
    """Return the parameters of `in_thread`."""
    return {"of_team": thread.team, "of_channel": thread.channel, "of_thread_ts": thread.thread_ts}


def in_thread(table: Any = turns) -> ColumnElement[bool]:  # noqa: ANN401 - a table or an alias
    """Select the turns of a thread."""
    return and_(
        table.c.team == bindparam("of_team"),
        table.c.channel == bindparam("of_channel"),
        table.c.thread_ts == bindparam("of_thread_ts"),
    )


def may_become(state: TurnState) -> ColumnElement[bool]:
    """Select turns that stand where this state may follow."""
    return turns.c.state.in_(states_before(state))


def _last_response_id(earlier: FromClause) -> ScalarSelect[str | None]:
    """Select the last response of the thread, which by then was the last thing said in it.

    None where the server did not keep it, or may no longer have it.
    """
    is_young = earlier.c.ended_at > bindparam("of_oldest", type_=UtcDateTime)
    return (
        select(case((is_young, earlier.c.response_id)))
        .where(
            in_thread(earlier),
            earlier.c.state == TurnState.ANSWERED,
            earlier.c.model.is_not(None),  # help is an answer without a model
        )
        .order_by(earlier.c.ended_at.desc(), earlier.c.ts_order.desc())
        .limit(1)
        .scalar_subquery()
    )


def _start_next() -> ReturningUpdate[Any]:
    waiting, busy, earlier = (turns.alias(name) for name in ("waiting", "busy", "earlier"))
    first = (
        select(waiting.c.id)
        .where(in_thread(waiting), waiting.c.state == TurnState.WAITING)
        .order_by(waiting.c.ts_order)
        .limit(1)
        .scalar_subquery()
    )
    is_busy = exists().where(in_thread(busy), busy.c.state == TurnState.RUNNING)
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

    Between Slack's showing a root and its record here, somebody may ask on in its thread. A root
    that is not about to be posted is nowhere yet, however long that may take.
    """
    root, placing = turns.alias("root"), turns.alias("placing")
    is_about_to = exists().where(messages.c.turn_id == placing.c.id)
    is_known = exists().where(
        root.c.team == bindparam("of_team"),
        root.c.channel == bindparam("of_channel"),
        root.c.ts == bindparam("of_thread_ts"),
    )
    is_placing = exists().where(
        placing.c.team == bindparam("of_team"), placing.c.state == TurnState.PLACING, is_about_to
    )
    return and_(is_placing, ~is_known)


def _end(state: TurnState, *columns: str) -> Executable:
    """Record that a turn has come to its end."""
    new: dict[str, ColumnElement[Any]] = {name: bindparam(f"new_{name}") for name in columns}
    return (
        update(turns)
        .where(IS_OURS, may_become(state))
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


LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("of_key"), literal(0))))
START_NEXT = _start_next()
STRANDED = _stranded()
_AT: dict[str, ColumnElement[Any]] = {"updated_at": bindparam("new_at")}
NOTE_RESPONSE = update(turns).where(IS_OURS).values(response_id=bindparam("new_response_id"), **_AT)
ANSWERED = _end(TurnState.ANSWERED, *ANSWER)
HELPED = _end(TurnState.ANSWERED)
FAILED = _end(TurnState.FAILED, "error", "request_id")
STOPPED = _end(TurnState.STOPPED)
NOTE_COST = (
    update(turns).where(IS_OURS).values(**_AT, **{name: bindparam(f"new_{name}") for name in COST})
)
HAND_OVER = update(turns).where(IS_OURS).values(owner=null(), attempt=turns.c.attempt - 1, **_AT)
TAKE_OVER = (
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
_AFRESH: dict[str, Any] = {
    "state": TurnState.WAITING,
    "owner": null(),
    "attempt": 0,
    "ended_at": null(),
    "response_id": null(),
    "error": null(),
}
TRY_AGAIN = (
    update(turns)
    .where(
        turns.c.id == bindparam("of_turn"),
        or_(
            turns.c.state == TurnState.FAILED,
            and_(turns.c.state == TurnState.STOPPED, turns.c.kind == "research"),
        ),
    )
    .values(**_AFRESH)
)
# A research whose questions nobody has answered yet.
IS_OPEN = and_(
    runs.c.questions.is_not(None), runs.c.questions != "[]", runs.c.taken_up_by.is_(None)
)
START_NOW = (
    update(runs)
    .where(runs.c.turn_id == bindparam("of_turn"), IS_OPEN)
    .values(taken_up_by="", began_at=bindparam("new_at", type_=UtcDateTime))
)
BEGIN_AGAIN = (
    update(turns)
    .where(turns.c.id == bindparam("of_turn"), turns.c.state == TurnState.ANSWERED)
    .values(**_AFRESH)
)
FORGET_RUN = delete(runs).where(runs.c.turn_id == bindparam("of_turn"))
WITHDRAW = (
    update(turns)
    .where(
        turns.c.team == bindparam("of_team"),
        turns.c.channel == bindparam("of_channel"),
        turns.c.ts == bindparam("of_ts"),
        turns.c.state == TurnState.WAITING,
    )
    .values(state=TurnState.STOPPED, ended_at=bindparam("new_at"), **_AT)
)
PAST = (
    select(*TURN, turns.c.answer)
    .where(in_thread(), turns.c.state == TurnState.ANSWERED, turns.c.model.is_not(None))
    .order_by(turns.c.ended_at.desc(), turns.c.ts_order.desc())
    .limit(bindparam("of_most", type_=Integer))
)
QUESTION = select(*TURN).where(turns.c.id == bindparam("of_turn"))
ANSWER_OF = select(*TURN, turns.c.answer, turns.c.model).where(
    turns.c.id == bindparam("of_turn"),
    turns.c.state == TurnState.ANSWERED,
    turns.c.model.is_not(None),
)
_SHARED = turns.alias("shared")
SHARED_IN = (
    select(_SHARED.c.thread_ts)
    .join(turns, and_(_SHARED.c.team == turns.c.team, _SHARED.c.text == turns.c.text))
    .where(
        turns.c.id == bindparam("of_turn"),
        _SHARED.c.id != turns.c.id,
        _SHARED.c.user == turns.c.user,
        _SHARED.c.channel == bindparam("of_channel"),
        _SHARED.c.kind == "digest",
        _SHARED.c.state == TurnState.ANSWERED,
    )
    .order_by(_SHARED.c.id.desc())  # one that was deleted may have been shared again
    .limit(1)
)
_COUNTS = (TurnState.WAITING, TurnState.RUNNING, TurnState.ANSWERED)
# A digest is not asked for in its thread: who has it there talks to the others as before.
HAS_ASKED = select(
    exists().where(
        in_thread(),
        turns.c.user == bindparam("of_user"),
        turns.c.state.in_(_COUNTS),
        turns.c.kind != "digest",
    )
)
HAS_DIGEST = select(exists().where(in_thread(), turns.c.kind == "digest"))
HAS_ANSWERED = select(
    exists().where(
        in_thread(),
        turns.c.state == TurnState.ANSWERED,
        or_(turns.c.response_id.is_not(None), turns.c.kind == "about_digest"),
    )
)
