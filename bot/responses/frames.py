"""Bytes of an HTTP body become events: frames of a stream, or the one object of a whole answer."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING

import httpx
from httpx_sse import EventSource

from bot.errors import ModelApiMissing, ModelCutOff

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator

# A long answer with all its searches is under 2 MB; what goes on far beyond it is no answer.
BODY_LIMIT = 32 * 1024 * 1024  # bytes

# Server-sent events are UTF-8 whatever the server says, and may begin with a byte order mark.
_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8-sig"}
_BLANK = b" \t\r\n\xef\xbb\xbf"


async def read_events(
    body: AsyncIterable[bytes], *, limit: int = BODY_LIMIT
) -> AsyncGenerator[object]:
    """Yield the JSON value of each event.

    A frame is dispatched by its blank line: what a broken connection left of the last one is
    dropped. Frames that are not JSON, like `[DONE]`, are skipped. What the body is is told by how
    it begins, since gateways send streams as text/plain and whole objects where a stream was asked
    for. Raises ModelApiMissing if it is a page of HTML, and ModelCutOff if it has no end.
    """
    chunks = _limited(body, limit)
    head = await _head(chunks)
    if head.lstrip(_BLANK).startswith(b"<"):
        raise ModelApiMissing("an HTML page")
    if head.lstrip(_BLANK).startswith(b"{"):
        yield await _whole(head, chunks)
        return
    source = EventSource(httpx.Response(200, headers=_HEADERS, content=_chained(head, chunks)))
    async with aclosing(source.aiter_sse()) as frames:
        async for frame in frames:
            event = _json(frame.data)
            if event is not None:
                yield event


async def _limited(body: AsyncIterable[bytes], limit: int) -> AsyncGenerator[bytes]:
    taken = 0
    async for chunk in body:
        taken += len(chunk)
        if taken > limit:
            raise ModelCutOff(f"more than {limit} bytes")
        yield chunk


async def _head(chunks: AsyncIterator[bytes]) -> bytes:
    """Take chunks until one of them says something."""
    head = b""
    async for chunk in chunks:
        head += chunk
        if head.strip(_BLANK):
            break
    return head


async def _chained(head: bytes, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield head
    async for chunk in chunks:
        yield chunk


async def _whole(head: bytes, chunks: AsyncIterator[bytes]) -> object:
    whole = _json(head + b"".join([chunk async for chunk in chunks]))
    if whole is None:
        raise ModelCutOff("half an object")
    return whole


def _json(text: str | bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
