"""The files of a message drawn as HTML: what they are called, how long they are, links to them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from bot.playground.slack.render_clean import link
from bot.playground.slack.render_text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    Json = dict[str, Any]

KILO = 1_000
KIND_CHARACTERS = 4  # of a name's ending have room on its sheet


def files(items: Sequence[Json]) -> str:
    """Draw the files of a message."""
    return f'<div class="files">{"".join(map(_file, items))}</div>' if items else ""


def size(count: int) -> str:
    """Say how many bytes there are, as a person reads it."""
    if count < KILO:
        return f"{count} {'byte' if count == 1 else 'bytes'}"
    if round(count / KILO) < KILO:
        return f"{round(count / KILO)} kB"
    return f"{count / KILO / KILO:.1f} MB"


def _file(item: Json) -> str:
    name, title = str(item["name"]), str(item["title"])
    ending = name.rpartition(".")[2] if "." in name else ""
    kind = ending.upper() if 0 < len(ending) <= KIND_CHARACTERS else "…"
    called = f"{plain(name, emoji=False)} · " if name != title else ""
    return (
        f'<div class="file"><div class="sheet" aria-hidden="true">{plain(kind, emoji=False)}</div>'
        f'<div class="about">{link(item["url_private"], plain(title, emoji=False))}'
        f'<span class="subtitle">{called}{size(item["size"])}</span></div>'
        f'<a class="button" href="{escape(item["url_private_download"])}"'
        f' aria-label="Download {escape(name)}">Download</a></div>'
    )
