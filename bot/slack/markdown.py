"""Markdown as Slack reads it: nothing in it pings, and no address becomes a link by itself.

Slack reads its control sequences (`<!here>`, `<@U…>`, `<url|label>`) in Markdown too. Escaping the
one character `<` ends that, and needs no look at what follows; `&` stays as it is, since Slack does
not read entities a second time, and escaping it breaks query strings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.turns.pieces import Address, Code, Mark, Piece, Prose

if TYPE_CHECKING:
    from collections.abc import Iterable

ZERO_WIDTH = "\u200b"

_GROUP_NAME = re.compile(r"@(?=here|channel|everyone)", re.IGNORECASE)
# A colon written as an entity would make an address that was not seen as one.
_ENTITY = re.compile(r"&(?=#|(?!(?:lt|gt|amp|quot|nbsp);)[A-Za-z][A-Za-z0-9]*;)")
# What mrkdwn makes bold, struck through or code of, and what looks like it. A line below a word is
# one of those at the end of a word only, and stands in the middle of many a name.
_LOOKALIKES = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "'"})
_SLANT = re.compile(r"(?<!\w)_+|_+(?!\w)")
_EMOJI = re.compile(r"(?<!\d):(?=[\w+-]+:)")
# In code an entity would be shown as it stands, so there a zero-width space parts the token.
_TOKEN_IN_CODE = re.compile(r"<(?=[@!]|#[CDG]|[a-z]+:|\Z)")


class SlackMarkdown:
    """Writes pieces as Slack's Markdown; knows only the last character it wrote."""

    def __init__(self) -> None:
        self._last = "\n"

    def write(self, pieces: Iterable[Piece]) -> str:
        """Return the text for Slack."""
        return "".join(self._one(piece) for piece in pieces)

    def _one(self, piece: Piece) -> str:
        text = _escaped(piece)
        if not text:
            return ""
        # A backslash would escape the code's first backtick, a backtick would lengthen it, and an
        # exclamation mark would make a picture of a link.
        if text[0] == "`" and self._last in "\\`":
            text = ZERO_WIDTH + text
        elif isinstance(piece, Mark) and self._last in "\\!":
            text = " " + text
        self._last = text[-1]
        return text


def _escaped(piece: Piece) -> str:
    match piece:
        case Prose(text):
            parted = _ENTITY.sub("&" + ZERO_WIDTH, text)
            return _GROUP_NAME.sub("@" + ZERO_WIDTH, parted.replace("<", "&lt;"))
        case Code(text):
            return _TOKEN_IN_CODE.sub("<" + ZERO_WIDTH, text)
        case Mark() | Address():
            return piece.text


def notification(text: str, limit: int = 150) -> str:
    """Say the beginning of a Markdown text as the plain words of a notification.

    The result is mrkdwn without anything special in it: Slack parses this field for mentions too.
    """
    plain = re.sub(r"\[(\d+)\]\([^)\s]*\)", "", text.replace("&lt;", "<"))
    plain = " ".join(re.sub(r"[`*_#~|\\]+", "", plain).split())
    if len(plain) > limit:
        plain = plain[: limit - 1].rsplit(" ", 1)[0].rstrip() + "…"
    return escape(plain)


def harmless(text: str) -> str:
    """Part Slack's tokens in words that are shown as they stand."""
    return _GROUP_NAME.sub("@" + ZERO_WIDTH, _TOKEN_IN_CODE.sub("<" + ZERO_WIDTH, text))


def escape(text: str) -> str:
    """Escape words for mrkdwn, so that nothing in them is a mention or a link."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _GROUP_NAME.sub("@" + ZERO_WIDTH, escaped)


def literal(text: str) -> str:
    """Escape words for mrkdwn, so that nothing in a line of them is formatted or an emoji."""
    unstyled = _SLANT.sub(lambda match: "\u02cd" * len(match[0]), text.translate(_LOOKALIKES))
    unquoted = ZERO_WIDTH + unstyled if unstyled.startswith(">") else unstyled
    return escape(_EMOJI.sub(":" + ZERO_WIDTH, unquoted))
