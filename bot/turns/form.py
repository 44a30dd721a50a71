"""Text that is to be read by the bot and not by a person: the form it is asked for in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_FENCED = re.compile(r"```[a-z]*\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class JsonForm:
    """A JSON schema, as the Responses API takes it in strict mode."""

    name: str
    schema: Mapping[str, object]


def form_of(name: str, **properties: Mapping[str, object]) -> JsonForm:
    """Return the form of an object that has just these properties."""
    return JsonForm(name, an_object(**properties))


def an_object(**properties: Mapping[str, object]) -> dict[str, object]:
    """Return the schema of an object that has just these properties: strict mode wants them all."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_object(text: str) -> dict[str, object] | None:
    """Read the JSON object in a model's text, also one in a fence or between words; else None.

    A server without such forms answers as its model likes.
    """
    fenced = _FENCED.findall(text)
    within = text[text.find("{") : text.rfind("}") + 1]
    for candidate in (text, *fenced, within):
        try:
            said = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict):
            return said
    return None
