"""What schedules look like: before one is saved, in a list, and in the app's Home."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.digests.recurrence import next_times
from bot.digests.recurrence_words import in_words
from bot.slack.blocks import actions, button, context, is_message, section
from bot.slack.digest_words import NO_SCHEDULES
from bot.slack.markdown import escape, literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.digests.schedule import Schedule, ScheduledDigest
    from bot.slack.blocks import Json

SAVE_SCHEDULE = "save_schedule"  # its value is the schedule, as JSON: 2,000 characters at most
PAUSE_SCHEDULE = "pause_schedule"  # of these, a schedule's number
RESUME_SCHEDULE = "resume_schedule"
DELETE_SCHEDULE = "delete_schedule"
SHOWN_TIMES = 3
CONFIRM_DELETE = {
    "title": {"type": "plain_text", "text": "Delete this schedule?"},
    "text": {"type": "plain_text", "text": "No more digests of it will be posted."},
    "confirm": {"type": "plain_text", "text": "Delete"},
    "deny": {"type": "plain_text", "text": "Keep"},
    "style": "danger",
}


def preview_blocks(
    new: ScheduledDigest, now: datetime, number: int | None = None, *, is_paused: bool = False
) -> list[Json]:
    """Say back what was understood, with the next times, before it is saved.

    With a number it is to come instead of the schedule that has it, which may be paused.
    """
    times = next_times(new.recurrence, now, SHOWN_TIMES)
    listed = "\n".join(f"• {_time(at, new.recurrence.zone)}" for at in times)
    value = {
        "source": new.source,
        "target": new.target,
        "cron": new.recurrence.cron,
        "zone": new.recurrence.zone,
        "about": new.about,
        "number": number,
    }
    said = json.dumps(value, ensure_ascii=False)
    save = button(SAVE_SCHEDULE, "Save", said) | {"style": "primary"}
    return [
        section(f"*{_what(new)}*\nNext\n{listed}"),
        actions(save),
        context(_until_saved(number, is_paused=is_paused)),
    ]


def list_blocks(found: Sequence[Schedule], command: str) -> list[Json]:
    """List schedules, each with what can be done about it, as many as a message takes."""
    blocks: list[Json] = []
    for number, each in enumerate(found):
        others = f"{len(found) - number} more on my Home tab"
        more = [context(f"{others}; `{command} pause` and a number works for those too.")]
        if not is_message([*blocks, *_listed(each), *more]):
            return [*blocks, *more]
        blocks += _listed(each)
    return blocks


def home_view(found: Sequence[Schedule], command: str) -> Json:
    """Return the app's Home of a person."""
    how = (
        f"Type `{command} schedule weekdays 9:00` in a channel to have its digest posted regularly."
    )
    listed = [block for each in found for block in _listed(each)]
    none = [section(NO_SCHEDULES)]
    blocks = [section("*Your scheduled digests*"), *(listed or none), context(how)]
    return {"type": "home", "blocks": blocks}


def _listed(each: Schedule) -> list[Json]:
    number, zone = str(each.id), each.digest.recurrence.zone
    if not each.is_paused:
        facts = f"next {_time(each.next_due, zone)}"
        change = button(PAUSE_SCHEDULE, "Pause", number)
    else:
        facts = f"paused: {escape(each.paused_why)}" if each.paused_why else "paused"
        change = button(RESUME_SCHEDULE, "Resume", number)
    gone = button(DELETE_SCHEDULE, "Delete", number) | {"confirm": CONFIRM_DELETE}
    return [section(f"*{each.id}.* {_what(each.digest)}\n{facts}"), actions(change, gone)]


def posted_words(new: ScheduledDigest) -> str:
    """Say where it is posted."""
    return "in the channel" if new.target else "as a direct message to you"


def _until_saved(number: int | None, *, is_paused: bool) -> str:
    if number is None:
        return "Nothing is scheduled until you press Save."
    if is_paused:
        return f"Number {number} stays paused until you press Save; then it starts again."
    return f"Number {number} stays as it is until you press Save."


def _what(new: ScheduledDigest) -> str:
    about = f", about {literal(new.about)}" if new.about else ""
    when = escape(in_words(new.recurrence))
    return f"Digest of <#{new.source}>{about}, {when}, {posted_words(new)}"


def _time(at: datetime, zone: str) -> str:
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%A}, {local.day} {local:%B %Y %H:%M}"
