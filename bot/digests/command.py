"""What somebody typed behind the command: a digest now, a schedule, or what is done about one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from bot.digests.lines import one_line
from bot.digests.since import NotUnderstood, read_period

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from bot.digests.digest import Period

Action = Literal["pause", "resume", "delete"]

ABOUT_CHARACTERS = 500
EXAMPLES = "`7d`, `since Monday #general`, `1 Nov to 7 Nov about prices`, or `help`"

_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|[^>]*)?>")
_ABOUT = re.compile(r"(?:^|\s)about\s+(.+)\Z", re.IGNORECASE | re.DOTALL)
_IN_CHANNEL = re.compile(rf"(?:\b(?i:in)\s*)?{_CHANNEL.pattern}")
_IN_THE_END = re.compile(rf"(?:^|\s)(?i:in)\s*{_CHANNEL.pattern}[\s.!?]*\Z")
_TIME = re.compile(
    r"(?:at )?(\d{1,2}(?:[:.]\d{2})?(?: ?[ap]m)?|noon|midnight)(?: o'clock)?(?: about .*)?",
    re.IGNORECASE,
)
_CHANGE = re.compile(r"(pause|resume|delete)\s+#?(\d{1,9})", re.IGNORECASE)
_WHICH = re.compile(r"(?:pause|resume|delete|change)\b", re.IGNORECASE)
_SCHEDULE = re.compile(
    r"(?:schedule|change\s+#?(\d{1,9})(?:\s+to)?)(?:\s+(.*))?", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class DigestNow:
    """A digest is wanted."""

    period: Period
    channel: str | None  #: None: of where it was typed
    about: str


@dataclass(frozen=True, slots=True)
class ScheduleWanted:
    """A digest is wanted again and again."""

    when: str  #: for bot.digests.recurrence_words
    channel: str | None
    about: str
    number: int | None = None  #: of the schedule that is to come then instead


@dataclass(frozen=True, slots=True)
class ListSchedules:
    """The schedules of who typed it are wanted."""


@dataclass(frozen=True, slots=True)
class ScheduleAction:
    """Something is to be done about a schedule."""

    action: Action
    number: int


@dataclass(frozen=True, slots=True)
class HelpWanted:
    """How it is used is wanted."""


Command = DigestNow | ScheduleWanted | ListSchedules | ScheduleAction | HelpWanted


def read_command(text: str, now: datetime, zone: tzinfo) -> Command:
    """Read what was typed. Raises NotUnderstood, with words that say what to type instead."""
    words = text.strip()
    if words.lower() == "help":
        return HelpWanted()
    if words.lower() == "list":
        return ListSchedules()
    if found := _CHANGE.fullmatch(words):
        return ScheduleAction(cast("Action", found[1].lower()), int(found[2]))
    if found := _SCHEDULE.fullmatch(words):
        return _schedule_wanted(found)
    if _WHICH.match(words):
        raise NotUnderstood("Which one? `list` shows the numbers of your schedules.", "")
    since, channel, about = _taken_apart(words, "7d #general about prices")
    return DigestNow(read_period(since, now, zone), channel, about)


def _schedule_wanted(found: re.Match[str]) -> ScheduleWanted:
    number, words = int(found[1]) if found[1] else None, found[2] or ""
    if number and _CHANNEL.search(words):
        raise NotUnderstood(
            "You cannot change the channel of a schedule. Delete it and save a new one.", ""
        )
    when, channel, about = _taken_apart(words, "schedule weekdays 9:00 #general about prices")
    example = f"change {number}" if number else "schedule"
    if not when:
        raise NotUnderstood("Say when the digest should come.", f"`{example} weekdays 9:00`")
    if time := _TIME.fullmatch(about):
        raise NotUnderstood(
            "Put the time before `about`, and only the topic behind it.",
            f"`{example} weekdays at {time[1]}`",
        )
    return ScheduleWanted(when, channel, about, number)


def _taken_apart(words: str, example: str) -> tuple[str, str | None, str]:
    """Return what is left of words without the channel and what it is to be about."""
    about = ""
    if found := _ABOUT.search(words):
        words, about = words[: found.start()], found[1]
    channels = _CHANNEL.findall(words)
    if not channels:
        about, channels = _without_channel(about, example)
    if len(channels) > 1:
        raise NotUnderstood("I sum up one channel at a time.", EXAMPLES)
    rest = " ".join(_IN_CHANNEL.sub(" ", words).split())
    if "#" in re.sub(r"(?<=[\d])#\d", "", rest) and re.search(r"#[\w-]*[a-z]", rest):
        raise NotUnderstood(
            "I do not know that channel. Pick it from the list that Slack offers as you type #.", ""
        )
    return rest, channels[0] if channels else None, one_line(about, ABOUT_CHARACTERS)


def _without_channel(about: str, example: str) -> tuple[str, list[str]]:
    """Take the channel off that stands in the end of what a digest is to be about."""
    found = _IN_THE_END.search(about)
    rest = about[: found.start()] if found else about
    if _CHANNEL.search(rest):  # its channel, or one that it is about: nobody can tell
        raise NotUnderstood("Put the channel to sum up before `about`.", f"`{example}`")
    return rest, [found[1]] if found else []
