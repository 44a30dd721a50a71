"""The response object, at its start and at its end, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.responses.identity import response_id
from bot.playground.responses.inputs import spoken
from bot.playground.responses.tools import echoed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.playground.responses.errors import ApiError
    from bot.playground.responses.plan import Plan
    from bot.playground.responses.profile import Profile
    from bot.playground.responses.request import Create
    from bot.playground.responses.store import Stored

SOURCES = "web_search_call.action.sources"
DEEP_RESEARCH_TOOL_CALLS = 225  # the echoed default of the deep-research models
TOOL_TOKENS = 1200  # what the description of the search tool is taken to cost
LATE_FIELDS = ("tool_usage", "billing", "citations", "content_filters")  # there at the end only
DOLLARS_READ, DOLLARS_WRITTEN = 2e-6, 10e-6  # of a token
CONTENT_FILTER = {
    "blocked": False,
    "source_type": "completion",
    "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}},
}
CACHE_STEP = 128  # prompts are cached in steps of 128 tokens, from 1,024 on
CACHE_MINIMUM = 1024


def tokens(text: str) -> int:
    """Return roughly how many tokens a text is: one for four characters."""
    return (len(text) + 3) // 4


def input_tokens(create: Create, items: Iterable[dict[str, Any]], read: str = "") -> int:
    """Return what a request costs before a word is answered, where these items are read."""
    said = sum(tokens(spoken(item)) + 4 for item in items)
    instructions = tokens(create.body.get("instructions") or "")
    return said + instructions + tokens(read) + (TOOL_TOKENS if create.tools else 0)


def usage(
    counted: int, plan: Plan, parent: Stored | None, profile: Profile
) -> dict[str, Any] | None:
    """Return the usage: what the parent has read and said is a cached prefix of this request."""
    if profile.billing == "none":
        return None
    bill = (parent.response.get("usage") if parent else None) or {}
    cached = min(int(bill.get("total_tokens", 0)), counted) // CACHE_STEP * CACHE_STEP
    details = {"cached_tokens": cached if cached >= CACHE_MINIMUM else 0}
    if profile.usage_details:
        details["cache_write_tokens"] = 0
    written = tokens(plan.text)
    return {
        "input_tokens": counted,
        "input_tokens_details": details,
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": counted + written,
        **_billed(counted, written, plan, profile),
    }


def _billed(counted: int, written: int, plan: Plan, profile: Profile) -> dict[str, Any]:
    """Return what a server puts beside the tokens."""
    paid, earned = counted * DOLLARS_READ, written * DOLLARS_WRITTEN
    match profile.billing:
        case "cost":
            return {"cost": round(paid + earned, 6)}
        case "cost object":
            costs = {"input_cost": paid, "output_cost": earned, "total_cost": paid + earned}
            rounded = {name: round(cost, 6) for name, cost in costs.items()}
            return {"cost": {"currency": "USD"} | rounded}
        case "sources":
            calls = {"web_search_calls": len(plan.steps)}
            return {
                "num_sources_used": len(plan.citations),
                "server_side_tool_usage_details": calls,
            }
        case _:
            return {}


def tool_usage(output: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return how often a billable tool was used; opened pages are free."""
    searches = [item for item in output if item.get("action", {}).get("type") == "search"]
    images = {
        "input_tokens": 0,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"image_tokens": 0, "text_tokens": 0},
        "total_tokens": 0,
    }
    return {"image_gen": images, "web_search": {"num_requests": len(searches)}}


def begun(create: Create, profile: Profile, at: float) -> dict[str, Any]:
    """Return the response object at its start."""
    in_background = create.asks("background")
    return {
        "id": response_id(profile.ids, at),
        "object": "response",
        "created_at": int(at),
        "status": "queued" if in_background else "in_progress",
        "background": in_background,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "model": create.model,
        "output": [],
        **_chained(create, profile),
        "service_tier": "auto",
        "store": create.asks("store", default=True) if profile.store is None else profile.store,
        "usage": None,
        **_repeated(create, profile),
        **_sampling(),
    }


def _chained(create: Create, profile: Profile) -> dict[str, Any]:
    if profile.chaining == "silent":
        return {}
    return {"previous_response_id": None if profile.chaining == "ignored" else create.parent}


def _repeated(create: Create, profile: Profile) -> dict[str, Any]:
    """Return what was asked for, with what is taken where nothing was."""
    body = create.body
    reasoning = body.get("reasoning") or {}
    deep = DEEP_RESEARCH_TOOL_CALLS if "deep-research" in create.model else None
    summary = reasoning.get("summary")
    return {
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls") or deep,
        "metadata": body.get("metadata") or {},
        "parallel_tool_calls": create.asks("parallel_tool_calls", default=True),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "prompt_cache_retention": body.get("prompt_cache_retention") or "24h",
        "reasoning": {
            "effort": reasoning.get("effort") or "medium",
            "summary": "detailed" if summary == "auto" else summary,
        },
        "safety_identifier": body.get("safety_identifier"),
        "text": {"format": {"type": "text"}, "verbosity": "medium"} | (body.get("text") or {}),
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [echoed(tool, profile) for tool in create.tools],
        "truncation": body.get("truncation") or "disabled",
        "user": body.get("user"),
    }


def _sampling() -> dict[str, Any]:
    return {
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
        "temperature": 1.0,
        "top_logprobs": 0,
        "top_p": 1.0,
    }


def finished(
    start: dict[str, Any],
    output: list[dict[str, Any]],
    plan: Plan,
    bill: dict[str, Any] | None,
    profile: Profile,
) -> dict[str, Any]:
    """Return the response object at its end."""
    end = start | {
        "status": "incomplete" if plan.cut else "completed",
        "completed_at": None if plan.cut else start["created_at"],
        "incomplete_details": {"reason": "max_output_tokens"} if plan.cut else None,
        "model": plan.model or start["model"],
        "output": output,
        "service_tier": "default",
        "usage": bill,
    }
    if profile.usage_details:
        end |= {"tool_usage": tool_usage(output), "billing": {"payer": "developer"}}
    if profile.listed_citations:
        end |= {"citations": [url for url, _ in plan.citations]}
    if profile.content_filters:
        end |= {"content_filters": [CONTENT_FILTER]}
    return end


def failed(start: dict[str, Any], error: ApiError) -> dict[str, Any]:
    """Return the response object of a run that nothing came of."""
    what = {"code": str(error.code or "invalid_request"), "message": str(error)}
    return start | {"status": "failed", "error": what}


def seen_by(response: dict[str, Any], includes: Iterable[str]) -> dict[str, Any]:
    """Return a response without the sources of its searches, unless they were asked for."""
    if SOURCES in includes:
        return response
    return response | {"output": [_without_sources(item) for item in response["output"]]}


def shown(response: dict[str, Any], profile: Profile) -> dict[str, Any]:
    """Return a response without the fields that this server does not send."""
    return {name: value for name, value in response.items() if name not in profile.left_out}


def _without_sources(item: dict[str, Any]) -> dict[str, Any]:
    action = item.get("action")
    if not isinstance(action, dict) or "sources" not in action:
        return item
    kept = {name: value for name, value in action.items() if name != "sources"}
    return item | {"action": kept}
