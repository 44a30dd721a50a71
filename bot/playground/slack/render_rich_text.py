"""Rich text drawn as HTML: the blocks in which nothing is parsed, every part says what it is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from bot.playground.slack.render_clean import clean_text, link
from bot.playground.slack.render_text import EMOJI, Names, mention

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

_STYLES = (("code", "code"), ("strike", "s"), ("italic", "em"), ("bold", "strong"))
_DEEPEST = 4  # levels of a list that look different


def dicts(value: object) -> list[Json]:
    """Return the objects of a list that should hold nothing else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def rich_text(block: Json, names: Names) -> str:
    """Draw a rich_text block, or one of its parts."""
    return clean_text("".join(_part(part, names) for part in dicts(block.get("elements"))))


def _part(part: Json, names: Names) -> str:
    match part.get("type"):
        case "rich_text_list":
            return _list(part, names)
        case "rich_text_quote":
            return f"<blockquote>{_line(part, names)}</blockquote>"
        case "rich_text_preformatted":
            return f"<pre>{_line(part, names, newline=chr(10))}</pre>"
        case _:
            return f"<p>{_line(part, names)}</p>"


def _list(part: Json, names: Names) -> str:
    tag = "ol" if part.get("style") == "ordered" else "ul"
    level = min(max(_number(part.get("indent")), 0), _DEEPEST)
    start = f' start="{_number(part.get("offset")) + 1}"' if tag == "ol" else ""
    items = "".join(f"<li>{_line(item, names)}</li>" for item in dicts(part.get("elements")))
    return f'<{tag}{start} class="level-{level}">{items}</{tag}>'


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _line(part: Json, names: Names, newline: str = "<br>") -> str:
    drawn = (_inline(one, names) for one in dicts(part.get("elements")))
    return "".join(drawn).replace("\n", newline)


def _inline(one: Json, names: Names) -> str:
    draw = _INLINE.get(str(one.get("type")))
    html = draw(one, names) if draw else _words(one, names)
    style = one.get("style")
    for name, tag in _STYLES:
        if isinstance(style, dict) and style.get(name) is True:
            html = f"<{tag}>{html}</{tag}>"
    return html


def _words(one: Json, _names: Names) -> str:
    return escape(str(one.get("text") or ""), quote=False)


def _link(one: Json, _names: Names) -> str:
    url = str(one.get("url") or "")
    return link(url, escape(str(one.get("text") or url), quote=False))


def _user(one: Json, names: Names) -> str:
    user = str(one.get("user_id"))
    return mention("@" + names.users.get(user, user))


def _channel(one: Json, names: Names) -> str:
    channel = str(one.get("channel_id"))
    return mention("#" + names.channels.get(channel, channel))


def _emoji(one: Json, _names: Names) -> str:
    name = str(one.get("name"))
    return escape(EMOJI.get(name, f":{name}:"), quote=False)


_INLINE: dict[str, Callable[[Json, Names], str]] = {
    "link": _link,
    "user": _user,
    "channel": _channel,
    "emoji": _emoji,
    "usergroup": lambda one, _: mention(f"@{one.get('usergroup_id')}", loud=True),
    "broadcast": lambda one, _: mention(f"@{one.get('range')}", loud=True),
    "date": lambda one, _: escape(str(one.get("fallback") or one.get("timestamp")), quote=False),
    "color": lambda one, _: escape(str(one.get("value")), quote=False),
}
