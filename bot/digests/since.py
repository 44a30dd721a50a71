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
_UNIT = r"(m|min(?:ute)?s?|h|hrs?|hours?|d|days?|w|weeks?)"
_LENGTH = re.compile(
    rf"(?:the )?(?:(?:last |past )?(\d{{1,4}}) ?|past ){_UNIT}"
    rf"|(?:since |from )?(?:(\d{{1,4}}) ?|an? ){_UNIT} ago"
)
_CLOCK = re.compile(r"(?:since|from) (?:(\d{1,2}):(\d{2}) ?(am|pm)?|(\d{1,2}) ?(am|pm))")
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
# A hyphen between digits belongs to a date, or else to two days of one month.
_DASH = re.compile(
    r"(?<=[a-z])-|-(?=[a-z])|(?<=[a-z] \d{4})-(?!\d+-)|–"  # noqa: RUF001 - dash
)
_RANGE = re.compile(r"(?:from )?(.+?)(?:\.\.| (?:to|until|till|-) )(.+)")
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_ONE_MONTH = re.compile(
    rf"(?:from )?(?:{_DAY}(?: ?- ?| (?:to|until|till) ){_DAY} ([a-z]+)"
    rf"|([a-z]+) {_DAY}(?: ?- ?| (?:to|until|till) ){_DAY})( \d{{4}})?"
)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY_MONTH = re.compile(rf"{_DAY} ([a-z]+)(?: (\d{{4}}))?")
_MONTH_DAY = re.compile(rf"([a-z]+) {_DAY}(?: (\d{{4}}))?")
_EARLIEST, _LATEST = date(2000, 1, 1), date(2100, 1, 1)  # near the ends of time, reckoning fails
_WITHIN = timedelta(days=183)  # ends a range that goes on into the next year


class NotUnderstood(FootnoteError):
    """Words behind a command that say nothing it can do."""

    def __init__(self, words: str, examples: str) -> None:
        super().__init__("not understood")
        self.public = f"{words} Try {examples}." if examples else words


def read_period(text: str, now: datetime, zone: tzinfo) -> Period:
    """Read a period; "" is the last 24 hours. Raises NotUnderstood.

    Days begin and end at midnight in the zone. A period that has no end goes on until now.
    """
    words = " ".join(_DASH.sub(" - ", text.lower().replace(",", " ")).split())
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
        unit = _UNITS[(found[2] or found[4])[0]]
        return now - timedelta(**{unit: int(found[1] or found[3] or 1)}), now
    if found := _CLOCK.fullmatch(words):
        return _latest_time(found, now, local), now
    today = local.date()
    name = words.removeprefix("since ").removeprefix("from ")
    if named := _named(name, today):
        begin, end = named if name == words else (named[0], None)
        return _midnight(begin, local), _midnight(end, local) if end else now
    if found := _RANGE.fullmatch(_spelled_out(words)):
        begin, last = _range(found[1], found[2], today)
        return _midnight(begin, local), _midnight(last + timedelta(days=1), local)
    begin = _date(name, today)
    is_one_day = name == words and not _is_weekday(words)
    until = _midnight(begin + timedelta(days=1), local) if is_one_day else now
    return _midnight(begin, local), until


def _named(words: str, today: date) -> tuple[date, date | None] | None:
    """Return the first day of a period that has a name, and the one behind its last."""
    this_month = today.replace(day=1)
    named = {
        "today": (today, None),
        "yesterday": (today - timedelta(days=1), today),
        "this week": (_monday(today), None),
        "last week": (_monday(today) - timedelta(days=7), _monday(today)),
        "this month": (this_month, None),
        "last month": ((this_month - timedelta(days=1)).replace(day=1), this_month),
    }
    return named.get(words)


def _latest_time(found: re.Match[str], now: datetime, local: datetime) -> datetime:
    """Return a time of today, or of yesterday where today's has not come."""
    hour, minute, half = int(found[1] or found[4]), int(found[2] or 0), found[3] or found[5]
    if half and 1 <= hour <= 12:  # noqa: PLR2004 - a clock's hours
        hour = hour % 12 + (12 if half == "pm" else 0)
    elif half:
        hour = -1
    try:
        at = time(hour, minute)
    except ValueError:
        raise NotUnderstood("There is no such time.", "`since 9:00`") from None
    today = datetime.combine(local, at, local.tzinfo)
    return today if today.astimezone(UTC) < now else today - timedelta(days=1)


def _spelled_out(words: str) -> str:
    """Say `1-7 Nov` as `1 Nov - 7 Nov`."""
    if not (found := _ONE_MONTH.fullmatch(words)):
        return words
    month, year = found[3] or found[4], found[7] or ""
    return f"{found[1] or found[5]} {month}{year} - {found[2] or found[6]} {month}{year}"


def _range(first: str, last: str, today: date) -> tuple[date, date]:
    """Return the first and the last day of a range, which may end after today."""
    upto = today
    if re.search(r"\d{4}", last) and re.search(r"\d", first):  # "28 Dec to 3 Jan 2026"
        upto = min(today, _date(last, today))
    begin = _date(first, upto)
    return begin, _date(last, today, begin)


def _date(words: str, today: date, begin: date | None = None) -> date:
    """Read a day. One without a year is the latest so far, or else the first since a beginning."""
    words = words.strip()
    if words in {"today", "yesterday"}:
        return today - timedelta(days=words == "yesterday")
    if _is_weekday(words):
        return _weekday(words, today, begin)
    try:
        year, month, day = _fields(words)
        if year is not None:
            return _in_year(year, month, day)
        return _first_since(begin, month, day) if begin else _latest(month, day, today)
    except ValueError:
        raise NotUnderstood("There is no such day.", EXAMPLES) from None


def _weekday(words: str, today: date, begin: date | None) -> date:
    number = next(n for n, day in enumerate(_DAYS) if day.startswith(words[:3]))
    if begin is not None:
        return begin + timedelta(days=(number - begin.weekday()) % 7)
    return today - timedelta(days=(today.weekday() - number) % 7)


def _fields(words: str) -> tuple[int | None, int, int]:
    """Return the year of a date, None where it has none, its month and its day."""
    if re.fullmatch(r"\d{1,2}[/.]\d{1,2}([/.]\d{2,4})?\.?", words):
        raise NotUnderstood(
            "I cannot tell which is the day and which is the month.", "`7 Nov` or `2026-11-07`"
        )
    if found := _ISO.fullmatch(words):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _DAY_MONTH.fullmatch(words):
        return int(found[3]) if found[3] else None, _month(found[2]), int(found[1])
    if found := _MONTH_DAY.fullmatch(words):
        return int(found[3]) if found[3] else None, _month(found[1]), int(found[2])
    raise NotUnderstood("I do not understand which time you mean.", EXAMPLES)


def _in_year(year: int, month: int, day: int) -> date:
    found = date(year, month, day)
    if found < _EARLIEST:
        raise NotUnderstood("That is too long ago.", EXAMPLES)
    return min(found, _LATEST)


def _latest(month: int, day: int, today: date) -> date:
    for year in range(today.year, today.year - 9, -1):  # 29 February may be eight years ago
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found <= today:
            return found
    raise ValueError


def _first_since(begin: date, month: int, day: int) -> date:
    year = begin.year + ((month, day) < (begin.month, begin.day))
    found = date(year, month, day)
    if year > begin.year and found - begin > _WITHIN:  # nobody means a year but a day
        raise NotUnderstood("That ends before it begins.", EXAMPLES)
    return found


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
