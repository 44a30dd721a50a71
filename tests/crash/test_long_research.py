"""Forty minutes of research, over which a bot is killed again and again, come to one report.

All of it is real, the sockets, the database and the processes, but for the time: all clocks go
ninety times as fast.
"""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bot.playground.responses import LocalResponses, Profile, Scripted
from bot.playground.slack import LocalSlack
from tests.crash.fast import FastClock
from tests.crash.lives import open_lives
from tests.crash.people import LIMITS
from tests.crash.test_research import READY, environment, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.playground.slack.workspace import Message
    from tests.crash.lives import Lives

SPEED = 90.0
SEARCHES = 60
PAGE = "https://footnote.example/handbook/asking.html"
TEXT = f"It takes long ([handbook]({PAGE})).\n\n## More\n\n{'It goes on and on. ' * 40}"
RUN = Scripted(
    TEXT,
    queries=[f"query {number}" for number in range(1, SEARCHES + 1)],
    sources=[PAGE],
    citations=[(PAGE, "Asking")],
    pieces=[TEXT],
)
PROFILE = Profile(delta_seconds=0, queued_seconds=30.0, working_seconds=40 * 60.0, paced_runs=True)


@dataclass
class World:
    """What goes on outside the bot."""

    slack: LocalSlack
    responses: LocalResponses
    clock: FastClock
    server: Lives
    root: str
    began: float

    def said(self) -> list[Message]:
        thread = self.slack.thread(self.slack.channels["general"], self.root)
        return [message for message in thread if message.bot_id]

    async def kill(self, minute: float) -> bool:
        """Begin a life and kill it at this minute; say whether it lived until then."""
        life = await self.server.begin()
        await asyncio.sleep(max(0.0, self.clock.real_until(self.began + minute * 60)))
        life.kill()
        await life.ended.wait()
        return life.status == -signal.SIGKILL

    async def kill_before_the_report(self) -> bool:
        life = await self.server.begin(kill_before=READY)
        async with asyncio.timeout(20):
            await life.ended.wait()
        return life.status == -signal.SIGKILL

    async def finish(self) -> None:
        """Let a last life do what is left."""
        last = await self.server.begin()
        await self.slack.until(lambda _: READY in shown(self.said()), 30)
        await self.slack.until(lambda _: "stop_research" not in shown(self.said()))
        last.kill(signal.SIGTERM)
        await last.ended.wait()


@asynccontextmanager
async def researching(folder: Path) -> AsyncIterator[World]:
    """Ask for research whose stream is lost twice."""
    clock, log = FastClock(time.time(), SPEED), folder / "log"
    log.touch()
    async with (
        LocalSlack.start(limits=LIMITS) as slack,
        LocalResponses.start(profile=PROFILE, clock=clock.seconds, sleep=clock.sleep) as responses,
    ):
        responses.script(Scripted('{"questions": []}'), Scripted("Find it out."), RUN)
        responses.cut_after(18, background=True)  # of about 330 events, so at minute 2
        responses.cut_after(10_000, background=True)
        responses.cut_after(22, background=True)  # at minute 6, from where on none is resumed
        settings = environment(slack, responses, folder) | {
            "RESEARCH_MINUTES": "90",
            "TEST_CLOCK": f"{clock.begin} {SPEED}",
        }
        async with open_lives(settings, log) as server:
            asked = f"<@{slack.bot_user}> research: How do I ask?"
            root = await slack.say(slack.users["you"], slack.channels["general"], asked)
            yield World(slack, responses, clock, server, root, clock.seconds())


@pytest.mark.parametrize("is_killed_at_the_end", [False, True], ids=["", "before the report"])
async def test_one_report_comes_of_it_complete_and_its_asker_is_called_once(
    tmp_path: Path, *, is_killed_at_the_end: bool
) -> None:
    async with researching(tmp_path) as world:
        kills = [await world.kill(minute) for minute in (3.5, 12, 39)]
        if is_killed_at_the_end:
            kills.append(await world.kill_before_the_report())
        await world.finish()

    assert all(kills)
    plan, *report = world.said()
    assert "Researched in 4" in shown([plan])
    assert f"{SEARCHES} searches" in shown([plan])
    assert "stop_research" not in shown(world.said())
    assert shown(world.said()).count(READY) == 1
    assert shown(world.said()).count(f"<@{world.slack.users['you']}>") == 1
    assert "It goes on and on." in shown(report)
    session = world.slack.session(world.slack.channels["general"], world.root)
    assert session is not None
    assert session.status == "active"
    assert len([c for c in world.responses.creates if c.get("background")]) == 1
    paths = [received.path for received in world.responses.requests]
    # Resumed where it was lost, after a kill, and refused at last.
    assert len([path for path in paths if "stream=true" in path]) >= 3
