"""Whatever a server sends: parts or our errors, never another exception."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import ModelError
from bot.responses.failures import read_failure
from bot.responses.stream import StreamReader
from bot.turns.answer import Finished, Searched, Searching, Started, TextDelta
from tests.responses.examples import parts_of, wire

FIELDS = re.findall(
    r"\w+",
    "type id item response output status error code content text annotations url action queries"
    " sources arguments usage role phase delta part results citations detail loc message param",
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=8)
    | st.sampled_from(["message", "web_search_call", "output_text", "url_citation", "failed", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def _events(name: str) -> list[Any]:
    frames = wire(name).decode().split("\n\n")
    lines = [line for frame in frames for line in frame.split("\n") if line.startswith("data: {")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


EVENTS = [*_events("stream_web_search.sse"), *_events("stream_refusal.sse")]
SHORT = _events("stream_minimal.sse")


def _feed(events: list[Any]) -> None:
    """Read events, and check what every reader may rely on."""
    reader = StreamReader()
    parts = []
    try:
        for event in events:
            parts += reader.feed(event)
        reader.finish()
    except ModelError:
        pass
    running: set[str] = set()
    for part in parts:
        match part:
            case Searching(key):
                assert key not in running
                running.add(key)
            case Searched(key):
                assert key in running
            case TextDelta(text):
                assert text
                assert text.encode()
    assert sum(isinstance(part, Started) for part in parts) <= 1
    ends = [number for number, part in enumerate(parts) if isinstance(part, Finished)]
    assert ends in ([], [len(parts) - 1])
    assert sum(isinstance(part, Searched) for part in parts) <= len(running)


@given(st.lists(json_values, max_size=6))
def test_events_of_any_form_are_read_or_skipped(events: list[object]) -> None:
    _feed(events)


@given(st.data())
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_value_may_stand_in_place_of_any_field(data: st.DataObject) -> None:
    events = json.loads(json.dumps(SHORT))
    for _ in range(data.draw(st.integers(1, 3))):
        _replace_somewhere(data, events)

    _feed(events)


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
def test_events_may_come_in_any_order_and_repeatedly(events: list[Any]) -> None:
    _feed(events)


@given(json_values, st.none() | st.integers(100, 599))
def test_an_error_of_any_form_is_one_of_ours(body: object, status: int | None) -> None:
    error = read_failure(body, status=status).error()

    assert isinstance(error, ModelError)
    assert str(error).isascii()


@given(st.lists(st.binary(max_size=20), max_size=5))
async def test_any_bytes_are_read_or_refused(pieces: list[bytes]) -> None:
    parts = await parts_of(pieces)

    assert isinstance(parts[-1], ModelError | Finished)


@pytest.mark.parametrize("item_type", [None, 1, [], {}, "openrouter:web_search"])
def test_an_item_of_any_type_is_read_or_skipped(item_type: object) -> None:
    item = {"type": item_type, "content": [{"type": "output_text", "text": "x"}]}

    _feed([{"type": "response.output_item.done", "item": item}])


def _replace_somewhere(data: st.DataObject, value: Any) -> None:  # noqa: ANN401 - any JSON
    """Walk down to some place in JSON and put another value there."""
    while True:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = data.draw(st.sampled_from(list(keys)))
        inner = value[key]
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.integers(0, 5)) == 0:
            value[key] = data.draw(json_values)
            return
        value = inner
