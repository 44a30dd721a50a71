"""How events reach the bot: over one of its sockets, or as signed posts, until acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from bot.playground.slack.limits import Limits

Json = dict[str, Any]

CONNECTIONS = 10  # of one app at the same time
CONNECTION_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class Envelope:
    """Something for the bot."""

    type: str  #: events_api, slash_commands or interactive
    payload: Json
    accepts_response: bool = False


@dataclass(frozen=True, slots=True)
class Redelivery:
    """An envelope that was delivered again."""

    envelope: Envelope
    attempt: int
    reason: str


@dataclass
class Delivery:
    """Delivers envelopes, each until it is acknowledged or its retries are used up."""

    limits: Limits
    signing_secret: str
    events_url: str | None = None
    redelivered: list[Redelivery] = field(default_factory=list)
    lost: list[Envelope] = field(default_factory=list)  #: never acknowledged
    _sockets: list[web.WebSocketResponse] = field(default_factory=list)  #: those that hear
    _transports: dict[web.WebSocketResponse, asyncio.Transport] = field(default_factory=dict)
    refusal: str | None = None  #: the reason with which new sockets are closed at once
    _new_are_deaf: bool = False
    _turn: int = 0
    _connected: asyncio.Event = field(default_factory=asyncio.Event)
    _acks: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _tasks: set[asyncio.Task[Json]] = field(default_factory=set)

    def send(self, envelope: Envelope) -> asyncio.Task[Json]:
        """Deliver in the background; the task's result is what the bot answered."""
        task = asyncio.create_task(self._deliver(envelope))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def until_connected(self) -> None:
        """Wait for a socket, if there is no other way to the bot."""
        if self.events_url is None:
            await self._connected.wait()

    async def until_idle(self) -> None:
        """Wait until everything sent so far is acknowledged or given up."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one socket until it closes."""
        socket = web.WebSocketResponse(heartbeat=None)
        await socket.prepare(request)
        if request.transport is None:
            return socket  # it is gone already
        self._transports[socket] = request.transport
        try:
            await self._greet(socket)
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._received(message.data)
        finally:
            self._forget(socket)
            del self._transports[socket]
        return socket

    def go_deaf(self, *, new_too: bool = False) -> None:
        """Keep the sockets open, and from now on read, answer and send nothing on them.

        With `new_too`, so it is with every socket that is opened until `hear_again`.
        """
        self._new_are_deaf = new_too
        for socket in list(self._sockets):
            self._forget(socket)
            self._transports[socket].pause_reading()

    def hear_again(self) -> None:
        """Greet and hear the sockets that are opened from now on."""
        self._new_are_deaf = False

    async def disconnect(self, reason: str) -> None:
        """Tell every socket to connect anew, and close it."""
        for socket in list(self._sockets):
            with contextlib.suppress(ConnectionError):
                await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})
            self._forget(socket)
            await socket.close()

    async def ping(self) -> None:
        """Ping on every socket."""
        for socket in self._sockets:
            await socket.ping(b"Ping from local")

    async def close(self) -> None:
        """Give up what is not delivered, and close the sockets."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket, transport in list(self._transports.items()):
            if socket in self._sockets:
                await socket.close()
            else:
                transport.abort()  # a deaf one does not hear the other's goodbye

    @property
    def is_full(self) -> bool:
        """Whether there are as many sockets as Slack allows."""
        return len(self._sockets) >= CONNECTIONS

    async def _greet(self, socket: web.WebSocketResponse) -> None:
        if self._new_are_deaf:
            self._transports[socket].pause_reading()
            return
        if self.refusal is not None:
            await socket.send_json({"type": "disconnect", "reason": self.refusal})
            await socket.close()
            return
        await socket.send_json(self._hello())
        self._sockets.append(socket)
        self._connected.set()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._sockets) + 1,
            "connection_info": {"app_id": "A0FOOTNOTE"},
            "debug_info": {"host": "local", "approximate_connection_time": CONNECTION_SECONDS},
        }

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self._sockets:
            self._sockets.remove(socket)
        if not self._sockets:
            self._connected.clear()

    def _received(self, data: str) -> None:
        with contextlib.suppress(ValueError):
            message = json.loads(data)
            waiting = self._acks.get(str(message.get("envelope_id")))
            if waiting is not None and not waiting.done():
                waiting.set_result(message.get("payload") or {})

    async def _deliver(self, envelope: Envelope) -> Json:
        reason = ""
        for attempt in range(len(self.limits.retry_delays) + 1):
            if attempt:
                await asyncio.sleep(self.limits.retry_delays[attempt - 1])
                self.redelivered.append(Redelivery(envelope, attempt, reason))
            await self.until_connected()
            try:
                async with asyncio.timeout(None if self.events_url else self.limits.ack_seconds):
                    return await self._attempt(envelope, attempt, reason)
            except TimeoutError:
                reason = "timeout" if self.events_url is None else "http_timeout"
            except (aiohttp.ClientError, ConnectionError) as error:
                reason = str(error) if str(error).startswith("http_") else "connection_failed"
            if envelope.type != "events_api":
                break  # only events are delivered again
        self.lost.append(envelope)
        return {}

    async def _attempt(self, envelope: Envelope, attempt: int, reason: str) -> Json:
        if self.events_url is not None:
            return await self._post(self.events_url, envelope, attempt, reason)
        return await self._over_socket(envelope, attempt, reason)

    async def _over_socket(self, envelope: Envelope, attempt: int, reason: str) -> Json:
        socket = self._sockets[self._turn % len(self._sockets)]
        self._turn += 1
        envelope_id = f"envelope-{next(self._ids)}"
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._acks[envelope_id] = answer
        frame = {
            "envelope_id": envelope_id,
            "type": envelope.type,
            "payload": envelope.payload,
            "accepts_response_payload": envelope.accepts_response,
        }
        retried = {"retry_attempt": attempt, "retry_reason": reason}
        try:
            await socket.send_json(frame | (retried if envelope.type == "events_api" else {}))
            return await answer
        finally:
            del self._acks[envelope_id]

    async def _post(self, url: str, envelope: Envelope, attempt: int, reason: str) -> Json:
        body, kind = _body(envelope)
        headers = {"Content-Type": kind, **signature(self.signing_secret, body)}
        if attempt:
            headers |= {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": reason}
        timeout = aiohttp.ClientTimeout(total=self.limits.ack_seconds)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=body, headers=headers) as response,
        ):
            text = await response.text()
            if response.status >= 300:  # noqa: PLR2004 - anything but 2xx
                raise ConnectionError("http_error")
        with contextlib.suppress(ValueError):
            answer = json.loads(text)
            return answer if isinstance(answer, dict) else {}
        return {"text": text} if text else {}


def signature(secret: str, body: bytes, at: float | None = None) -> dict[str, str]:
    """Return the headers by which the bot knows that Slack sent a body."""
    timestamp = str(int(time.time() if at is None else at))
    base = b":".join((b"v0", timestamp.encode(), body))
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def _body(envelope: Envelope) -> tuple[bytes, str]:
    form = "application/x-www-form-urlencoded"
    if envelope.type == "slash_commands":
        return urlencode(envelope.payload).encode(), form
    if envelope.type == "interactive":
        return urlencode({"payload": json.dumps(envelope.payload)}).encode(), form
    return json.dumps(envelope.payload).encode(), "application/json"
