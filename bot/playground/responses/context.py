"""What a model is given of a chain: all of it, its newest part, or what it was compacted to."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.playground.responses.errors import context_length_exceeded
from bot.playground.responses.inputs import new_id, spoken
from bot.playground.responses.response import input_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.playground.responses.profile import Profile
    from bot.playground.responses.request import Create

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """The items that a model reads, and the compaction that was made for it."""

    items: tuple[Item, ...]
    compaction: Item | None = None


def context_of(create: Create, history: Sequence[Item], profile: Profile) -> Context:
    """Return what is read of a chain and the new input, or raise that it is too long.

    A compaction stands for everything before it. One is made where the request asks for it and the
    input has passed its threshold; `truncation` drops the oldest items instead.
    """
    context = Context(_since_compaction((*history, *create.items)))
    threshold = create.compact_threshold(profile.context_window) if profile.compacts else None
    if threshold is not None and input_tokens(create, context.items) > threshold:
        compaction = compacted(context.items)
        context = Context((compaction, context.items[-1]), compaction)
    if profile.context_window is None:
        return context
    items = context.items
    while input_tokens(create, items) > profile.context_window:
        if create.body.get("truncation") != "auto" or len(items) == 1:
            raise context_length_exceeded()
        items = items[1:]
    return Context(items, context.compaction)


def _since_compaction(items: tuple[Item, ...]) -> tuple[Item, ...]:
    places = [place for place, item in enumerate(items) if item.get("type") == "compaction"]
    return items[places[-1] :] if places else items


def compacted(items: Iterable[Item]) -> Item:
    """Return the item that stands for others; only this server can read what it holds."""
    held = json.dumps(questions_in(items)).encode()
    return {
        "id": new_id("cmp"),
        "type": "compaction",
        "encrypted_content": base64.urlsafe_b64encode(held).decode(),
    }


def questions_in(items: Iterable[Item]) -> list[str]:
    """Return what was asked in these items, the oldest first."""
    asked = list[str]()
    for item in items:
        if item.get("type") == "compaction":
            asked += _opened(item)
        elif item.get("role") == "user":
            asked.append(spoken(item))
    return asked


def _opened(item: Item) -> list[str]:
    try:
        held = json.loads(base64.urlsafe_b64decode(str(item.get("encrypted_content"))))
    except ValueError:
        return []  # made elsewhere
    return [text for text in held if isinstance(text, str)] if isinstance(held, list) else []
