"""What people do about digests: ask for one, ask on below one, share one."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from bot.digests.command import (
    DigestNow,
    ListSchedules,
    ScheduleAction,
    ScheduleWanted,
    read_command,
)
from bot.digests.digest import Period
from bot.digests.points import for_the_web
from bot.digests.request import DigestRequest, request_text
from bot.digests.since import NotUnderstood
from bot.digests.times import period_words
from bot.slack.asker import chosen_by, field, typed_by
from bot.slack.command import command_key
from bot.slack.digest_words import (
    IN_CHANNELS_ONLY,
    THREAD_TAKEN,
    THREADS_OF_CHANNELS_ONLY,
    Said,
    help_words,
    taken_words,
)
from bot.slack.schedule_controls import is_channel
from bot.slack.text import plain
from bot.turns.question import Question, Thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.slack.asker import Asker
    from bot.slack.hints import Hints
    from bot.slack.identity import People
    from bot.slack.schedule_controls import ScheduleControls

log = logging.getLogger(__name__)

Json = dict[str, Any]

ZONE_SECONDS = 1.5  # for looking a person's time zone up, before Slack wants its acknowledgement


class Inbox(Protocol):
    """Takes questions."""

    async def take_to_place(self, question: Question) -> bool:
        """Take in a question whose thread is still to be posted; False when it was taken before."""
        ...


class Threads(Protocol):
    """What is known of threads."""

    async def has_digest(self, thread: Thread) -> bool:
        """Whether a digest stands in it."""
        ...


@dataclass(frozen=True, slots=True)
class DigestControls:
    """Takes what is asked about digests."""

    inbox: Inbox
    threads: Threads
    people: People
    schedules: ScheduleControls
    hints: Hints
    team: str
    now: Callable[[], datetime]

    async def command(self, command: Json) -> Said:
        """Take what was typed; stored when this returns. Returns words for who typed it."""
        asker = typed_by(command)
        zone = await self._zone(asker.user)
        try:
            wanted = read_command(field(command, "text"), self.now(), zone)
        except NotUnderstood as error:
            return Said(error.public)
        match wanted:
            case DigestNow():
                return Said(await self._take_now(asker, command_key(command), wanted, zone))
            case ScheduleWanted():
                return await self.schedules.preview(wanted, asker, zone.key)
            case ListSchedules():
                return await self.schedules.listed(asker.user)
            case ScheduleAction():
                return Said(await self.schedules.change(wanted, asker.user))
        return Said(help_words(field(command, "command")))

    async def _take_now(self, asker: Asker, key: str, wanted: DigestNow, zone: ZoneInfo) -> str:
        channel = wanted.channel or asker.channel
        if not is_channel(channel):
            return IN_CHANNELS_ONLY
        request = DigestRequest(
            channel=channel, period=wanted.period, about=plain(wanted.about, {}), zone=zone.key
        )
        await self._take(asker, request, key)
        return taken_words(channel, period_words(wanted.period, zone), request.about)

    async def shortcut(self, body: Json) -> None:
        """Take a message whose thread is to be summed up; stored when this returns."""
        asker, message = chosen_by(body), body.get("message")
        message = message if isinstance(message, dict) else {}
        thread_ts = field(message, "thread_ts") or field(message, "ts")
        if not thread_ts or not asker.user or not is_channel(asker.channel):
            return
        zone = await self._zone(asker.user)
        now = self.now()
        request = DigestRequest(
            channel=asker.channel, period=Period(now, now), thread_ts=thread_ts, zone=zone.key
        )
        await self._take(asker, request, command_key(body))

    async def tell_of_shortcut(self, body: Json) -> None:
        """Tell who chose a message that its thread is being summed up, or why not."""
        asker = chosen_by(body)
        words = THREAD_TAKEN if is_channel(asker.channel) else THREADS_OF_CHANNELS_ONLY
        await self.hints.respond(asker.response_url, words)

    async def routed(self, question: Question) -> Question:
        """Return a message in a digest's thread as what it is: about the digest, or for the web."""
        if question.is_root or question.kind != "answer":
            return question
        if not await self.threads.has_digest(question.thread):
            return question
        wanted = for_the_web(question.text)
        return replace(question, text=wanted) if wanted else replace(question, kind="about_digest")

    async def _take(self, asker: Asker, request: DigestRequest, key: str) -> None:
        question = Question(
            thread=Thread(team=self.team, channel="", thread_ts=""),  # the direct message
            ts=key,
            user=asker.user,
            user_team=asker.team or self.team,
            text=request_text(request),
            kind="digest",
        )
        self.hints.remember(question, asker.response_url)
        await self.inbox.take_to_place(question)

    async def _zone(self, user: str) -> ZoneInfo:
        """Return a person's time zone; UTC where it is not to be had in time."""
        try:
            async with asyncio.timeout(ZONE_SECONDS):
                return await self.people.zone(user)
        except TimeoutError:
            log.warning("a time zone could not be looked up in time")
            return ZoneInfo("UTC")
