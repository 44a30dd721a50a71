"""What the bot says about digests."""

from __future__ import annotations

DIGEST_HELP = (
    "`/digest` sums up this channel for you alone, with a link to the message behind every line.\n"
    "• `/digest 7d`, `/digest since Monday`, `/digest last week`, `/digest 1 Nov to 7 Nov`\n"
    "• `/digest 7d #general`: another channel that you are in\n"
    "• `/digest 7d about the budget`: only what concerns that\n\n"
    "It comes as a direct message. Ask on in its thread; from there you can share it."
)
IN_CHANNELS_ONLY = (
    "I sum up channels only, and no direct messages. Name a channel behind the command, like "
    "`7d #general`."
)
DIGEST_GOES_ON = "I am being restarted, and write this digest in a moment."


def taken_words(channel: str, period: str) -> str:
    """Say that a digest is being written."""
    return f"I am summing up <#{channel}>, {period}. The digest comes to you as a direct message."
