"""Times as their reader is told them, in their own time zone."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from bot.digests.digest import Period


def moment_words(at: datetime, zone: tzinfo, beside: datetime | None = None) -> str:
    """Say a moment to the minute, with its year where that is not the year of one beside it."""
    local = at.astimezone(zone)
    is_clear = beside is None or beside.astimezone(zone).year == local.year
    return f"{local.day} {local:%b %H:%M}" if is_clear else f"{local.day} {local:%b %Y %H:%M}"


def span_words(period: Period, zone: tzinfo) -> str:
    """Say a period to the minute, with its years where it begins and ends in two."""
    begin, end = period.since.astimezone(zone), period.until.astimezone(zone)
    day = "%b %H:%M" if begin.year == end.year else "%b %Y %H:%M"
    return f"{begin.day} {begin:{day}} to {end.day} {end:{day}}"


def period_words(period: Period, zone: tzinfo) -> str:
    """Say a period by its days where it is whole ones, or else to the minute."""
    begin, end = period.since.astimezone(zone), period.until.astimezone(zone)
    if not begin.time() == end.time() == time(0):
        return span_words(period, zone)
    last = end - timedelta(days=1)
    if last.date() <= begin.date():
        return f"{begin.day} {begin:%B %Y}"
    month = "" if (begin.year, begin.month) == (last.year, last.month) else f" {begin:%B}"
    year = "" if begin.year == last.year else f" {begin:%Y}"
    return f"{begin.day}{month}{year} to {last.day} {last:%B %Y}"
