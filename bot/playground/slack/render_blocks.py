"""Block Kit drawn as HTML, as far as a bot that answers questions uses it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from bot.playground.slack.render_clean import is_safe, link
from bot.playground.slack.render_markdown import markdown
from bot.playground.slack.render_rich_text import dicts, rich_text
from bot.playground.slack.render_tasks import Card, plan, timeline
from bot.playground.slack.render_text import Names, mrkdwn, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Json = dict[str, Any]

_BUTTON_STYLES = {"primary", "danger"}
_ALIGNMENTS = {"left", "center", "right"}


def blocks(items: object, names: Names) -> str:
    """Draw the blocks of a message."""
    return "".join(block(item, names) for item in dicts(items))


def block(item: Json, names: Names) -> str:
    """Draw one block; one that this page does not know is named."""
    draw = _BLOCKS.get(str(item.get("type")))
    return draw(item, names) if draw else unsupported(item)


def unsupported(item: Json) -> str:
    """Say what is not drawn here."""
    return f'<div class="unsupported">unsupported block: {plain(item.get("type"))}</div>'


def text_object(value: object, names: Names) -> str:
    """Draw a text object of Block Kit."""
    if not isinstance(value, dict):
        return plain(value)
    if value.get("type") != "mrkdwn":
        return plain(value.get("text"), emoji=value.get("emoji") is not False)
    return mrkdwn(
        str(value.get("text") or ""), names, "nothing" if value.get("verbatim") else "names"
    )


def task_card(item: Json, names: Names) -> Card:
    """Read a task_card block."""
    return Card(
        title=str(item.get("title") or ""),
        status=str(item.get("status")),
        details=_rich(item.get("details"), names),
        output=_rich(item.get("output"), names),
        sources=sources(item.get("sources")),
    )


def sources(items: object) -> tuple[tuple[str, str], ...]:
    """Read the sources of a task."""
    return tuple((str(one.get("url") or ""), str(one.get("text") or "")) for one in dicts(items))


def _rich(value: object, names: Names) -> str:
    return rich_text(value, names) if isinstance(value, dict) else plain(value)


def _wrap(name: str, html: str) -> str:
    return f'<div class="block {name}">{html}</div>'


def _section(item: Json, names: Names) -> str:
    text = text_object(item["text"], names) if item.get("text") else ""
    fields = [text_object(one, names) for one in _list(item.get("fields"))]
    drawn = "".join(f'<div class="field">{field}</div>' for field in fields)
    drawn = f'<div class="fields">{drawn}</div>' if drawn else ""
    beside = _elements([item.get("accessory")], names)
    beside = f'<div class="accessory">{beside}</div>' if beside else ""
    return _wrap("section", f'<div class="body">{text}{drawn}</div>{beside}')


def _header(item: Json, names: Names) -> str:
    return f"<h3>{text_object(item.get('text'), names)}</h3>"


def _context(item: Json, names: Names) -> str:
    drawn = (
        _element(one, names) if one.get("type") == "image" else text_object(one, names)
        for one in dicts(item.get("elements"))
    )
    return _wrap("context", "".join(f'<span class="element">{one}</span>' for one in drawn))


def _actions(item: Json, names: Names) -> str:
    return _wrap("actions", _elements(item.get("elements"), names, item.get("block_id")))


def _elements(items: object, names: Names, block_id: object = None) -> str:
    return "".join(_element(one | {"block_id": block_id}, names) for one in dicts(items))


def _element(item: Json, names: Names) -> str:
    draw = _ELEMENTS.get(str(item.get("type")))
    allowed = item.get("visible_to_user_ids")
    if isinstance(allowed, list) and allowed and names.viewer not in allowed:
        return ""
    return draw(item, names) if draw else unsupported(item)


def _button(item: Json, names: Names) -> str:
    style = item.get("style") if item.get("style") in _BUTTON_STYLES else ""
    return _pressable(item, f"button {style}", text_object(item.get("text"), names))


def _pressable(item: Json, look: str, label: str) -> str:
    facts = {
        "class": look.strip(),
        "data-action": item.get("action_id"),
        "data-block": item.get("block_id"),
        "data-value": item.get("value"),
        "data-key": f"{item.get('action_id')} {item.get('value')}",
        "data-confirm": _confirmation(item.get("confirm")),
        "aria-label": item.get("accessibility_label"),
    }
    url = str(item.get("url") or "")
    if not is_safe(url):
        return f'<button type="button"{_attributes(facts.items())}>{label}</button>'
    return f'<a href="{escape(url)}"{_attributes(facts.items())}>{label}</a>'


def _attributes(facts: Iterable[tuple[str, object]]) -> str:
    return "".join(f' {name}="{escape(str(value))}"' for name, value in facts if value is not None)


def _confirmation(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    parts = (value.get("title"), value.get("text"))
    return "\n".join(str(part.get("text")) for part in parts if isinstance(part, dict))


def _feedback(item: Json, names: Names) -> str:
    drawn = ""
    for side, sign in (("positive_button", "👍"), ("negative_button", "👎")):
        if isinstance(button := item.get(side), dict):
            shared = {"action_id": item.get("action_id"), "block_id": item.get("block_id")}
            label = f'{sign} <span class="label">{text_object(button.get("text"), names)}</span>'
            drawn += _pressable(button | shared, "button", label)
    return f'<div class="feedback">{drawn}</div>'


def _icon_button(item: Json, names: Names) -> str:
    sign = "🗑" if item.get("icon") == "trash" else "•"
    label = f'{sign} <span class="label">{text_object(item.get("text"), names)}</span>'
    return _pressable(item, "button icon", label)


def _image(item: Json, names: Names) -> str:
    """Draw a link: this page fetches nothing from anywhere."""
    title = text_object(item.get("title"), names) or plain(item.get("alt_text")) or "image"
    return f"🖼 {link(str(item.get('image_url') or ''), title)}"


def _markdown(item: Json, names: Names) -> str:
    return f'<div class="markdown">{markdown(str(item.get("text") or ""), names)}</div>'


def _table(item: Json, names: Names) -> str:
    rows = [row for row in _list(item.get("rows")) if isinstance(row, list)]
    settings = _list(item.get("column_settings"))
    columns = [one.get("align") if isinstance(one, dict) else None for one in settings]
    aligned = [f' class="align-{one}"' if one in _ALIGNMENTS else "" for one in columns]
    aligned += [""] * max((len(row) for row in rows), default=0)
    html = ""
    for number, row in enumerate(rows):
        tag = "td" if number else "th"
        cells = (f"<{tag}{aligned[at]}>{_cell(cell, names)}</{tag}>" for at, cell in enumerate(row))
        html += f"<tr>{''.join(cells)}</tr>"
    return f'<div class="scroll"><table><tbody>{html}</tbody></table></div>'


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _cell(cell: object, names: Names) -> str:
    if not isinstance(cell, dict):
        return ""
    return rich_text(cell, names) if cell.get("type") == "rich_text" else plain(cell.get("text"))


def _container(item: Json, names: Names) -> str:
    title = text_object(item.get("title"), names)
    if isinstance(rich := item.get("rich_text_title"), dict):
        title = rich_text(rich, names)
    if item.get("subtitle"):
        title += f' <span class="subtitle">{text_object(item["subtitle"], names)}</span>'
    inside = f'<div class="children">{blocks(item.get("child_blocks"), names)}</div>'
    if not item.get("is_collapsible"):
        return _wrap("container", f'<p class="head">{title}</p>{inside}')
    opened = "" if item.get("default_collapsed") else " open"
    key = escape(f"container {item.get('title')}")
    return (
        f'<details class="container"{opened} data-key="{key}"><summary>{title}</summary>'
        f"{inside}</details>"
    )


def _plan(item: Json, names: Names) -> str:
    cards = [task_card(one, names) for one in dicts(item.get("tasks"))]
    return plan(str(item.get("title") or ""), cards, "plan block")


_BLOCKS: dict[str, Callable[[Json, Names], str]] = {
    "section": _section,
    "header": _header,
    "divider": lambda *_: "<hr>",
    "context": _context,
    "actions": _actions,
    "context_actions": _actions,
    "markdown": _markdown,
    "table": _table,
    "rich_text": lambda item, names: f'<div class="text">{rich_text(item, names)}</div>',
    "image": lambda item, names: _wrap("image", _image(item, names)),
    "container": _container,
    "plan": _plan,
    "task_card": lambda item, names: timeline([task_card(item, names)]),
}
_ELEMENTS: dict[str, Callable[[Json, Names], str]] = {
    "button": _button,
    "feedback_buttons": _feedback,
    "icon_button": _icon_button,
    "image": _image,
}
