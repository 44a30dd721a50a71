"""A local Slack and what reads its channels, at one simulated clock."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.digests.digest import Period, Reading
from bot.digests.request import DigestRequest
from bot.playground.slack import Limits, LocalSlack, sold
from bot.playground.slack.workspace import Message as Posted
from bot.slack.events import Bot
from bot.slack.identity import People
from bot.slack.pacing import Pacing
from bot.slack.period import PeriodReader, Progress
from bot.slack.web import SlackWeb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GENERAL = "C0GENERAL"
UNTIL = datetime(2026, 11, 23, 9, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=7)
WEEK = Period(SINCE, UNTIL)


def ts(at: datetime, microseconds: int = 0) -> str:
    return f"{at.timestamp():.0f}.{microseconds:06}"


def day(number: float) -> str:
    """A ts so many days after the period's beginning."""
    return ts(SINCE + timedelta(days=number))


@dataclass
class Clock:
    """A time that goes on by sleeping only."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Place:
    """A local Slack, and a reader of it, at one simulated clock."""

    slack: LocalSlack
    reader: PeriodReader
    clock: Clock
    told: list[Progress] = field(default_factory=list)

    async def read(
        self, period: Period = WEEK, channel: str = GENERAL, zone: str = "UTC"
    ) -> Reading:
        request = DigestRequest(channel=channel, period=period, zone=zone)

        async def tell(progress: Progress) -> None:
            self.told.append(progress)

        return await self.reader.read(self.slack.team, request, tell)

    def post(self, at: str, text: str = "words", root: str | None = None, **more: Any) -> str:  # noqa: ANN401 - fields of a message
        user = more.pop("user", "U0YOU")
        message = Posted(at, user, text, thread_ts=root, **more)
        self.slack.workspace.put(self.slack.workspace.channels[GENERAL], message)
        return at

    def calls(self) -> dict[str, int]:
        methods = [call.method for call in self.slack.calls]
        return {method: methods.count(method) for method in sorted(set(methods))}

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [call.params for call in self.slack.calls_of(method)]


@asynccontextmanager
async def open_place(*, is_sold: bool = False, share_names: bool = True) -> AsyncIterator[Place]:
    clock = Clock()
    limits = Limits(clock=clock)
    async with (
        LocalSlack.start(limits=sold(limits) if is_sold else limits) as slack,
        aiohttp.ClientSession() as session,
    ):
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session)
        web = SlackWeb(client)
        pacing = Pacing(clock=clock, sleep=clock.sleep)
        people = People(web, clock, share_names=share_names)
        bot = Bot(slack.bot_user, slack.bot_id, slack.team)
        yield Place(slack, PeriodReader(web, pacing, people, bot), clock)
