"""The ways in that are about digests, for tests of all ways."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.digests.admission import Admission
from bot.slack.digest_controls import DigestControls
from bot.slack.hints import Hints
from bot.slack.identity import People
from bot.slack.membership import Membership
from bot.slack.pacing import Pacing
from bot.slack.schedule_controls import ScheduleControls
from bot.slack.sharing import Sharing
from tests.fakes import FakeSchedules, FakeShared

if TYPE_CHECKING:
    from bot.slack.digest_controls import Inbox, Threads
    from bot.slack.events import Bot
    from bot.slack.web import SlackWeb

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def digest_ways(
    web: SlackWeb, bot: Bot, inbox: Inbox, threads: Threads
) -> tuple[DigestControls, Sharing]:
    people, pacing = People(web, lambda: 0.0, share_names=True), Pacing()
    admission, hints = Admission(Membership(web, pacing)), Hints()
    schedules = ScheduleControls(
        web, FakeSchedules(), admission, hints, bot.team, "/digest", lambda: NOON
    )
    return (
        DigestControls(inbox, threads, people, schedules, hints, bot.team, lambda: NOON),
        Sharing(web, pacing, FakeShared(), admission, people),
    )
