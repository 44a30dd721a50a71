"""What a server reads of a request: the fields that it knows, with what it takes for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.responses.errors import (
    ApiError,
    missing_parameter,
    unknown_parameter,
    unsupported_parameter,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from bot.playground.responses.profile import Profile


def accepted(body: object, known: Collection[str], profile: Profile) -> object:
    """Return the body without what this server ignores, or refuse it as the server does."""
    if not isinstance(body, dict):
        return body
    for name in profile.refused_parameters:
        _refuse(name, body, profile)
    read = {name: value for name, value in body.items() if _is_read(name, known, profile)}
    if isinstance(read.get("tools"), list):
        read["tools"] = [tool for tool in read["tools"] if _is_offered(tool, profile)]
    if profile.search.always and not read.get("tools"):
        read["tools"] = [{"type": profile.tool_types[0]}]
    return read


def check_manners(body: dict[str, Any], profile: Profile) -> None:
    """Refuse what is in order elsewhere: untyped items, included fields, the background."""
    if profile.typed_items and isinstance(body["input"], list):
        for index, item in enumerate(body["input"]):
            if "type" not in item:
                raise missing_parameter(f"input[{index}].type")
    for index, name in enumerate(body.get("include") or ()):
        if name in profile.refused_includes:
            message = f"Invalid value: '{name}'."
            raise ApiError(400, message, param=f"include[{index}]", code="invalid_value")
    if body.get("background") and profile.no_background is not None:
        raise profile.no_background.error()


def _refuse(name: str, body: dict[str, Any], profile: Profile) -> None:
    if profile.refused_as == "unknown_parameter" and name in body:
        raise unknown_parameter(name)
    if body.get(name):
        raise unsupported_parameter(name)


def _is_read(name: str, known: Collection[str], profile: Profile) -> bool:
    ignored = name in profile.ignored_parameters
    return not ignored and (name in known or not profile.ignores_unknown)


def _is_offered(tool: object, profile: Profile) -> bool:
    kind = tool.get("type") if isinstance(tool, dict) else None
    return profile.other_tools == "refused" or kind in profile.tool_types
