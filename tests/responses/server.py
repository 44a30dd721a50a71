"""A server on this machine that answers with the bytes it is told, as badly as it is told to."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

End = Literal["whole", "close", "reset", "hang"]
STREAM = {"content-type": "text/event-stream; charset=utf-8", "x-request-id": "req_1"}


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class _Scripted:
    head: bytes
    pieces: tuple[bytes, ...]
    end: End


class ByteServer:
    """Plays one scripted answer per request and remembers the requests."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.hung_up = asyncio.Event()  #: a client left while the server was hanging
        self.base_url = ""
        self._scripts: list[_Scripted] = []
        self._running: set[asyncio.Task[None]] = set()

    def play(
        self,
        *pieces: bytes,
        status: int = 200,
        headers: Mapping[str, str] = STREAM,
        end: End = "whole",
    ) -> None:
        """Answer the next request; without an end of "whole" the body never ends well."""
        lines = [f"HTTP/1.1 {status} Played", "transfer-encoding: chunked"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode()
        self._scripts.append(_Scripted(head, pieces, end))

    def forget(self) -> None:
        """Play nothing of what was ordered and not asked for."""
        self._scripts.clear()

    def play_nothing(self, end: End) -> None:
        """Take the next request and answer nothing at all."""
        self._scripts.append(_Scripted(b"", (), end))

    def play_unframed(self, body: bytes) -> None:
        """Answer the next request with a body that ends where the connection does."""
        head = b"HTTP/1.1 200 Played\r\ncontent-type: text/event-stream\r\n\r\n"
        self._scripts.append(_Scripted(head + body, (), "close"))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        self.connections += 1
        try:
            while await self._answer(reader, writer) == "whole":
                pass  # the connection is used again
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client left in the middle, which is what some tests do
        finally:
            writer.close()

    async def close(self) -> None:
        async with asyncio.timeout(5):
            await asyncio.gather(*self._running)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> End:
        self.received.append(await _request(reader))
        script = self._scripts.pop(0)
        writer.write(script.head)
        for piece in script.pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        await self._end(script.end, reader, writer)
        return script.end

    async def _end(
        self, end: End, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if end == "whole":
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        elif end == "hang":
            assert await reader.read() == b""
            self.hung_up.set()
        elif end == "reset":
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


@asynccontextmanager
async def byte_server() -> AsyncIterator[ByteServer]:
    server = ByteServer()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    server.base_url = f"http://127.0.0.1:{port}/v1"
    async with listener:
        yield server
        await server.close()


async def _request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, json.loads(body) if body else None)
