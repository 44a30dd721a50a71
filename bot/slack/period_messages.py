"""Slack's messages as a digest reads them: which of them count, when they were, what they say."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bot.digests.digest import Message
from bot.slack.text import plain, users_in
from bot.turns.characters import whole_characters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.slack.events import Bot

Json = dict[str, Any]

# Of Slack's page on the message event: what a person has written. All others tell of something else
# that happened (a join, a new topic), or of a message that is gone (a tombstone).
WRITTEN_SUBTYPES = (None, "", "file_share", "thread_broadcast", "me_message")
_TS = re.compile(r"\d{1,12}\.\d{1,9}")


def ts_of(message: Json, field: str = "ts") -> str:
    """Return a ts of a message; "" where it has none of Slack's shape."""
    ts = message.get(field)
    return ts if isinstance(ts, str) and _TS.fullmatch(ts) else ""


def order(ts: str) -> Decimal:
    """Return a ts as the seconds that it is, to compare it."""
    return Decimal(ts)


def seconds_of(at: datetime) -> Decimal:
    """Return a time in the seconds of a ts, to the microsecond."""
    whole = at.replace(microsecond=0)
    return Decimal(f"{whole.timestamp():.0f}.{at.microsecond:06}")


def is_written(message: Json, bot: Bot) -> bool:
    """Whether a person has written it: no other bot, and not this one."""
    user = message.get("user")
    return (
        message.get("subtype") in WRITTEN_SUBTYPES
        and not message.get("hidden")
        and isinstance(user, str)
        and bool(user)
        and not message.get("bot_id")
        and not is_own(message, bot)
    )


def is_own(message: Json, bot: Bot) -> bool:
    """Whether this bot has posted it."""
    return message.get("user") == bot.user or message.get("bot_id") == bot.bot_id


def is_by_app(message: Json, bot: Bot) -> bool:
    """Whether another bot has posted it."""
    return bool(message.get("bot_id")) and not is_own(message, bot)


def people_in(message: Json) -> list[str]:
    """Return who wrote a message, and who is named in it."""
    return [message["user"], *users_in(_string(message, "text"))]


def read_message(message: Json, names: Mapping[str, str], *, is_before: bool) -> Message:
    """Say a message that a person has written in plain words; everybody in it has a name."""
    return Message(
        ts=message["ts"],
        thread_ts=message["thread_ts"],
        user=message["user"],
        name=whole_characters(names[message["user"]]),
        text=_words(message, "text", names),
        files=_titles(message, names),
        is_before=is_before,
    )


def _titles(message: Json, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the titles of files and of pages that are linked to, each once."""
    files, pages = _dicts(message, "files"), _dicts(message, "attachments")
    found = [_words(f, "title", names) or _words(f, "name", names) for f in files]
    found += [_words(page, "title", names) for page in pages]
    return tuple(dict.fromkeys(title for title in found if title.strip()))


def _words(message: Json, field: str, names: Mapping[str, str]) -> str:
    return whole_characters(plain(_string(message, field), names))


def _string(message: Json, field: str) -> str:
    value = message.get(field)
    return value if isinstance(value, str) else ""


def _dicts(message: Json, field: str) -> list[Json]:
    value = message.get(field)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
