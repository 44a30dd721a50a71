"""How the driver talks to the local servers, each a process of its own: a JSON object per line.

    driver ── {"do": "ask", "count": 50} ──► its standard input
    driver ◄── {"said": 50} or {"error": …} ── its standard output

All processes read time.monotonic(), which is one clock on one Linux machine.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.bench.processes import BenchError, Started, start_process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

Json = dict[str, Any]

LINE_BYTES = 256 * 1024 * 1024  # the times of a whole run are one line
ANSWER_SECONDS = 30.0


async def obey(facts: Json, commands: Mapping[str, Callable[..., Awaitable[Json]]]) -> None:
    """Say the facts, then do as told until standard input ends: nobody is left to ask."""
    reader = asyncio.StreamReader(limit=LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    _say(facts)
    while line := await reader.readline():
        order = json.loads(line)
        try:
            _say(await commands[order.pop("do")](**order))
        except TimeoutError as error:
            _say({"error": str(error) or "it took too long"})


def _say(message: Json) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Peer:
    """A local server in a process of its own."""

    def __init__(self, name: str, started: Started, facts: Json) -> None:
        self.facts = facts
        self._name = name
        self._started = started

    @classmethod
    @asynccontextmanager
    async def start(cls, name: str, module: str, folder: Path) -> AsyncIterator[Peer]:
        """Start a module that obeys, until the block ends."""
        async with start_process(name, ["-m", module], folder, talks=True) as started:
            peer = cls(name, started, {})
            peer.facts = await peer._heard(ANSWER_SECONDS)
            yield peer

    async def tell(self, do: str, seconds: float | None = None, **how: object) -> Json:
        """Have something done; what may have to wait is told for how many seconds."""
        stdin = self._started.process.stdin
        assert stdin is not None
        order = {"do": do, **how} | ({} if seconds is None else {"seconds": seconds})
        stdin.write(json.dumps(order).encode() + b"\n")
        await stdin.drain()
        answer = await self._heard(ANSWER_SECONDS + (seconds or 0.0))
        if "error" in answer:
            raise BenchError(f"{self._name}, told to {do}: {answer['error']}")
        return answer

    async def _heard(self, seconds: float) -> Json:
        stdout = self._started.process.stdout
        assert stdout is not None
        try:
            async with asyncio.timeout(seconds):
                line = await stdout.readline()
        except TimeoutError:
            raise BenchError(f"{self._name} said nothing for {seconds:g} seconds") from None
        if not line:
            raise BenchError(f"{self._name} ended.\n{self._started.last_words()}")
        answer: Json = json.loads(line)
        return answer
