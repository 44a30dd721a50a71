"""What people do about scheduled digests: schedule one, list them, pause, resume, delete."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from bot.digests.admission import NotAdmitted
from bot.digests.recurrence import Recurrence, UnknownRecurrence, next_times
from bot.digests.recurrence_words import in_words, read_recurrence
from bot.digests.schedule import ScheduledDigest
from bot.errors import FootnoteError, SlackError, public_words
from bot.slack.asker import chosen_by
from bot.slack.digest_words import (
    IN_CHANNELS_ONLY,
    NO_SCHEDULES,
    NOT_SAVED,
    NOT_YOUR_SCHEDULE,
    SAVED,
    Said,
    changed_words,
)
from bot.slack.schedule_blocks import home_view, list_blocks, posted_words, preview_blocks
from bot.slack.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.digests.admission import Admission
    from bot.digests.command import ScheduleAction, ScheduleWanted
    from bot.digests.schedule import Schedule
    from bot.slack.asker import Asker
    from bot.slack.hints import Hints
    from bot.slack.web import SlackWeb

log = logging.getLogger(__name__)

Json = dict[str, Any]

MOST_SCHEDULES = 40  # of one person: Slack takes 100 blocks in a Home


class Schedules(Protocol):
    """Digests that come by themselves."""

    async def add(self, new: ScheduledDigest, next_due: datetime) -> Schedule:
        """Keep a new one; the same one twice is one, which comes again if it was paused."""
        ...

    async def change(self, schedule_id: int, new: ScheduledDigest, next_due: datetime) -> bool:
        """Have one of theirs come as is wanted now, from a time on; False where there is none."""
        ...

    async def get(self, schedule_id: int) -> Schedule | None:
        """Return one; None where there is no such."""
        ...

    async def of_user(self, team: str, user: str) -> Sequence[Schedule]:
        """Return those of a person, the oldest first."""
        ...

    async def pause(self, schedule_id: int, why: str) -> bool:
        """Have one come no more until it is resumed; False where it does not come now."""
        ...

    async def resume(self, schedule_id: int, next_due: datetime) -> bool:
        """Have one come again from a time on; False where it is not paused."""
        ...

    async def delete(self, schedule_id: int) -> bool:
        """Forget one; False where there is no such."""
        ...


@dataclass(frozen=True, slots=True)
class ScheduleControls:
    """Takes what is asked about schedules. Only whose they are may change them."""

    web: SlackWeb
    schedules: Schedules
    admission: Admission
    hints: Hints
    team: str
    command: str  #: as it is typed here
    now: Callable[[], datetime]

    async def preview(self, wanted: ScheduleWanted, asker: Asker, zone: str) -> Said:
        """Say back what was understood; nothing is kept or changed yet."""
        try:
            recurrence = read_recurrence(plain(wanted.when, {}), zone)
        except UnknownRecurrence as error:
            return Said(error.public)
        about, is_paused = plain(wanted.about, {}), False
        if wanted.number is not None:
            found = await self._own(wanted.number, asker.user)
            if found is None:
                return Said(NOT_YOUR_SCHEDULE.format(number=wanted.number))
            new = replace(found.digest, recurrence=recurrence, about=about or found.digest.about)
            is_paused = found.is_paused
        else:
            source = wanted.channel or asker.channel
            if not is_channel(source):
                return Said(IN_CHANNELS_ONLY)
            # In the channel itself, or else to its owner alone: nowhere else may it be posted.
            target = source if source == asker.channel else ""
            new = self._new(asker, source, target, recurrence, about)
        blocks = preview_blocks(new, self.now(), wanted.number, is_paused=is_paused)
        return Said(f"Digest {in_words(recurrence)}: save it?", blocks)

    async def save(self, body: Json, value: str) -> None:
        """Keep a schedule that was shown, if who pressed the button may have its digests."""
        asker = chosen_by(body)
        try:
            said = json.loads(value)
            recurrence = read_recurrence(said["cron"], said["zone"])
            new = self._new(asker, said["source"], said["target"], recurrence, said["about"])
            words = await self._saved(new, said.get("number"))
        except (ValueError, KeyError, TypeError, UnknownRecurrence):
            words = NOT_SAVED.format(why="I could not read it")
        except NotAdmitted as refused:
            words = refused.public
        except SlackError as error:
            words = NOT_SAVED.format(why=f"Slack says {error.code}")
        except FootnoteError as error:
            words = public_words(error)
        await self.hints.respond(asker.response_url, words, replace=True)

    async def listed(self, user: str) -> Said:
        """List the schedules of a person."""
        found = await self.schedules.of_user(self.team, user)
        if not found:
            return Said(NO_SCHEDULES)
        return Said("Your scheduled digests", list_blocks(found, self.command))

    async def change(self, wanted: ScheduleAction, user: str) -> str:
        """Pause, resume or delete a schedule; return words for who wants it."""
        found = await self._own(wanted.number, user)
        if found is None:
            return NOT_YOUR_SCHEDULE.format(number=wanted.number)
        match wanted.action:
            case "pause":
                is_done = await self.schedules.pause(found.id, "")
            case "resume":
                now, recurrence = self.now(), found.digest.recurrence
                following = next(iter(next_times(recurrence, now, 1)), now)
                is_done = await self.schedules.resume(found.id, following)
            case _:
                is_done = await self.schedules.delete(found.id)
        return changed_words(wanted.action, found.id, is_done=is_done)

    async def pressed(self, body: Json, wanted: ScheduleAction) -> None:
        """Take a press of a button in a list or in the Home."""
        asker = chosen_by(body)
        try:
            words = await self.change(wanted, asker.user)
            said = await self.listed(asker.user)
        except FootnoteError as error:
            words, said = public_words(error), Said("")
        if body.get("view"):
            await self.show_home(asker.user)
        else:
            await self.hints.respond(asker.response_url, words, said.blocks, replace=True)

    async def show_home(self, user: str) -> None:
        """Show a person's schedules in the app's Home."""
        found = await self.schedules.of_user(self.team, user)
        try:
            await self.web.call("views.publish", user_id=user, view=home_view(found, self.command))
        except SlackError as error:
            log.info("the home could not be shown", extra={"code": error.code})

    async def _own(self, number: int, user: str) -> Schedule | None:
        """Return a person's own schedule; None where they have none with this number."""
        found = await self.schedules.get(number)
        if found is None or (found.digest.team, found.digest.user) != (self.team, user):
            return None
        return found

    async def _saved(self, new: ScheduledDigest, number: int | None) -> str:
        found = [each.digest for each in await self.schedules.of_user(self.team, new.user)]
        if number is None and new not in found and len(found) >= MOST_SCHEDULES:
            return NOT_SAVED.format(why=f"you already have {MOST_SCHEDULES}")
        channel = new.target
        if not channel:
            opened = await self.web.call("conversations.open", users=new.user)
            channel = str((opened.get("channel") or {}).get("id"))
        await self.admission.check(self.team, new.user, new.source, channel)
        first = next(iter(next_times(new.recurrence, self.now(), 1)))
        if number is None:
            number = (await self.schedules.add(new, first)).id
        elif not await self.schedules.change(number, new, first):
            return NOT_YOUR_SCHEDULE.format(number=number)
        when, where = in_words(new.recurrence), posted_words(new)
        return SAVED.format(number=number, when=when, where=where, command=self.command)

    def _new(
        self, asker: Asker, source: str, target: str, recurrence: Recurrence, about: str
    ) -> ScheduledDigest:
        return ScheduledDigest(
            team=self.team,
            user=asker.user,
            user_team=asker.team or self.team,
            source=source,
            target=target,
            recurrence=recurrence,
            about=about,
        )


def is_channel(channel: str) -> bool:
    """Whether this is the id of a channel, and of no direct message."""
    return channel.startswith(("C", "G"))
