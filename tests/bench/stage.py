"""The local servers and one program between them, each a process of its own."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.control import Peer
from tests.bench.install import development_modules
from tests.bench.processes import BenchError, Started, start_process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

Json = dict[str, Any]

CONNECT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program that is measured."""

    name: str
    module: str
    plain: tuple[str, ...]  #: how it is run where nothing is hurried

    def hurried(self, flush_seconds: float) -> tuple[str, ...]:
        """Return how it is run with this pause between two appends."""
        return (self.module, str(flush_seconds))


FLOOR = Contestant("floor", "tests.bench.floor", ("tests.bench.floor", "1.0"))
BOT = Contestant("bot", "tests.bench.bot", ("bot", "run"))


@dataclass(frozen=True, slots=True)
class Servers:
    """The local Slack and the local Responses server."""

    slack: Peer
    responses: Peer
    folder: Path
    database_url: str

    @asynccontextmanager
    async def run(self, name: str, arguments: tuple[str, ...]) -> AsyncIterator[Stage]:
        """Run a module with its arguments between them until the block ends."""
        settings = {"DATABASE_URL": self.database_url, "LOG_LEVEL": "WARNING"}
        environment = settings | self.slack.facts | self.responses.facts
        hidden = ",".join(sorted(development_modules()))
        runner = ("-m", "tests.bench.installed", hidden)
        async with start_process(name, (*runner, *arguments), self.folder, environment) as started:
            stage = Stage(self.slack, self.responses, started)
            connected = await stage.has(self.slack.tell("connected", CONNECT_SECONDS))
            stage.ready_seconds = connected["at"] - started.at
            yield stage


@dataclass
class Stage:
    """A program that is connected."""

    slack: Peer
    responses: Peer
    program: Started
    ready_seconds: float = 0.0

    async def has(self, work: Coroutine[None, None, Json]) -> Json:
        """Wait for something that the program takes part in. Raises BenchError if it ends."""
        done, ended = asyncio.create_task(work), asyncio.create_task(self.program.process.wait())
        try:
            await asyncio.wait({done, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not done.done():
                raise BenchError(f"{self.program.name} ended.\n{self.program.last_words()}")
            return done.result()
        finally:
            for task in (done, ended):
                task.cancel()
            await asyncio.gather(done, ended, return_exceptions=True)


@asynccontextmanager
async def open_servers(database_url: str | None) -> AsyncIterator[Servers]:
    """Start the servers, with a folder that is removed; without a URL the database is in there."""
    with tempfile.TemporaryDirectory(prefix="footnote-bench-") as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            slack, responses = await asyncio.gather(
                *(
                    stack.enter_async_context(Peer.start(kind, f"tests.bench.{kind}", folder))
                    for kind in ("slack_process", "responses_process")
                )
            )
            url = database_url or f"sqlite+aiosqlite:///{folder / 'footnote.db'}"
            yield Servers(slack, responses, folder, url)


@asynccontextmanager
async def open_stage(
    contestant: Contestant, flush_seconds: float, database_url: str | None
) -> AsyncIterator[Stage]:
    """Start everything; the program pauses so long between two appends of an answer."""
    async with (
        open_servers(database_url) as servers,
        servers.run(contestant.name, contestant.hurried(flush_seconds)) as stage,
    ):
        yield stage
