"""Schedules as people type them, in plain words or as cron, and as they are said back to them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bot.digests.recurrence import Recurrence, UnknownRecurrence, cron_words, next_times

SHORTEST = timedelta(hours=1)  # between two of them
LOOKED_AT = 100  # due times, to find out how far apart they are
USUAL_TIME = (9, 0)

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = "|".join(rf"{day[:3]}(?:{day[3:]})?s?" for day in _DAYS) + "|tues|weds?|thurs?"
_TO = re.compile(rf"\b({_DAY}) ?(?:-|–|\b(?:to|through)\b) ?(?=(?:{_DAY})\b)")  # noqa: RUF001 - dash
_SPAN = re.compile(rf"({_DAY})(?:-({_DAY}))?")
_TIME = re.compile(
    r"(?:\bat\s+)?\b(?:(\d{1,2})[:.](\d{2})\s*(am|pm)?|(\d{1,2})\s*(am|pm)|(noon|midnight))\b"
    r"|\bat\s+(\d{1,2})\b(?!\s*(?:st|nd|rd|th))",
    re.IGNORECASE,
)
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_NTH = rf"(\d{{1,2}}(?:st|nd|rd|th)|{'|'.join(_ORDINALS)})"
_OF_MONTH = r"(?: of (?:the |each |every )?month| monthly)"
_OF_DAY = re.compile(rf"(?:{_NTH}|(\d{{1,2}}))( day)?({_OF_MONTH})?")
_OF_WEEKDAY = re.compile(rf"(?:{_NTH}|last) ({_DAY}){_OF_MONTH}")
_NAMED = {
    **dict.fromkeys(("day", "daily", "days"), "* * *"),
    **dict.fromkeys(("weekday", "weekdays", "workday", "workdays", "working day"), "* * 1-5"),
    **dict.fromkeys(("weekend", "weekends"), "* * 6,7"),
    **dict.fromkeys(("week", "weekly"), "* * 1"),
    **dict.fromkeys(("month", "monthly"), "1 * *"),
}


def read_recurrence(text: str, zone: str) -> Recurrence:
    """Read a schedule. Raises UnknownRecurrence where it is none, or comes too often."""
    words = " ".join(text.lower().replace(",", " , ").split())
    fields = text.split()
    looks_like_cron = len(fields) == 5 and re.fullmatch(r"[\d*/,LW#a-zA-Z -]+", text.strip())  # noqa: PLR2004 - fields
    has_cron_time = all(re.fullmatch(r"[\d*/,-]+", field) for field in fields[:2])
    if looks_like_cron and has_cron_time and not _TIME.search(text):
        return _checked(Recurrence(" ".join(fields).upper(), zone))
    if re.match(r"(hourly|every (hour|minute)|every \d+ (hours|minutes))\b", words):
        raise UnknownRecurrence("In words I know days only; several times a day takes cron.")
    found = _TIME.search(words)
    hour, minute = _time(found) if found else USUAL_TIME
    rest = words[: found.start()] + words[found.end() :] if found else words
    days = _days(" ".join(rest.replace(" , ", " and ").split()))
    if days is None:
        raise UnknownRecurrence("I do not understand when that is.")
    return _checked(Recurrence(f"{minute} {hour} {days}", zone))


def in_words(recurrence: Recurrence) -> str:
    """Say when it comes."""
    minute, hour, *days = recurrence.cron.split()
    at = f"{int(hour):02}:{int(minute):02}" if hour.isdigit() and minute.isdigit() else ""
    said = _said(days) if at else ""
    if not said:
        explained = cron_words(recurrence)
        return f"{explained[:1].lower()}{explained[1:]} ({recurrence.zone})"
    return f"{said} at {at} ({recurrence.zone})"


def _checked(recurrence: Recurrence) -> Recurrence:
    times = next_times(recurrence, datetime(2026, 1, 1, tzinfo=UTC), LOOKED_AT)
    if not times:
        raise UnknownRecurrence("That never comes.")
    if any(later - earlier < SHORTEST for earlier, later in pairwise(times)):
        raise UnknownRecurrence("That comes more often than once an hour.")
    return recurrence


def _time(found: re.Match[str]) -> tuple[int, int]:
    hour, minute, half, whole, its_half, named, plain = found.groups()
    if named:
        return (12, 0) if named == "noon" else (0, 0)
    hours, minutes = int(hour or whole or plain), int(minute or 0)
    half = half or its_half
    if half and not 1 <= hours <= 12:  # noqa: PLR2004 - a clock's hours
        raise UnknownRecurrence("There is no such time.")
    if half:
        hours = hours % 12 + (12 if half == "pm" else 0)
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - a day's hours, an hour's minutes
        raise UnknownRecurrence("There is no such time.")
    return hours, minutes


def _days(words: str) -> str | None:
    """Return the last three fields of cron for words that name days."""
    words = re.sub(r"^(?:and )+|(?: and)+$", "", words)
    is_every = bool(re.match(r"(?:every|each)\b", words))
    words = re.sub(r"^(?:every|each|on)\s+", "", words)
    words = re.sub(r"^(?:the|on|from)\s+", "", words)
    if words in _NAMED:
        return _NAMED[words]
    if re.fullmatch(rf"last day{_OF_MONTH}?", words):
        return "L * *"
    if found := _OF_DAY.fullmatch(words):
        return _day_of_month(found, is_every=is_every)
    if found := _OF_WEEKDAY.fullmatch(words):
        return _weekday_of_month(found)
    return _weekdays(words)


def _day_of_month(found: re.Match[str], *, is_every: bool) -> str | None:
    nth, number, day, of_month = found.groups()
    # "Every second day" is not the second of a month, and a number alone is no day at all.
    if not of_month and (number or (is_every and (day or nth in _ORDINALS))):
        return None
    value = _value(nth or number)
    return f"{value} * *" if 1 <= value <= 31 else None  # noqa: PLR2004 - a month's days


def _weekday_of_month(found: re.Match[str]) -> str | None:
    if not found[1]:
        return f"* * {_number(found[2])}L"
    value = _value(found[1])
    return f"* * {_number(found[2])}#{value}" if value in _ORDINALS.values() else None


def _value(nth: str) -> int:
    return _ORDINALS.get(nth) or int(re.sub(r"\D", "", nth))


def _weekdays(words: str) -> str | None:
    names = re.split(r"\s*(?:\band\b|&)\s*|\s+", _TO.sub(r"\1-", words))
    spans = [_SPAN.fullmatch(name) for name in names if name]
    numbers = {number for span in spans if span for number in _numbers(span)}
    if not numbers or None in spans:
        return None
    if numbers == set(range(1, 8)):
        return "* * *"
    return (
        "* * 1-5" if numbers == set(range(1, 6)) else f"* * {','.join(map(str, sorted(numbers)))}"
    )


def _numbers(span: re.Match[str]) -> list[int]:
    first, last = _number(span[1]), _number(span[2] or span[1])
    return [(first - 1 + days) % 7 + 1 for days in range((last - first) % 7 + 1)]


def _number(name: str) -> int:
    """Return a weekday's number in cron, from 1 for Monday to 7."""
    return next(n for n, day in enumerate(_DAYS, 1) if day.startswith(name[:3]))


def _said(days: list[str]) -> str:
    match days:
        case ["*", "*", "*"]:
            return "every day"
        case ["*", "*", "1-5"]:
            return "every weekday"
        case ["L", "*", "*"]:
            return "on the last day of each month"
        case [day, "*", "*"] if day.isdigit():
            return f"on day {day} of each month" if day != "1" else "on the first of each month"
        case ["*", "*", weekdays]:
            return _said_weekdays(weekdays)
    return ""


def _said_weekdays(weekdays: str) -> str:
    if found := re.fullmatch(r"([0-7])(?:L|#([1-4]))", weekdays):
        nth = next((word for word, n in _ORDINALS.items() if str(n) == found[2]), "last")
        return f"on the {nth} {_name(found[1])} of each month"
    if re.fullmatch(r"[0-7](,[0-7])*", weekdays):
        names = [_name(number) for number in weekdays.split(",")]
        return f"every {' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}"
    return ""


def _name(number: str) -> str:
    return _DAYS[(int(number) or 7) - 1].capitalize()
