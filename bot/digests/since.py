"""Periods as people say them: `7d`, `since Monday`, `1 Nov to 7 Nov`, in their own time zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from bot.digests.digest import Period
from bot.errors import FootnoteError

if TYPE_CHECKING:
    from datetime import tzinfo

USUAL = timedelta(hours=24)
LONGEST = timedelta(days=92)
EXAMPLES = "`24h`, `7d`, `since Monday`, `yesterday`, `last week`, `1 Nov to 7 Nov`"

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LENGTH = re.compile(
    r"(?:the )?(?:last |past )?(\d{1,4}) ?(m|min(?:ute)?s?|h|hrs?|hours?|d|days?|w|weeks?)"
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_RANGE = re.compile(r"(?:from )?(.+?)(?:\.\.| (?:to|until|till|-|–) )(.+)")  # noqa: RUF001 - dash
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)? ([a-z]+)(?: (\d{4}))?")
_MONTH_DAY = re.compile(r"([a-z]+) (\d{1,2})(?:st|nd|rd|th)?(?: (\d{4}))?")


class NotUnderstood(FootnoteError):
    """Words behind a command that say nothing it can do."""

    def __init__(self, words: str, examples: str) -> None:
        super().__init__("not understood")
        self.public = f"{words} Try {examples}." if examples else words


def read_period(text: str, now: datetime, zone: tzinfo) -> Period:
    """Read a period; "" is the last 24 hours. Raises NotUnderstood.

    Days begin and end at midnight in the zone. A period that has no end goes on until now.
    """
    words = " ".join(text.lower().replace(",", " ").split())
    local = now.astimezone(zone)
    since, until = _read(words, now, local)
    until = min(until, now)
    if since >= now:
        raise NotUnderstood("That has not begun yet.", EXAMPLES)
    if since >= until:
        raise NotUnderstood("That ends before it begins.", EXAMPLES)
    if until - since > LONGEST + timedelta(hours=2):  # of daylight saving
        raise NotUnderstood(f"I sum up {LONGEST.days} days at most.", EXAMPLES)
    return Period(since.astimezone(UTC), until.astimezone(UTC))


def _read(words: str, now: datetime, local: datetime) -> tuple[datetime, datetime]:
    if not words:
        return now - USUAL, now
    if found := _LENGTH.fullmatch(words):
        return now - timedelta(**{_UNITS[found[2][0]]: int(found[1])}), now
    today = local.date()
    this_month = today.replace(day=1)
    named = {
        "today": (today, None),
        "yesterday": (today - timedelta(days=1), today),
        "this week": (_monday(today), None),
        "last week": (_monday(today) - timedelta(days=7), _monday(today)),
        "this month": (this_month, None),
        "last month": ((this_month - timedelta(days=1)).replace(day=1), this_month),
    }
    if words in named:
        begin, end = named[words]
        return _midnight(begin, local), _midnight(end, local) if end else now
    if found := _RANGE.fullmatch(words):
        begin, last = _date(found[1], today), _date(found[2], today)
        return _midnight(begin, local), _midnight(last + timedelta(days=1), local)
    begin = _date(words.removeprefix("since ").removeprefix("from "), today)
    is_one_day = not words.startswith(("since ", "from ")) and not _is_weekday(words)
    until = _midnight(begin + timedelta(days=1), local) if is_one_day else now
    return _midnight(begin, local), until


def _date(words: str, today: date) -> date:
    """Read a day; one without a year is the latest that has begun."""
    words = words.strip()
    if words in {"today", "yesterday"}:
        return today - timedelta(days=words == "yesterday")
    if _is_weekday(words):
        number = next(n for n, day in enumerate(_DAYS) if day.startswith(words[:3]))
        return today - timedelta(days=(today.weekday() - number) % 7)
    if re.fullmatch(r"\d{1,2}[/.]\d{1,2}([/.]\d{2,4})?\.?", words):
        raise NotUnderstood(
            "I cannot tell which is the day and which is the month.", "`7 Nov` or `2026-11-07`"
        )
    try:
        if found := _ISO.fullmatch(words):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _DAY_MONTH.fullmatch(words):
            return _latest(int(found[1]), _month(found[2]), found[3], today)
        if found := _MONTH_DAY.fullmatch(words):
            return _latest(int(found[2]), _month(found[1]), found[3], today)
    except ValueError:
        raise NotUnderstood("There is no such day.", EXAMPLES) from None
    raise NotUnderstood("I do not understand which time you mean.", EXAMPLES)


def _latest(day: int, month: int, year: str | None, today: date) -> date:
    if year:
        return date(int(year), month, day)
    for number in range(today.year, today.year - 9, -1):  # 29 February may be eight years ago
        try:
            found = date(number, month, day)
        except ValueError:
            continue
        if found <= today:
            return found
    raise ValueError


def _month(name: str) -> int:
    for number, month in enumerate(_MONTHS, 1):
        if name in {month, month[:3]} or (name == "sept" and number == 9):  # noqa: PLR2004 - of it
            return number
    raise NotUnderstood("I do not understand which time you mean.", EXAMPLES)


def _is_weekday(words: str) -> bool:
    return any(
        words in {day, day[:3], "tues", "wednes", "thurs"} and words[:3] == day[:3] for day in _DAYS
    )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _midnight(day: date, local: datetime) -> datetime:
    return datetime.combine(day, time(0), local.tzinfo)
