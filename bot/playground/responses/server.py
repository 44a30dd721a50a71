"""The local Responses server: starts, takes orders from tests, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.responses.library import Library
from bot.playground.responses.profile import Profile
from bot.playground.responses.routes import Routes
from bot.playground.responses.scripts import Disturbance, Fault, Orders, Played, Scripted
from bot.playground.responses.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from bot.playground.responses.guard import Received
    from bot.playground.responses.store import Stored

LOOPBACK = "127.0.0.1"
LARGEST_BODY = 32 * 1024 * 1024
API_KEY = "sk-local"
LOOK_AGAIN_SECONDS = 0.05


class LocalResponses:
    """A Responses server on 127.0.0.1 that answers from a small library, or as it is told.

    Built by `start`; everything it is told applies to the next requests, in the order told.
    """

    api_key = API_KEY

    def __init__(
        self,
        profile: Profile,
        clock: Callable[[], float] = time.time,
        library: Library | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.profile = profile
        self.base_url = ""
        self.api_keys = {self.api_key}  # each sees the responses that it made itself, no others
        self.requests: list[Received] = []
        self.creates: list[dict[str, Any]] = []
        self.hung_up = 0  # answers whose reader closed the connection before the end
        self._orders = Orders()
        self._store = Store(profile)
        self._library = library or Library.shipped()
        self._clock = clock
        self.sleep = sleep
        self.resumed = asyncio.Event()
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        port: int = 0,
        profile: Profile | None = None,
        clock: Callable[[], float] = time.time,
        library: Library | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> AsyncIterator[LocalResponses]:
        """Serve until the block ends; port 0 takes a free one."""
        server = cls(profile or Profile(), clock, library, sleep)
        # A reader that hangs up cancels its request, as closing the connection does at OpenAI.
        runner = web.AppRunner(
            server.application(), handler_cancellation=True, access_log=None, shutdown_timeout=1
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, LOOPBACK, port)
            await site.start()
            taken = runner.addresses[0][1]
            server.base_url = f"http://{LOOPBACK}:{taken}{server.profile.path}"
            yield server
        finally:
            server.close()
            await runner.cleanup()

    @property
    def stored(self) -> dict[str, Stored]:
        """The responses that can be fetched and followed, by id."""
        return self._store.stored

    def accept_key(self, api_key: str) -> None:
        """Let another project's key in, which knows nothing of what the others were answered."""
        self.api_keys.add(api_key)

    def forget(self, response_id: str) -> None:
        """Drop a response, as if it had been deleted by somebody else."""
        self._store.forget(response_id)

    def expire(self, response_id: str) -> None:
        """Make a response older than the server keeps any."""
        self._store.expire(response_id)

    def application(self) -> web.Application:
        """Return the endpoints, to be served."""
        routes = Routes(self, self._store, self._orders, self._library)
        return routes.application(LARGEST_BODY)

    def script(self, *answers: Scripted | Callable[[str], Scripted]) -> None:
        """Answer the next creates with these texts; a function is given the question."""
        self._orders.answers.extend(answers)

    def play(
        self,
        body: bytes,
        *,
        piece_sizes: Sequence[int] | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer the next create with these bytes, sent in pieces of these sizes."""
        sizes = None if piece_sizes is None else tuple(piece_sizes)
        self._orders.answers.append(Played(body, sizes, status, _named(headers)))

    def fail(
        self,
        status: int,
        body: dict[str, Any] | str = "",
        headers: Mapping[str, str] | None = None,
        *,
        times: int = 1,
        on: str = "create",
    ) -> None:
        """Fail the next requests of one kind, before they are looked at."""
        fault = Fault(on, status, body, _named(headers))
        self._orders.faults.extend([fault] * times)

    def hang(self, times: int = 1, *, on: str = "create") -> None:
        """Accept the next requests and send nothing, until they are closed."""
        self._orders.faults.extend([Fault(on)] * times)

    def cut_after(
        self, events: int, *, times: int = 1, kept: bool = False, background: bool = False
    ) -> None:
        """Break the next streams off in the middle of a frame, after so many events."""
        disturbance = Disturbance(cut_after=events, kept=kept, background=background)
        self._orders.disturbances.extend([disturbance] * times)

    def stall_after(self, events: int, *, background: bool = False) -> None:
        """Hold the next stream back after so many events, until `resume`."""
        self.resumed.clear()
        self._orders.disturbances.append(Disturbance(stall_after=events, background=background))

    def resume(self) -> None:
        """Let a stalled stream go on."""
        self.resumed.set()

    async def until(self, predicate: Callable[[], object], seconds: float = 10) -> None:
        """Return once this holds; raise TimeoutError after so many seconds."""
        async with asyncio.timeout(seconds):
            while not predicate():
                self._changed.clear()
                with suppress(TimeoutError):  # the predicate may look at something else
                    await asyncio.wait_for(self._changed.wait(), LOOK_AGAIN_SECONDS)

    def now(self) -> float:
        """Return the time by this server's clock."""
        return self._clock()

    def note(self, received: Received | None = None) -> None:
        """Remember a request, and wake those who wait for something to happen."""
        if received is not None:
            self.requests.append(received)
        self._changed.set()

    async def closed(self) -> None:
        """Wait until the server closes."""
        await self._closing.wait()

    def close(self) -> None:
        """End what is held back, so that nothing outlives the server."""
        self._closing.set()
        self.resumed.set()


def _named(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.title(): value for name, value in (headers or {}).items()}
