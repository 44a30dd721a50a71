"""The watch over Socket Mode: what it hears, what it mends, and when it gives up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import SettingsError
from bot.playground.slack import Limits, LocalSlack
from bot.slack.connection import build_app, open_client
from bot.slack.events import Bot
from bot.slack.socket import Patience, Socket, open_socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from slack_bolt.async_app import AsyncApp

LIMITS = Limits(retry_delays=(0.0, 0.05, 0.1), ack_seconds=1.0)
OPEN = "apps.connections.open"
# The library's own watch comes too late here; ours looks often, at a clock that the test moves.
OURS = Patience(ping=60, look=0.01, silent=30, connect=0.2, rescue=90, goodbye=0.05)


@dataclass
class Clock:
    """A time that stands still until it is moved."""

    now: float = 1_000.0
    read: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self) -> float:
        self.read.set()
        return self.now


@dataclass
class Line:
    """A socket between a local Slack and an app that notes what it is told."""

    slack: LocalSlack
    socket: Socket
    clock: Clock
    told: asyncio.Queue[str]

    async def say(self, text: str) -> None:
        you = self.slack.users["you"]
        await self.slack.say(you, self.slack.dm(you), text)

    async def until_told(self, text: str) -> None:
        while await within(self.told.get()) != text:
            pass

    async def until_quiet(self) -> None:
        """Wait until nothing is on its way, as the answer to the first ping may be.

        Slack has read that ping when it has a later acknowledgement; the bot has its answer when it
        has a later event.
        """
        await self.say("first")
        await self.slack.delivery.until_idle()
        await self.say("second")
        await self.until_told("second")
        await self.slack.delivery.until_idle()

    async def until_asked(self, times: int) -> None:
        """Wait until Slack was asked for so many sockets in all."""
        await self.slack.until(lambda slack: len(slack.calls_of(OPEN)) >= times, 2)

    async def until_heard(self) -> None:
        async def heard() -> None:
            while self.socket.heard_seconds_ago():
                self.clock.read.clear()
                await self.clock.read.wait()

        await within(heard())


async def within(what: Awaitable[Any], seconds: float = 2) -> Any:  # noqa: ANN401 - whatever it is
    async with asyncio.timeout(seconds):
        return await what


@asynccontextmanager
async def an_app(slack: LocalSlack, told: asyncio.Queue[str]) -> AsyncIterator[AsyncApp]:
    async with open_client(slack.bot_token, slack.api_url) as client:
        app = build_app(client, Bot(slack.bot_user, slack.bot_id, slack.team), None)

        async def on_message(event: dict[str, Any]) -> None:
            told.put_nowait(event["text"])

        app.event("message")(on_message)
        yield app


@asynccontextmanager
async def a_line(patience: Patience = OURS) -> AsyncIterator[Line]:
    told: asyncio.Queue[str] = asyncio.Queue()
    clock = Clock()
    async with (
        LocalSlack.start(limits=LIMITS) as slack,
        an_app(slack, told) as app,
        open_socket(app, slack.app_token, patience, clock) as socket,
    ):
        line = Line(slack, socket, clock, told)
        await line.until_quiet()
        yield line


async def test_a_socket_is_open_once_slack_has_said_something() -> None:
    async with a_line() as line:
        assert line.socket.heard_seconds_ago() == 0
        assert not line.socket.is_silent


@pytest.mark.parametrize("sign", ["an event", "a ping", "an answer to a ping"])
async def test_every_frame_from_slack_is_a_sign_of_life(sign: str) -> None:
    pings = 0.05 if sign == "an answer to a ping" else 60
    async with a_line(Patience(ping=pings, look=60, silent=30, goodbye=0.05)) as line:
        line.clock.now += 29
        match sign:
            case "an event":
                await line.say("hello")
            case "a ping":
                await line.slack.delivery.ping()
        await line.until_heard()

        assert line.socket.heard_seconds_ago() == 0


async def test_silence_is_counted_in_the_seconds_of_the_clock() -> None:
    async with a_line() as line:
        line.clock.now += 29.5

        assert line.socket.heard_seconds_ago() == 29.5
        assert not line.socket.is_silent
        assert await line.socket.check() == "ok"


async def test_a_deaf_socket_is_mended_by_the_librarys_own_pings() -> None:
    async with a_line(Patience(ping=0.05, look=60, goodbye=0.05)) as line:
        line.slack.go_deaf()
        await within(line.slack.until_connected())
        await line.say("there again?")
        await line.until_told("there again?")


async def test_a_deaf_socket_that_the_library_takes_for_good_is_replaced(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_line() as line:
        line.slack.go_deaf()
        await line.say("while you were deaf")
        line.clock.now += 30
        await line.until_told("while you were deaf")

        assert line.socket.heard_seconds_ago() == 0
    assert "slack is silent; connecting anew" in caplog.text


async def test_a_slack_that_opens_no_socket_for_a_while_is_asked_again() -> None:
    async with a_line() as line:
        lost = asyncio.create_task(line.socket.lost())
        line.slack.fail(OPEN, error="internal_error", times=3)
        line.slack.fail(OPEN, status=503, times=2)
        line.slack.fail(OPEN, drop=True, times=2)
        line.slack.go_deaf()
        line.clock.now += 30
        await line.until_asked(2)
        line.clock.now += 60
        await line.say("at last")
        await line.until_told("at last")

        assert not lost.done()
        lost.cancel()


async def test_a_slack_that_opens_no_socket_for_too_long_is_asked_in_pauses_and_then_lost() -> None:
    async with a_line() as line:
        line.slack.fail(OPEN, error="internal_error", times=1_000)
        line.slack.go_deaf()
        line.clock.now += 30
        await line.until_asked(4)
        line.clock.now += 90
        await within(line.socket.lost())
        asked = [call.at for call in line.slack.calls_of(OPEN)[1:]]

        assert min(later - at for at, later in pairwise(asked)) >= OURS.look
        assert await line.socket.check() == "silent for 120 seconds"


async def test_sockets_that_are_opened_and_say_nothing_are_no_rescue() -> None:
    async with a_line() as line:
        line.slack.go_deaf(new_too=True)
        line.clock.now += 30
        await line.until_asked(3)
        line.clock.now += 90
        await within(line.socket.lost())


async def test_after_a_long_sleep_of_the_machine_it_is_connected_anew_and_not_given_up() -> None:
    async with a_line() as line:
        lost = asyncio.create_task(line.socket.lost())
        line.clock.now += 36_000
        await line.until_heard()
        await line.say("good morning")
        await line.until_told("good morning")

        assert not lost.done()
        lost.cancel()


async def test_a_deaf_socket_does_not_keep_the_bot_from_ending_and_nothing_is_left() -> None:
    before = asyncio.all_tasks()
    async with a_line() as line:
        line.slack.go_deaf()

    assert asyncio.all_tasks() == before


async def test_a_socket_that_says_nothing_at_the_start_is_told_as_a_wrong_setting() -> None:
    before = asyncio.all_tasks()
    async with LocalSlack.start() as slack, an_app(slack, asyncio.Queue()) as app:
        slack.go_deaf(new_too=True)
        with pytest.raises(SettingsError, match=r"does not open a socket.*\(TimeoutError\)"):
            async with open_socket(app, slack.app_token, OURS):
                pass

    assert asyncio.all_tasks() == before
