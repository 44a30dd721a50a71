from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ModelApiMissing, ModelCutOff
from bot.responses.frames import read_events
from tests.responses.examples import cut, frames, in_pieces

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

places = st.lists(st.integers(min_value=0))


async def _events(*pieces: bytes) -> list[object]:
    return [event async for event in read_events(in_pieces(pieces))]


@pytest.mark.parametrize(
    ("body", "events"),
    [
        pytest.param(b'data: {"a":1}\n\n', [{"a": 1}], id="a frame without an event line"),
        pytest.param(b'event: x\ndata: {"a":1}\n\n', [{"a": 1}], id="a frame with one"),
        pytest.param(b'data:{"a":1}\n\n', [{"a": 1}], id="no blank after the colon"),
        pytest.param(b'id: 7\ndata: {"a":1}\n\n\n\n', [{"a": 1}], id="an id and blank lines"),
        pytest.param(b'data: {"a":\ndata: 1}\n\n', [{"a": 1}], id="data over two lines"),
        pytest.param(b': ping\n\ndata: {"a":1}\n\n: ping\n\n', [{"a": 1}], id="comments"),
        pytest.param(b'data: {"a":1}\r\n\r\n', [{"a": 1}], id="lines that end with CRLF"),
        pytest.param(b'\n\n \r\ndata: {"a":1}\n\n', [{"a": 1}], id="blank lines before it"),
        pytest.param(b'\xef\xbb\xbfdata: {"a":1}\n\n', [{"a": 1}], id="a byte order mark"),
        pytest.param(b'data: {"a":1}\n\ndata: [DONE]\n\n', [{"a": 1}], id="[DONE]"),
        pytest.param(b'event: ping\n\nretry: 5\n\ndata: {"a":1}\n\n', [{"a": 1}], id="no data"),
        pytest.param(b'data: nonsense\n\ndata: {"a":1}\n\n', [{"a": 1}], id="no JSON"),
        pytest.param(b'data: {"a":1}\n\ndata: {"b":2}\n', [{"a": 1}], id="a frame not ended"),
        pytest.param(b'data: {"a":1}\n\ndata: {"b":2}', [{"a": 1}], id="a line not ended"),
        pytest.param(b'data: {"a":"\xff"}\n\n', [{"a": "\ufffd"}], id="bytes that are no text"),
        pytest.param(b"", [], id="nothing"),
        pytest.param(b" \n", [], id="blanks"),
        pytest.param(b' {"output":[]}\n', [{"output": []}], id="one object"),
        pytest.param(b'\xef\xbb\xbf{"output":[]}', [{"output": []}], id="one object with a mark"),
        pytest.param(b"Not Found", [], id="words"),
    ],
)
@given(places=places)
async def test_a_body_is_read_however_it_is_cut(
    body: bytes, events: list[object], places: list[int]
) -> None:
    assert await _events(*cut(body, places)) == events


async def test_an_event_is_read_as_soon_as_it_is_whole() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'data: {"a":1}\n\ndata: {"b"'
        raise AssertionError("the second piece was asked for before the first event was given")

    events = read_events(body())

    assert await anext(events) == {"a": 1}
    await events.aclose()


@given(
    st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\u2028\u2029\x85\x0c🚀é")),
    places,
)
async def test_a_text_comes_through_as_it_is(text: str, places: list[int]) -> None:
    line = json.dumps({"text": text}, ensure_ascii=False).encode()

    assert await _events(*cut(b"data: %b\n\n" % line, places)) == [{"text": text}]


@pytest.mark.parametrize("page", [b"<!DOCTYPE html>", b"\n <html>", b"\xef\xbb\xbf<html>"])
async def test_a_page_is_not_taken_for_an_answer(page: bytes) -> None:
    with pytest.raises(ModelApiMissing):
        await _events(*cut(page, range(3)))


@pytest.mark.parametrize("body", [b'{"output":', b'{"output":[]', b'{"a":' * 100_000])
async def test_half_an_object_is_a_cut(body: bytes) -> None:
    with pytest.raises(ModelCutOff):
        await _events(body)


async def test_json_without_a_bottom_is_skipped() -> None:
    deep = b"[" * 100_000

    assert await _events(b"data: " + deep + b'\n\ndata: {"a":1}\n\n') == [{"a": 1}]


@pytest.mark.parametrize("line", [b"data: ", b": ", b"{", b" "])
async def test_a_line_that_never_ends_is_refused(line: bytes) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield line
        while True:
            taken += 1
            yield b" " * 1024 if line == b" " else b"x" * 1024

    with pytest.raises(ModelCutOff):
        [event async for event in read_events(endless(), limit=64 * 1024)]
    assert taken <= 65


async def test_a_stream_that_goes_on_for_ever_is_refused() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield frames({"type": "keepalive"})

    with pytest.raises(ModelCutOff):
        [event async for event in read_events(endless(), limit=10_000)]
