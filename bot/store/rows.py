"""Turns as rows, and rows as turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.errors import ModelError
from bot.turns.characters import whole_characters
from bot.turns.question import Question, Thread
from bot.turns.turn import Sent, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from bot.turns.answer import Answer


def ts_order(ts: str) -> int:
    """Return Slack's ts as a whole number of microseconds, by which turns are put in order.

    As text "999.5" would come after "1000.5", and as a float the last digits would be lost. What
    has no ts yet comes first.
    """
    seconds, _, fraction = ts.partition(".")
    return int(seconds + fraction[:6].ljust(6, "0")) if seconds.isdecimal() else 0


def question_columns(question: Question) -> dict[str, object]:
    """Return what is stored of a question."""
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
        "kind": question.kind,
    }


def failure_columns(error: BaseException) -> dict[str, object]:
    """Return what is stored of a failure: the kind of error, not its text."""
    request_id = error.request_id if isinstance(error, ModelError) else None
    return {"error": type(error).__name__, "request_id": request_id}


def answer_columns(answer: Answer) -> dict[str, object]:
    """Return what is stored of an answer."""
    finished, usage = answer.finished, answer.finished.usage
    return {
        "answer": whole_characters(answer.text),
        # What the server did not keep, no later turn can be chained to.
        "response_id": None if finished.stored is False else finished.response_id or None,
        "model": finished.model,
        "request_id": finished.request_id,
        "searches": len(answer.searches),
        "usd": answer.usd,
        "seconds": answer.seconds,
        "input_tokens": usage and usage.input_tokens,
        "output_tokens": usage and usage.output_tokens,
        "cached_tokens": usage and usage.cached_tokens,
        "reasoning_tokens": usage and usage.reasoning_tokens,
        "cache_write_tokens": usage and usage.cache_write_tokens,
    }


def thread_of(row: Any) -> Thread:  # noqa: ANN401 - a row of any columns
    """Read the thread of a row."""
    return Thread(team=row.team, channel=row.channel, thread_ts=row.thread_ts)


def question_of(row: Any) -> Question:  # noqa: ANN401 - a row of any columns
    """Read a question of the columns `TURN`."""
    return Question(
        thread=thread_of(row),
        ts=row.ts,
        user=row.user,
        user_team=row.user_team,
        text=row.text,
        kind=row.kind,
    )


def turn_of(row: Row[Any], sent: Sequence[Sent]) -> Turn:
    """Read a turn of the columns `TURN`, with the messages it has."""
    return Turn(
        id=row.id,
        question=question_of(row),
        previous_response_id=row.previous_response_id,
        epoch=row.epoch,
        attempt=row.attempt,
        response_id=row.response_id,
        sent=tuple(sent),
    )


def order_of(turn: Turn) -> int:
    """Return what turns are sorted by."""
    return ts_order(turn.question.ts)
