"""The `input` of a request: what may stand in it, and what is kept of it."""

from __future__ import annotations

import secrets
from typing import Any

from bot.playground.responses import checks
from bot.playground.responses.errors import ApiError, invalid_value, unknown_parameter, wrong_type

ROLES = ("assistant", "system", "developer", "user")
ANSWER_PARTS = ("output_text", "refusal")


def new_id(prefix: str) -> str:
    """Return an id as OpenAI writes them: a prefix and 50 hexadecimal digits."""
    return f"{prefix}_{secrets.token_hex(25)}"


PARTS = checks.by_type(
    {
        "input_text": checks.mapping({"type": checks.text(), "text": checks.text()}, "text"),
        "input_image": checks.mapping(
            {
                "type": checks.text(),
                "image_url": checks.text(),
                "file_id": checks.text(),
                "detail": checks.one_of("auto", "low", "high", "original"),
            }
        ),
        "input_file": checks.mapping(
            {
                "type": checks.text(),
                "file_id": checks.text(),
                "file_url": checks.text(),
                "file_data": checks.text(),
                "filename": checks.text(),
            }
        ),
    }
)
ANSWERED_PARTS = checks.by_type(
    {
        "output_text": checks.mapping(
            {
                "type": checks.text(),
                "text": checks.text(),
                "annotations": checks.array(checks.anything),
                "logprobs": checks.array(checks.anything),
            },
            "text",
        ),
        "refusal": checks.mapping({"type": checks.text(), "refusal": checks.text()}, "refusal"),
    }
)


def _content(path: str, value: object) -> None:
    if isinstance(value, str):
        return
    if not isinstance(value, list):
        raise wrong_type(path, "one of a string or array of objects", value)
    checks.array(PARTS)(path, value)


def _answered_content(path: str, value: object) -> None:
    if isinstance(value, str):
        return
    if not isinstance(value, list):
        raise wrong_type(path, "one of a string or array of objects", value)
    for index, part in enumerate(value):
        if isinstance(part, dict) and str(part.get("type")).startswith("input_"):
            raise invalid_value(f"{path}[{index}].type", part["type"], ANSWER_PARTS)
    checks.array(ANSWERED_PARTS)(path, value)


MESSAGE = {
    "type": checks.one_of("message"),
    "id": checks.text(),
    "role": checks.one_of(*ROLES),
    "status": checks.one_of("in_progress", "completed", "incomplete"),
    "phase": checks.one_of("commentary", "final_answer"),
}
ITEMS = checks.by_type(
    {
        "reasoning": checks.mapping(
            {
                "type": checks.text(),
                "id": checks.text(),
                "summary": checks.array(checks.anything),
                "content": checks.array(checks.anything),
                "encrypted_content": checks.text(),
            },
            "summary",
        ),
        "web_search_call": checks.mapping(
            {
                "type": checks.text(),
                "id": checks.text(),
                "status": checks.text(),
                "action": checks.anything,
            }
        ),
        "item_reference": checks.mapping({"type": checks.text(), "id": checks.text()}, "id"),
        "compaction": checks.mapping(
            {"type": checks.text(), "id": checks.text(), "encrypted_content": checks.text()}
        ),
    }
)


def _item(path: str, value: object) -> None:
    if isinstance(value, dict) and value.get("type", "message") != "message":
        return ITEMS(path, value)
    answered = isinstance(value, dict) and value.get("role") == "assistant"
    content = _answered_content if answered else _content
    if not answered and isinstance(value, dict) and "phase" in value:
        raise unknown_parameter(f"{path}.phase")
    return checks.mapping(MESSAGE | {"content": content}, "role", "content")(path, value)


def check_input(path: str, value: object) -> None:
    """Refuse an input that is neither a text nor a list of items of known shapes."""
    if isinstance(value, str):
        return
    if not isinstance(value, list):
        raise wrong_type(path, "one of a string or array of objects", value)
    checks.array(_item)(path, value)
    for item, following in zip(value, [*value[1:], {"role": "user"}], strict=True):
        if item.get("type") == "reasoning" and following.get("role") == "user":
            message = (
                f"Item '{item.get('id')}' of type 'reasoning' was provided without its required "
                "following item."
            )
            raise ApiError(400, message, param=path)


def kept_items(value: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the input as the items that are stored, each with an id."""
    if isinstance(value, str):
        value = [{"role": "user", "content": value}]
    return [_kept(item) for item in value]


def _kept(item: dict[str, Any]) -> dict[str, Any]:
    if item.get("type", "message") != "message":
        return item
    content = item["content"]
    if isinstance(content, str):
        kind = "output_text" if item["role"] == "assistant" else "input_text"
        content = [{"type": kind, "text": content}]
    if item["role"] == "assistant":
        content = [{"annotations": [], "logprobs": []} | part for part in content]
    named = {"id": new_id("msg"), "type": "message", "status": "completed"}
    return named | item | {"content": content}


def spoken(item: dict[str, Any]) -> str:
    """Return the text of a message item."""
    parts = item.get("content") or []
    return "".join(str(part.get("text") or part.get("refusal") or "") for part in parts)
