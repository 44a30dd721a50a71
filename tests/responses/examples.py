"""Values to test with, and the payloads of tests/wire/responses."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import ModelError
from bot.responses.dialect import Search
from bot.responses.frames import read_events
from bot.responses.request import RequestOptions
from bot.responses.stream import StreamReader
from bot.turns.answer import Cited, Finished, Searched, Searching, TextDelta
from bot.turns.question import Asked, Question, Thread
from bot.turns.turn import Turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from bot.turns.answer import Ending, Part, Usage

Json = dict[str, Any]

WIRE = Path(__file__).parents[1] / "wire" / "responses"

ASKED = Asked("What is new in Python 3.14?", "Colleague")
OPTIONS = RequestOptions(
    model="gpt-6.1-sol", instructions="Cite the pages you used.", search=Search("medium")
)


def a_turn(turn_id: int = 7, previous_response_id: str | None = None) -> Turn:
    thread = Thread(team="T1", channel="C1", thread_ts="1795435200.000100")
    question = Question(thread=thread, ts="1795435201.000200", user="U1", user_team="T1", text="?")
    return Turn(id=turn_id, question=question, previous_response_id=previous_response_id)


def wire(name: str) -> bytes:
    return (WIRE / name).read_bytes()


def wire_json(name: str) -> dict[str, Any]:
    value = json.loads(wire(name))
    assert isinstance(value, dict)
    return value


def frames(*events: object) -> bytes:
    """Write events as server-sent events with data lines only."""
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


async def in_pieces(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut bytes at places; those outside of it are taken modulo its length."""
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(ends)]


def read(*events: object) -> list[Part]:
    """Read events to their end."""
    reader = StreamReader(model="asked-for", request_id="req_1")
    parts = [part for event in events for part in reader.feed(event)]
    reader.finish()
    return parts


async def parts_of(pieces: Iterable[bytes]) -> list[Part | ModelError]:
    """Read a body to its end; an error is the last value."""
    reader = StreamReader(model="asked-for", request_id="req_1")
    parts: list[Part | ModelError] = []
    try:
        async for event in read_events(in_pieces(pieces)):
            parts += reader.feed(event)
        reader.finish()
    except ModelError as error:
        parts.append(error)
    return parts


def a_created(response_id: str = "resp_1") -> Json:
    return {"type": "response.created", "response": {"id": response_id, "output": []}}


def a_completed(**fields: object) -> Json:
    response = {"id": "resp_1", "status": "completed", "model": "m", "output": []} | fields
    return {"type": "response.completed", "response": response}


def a_message(text: str = "", *, item_id: str = "msg_1", **fields: object) -> Json:
    content = [{"type": "output_text", "text": text}] if text else []
    return {"type": "message", "id": item_id, "role": "assistant", "content": content} | fields


def added(item: Json, index: int | None = 0) -> Json:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def done(item: Json, index: int | None = 0) -> Json:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def delta(text: object, *, item_id: str | None = "msg_1", index: int | None = 0) -> Json:
    return {
        "type": "response.output_text.delta",
        "item_id": item_id,
        "output_index": index,
        "content_index": 0,
        "delta": text,
    }


def ended(
    *, ending: Ending = "completed", model: str = "m", usage: Usage | None = None
) -> Finished:
    return Finished("resp_1", model, ending, usage, request_id="req_1")


def text_of(parts: list[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


def searches_of(parts: list[Part]) -> list[Part]:
    return [part for part in parts if isinstance(part, (Searching, Searched))]


def cited_of(parts: list[Part]) -> list[Part]:
    return [part for part in parts if isinstance(part, Cited)]
