"""The local Responses server in a process of its own: answers at the pace it is told."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.responses import LocalResponses, Scripted
from bot.playground.responses.routes import Routes
from bot.playground.responses.scripts import Orders
from bot.playground.responses.sending import SSE
from bot.playground.responses.server import LARGEST_BODY
from bot.playground.responses.stream import frame
from tests.bench.control import obey

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from bot.playground.responses.guard import Received
    from bot.playground.responses.scripts import Disturbance
    from bot.playground.responses.stream import Event

Json = dict[str, Any]

QUESTION = re.compile(r"q(\d+):")
DELTA = "response.output_text.delta"
TEXT_ENDS = "response.output_text.done"
SPREAD = 101  # answers that go on together do so one after the other, over one pause


class Gate:
    """Where answers wait for one another."""

    def __init__(self) -> None:
        self.waiting = 0
        self._open = asyncio.Event()
        self._arrived = asyncio.Condition()

    async def go_through(self) -> None:
        """Wait until the gate is opened."""
        async with self._arrived:
            self.waiting += 1
            self._arrived.notify_all()
        await self._open.wait()

    async def until_waiting(self, count: int, seconds: float) -> None:
        """Return once so many answers wait here."""
        try:
            async with asyncio.timeout(seconds), self._arrived:
                await self._arrived.wait_for(lambda: self.waiting >= count)
        except TimeoutError:
            words = f"after {seconds:g} s {self.waiting} of {count} answers are that far"
            raise TimeoutError(words) from None

    def open(self) -> None:
        """Let all of them go on."""
        self._open.set()


@dataclass
class Pace:
    """How answers are written from now on."""

    deltas: int = 3
    delta_seconds: float = 0.0
    held: bool = False  #: after the first delta, and again after the last
    gates: dict[str, Gate] = field(default_factory=lambda: {"first": Gate(), "last": Gate()})

    async def before(self, event: Event, place: int, spread: float) -> None:
        """Wait until an event may be sent; `place` says how many deltas were sent."""
        if event["type"] == TEXT_ENDS and self.held:
            await self.gates["last"].go_through()
        if event["type"] != DELTA or place == 0:
            return
        if place == 1 and self.held:
            await self.gates["first"].go_through()
            await asyncio.sleep(self.delta_seconds * spread)
        await asyncio.sleep(self.delta_seconds)


@dataclass(slots=True)
class Written(Orders):
    """Answers every question with words that tell which delta they came in."""

    pace: Callable[[], Pace] = Pace

    def answer(self, question: str) -> Scripted:
        """Write the answer; every delta begins with its mark."""
        number = QUESTION.findall(question)[-1]
        pieces = [f"q{number}d{place} and so on. " for place in range(self.pace().deltas)]
        return Scripted("".join(pieces), pieces=pieces)


class PacedRoutes(Routes):
    """Sends the events of an answer at the pace, and notes when each delta was sent."""

    server: PacedResponses

    async def _sent(
        self,
        request: web.Request,
        events: Iterable[Event],
        disturbance: Disturbance,
        cancelled: Callable[[], bool] = bool,
    ) -> web.StreamResponse:
        del disturbance, cancelled  # nobody orders any here
        server, pace, place = self.server, self.server.pace, 0
        spread = len(server.creates) % SPREAD / SPREAD
        response = web.StreamResponse(headers={"Content-Type": SSE})
        await response.prepare(request)
        for event in events:
            await pace.before(event, place, spread)
            if event["type"] == DELTA:
                place += 1
                server.sent[event["delta"].partition(" ")[0]] = time.monotonic()
            await response.write(frame(event, server.profile))
        await response.write_eof()
        return response


class PacedResponses(LocalResponses):
    """The server, its pace and its notes."""

    pace = Pace()

    def application(self) -> web.Application:
        """Return the endpoints."""
        self.arrived: dict[str, float] = {}
        self.sent: dict[str, float] = {}
        orders = Written(pace=lambda: self.pace)
        routes = PacedRoutes(self, self._store, orders, self._library)
        routes.server = self
        return routes.application(LARGEST_BODY)

    def note(self, received: Received | None = None) -> None:
        """Note when a question arrived."""
        if received is not None and isinstance(received.body, dict):
            for number in QUESTION.findall(json.dumps(received.body.get("input"))):
                self.arrived.setdefault(number, time.monotonic())
        super().note(received)

    async def set_pace(
        self, deltas: int, delta_seconds: float = 0.0, *, held: bool = False
    ) -> Json:
        """Write answers at this pace from now on."""
        self.pace = Pace(deltas, delta_seconds, held)
        return {}

    async def waiting(self, gate: str, count: int, seconds: float) -> Json:
        """Wait until so many answers are held."""
        await self.pace.gates[gate].until_waiting(count, seconds)
        return {"sent": len(self.sent)}

    async def release(self, gate: str) -> Json:
        """Let the held answers go on."""
        self.pace.gates[gate].open()
        return {}

    async def collect(self) -> Json:
        """Say all that was noted."""
        return {"arrived": self.arrived, "sent": self.sent}


async def main() -> None:
    """Serve until the driver is gone."""
    async with PacedResponses.start() as server:
        assert isinstance(server, PacedResponses)
        facts = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": server.api_key}
        commands: Mapping[str, Callable[..., Awaitable[Json]]] = {
            "pace": server.set_pace,
            "waiting": server.waiting,
            "release": server.release,
            "collect": server.collect,
        }
        await obey(facts, commands)


if __name__ == "__main__":
    asyncio.run(main())
