"""What the bot says about digests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.slack.markdown import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What a person is told, and nobody else."""

    words: str
    blocks: Sequence[Json] = ()


_HELP = (
    "`{command}` sums up this channel for you alone, and links the message behind every line.\n"
    "• `{command} 7d`, `{command} since Monday`, `{command} last week`, "
    "`{command} 1 Nov to 7 Nov`\n"
    "• `{command} 7d #general`: another channel that you are in\n"
    "• `{command} 7d about the budget`: only what concerns that\n\n"
    "It comes as a direct message. Ask follow-up questions in its thread; you can share it from "
    "there.\n\n"
    "• `{command} schedule weekdays 9:00`: posts one here regularly; also `Mondays 8:30`, `first "
    "of the month`, or cron like `0 9 * * 1-5`, with `in #general` and `about …`\n"
    "• `{command} list`, `{command} change 3 weekdays 10:00`, `{command} pause 3`, "
    "`{command} resume 3`, `{command} delete 3`"
)
NO_SCHEDULES = "You have no scheduled digests."
NOT_YOUR_SCHEDULE = "You have no scheduled digest with the number {number}."
SAVED = (
    "Saved as number {number}: {when}, {where}. `{command} list` shows your schedules, and so does "
    "my Home."
)
NOT_SAVED = "This schedule was not saved: {why}."
IN_CHANNELS_ONLY = (
    "I can sum up channels, but not direct messages. Name a channel after the command, like "
    "`7d #general`."
)
THREADS_OF_CHANNELS_ONLY = "I can sum up threads in channels, but not in direct messages."
DIGEST_GOES_ON = "I am restarting; this digest will follow shortly."
THREAD_TAKEN = "I am summing up that thread. The digest comes to you as a direct message."


def help_words(command: str) -> str:
    """Say how digests are asked for with the command, as it is typed here."""
    return _HELP.format(command=command)


def taken_words(channel: str, period: str, about: str) -> str:
    """Say that a digest is being written, and what was understood."""
    what = f"<#{channel}>, {period}" + (f", about {literal(about)}" if about else "")
    return f"I am summing up {what}. The digest comes to you as a direct message."


def changed_words(action: str, number: int, *, is_done: bool) -> str:
    """Say what was done about a schedule."""
    stands = {"pause": "paused", "resume": "running", "delete": "deleted"}[action]
    return f"Scheduled digest {number} is {'' if is_done else 'already '}{stands}."
