"""What a method was called with: from JSON, a form or the query, each value of its type."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiohttp import web

Json = dict[str, Any]


class Refusal(Exception):
    """Slack answers `ok: false` with this code."""

    def __init__(self, code: str, **more: object) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call."""

    values: Json
    from_json: bool = False  #: which some methods do not read

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string; without a default it is required."""
        value = self.values.get(name, default)
        if not isinstance(value, str) or (value == "" and default is None):
            raise Refusal("invalid_arguments", response_metadata={"messages": [f"[{name}]"]})
        return value

    def optional(self, name: str) -> str | None:
        """Return a string, or None where it is missing."""
        return self.text(name) if self.values.get(name) not in (None, "") else None

    def number(self, name: str, default: int) -> int:
        """Return a whole number."""
        try:
            return int(self.values.get(name, default))
        except (TypeError, ValueError):
            raise Refusal("invalid_arguments") from None

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a truth value."""
        return str(self.values.get(name, default)).lower() in {"true", "1"}

    def items(self, name: str, code: str) -> list[Json]:
        """Return a list of objects; `code` is the refusal where it is none."""
        value = self._decoded(name, code)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Refusal(code)
        return value

    def mapping(self, name: str, code: str) -> Json | None:
        """Return an object, or None where it is missing."""
        value = self._decoded(name, code)
        if value is not None and not isinstance(value, dict):
            raise Refusal(code)
        return value

    def _decoded(self, name: str, code: str) -> Any:  # noqa: ANN401 - JSON
        value = self.values.get(name)
        if isinstance(value, str):  # in a form, structures are JSON in a string
            try:
                return json.loads(value)
            except ValueError:
                raise Refusal(code) from None
        return value


async def read_arguments(request: web.Request) -> Arguments:
    """Read the arguments of a call, wherever they stand."""
    values: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = await request.json() if request.can_read_body else {}
        except ValueError:
            raise Refusal("invalid_json") from None
        if not isinstance(body, dict):
            raise Refusal("json_not_object")
        values |= body
    elif request.can_read_body:
        values |= dict(await request.post())
    given = {name: value for name, value in values.items() if value is not None}
    return Arguments(given, from_json=request.content_type == "application/json")
