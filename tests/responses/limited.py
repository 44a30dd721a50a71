"""A Responses server with a limit of requests, like OpenAI's: it says what is left of it."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from tests.responses.examples import a_completed, a_created, delta, frames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

REFUSAL = {"message": "Rate limit reached.", "type": "requests", "code": "rate_limit_exceeded"}


@dataclass
class LimitedServer:
    """Takes so many requests in each window of time, and refuses every nth whatever is left."""

    limit: int
    seconds: float
    refuses_each: int
    asked: list[float] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)  # the turns, by the requests' metadata
    refused_at: float = float("inf")
    base_url: str = ""

    async def respond(self, request: web.Request) -> web.Response:
        body, now = await request.json(), time.monotonic()
        recent = [at for at in self.asked if at > now - self.seconds]
        self.asked.append(now)
        if len(recent) >= self.limit:
            return self._refuse(recent[0] + self.seconds - now, 0)
        left = self.limit - len(recent) - 1
        if len(self.asked) % self.refuses_each == 0:
            return self._refuse(self.seconds / 20, left)
        self.answered.append(body["metadata"]["turn"])
        answer = frames(a_created(), delta("Yes."), a_completed())
        return web.Response(
            body=answer, content_type="text/event-stream", headers=self._headers(left)
        )

    def fullest(self) -> int:
        """Count the requests of the fullest window, after that in which it first refused one."""
        later = [at for at in self.asked if at > self.refused_at + self.seconds]
        return max(sum(at <= other < at + self.seconds for other in later) for at in later)

    def _refuse(self, seconds: float, left: int) -> web.Response:
        self.refused_at = min(self.refused_at, time.monotonic())
        again = {"retry-after-ms": f"{seconds * 1_000:.0f}"}
        return web.Response(
            status=429,
            text=json.dumps({"error": REFUSAL}),
            content_type="application/json",
            headers={**self._headers(left), **again},
        )

    def _headers(self, left: int) -> Mapping[str, str]:
        return {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(left),
            "x-ratelimit-reset-requests": f"{self.seconds * 1_000:.0f}ms",
        }


@asynccontextmanager
async def limited_server(
    limit: int, seconds: float, refuses_each: int
) -> AsyncIterator[LimitedServer]:
    server = LimitedServer(limit, seconds, refuses_each)
    app = web.Application()
    app.router.add_post("/v1/responses", server.respond)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=512).start()  # a whole storm of them
        server.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield server
    finally:
        await runner.cleanup()
