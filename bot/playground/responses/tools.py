"""Which search tools are accepted, and how they are echoed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.responses import checks
from bot.playground.responses.errors import ApiError, invalid_value, wrong_type
from bot.playground.responses.profile import PREVIEW_TYPES
from bot.playground.responses.tool_fields import PREVIEW_FIELDS, WEB_SEARCH_FIELDS

if TYPE_CHECKING:
    from bot.playground.responses.checks import Check
    from bot.playground.responses.profile import Profile

SEARCH_KINDS = ("web_search", "web_search_2025_08_26")
HOSTED_ELSEWHERE = (
    "code_interpreter",
    "computer_use_preview",
    "file_search",
    "function",
    "image_generation",
    "mcp",
)


def check_tools(body: dict[str, Any], profile: Profile) -> None:
    """Refuse tools that this server, this model or this request does not go with."""
    tools = body.get("tools") or []
    _check_deep_research(body["model"], tools)
    accepted = {kind: _fields(kind, profile) for kind in profile.tool_types}
    for index, tool in enumerate(tools):
        _check_offered(tool, profile)
        _check_hosted(f"tools[{index}]", tool, body["model"])
        checks.by_type(accepted)(f"tools[{index}]", tool)
    if profile.search.single and len(tools) > 1:
        raise ApiError(400, "At most one web_search tool is allowed.", param="tools")
    _check_choice(body.get("tool_choice"), [tool["type"] for tool in tools])
    _check_effort(body, tools)


def _fields(kind: str, profile: Profile) -> Check:
    if kind in PREVIEW_TYPES:
        return checks.mapping(PREVIEW_FIELDS)
    if kind.endswith(SEARCH_KINDS):
        return checks.mapping(WEB_SEARCH_FIELDS[profile.search.fields])
    return checks.anything


def _check_offered(tool: object, profile: Profile) -> None:
    if not profile.tool_types:
        kind = tool.get("type") if isinstance(tool, dict) else tool
        raise ApiError(400, f"Tools of type '{kind}' are not supported.", param="tools")


def _check_deep_research(model: str, tools: list[Any]) -> None:
    kinds = {tool.get("type") for tool in tools if isinstance(tool, dict)}
    if "deep-research" in model and not kinds & {*PREVIEW_TYPES, "mcp", "file_search"}:
        message = (
            "Deep research models require at least one of 'web_search_preview', 'mcp', or "
            "'file_search' tools."
        )
        raise ApiError(400, message, param="tools")


def _check_hosted(path: str, tool: object, model: str) -> None:
    if isinstance(tool, dict) and tool.get("type") in HOSTED_ELSEWHERE:
        message = f"Hosted tool '{tool['type']}' is not supported with {model}."
        raise ApiError(400, message, param=path)


def _check_choice(choice: object, kinds: list[str]) -> None:
    match choice:
        case None | "auto" | "none":
            return
        case "required":
            wanted = "required" if not kinds else ""
        case {"type": "allowed_tools"}:
            # Seen live: web_search inside allowed_tools is not found, although it is there.
            wanted = "web_search"
        case {"type": str(kind)}:
            wanted = kind if kind not in kinds else ""
        case str():
            raise invalid_value("tool_choice", choice, ("none", "auto", "required"))
        case _:
            raise wrong_type("tool_choice", "one of a string or an object", choice)
    if wanted:
        message = f"Tool choice '{wanted}' not found in 'tools' parameter."
        raise ApiError(400, message, param="tool_choice")


def _check_effort(body: dict[str, Any], tools: list[Any]) -> None:
    effort = (body.get("reasoning") or {}).get("effort")
    if tools and effort == "minimal" and body["model"].startswith("gpt-5"):
        message = "The following tools cannot be used with reasoning.effort 'minimal': web_search."
        raise ApiError(400, message, param="tools")


def echoed(tool: dict[str, Any], profile: Profile) -> dict[str, Any]:
    """Return a tool as the response repeats it, at OpenAI with defaults filled in."""
    if profile.search.fields != "openai":
        return tool
    size = tool.get("search_context_size") or "medium"
    location = tool.get("user_location")
    if tool["type"] in PREVIEW_TYPES:
        return {"type": tool["type"], "search_context_size": size, "user_location": location}
    # Without a location OpenAI assumes the United States and says so in the echo.
    place = {"type": "approximate", "city": None, "country": None, "region": None, "timezone": None}
    place.update(location or {"country": "US"})
    echo = {
        "type": tool["type"],
        "filters": tool.get("filters"),
        "search_context_size": size,
        "user_location": place,
    }
    return tool | echo
