"""What a person typed, written as Slack's own client sends it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.playground.slack.render_text import URL, bare_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.playground.slack.render_text import Names

_SPECIAL = re.compile(
    r"(?P<code>```.+?```|`[^`\n]+`)"
    rf"|(?P<url>{URL.pattern})"
    r"|(?<![\w&])(?P<sign>[@#])(?P<name>[\w-]+)",
    re.DOTALL | re.IGNORECASE,
)
_BROADCASTS = {"here", "channel", "everyone"}


def typed(text: str, names: Names) -> str:
    """Escape a text, and turn the names, channels and URLs in it into Slack's tokens."""
    pieces: list[str] = []
    end = 0
    for match in _SPECIAL.finditer(text):
        pieces += [_escaped(text[end : match.start()]), _token(match, names)]
        end = match.end()
    return "".join(pieces) + _escaped(text[end:])


def _token(match: re.Match[str], names: Names) -> str:
    if match["code"]:
        return _escaped(match[0])
    if match["url"]:
        url, rest = bare_url(match)
        return f"<{_escaped(url)}>{_escaped(rest)}"
    return _user(match, names) if match["sign"] == "@" else _channel(match, names)


def _user(match: re.Match[str], names: Names) -> str:
    name = match["name"].lower()
    if name in _BROADCASTS:
        return f"<!{name}>"
    found = _id(name, names.users)
    return f"<@{found}>" if found else _escaped(match[0])


def _channel(match: re.Match[str], names: Names) -> str:
    found = _id(match["name"].lower(), names.channels)
    return f"<#{found}|{names.channels[found]}>" if found else _escaped(match[0])


def _id(name: str, names: Mapping[str, str]) -> str | None:
    return next((one for one, shown in names.items() if shown.lower() == name), None)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
