"""A server that answers calls of the Web API as it is told."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.web import SlackWeb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Answers:
    """What the next calls are answered with, and the calls that came."""

    next: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.method == "POST" else dict(request.query)
        self.calls.append((request.match_info["method"], body))
        answer: dict[str, Any] = self.next.pop(0) if self.next else {"json": {"ok": True}}
        if answer.get("drop"):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if "text" in answer:
            return web.Response(**answer)
        return web.json_response(
            answer["json"], status=answer.get("status", 200), headers=answer.get("headers")
        )


@asynccontextmanager
async def slack_web() -> AsyncIterator[tuple[SlackWeb, Answers]]:
    answers = Answers()
    app = web.Application()
    app.router.add_route("*", "/api/{method}", answers.handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
        yield SlackWeb(AsyncWebClient(token="xoxb-test", base_url=url)), answers
    finally:
        await runner.cleanup()
