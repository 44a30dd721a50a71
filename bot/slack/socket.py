"""Socket Mode: Slack's events over a WebSocket, which is watched.

A socket that is connected and deaf looks like a quiet one. Slack's library pings, and connects anew
when nothing answers; but its monitor can end, and it can try a used-up address for ever. So what
comes from Slack is noted here, and after a silence the library's client is thrown away with all it
believes, and another one connected. Where that does not help for long enough, the socket is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import aiohttp
from aiohttp import ClientWebSocketResponse, WSMsgType
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.errors import SettingsError
from bot.slack.unreadable import UNREADABLE, log_skipped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttp import WSMessage
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

log = logging.getLogger(__name__)

CANNOT_CONNECT = (SlackApiError, SlackClientError, aiohttp.ClientError, OSError, TimeoutError)
FRAMES = {WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG, WSMsgType.CLOSE}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the watch waits for what, in seconds.

    The library mends most deaf sockets by itself within three pings, so `silent` is more. What it
    does not mend is mended within `silent`, `look` and `connect` together: less than a minute.
    """

    ping: float = 8.0  #: between two pings
    look: float = 5.0  #: between two looks, and between two attempts to connect anew
    silent: float = 30.0  #: without a sign of life, after which it is connected anew
    connect: float = 20.0  #: for one attempt, until Slack has said something
    rescue: float = 90.0  #: of attempts that fail, after which the socket is lost
    goodbye: float = 1.0  #: for Slack's answer to the closing, which a deaf socket never gives


@asynccontextmanager
async def open_socket(
    app: AsyncApp,
    app_token: str,
    patience: Patience | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Socket]:
    """Receive events over Socket Mode. Raises SettingsError where Slack does not let it.

    `clock` is in seconds, and says how long Slack has been silent.
    """
    patience = patience or Patience()

    async def connect() -> Handler:
        return await _connected(Handler(app, app_token, patience, clock), patience.connect)

    try:
        handler = await connect()
    except CANNOT_CONNECT as error:
        raise SettingsError(
            "Slack does not open a socket: check SLACK_APP_TOKEN and its scope "
            f"connections:write ({_code(error)})."
        ) from error
    log.info("connected to slack over a socket")
    socket = Socket(handler, connect, patience, clock)
    watch = asyncio.create_task(socket.watch())
    try:
        yield socket
    finally:
        watch.cancel()
        await asyncio.wait({watch})
        await socket.close()
        if not watch.cancelled():
            watch.result()  # what nobody foresaw is raised here


class Socket:
    """A connection that is made anew when it falls silent."""

    def __init__(
        self,
        handler: Handler,
        connect: Callable[[], Awaitable[Handler]],
        patience: Patience,
        clock: Callable[[], float],
    ) -> None:
        self._handler = handler
        self._connect = connect
        self._patience = patience
        self._clock = clock
        self._lost = asyncio.Event()

    def heard_seconds_ago(self) -> float:
        """Return the seconds since Slack's last sign of life, a frame of any kind."""
        return self._clock() - self._handler.heard_at

    @property
    def is_silent(self) -> bool:
        """Whether Slack should have been heard since."""
        return self.heard_seconds_ago() >= self._patience.silent

    async def check(self) -> str:
        """Return "ok", or for how long Slack has not been heard."""
        return f"silent for {self.heard_seconds_ago():.0f} seconds" if self.is_silent else "ok"

    async def lost(self) -> None:
        """Wait until Slack is not heard any more, and everything was tried."""
        await self._lost.wait()

    async def watch(self) -> None:
        """Connect anew whenever it is silent, until that does not help."""
        try:
            while True:
                await asyncio.sleep(self._patience.look)
                if self.is_silent and not await self._mend():
                    return
        finally:
            self._lost.set()  # also where this ends in an unforeseen way: nobody would watch

    async def close(self) -> None:
        """Say goodbye."""
        await self._handler.close()

    async def _mend(self) -> bool:
        """Connect anew; False when that has failed for too long."""
        began = self._clock()  # as any silence is long after a sleep of the whole machine
        seconds = round(self.heard_seconds_ago())
        log.warning("slack is silent; connecting anew", extra={"seconds": seconds})
        await self._handler.close()
        while self._clock() - began < self._patience.rescue:
            try:
                self._handler = await self._connect()
            except Exception as error:  # noqa: BLE001 - whatever it is, it may be gone next time
                log.warning("slack cannot be connected", extra={"error": _code(error)})
                await asyncio.sleep(self._patience.look)
            else:
                log.info("connected to slack over a socket again")
                return True
        return False


class Handler(AsyncSocketModeHandler):
    """Bolt's handler, with the time at which Slack was heard last."""

    def __init__(
        self, app: AsyncApp, app_token: str, patience: Patience, clock: Callable[[], float]
    ) -> None:
        super().__init__(app, app_token, ping_interval=patience.ping)
        self._goodbye = patience.goodbye
        self._clock = clock
        self._heard = asyncio.Event()
        self.heard_at = clock()

    async def open(self) -> None:
        """Connect, and wait until Slack has said something."""
        plain = self.client.aiohttp_client_session
        self.client.aiohttp_client_session = aiohttp.ClientSession(
            ws_response_class=_told(self._hear)
        )
        await plain.close()
        # Asked for here, since connecting alone would try a wrong token for ever.
        self.client.wss_uri = await self.client.issue_new_wss_url()
        await self.connect_async()  # type: ignore[no-untyped-call]
        await self._heard.wait()

    async def close(self) -> None:
        """Say goodbye, wait a moment for Slack's, and end everything that the library started.

        Its own way of closing leaves half of that running when Slack does not answer.
        """
        client = self.client
        client.closed, client.auto_reconnect_enabled = True, False
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with asyncio.timeout(self._goodbye):
                await client.disconnect()  # type: ignore[no-untyped-call]
        running = (client.message_receiver, client.current_session_monitor)
        tasks = [client.message_processor, *(task for task in running if task is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.aiohttp_client_session.close()

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        """Hand a delivery to the app.

        What Bolt itself cannot read is acknowledged, or it would be delivered three times more.
        """
        try:
            # The two handlers name the client's type differently.
            await super().handle(client, req)  # type: ignore[arg-type]
        except UNREADABLE as error:
            log_skipped(type(error).__name__, req.payload)
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=req.envelope_id))

    def _hear(self) -> None:
        self.heard_at = self._clock()
        self._heard.set()


async def _connected(handler: Handler, seconds: float) -> Handler:
    """Open a handler; close it where that fails or takes longer."""
    try:
        async with asyncio.timeout(seconds):
            await handler.open()
    except BaseException:
        await handler.close()
        raise
    return handler


def _told(hear: Callable[[], None]) -> type[ClientWebSocketResponse[Literal[True]]]:
    """Make a WebSocket that tells of every frame. The library tells its listeners of texts only."""

    class Told(ClientWebSocketResponse[Literal[True]]):
        async def receive(self, timeout: float | None = None) -> WSMessage:  # noqa: ASYNC109 - aiohttp's signature
            message = await super().receive(timeout)
            if message.type in FRAMES:
                hear()
            return message

    return Told


def _code(error: Exception) -> str:
    """Name an error without its text, which may hold an address with a ticket."""
    code = error.response.get("error") if isinstance(error, SlackApiError) else None
    return str(code or type(error).__name__)
