"""Texts of people and of a model, without the characters that nobody sees."""

from __future__ import annotations

import re

from bot.turns.characters import whole_characters

CUT = "…"
# Control characters, marks that turn the direction of a text, and characters without a width. The
# two joiners stay: emoji and some scripts are written with them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


def seen(text: str) -> str:
    r"""Return what a reader sees of a text; its lines end with "\n" alone."""
    return _UNSEEN.sub("", _BREAK.sub("\n", whole_characters(text)))


def one_line(text: str, limit: int) -> str:
    """Return a text on one line, at most so many characters."""
    words = " ".join(seen(text).split())
    return words if len(words) <= limit else words[: limit - len(CUT)].rstrip() + CUT
