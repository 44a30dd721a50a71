"""Which blocks Slack takes, and how much of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.slack.arguments import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.playground.slack.limits import Limits

Json = dict[str, Any]

TEXT_TYPES = {"plain_text", "mrkdwn"}
BUTTON_TEXT, BUTTON_VALUE, URL_LIMIT, ID_LIMIT = 75, 2_000, 3_000, 255
FIELDS, FIELD_TEXT, ACTIONS, TABLE_ROWS, TABLE_CELLS = 10, 2_000, 25, 100, 20
CHILD_BLOCKS, TITLE_TEXT = 10, 150


def check_blocks(blocks: list[Json], limits: Limits) -> None:
    """Refuse what Slack would refuse in a message."""
    if len(blocks) > limits.blocks:
        raise Refusal("msg_blocks_too_many")
    for block in blocks:
        check = _CHECKS.get(str(block.get("type")))
        if check is None:
            raise Refusal("invalid_blocks")
        _need(len(str(block.get("block_id", ""))) <= ID_LIMIT)
        check(block, limits)
    if sum(block["type"] == "table" for block in blocks) > 1:
        raise Refusal("invalid_attachments")
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > limits.markdown_block_characters or characters(blocks) > limits.blocks_characters:
        raise Refusal("msg_blocks_too_long")


def characters(value: object) -> int:
    """Count the characters of all texts in blocks."""
    if isinstance(value, dict):
        return sum(
            len(item) if isinstance(item, str) and name in {"text", "title", "alt_text"}
            else characters(item)
            for name, item in value.items()
        )  # fmt: skip
    return sum(characters(item) for item in value) if isinstance(value, list) else 0


def _need(condition: object) -> None:
    if not condition:
        raise Refusal("invalid_blocks")


def _text(value: object, limit: int, types: set[str] = TEXT_TYPES) -> None:
    _need(isinstance(value, dict) and value.get("type") in types)
    assert isinstance(value, dict)  # noqa: S101 - needed above
    text = value.get("text")
    _need(isinstance(text, str) and 1 <= len(text) <= limit)
    _need("verbatim" not in value or value["type"] == "mrkdwn")


def _list(value: object, limit: int) -> list[Json]:
    _need(isinstance(value, list) and 1 <= len(value) <= limit)
    assert isinstance(value, list)  # noqa: S101 - needed above
    _need(all(isinstance(item, dict) for item in value))
    return value


def _section(block: Json, limits: Limits) -> None:
    _need("text" in block or "fields" in block)
    if "text" in block:
        _text(block["text"], limits.section_characters)
    for field in _list(block["fields"], FIELDS) if "fields" in block else []:
        _text(field, FIELD_TEXT)
    if "accessory" in block:
        _button(block["accessory"])


def _context(block: Json, limits: Limits) -> None:
    for element in _list(block.get("elements"), limits.context_elements):
        if element.get("type") != "image":
            _text(element, limits.section_characters)


def _header(block: Json, limits: Limits) -> None:
    _text(block.get("text"), limits.header_characters, {"plain_text"})


def _markdown(block: Json, _limits: Limits) -> None:
    _need(isinstance(block.get("text"), str) and block["text"])


def _actions(block: Json, _limits: Limits) -> None:
    for element in _list(block.get("elements"), ACTIONS):
        _button(element)


def _button(element: Json) -> None:
    if element.get("type") == "button":
        _text(element.get("text"), BUTTON_TEXT, {"plain_text"})
    _need(len(str(element.get("action_id", ""))) <= ID_LIMIT)
    _need(len(str(element.get("value", ""))) <= BUTTON_VALUE)
    _need(len(str(element.get("url", ""))) <= URL_LIMIT)


def _table(block: Json, _limits: Limits) -> None:
    rows = block.get("rows")
    _need(isinstance(rows, list) and 1 <= len(rows) <= TABLE_ROWS)
    _need(all(isinstance(row, list) and len(row) <= TABLE_CELLS for row in rows or []))


def _container(block: Json, limits: Limits) -> None:
    _text(block.get("title"), TITLE_TEXT, {"plain_text"})
    check_blocks(_list(block.get("child_blocks"), CHILD_BLOCKS), limits)


def _anything(_block: Json, _limits: Limits) -> None:
    """Let pass what has no limits that matter here."""


_CHECKS: dict[str, Callable[[Json, Limits], None]] = {
    "section": _section,
    "context": _context,
    "header": _header,
    "markdown": _markdown,
    "actions": _actions,
    "table": _table,
    "container": _container,
    "context_actions": _anything,
    "divider": _anything,
    "rich_text": _anything,
    "plan": _anything,
    "task_card": _anything,
    "image": _anything,
}
