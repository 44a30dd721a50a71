"""The lives of one bot process: begun by the fork server, ended by it, by us, or by itself."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

ROOT = Path(__file__).parents[2]
LIMIT = 1024 * 1024


@dataclass
class Life:
    """One process from its beginning to its end."""

    pid: int
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    status: int | None = None

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal, unless it has ended."""
        if not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def end_within(self, seconds: float) -> bool:
        """Wait for its end for so long; say whether it came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.ended.wait()
        return self.ended.is_set()


class Lives:
    """Begins lives, as many at a time as are asked for."""

    def __init__(self, process: Process, environment: Mapping[str, str], log: Path) -> None:
        self._process = process
        self._environment = dict(environment)
        self._log = log
        self._lives: dict[int, Life] = {}
        self._begun: dict[str, asyncio.Future[int]] = {}
        self._names = itertools.count(1)
        self.count = 0

    async def begin(self, borders: int | None = None, kill_before: str = "") -> Life:
        """Begin a life that kills itself after so many borders, or does not.

        With `kill_before` it kills itself instead of telling Slack something with these words.
        """
        name = f"life {next(self._names)}"
        self._begun[name] = asyncio.get_running_loop().create_future()
        wanted: dict[str, Any] = {
            "name": name,
            "borders": borders,
            "kill_before": kill_before,
            "environment": self._environment,
            "log": str(self._log),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
        self.count += 1
        pid = await self._begun[name]
        return self._lives[pid]

    async def listen(self) -> None:
        """Hear of beginnings and ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            if "began" in said:
                self._lives[said["pid"]] = Life(said["pid"])
                self._begun.pop(said["began"]).set_result(said["pid"])
            elif "ended" in said:
                life = self._lives.pop(said["ended"])
                life.status = said["status"]
                life.ended.set()

    def end_all(self) -> None:
        """Kill what is left."""
        for life in self._lives.values():
            life.kill()


@asynccontextmanager
async def open_lives(environment: Mapping[str, str], log: Path) -> AsyncIterator[Lives]:
    """Start the fork server; on leaving, nothing of it is left."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.crash.victim"),
        cwd=ROOT,
        stdin=PIPE,
        stdout=PIPE,
        limit=LIMIT,
    )
    assert process.stdout is not None
    await process.stdout.readline()  # that it is ready
    lives = Lives(process, environment, log)
    listening = asyncio.create_task(lives.listen())
    try:
        yield lives
    finally:
        lives.end_all()
        listening.cancel()
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
