"""Which search tools are accepted, and how they are echoed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot.playground.responses import checks
from bot.playground.responses.errors import ApiError, invalid_value, wrong_type
from bot.playground.responses.library import Domains
from bot.playground.responses.profile import PREVIEW_TYPES, WEB_SEARCH_TYPES

if TYPE_CHECKING:
    from bot.playground.responses.profile import Profile

BARE_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)
DOMAINS_LIMIT = 100
HOSTED_ELSEWHERE = (
    "code_interpreter",
    "computer_use_preview",
    "file_search",
    "function",
    "image_generation",
    "mcp",
)


def _host(path: str, value: object) -> None:
    if not isinstance(value, str):
        raise wrong_type(path, "a string", value)
    if not BARE_HOST.fullmatch(value):
        message = f"Invalid '{path}': expected a host name without scheme, port or path."
        raise ApiError(400, message, param=path, code="invalid_value")


def _country(path: str, value: object) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z]{2}", value):
        message = f"Invalid '{path}': expected a two-letter ISO-3166 country code."
        raise ApiError(400, message, param=path, code="invalid_value")


HOSTS = checks.array(_host, maximum=DOMAINS_LIMIT)
LOCATION = checks.mapping(
    {
        "type": checks.one_of("approximate"),
        "city": checks.text(),
        "country": _country,
        "region": checks.text(),
        "timezone": checks.text(),
    },
    "type",
)
PREVIEW_FIELDS = {
    "type": checks.text(),
    "search_context_size": checks.one_of("low", "medium", "high"),
    "user_location": LOCATION,
    "search_content_types": checks.array(checks.one_of("text", "image")),
}
WEB_SEARCH_FIELDS = {
    **PREVIEW_FIELDS,
    "filters": checks.mapping({"allowed_domains": HOSTS, "blocked_domains": HOSTS}),
    "external_web_access": checks.flag,
    "return_token_budget": checks.one_of("default", "unlimited"),
    "image_settings": checks.mapping({"max_results": checks.whole(1), "caption": checks.flag}),
}
VARIANTS = {
    **dict.fromkeys(WEB_SEARCH_TYPES, checks.mapping(WEB_SEARCH_FIELDS)),
    **dict.fromkeys(PREVIEW_TYPES, checks.mapping(PREVIEW_FIELDS)),
}


def check_tools(body: dict[str, Any], profile: Profile) -> None:
    """Refuse tools that this server, this model or this request does not go with."""
    tools = body.get("tools") or []
    _check_deep_research(body["model"], tools)
    accepted = {kind: VARIANTS.get(kind, checks.anything) for kind in profile.tool_types}
    for index, tool in enumerate(tools):
        _check_hosted(f"tools[{index}]", tool, body["model"])
        checks.by_type(accepted)(f"tools[{index}]", tool)
    _check_choice(body.get("tool_choice"), [tool["type"] for tool in tools])
    _check_effort(body, tools)


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


def echoed(tool: dict[str, Any]) -> dict[str, Any]:
    """Return a tool as the response repeats it, defaults filled in."""
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


def domains_of(tools: list[dict[str, Any]]) -> Domains:
    """Return the hosts that the tools limit a search to."""
    filters = [tool.get("filters") or {} for tool in tools]
    allowed = [host for one in filters for host in one.get("allowed_domains") or ()]
    blocked = [host for one in filters for host in one.get("blocked_domains") or ()]
    return Domains(tuple(allowed), tuple(blocked))
