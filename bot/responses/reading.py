"""What is read of an HTTP answer besides its events: why it was refused, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

from bot.errors import ModelApiMissing, ModelError
from bot.responses.failures import read_failure
from bot.responses.patience import repeat_after

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.responses.stream import StreamReader
    from bot.turns.answer import Finished
    from bot.turns.turn import Turn

END_SECONDS = 0.5  # for the end of the body, once the answer is there
ERROR_BODY_LIMIT = 64 * 1024  # bytes; an error is a few hundred


async def run_out(events: AsyncGenerator[object]) -> None:
    """Read what comes after the answer, which is as a rule the end, and comes with it.

    A connection that is left before its end cannot be used for the next question. Whatever a server
    sends here, or fails to, the answer is there.
    """
    with contextlib.suppress(TimeoutError, httpx.HTTPError, ModelError):
        async with asyncio.timeout(END_SECONDS):
            async for _ in events:
                pass


async def refused(
    response: httpx.Response, *, chained: bool = False, background: bool = False
) -> ModelError:
    """Read why the server did not begin to answer."""
    body = await _error_body(response)
    html = "html" in response.headers.get("content-type", "") or body.lstrip().startswith(b"<")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    failure = read_failure(said, status=response.status_code, html=html)
    error = failure.error(chained=chained, background=background)
    error.repeat_after = repeat_after(error, response.headers, datetime.now(UTC))
    return error


def finish(reader: StreamReader, response: httpx.Response) -> None:
    """Raise what a body without an end is taken for, unless the answer has ended."""
    if not reader.fed and "event-stream" not in response.headers.get("content-type", ""):
        raise ModelApiMissing("neither a stream nor a response")
    reader.finish()


def request_id(response: httpx.Response | None) -> str | None:
    """Return the provider's id of a request, for the operator."""
    return response.headers.get("x-request-id") if response is not None else None


def end_facts(finished: Finished, turn: Turn) -> dict[str, object]:
    """Say for the log how an answer ended."""
    return {
        "turn": turn.id,
        "response_id": finished.response_id,
        "request_id": finished.request_id,
        "ending": finished.ending,
    }


async def _error_body(response: httpx.Response) -> bytes:
    """Read an error's body as far as it comes; the status says most of it."""
    body = b""
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > ERROR_BODY_LIMIT:
                return b""
    except httpx.HTTPError:
        return b""
    return body
