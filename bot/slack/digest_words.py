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
    "It comes as a direct message. Ask on in its thread; from there you can share it.\n\n"
    "• `{command} schedule weekdays 9:00`: here, again and again; also `Mondays 8:30`, `first of "
    "the month`, or cron like `0 9 * * 1-5`, with `in #general` and `about …`\n"
    "• `{command} list`, `{command} change 3 weekdays 10:00`, `{command} pause 3`, "
    "`{command} resume 3`, `{command} delete 3`"
)
NO_SCHEDULES = Said("You have no scheduled digests.")
NOT_YOUR_SCHEDULE = "You have no scheduled digest with the number {number}."
SAVED = (
    "Saved as number {number}: {when}, {where}. `{command} list` shows your schedules, and so does "
    "my Home."
)
NOT_SAVED = "This schedule is not saved: {why}."
IN_CHANNELS_ONLY = (
    "I sum up channels only, and no direct messages. Name a channel behind the command, like "
    "`7d #general`."
)
THREADS_OF_CHANNELS_ONLY = "I sum up threads of channels only, and none of direct messages."
DIGEST_GOES_ON = "I am being restarted, and write this digest in a moment."
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
    done = {"pause": "paused", "resume": "resumed", "delete": "deleted"}[action]
    if is_done:
        return f"The scheduled digest {number} is {done}."
    return f"The scheduled digest {number} was {done} before."
