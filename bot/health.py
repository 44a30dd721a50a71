"""The bot's server: what it says of itself, beside whatever else it is given to serve.

`/healthz` says that the process lives, `/readyz` whether it can do its work, and `/metrics` what it
has counted. None of them says who asked what.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from bot.errors import SettingsError
from bot.exposition import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

log = logging.getLogger(__name__)

OK = "ok"
BODY_BYTES = 1024 * 1024  # an event is some kilobytes


@dataclass(frozen=True, slots=True)
class Health:
    """What is asked when somebody asks how the bot is."""

    checks: Mapping[str, Callable[[], Awaitable[str]]]  #: each returns "ok", or what is wrong
    heard_seconds_ago: Callable[[], float | None]  #: of the socket, None where there is none
    metrics: Callable[[], str]  #: the text for Prometheus
    seconds: float = 2.0  #: for one check
    fresh_seconds: float = 1.0  #: for which an answer holds, however many ask


class Readiness:
    """Whether the bot can do its work. Looks one at a time, as whoever reaches the port may ask."""

    def __init__(self, health: Health, clock: Callable[[], float]) -> None:
        self._health = health
        self._clock = clock
        self._lock = asyncio.Lock()
        self._words: dict[str, str] = {}
        self._looked_at = float("-inf")

    async def look(self) -> dict[str, object]:
        """Return what every check says, and whether all of them are well."""
        async with self._lock:
            if self._clock() - self._looked_at >= self._health.fresh_seconds:
                checks = self._health.checks
                words = await asyncio.gather(*(self._ask(name) for name in checks))
                self._words = dict(zip(checks, words, strict=True))
                self._looked_at = self._clock()
        ready = all(words == OK for words in self._words.values())
        heard = self._health.heard_seconds_ago()
        return {
            "ready": ready,
            **self._words,
            "heard_seconds_ago": None if heard is None else round(heard, 1),
        }

    async def _ask(self, name: str) -> str:
        seconds = self._health.seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._health.checks[name]()
        except TimeoutError:
            return f"no answer within {seconds:g} seconds"
        except Exception as error:
            # Its text may hold an address or a statement, and is for the log.
            log.warning("a check failed", extra={"check": name}, exc_info=error)
            return f"failed ({type(error).__name__})"


def health_routes(health: Health) -> list[web.RouteDef]:
    """Return the routes by which the bot says how it is."""
    readiness = Readiness(health, asyncio.get_running_loop().time)

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(_request: web.Request) -> web.Response:
        found = await readiness.look()
        return web.json_response(found, status=200 if found["ready"] else 503)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=health.metrics().encode(), headers={"Content-Type": CONTENT_TYPE})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]


@asynccontextmanager
async def open_server(routes: Iterable[web.RouteDef], host: str, port: int) -> AsyncIterator[int]:
    """Serve these routes; yields the port, which is a free one where 0 is given.

    Raises SettingsError where it cannot be listened on.
    """
    app = web.Application(client_max_size=BODY_BYTES)
    app.router.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise SettingsError(f"PORT {port} cannot be listened on: {error.strerror}") from error
        bound = int(runner.addresses[0][1])
        log.info("listening", extra={"port": bound})
        yield bound
    finally:
        await runner.cleanup()
