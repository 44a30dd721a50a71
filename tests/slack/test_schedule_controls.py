"""What people do about their schedules is done or refused, and either is said."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.digests.command import ScheduleAction
from bot.digests.recurrence import Recurrence
from bot.digests.schedule import ScheduledDigest
from bot.errors import StoreUnreachable
from bot.playground.slack import LocalSlack
from bot.slack.connection import open_client
from bot.slack.events import Bot
from bot.slack.hints import Hints
from bot.slack.schedule_controls import MOST_SCHEDULES, ScheduleControls
from bot.slack.web import SlackWeb
from tests.fakes import FakeSchedules
from tests.slack.digest_ways import NOON, digest_ways

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bot.digests.schedule import Schedule

CHANNEL = "G0PRIVATE"


@dataclass
class LostSchedules(FakeSchedules):
    """Schedules in a database that may be away."""

    is_away: bool = False

    async def of_user(self, team: str, user: str) -> Sequence[Schedule]:
        if self.is_away:
            raise StoreUnreachable
        return await super().of_user(team, user)

    async def get(self, schedule_id: int) -> Schedule | None:
        if self.is_away:
            raise StoreUnreachable
        return await super().get(schedule_id)


class Told(Hints):
    """Remembers what people were told, instead of telling them."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    async def respond(
        self,
        url: str,
        words: str,
        blocks: Sequence[dict[str, Any]] = (),
        *,
        replace: bool = False,
    ) -> None:
        del url, blocks, replace
        self.words.append(words)


@dataclass
class Desk:
    """Where one person does something about schedules."""

    slack: LocalSlack
    controls: ScheduleControls
    schedules: LostSchedules
    told: Told = field(default_factory=Told)

    @property
    def you(self) -> str:
        return self.slack.users["you"]

    def new(self, about: str = "") -> ScheduledDigest:
        return ScheduledDigest(
            team=self.slack.team,
            user=self.you,
            user_team=self.slack.team,
            source=CHANNEL,
            target=CHANNEL,
            recurrence=Recurrence("0 9 * * *", "UTC"),
            about=about,
        )

    async def save(self, value: str | None = None, about: str = "") -> str:
        said = {"source": CHANNEL, "target": CHANNEL, "cron": "0 9 * * *", "zone": "UTC"}
        await self.controls.save(self.body, value or json.dumps({**said, "about": about}))
        return self.told.words[-1]

    @property
    def body(self) -> dict[str, Any]:
        return {"user": {"id": self.you, "team_id": self.slack.team}, "response_url": "…"}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as desk:
        yield desk


@asynccontextmanager
async def a_desk() -> AsyncIterator[Desk]:
    async with (
        LocalSlack.start() as slack,
        open_client(slack.bot_token, slack.api_url) as client,
    ):
        bot = Bot(slack.bot_user, slack.bot_id, slack.team)
        nobody: Any = None
        ways, _ = digest_ways(SlackWeb(client), bot, nobody, nobody)
        schedules, told = LostSchedules(), Told()
        controls = replace(ways.schedules, schedules=schedules, hints=told)
        yield Desk(slack, controls, schedules, told)


async def test_a_schedule_is_saved_with_its_next_time(desk: Desk) -> None:
    assert "Saved as number 1: every day at 09:00" in await desk.save()
    assert desk.schedules.kept[1].next_due == NOON.replace(hour=9) + timedelta(days=1)


@pytest.mark.parametrize("value", ["", "{", "[]", "7", '{"cron": "0 9 * * *"}', '{"cron": 7}'])
async def test_what_a_button_says_that_cannot_be_read_is_not_saved(desk: Desk, value: str) -> None:
    assert await desk.save(value or " ") == "This schedule was not saved: I could not read it."
    assert desk.schedules.kept == {}


async def test_one_person_has_so_many_and_may_save_each_of_them_again(desk: Desk) -> None:
    for number in range(MOST_SCHEDULES):
        await desk.schedules.add(desk.new(f"plan {number}"), NOON)

    assert await desk.save(about="one more") == (
        "This schedule was not saved: you already have 40."
    )
    assert "Saved as number 4:" in await desk.save(about="plan 3")


async def test_where_the_database_is_away_that_is_said(desk: Desk) -> None:
    await desk.schedules.add(desk.new(), NOON)
    desk.schedules.is_away = True
    await desk.save()
    await desk.controls.pressed(desk.body, ScheduleAction("pause", 1))

    assert desk.told.words == [StoreUnreachable.public] * 2
    assert not desk.schedules.kept[1].is_paused


async def test_a_button_that_is_pressed_twice_says_how_it_stands(desk: Desk) -> None:
    await desk.schedules.add(desk.new(), NOON)
    for action in ("pause", "pause", "resume"):
        await desk.controls.pressed(desk.body, ScheduleAction(action, 1))

    assert desk.told.words == [
        "Scheduled digest 1 is paused.",
        "Scheduled digest 1 is already paused.",
        "Scheduled digest 1 is running.",
    ]
