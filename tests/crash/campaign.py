"""Kills bots at random while people ask, and says what the people see in the end."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy import make_url

from bot.playground.responses import LocalResponses
from bot.playground.slack import LocalSlack
from tests.crash.lives import open_lives
from tests.crash.people import LIMITS, PROFILE, People
from tests.postgres import LocalPostgres, create_database, open_postgres

if TYPE_CHECKING:
    from tests.crash.lives import Life, Lives
    from tests.crash.verdict import Verdict

BORDERS = 160  # at the most, until a life ends itself
LONGEST = 1.5  # seconds of a life that does not come that far
SHORTEST = 0.02
STOP_SECONDS = 30.0


@dataclass
class Report:
    """What happened, and what came of it."""

    verdict: Verdict
    kills: Counter[str] = field(default_factory=Counter)
    lives: int = 0
    requests: int = 0
    pressed: int = 0
    redelivered: int = 0
    log: str = ""

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kills.items()))
        return (
            f"killed {self.kills.total()} ({kinds}); {self.lives} lives; "
            f"{self.requests} requests to the model; {self.redelivered} redeliveries; "
            f"tried again {self.pressed}"
        )


@dataclass
class Campaign:
    """One Slack with one database, and one or two bots on it."""

    people: People
    lives: Lives
    random: random.Random
    server: LocalPostgres | None  #: shared by two bots; None where one has a file
    kills: Counter[str] = field(default_factory=Counter)
    _restarting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def replicas(self) -> int:
        """How many bots there are."""
        return 1 if self.server is None else 2

    async def run(self, kills: int) -> Verdict:
        """Kill so often, let everything come to rest, and look."""
        asking = asyncio.create_task(self.people.ask_on())
        try:
            replicas = [
                self._one_replica(kills // self.replicas + (n < kills % self.replicas))
                for n in range(self.replicas)
            ]
            await asyncio.gather(*replicas)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        done = [await self.lives.begin() for _ in range(self.replicas)]
        with contextlib.suppress(TimeoutError):  # what is not answered by then is lost
            await self.people.rest()
        await self._stop(done)
        return self.people.verdict()

    async def _one_replica(self, kills: int) -> None:
        """Live and die so often."""
        while kills > 0:
            kills -= await self._one_life()

    async def _one_life(self) -> bool:
        """Live until the death; False where it ended otherwise, as it found no database."""
        kind = self.random.random()
        if kind < 0.7:
            life = await self.lives.begin(self.random.randint(1, BORDERS))
            if await life.end_within(LONGEST):
                self.kills["between two steps"] += life.status == -signal.SIGKILL
                return life.status == -signal.SIGKILL
        else:
            life = await self.lives.begin()
            await life.end_within(self.random.uniform(SHORTEST, LONGEST / 2))
        if self.server is not None and kind > 0.85:
            await self._hurt(self.server)
        else:
            self.kills["at some time"] += 1
        life.kill()
        await life.ended.wait()
        return True

    async def _hurt(self, server: LocalPostgres) -> None:
        """Kill the server or all connections to it; the bots are to bear that."""
        if self.random.random() < 0.5:
            self.kills["of the database's server"] += 1
            async with self._restarting:  # the other bot's hurter waits until it is there again
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
        else:
            self.kills["of all connections"] += 1
            async with self._restarting:
                await _end_connections(server.url)
        await asyncio.sleep(self.random.uniform(0, LONGEST / 2))  # and see how they go on

    async def _stop(self, lives: list[Life]) -> None:
        for life in lives:
            life.kill(signal.SIGTERM)
        for life in lives:
            if not await life.end_within(STOP_SECONDS) or life.status:
                raise RuntimeError(f"a bot did not end well: {life.status}")


async def _end_connections(admin: str) -> None:
    plain = make_url(admin).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = await asyncpg.connect(plain)
    except (OSError, asyncpg.PostgresError):
        return  # the other bot's death has just taken the server with it
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname LIKE 'footnote_%'"
        )
    finally:
        await connection.close()


async def run_campaign(kills: int, seed: int, database: str) -> Report:
    """Run a campaign on "sqlite" or "postgres"."""
    async with AsyncExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="footnote-crash-"))
        generator = random.Random(seed)
        server: LocalPostgres | None = None
        url = f"sqlite+aiosqlite:///{folder / 'footnote.db'}"
        if database == "postgres":
            server = stack.enter_context(open_postgres(durable=True))
            url = await create_database(server.url)
        slack = await stack.enter_async_context(LocalSlack.start(limits=LIMITS))
        responses = await stack.enter_async_context(LocalResponses.start(profile=PROFILE))
        environment = _environment(slack, responses, url)
        lives = await stack.enter_async_context(open_lives(environment, folder / "log"))
        people = People(slack, responses, generator)
        campaign = Campaign(people, lives, generator, server)
        verdict = await campaign.run(kills)
        report = Report(verdict, campaign.kills, lives.count, len(responses.creates))
        report.pressed, report.redelivered = people.pressed, len(slack.redelivered)
        if verdict.is_good:
            shutil.rmtree(folder)
        else:
            report.log = str(folder / "log")
    return report


def _environment(slack: LocalSlack, responses: LocalResponses, url: str) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "OPENAI_BASE_URL": responses.base_url,
        "OPENAI_API_KEY": responses.api_key,
        "DATABASE_URL": url,
        "PORT": "",
    }
