"""Streams as they go out: at their pace, cut, stalled, or played from a recording."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from bot.playground.responses.stream import frame

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from bot.playground.responses.profile import Profile
    from bot.playground.responses.scripts import Disturbance, Played
    from bot.playground.responses.stream import Event

SSE = "text/event-stream; charset=utf-8"
SEARCH_DELTAS = 12  # a search lasts as long as so many deltas


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a stream goes out."""

    profile: Profile
    disturbance: Disturbance
    resumed: asyncio.Event
    cancelled: Callable[[], bool] = bool
    until_due: Callable[[Event], Awaitable[None]] | None = None  #: waits until an event comes


async def send_events(
    request: web.Request, events: Iterable[Event], delivery: Delivery
) -> web.StreamResponse:
    """Send a stream, or as much of it as was ordered."""
    response = web.StreamResponse(headers={"Content-Type": SSE, "Cache-Control": "no-cache"})
    await response.prepare(request)
    for number, event in enumerate(events):
        if delivery.cancelled():
            break
        if delivery.until_due is not None:
            await delivery.until_due(event)
        following = frame(event, delivery.profile)
        if number == delivery.disturbance.cut_after:
            return await _break_off(request, response, following)
        if number == delivery.disturbance.stall_after:
            await delivery.resumed.wait()
        await response.write(following)
        await asyncio.sleep(_pause(event["type"], delivery.profile.delta_seconds))
    if delivery.profile.done_frame and not delivery.cancelled():
        await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


async def _break_off(
    request: web.Request, response: web.StreamResponse, following: bytes
) -> web.StreamResponse:
    await response.write(following[: len(following) // 2])
    hang_up(request)
    return response


def hang_up(request: web.Request) -> None:
    """Close the connection; what is returned to it afterwards goes nowhere."""
    if request.transport is not None:
        request.transport.close()


def _pause(kind: str, delta_seconds: float) -> float:
    if kind == "response.web_search_call.searching":
        return delta_seconds * SEARCH_DELTAS
    return delta_seconds if kind.endswith(".delta") else 0.0


async def send_played(request: web.Request, played: Played) -> web.StreamResponse:
    """Send the bytes of a recording in its pieces, and end."""
    headers = {"Content-Type": SSE} | dict(played.headers)
    response = web.StreamResponse(status=played.status, headers=headers)
    await response.prepare(request)
    for piece in played.pieces():
        await response.write(piece)
        await asyncio.sleep(0)
    await response.write_eof()
    return response
