"""Slack's mrkdwn as plain words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(r"<([^<>]*)>")
_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


def users_in(text: str) -> list[str]:
    """Return the ids of the people named in a text, each once."""
    return list(dict.fromkeys(_USER.findall(text)))


def plain(text: str, names: Mapping[str, str]) -> str:
    """Say a text without Slack's tokens and entities; `names` are display names by user id."""
    words = _TOKEN.sub(lambda match: _said(match[1], names), text)
    # All at once: `&amp;lt;` is the four characters `&lt;`, not `<`.
    return re.sub("&(?:lt|gt|amp);", lambda match: _ENTITIES[match[0]], words)


def _said(token: str, names: Mapping[str, str]) -> str:
    target, _, label = token.partition("|")
    if target.startswith("@"):
        return f"@{names.get(target[1:]) or label or 'someone'}"
    if target.startswith("#"):
        return f"#{label or 'a channel'}"
    if target.startswith("!"):
        return _special(target[1:], label)
    url = target.removeprefix("mailto:")
    return f"{label} ({url})" if label and label != url else url


def _special(name: str, label: str) -> str:
    if name.startswith("date^"):
        return label
    if name.startswith("subteam^"):
        return label or "@a group"
    return f"@{name}"
