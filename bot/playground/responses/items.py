"""The items in a response's output: reasoning, searches and the message with its citations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bot.playground.responses.inputs import new_id
from bot.playground.responses.links import annotations_of, sources_of
from bot.playground.responses.plan import Opened, Plan, Searched

if TYPE_CHECKING:
    from bot.playground.responses.profile import Profile
    from bot.playground.responses.request import Create


def output_of(create: Create, plan: Plan, profile: Profile) -> list[dict[str, Any]]:
    """Return the output items: reasoning, then what was searched and opened, then the text."""
    told = plan.steps if profile.search.steps != "none" else ()
    steps = [search_call(step, profile) for step in told]
    found = [_results(plan)] if profile.search.results_item and plan.steps else []
    return [*reasoning(create, profile), *steps, *found, message(plan, profile)]


def search_call(step: Searched | Opened, profile: Profile) -> dict[str, Any]:
    """Return the output item of a search or of an opened page."""
    search = profile.search
    item = {"id": new_id("ws"), "type": search.item_type, "status": search.item_status}
    if search.steps == "arguments":
        return item | _call(step)
    if isinstance(step, Opened):
        return item | {"action": {"type": "open_page", "url": step.url}}
    action: dict[str, Any] = {"type": "search"}
    if step.queries and profile.send_queries:
        action["queries"] = list(step.queries)
    if step.queries:
        action["query"] = step.queries[0]
    if profile.include_sources:
        found = sources_of(step.sources, search)
        action["sources"] = [{"type": "url", "url": url} for url in found]
    return item | {"action": action}


def _call(step: Searched | Opened) -> dict[str, Any]:
    if isinstance(step, Opened):
        return {"name": "open_page", "arguments": json.dumps({"url": step.url})}
    query = step.queries[0] if step.queries else ""
    return {"name": "web_search", "arguments": json.dumps({"query": query})}


def _results(plan: Plan) -> dict[str, Any]:
    """Return the pages found as an item, in the order in which the text numbers them."""
    searches = [step for step in plan.steps if isinstance(step, Searched)]
    queries = [query for step in searches for query in step.queries]
    results = [
        {"id": number, "title": title, "url": url, "snippet": title, "source": "web"}
        for number, (url, title) in enumerate(plan.citations, start=1)
    ]
    return {"type": "search_results", "queries": queries, "results": results}


def reasoning(create: Create, profile: Profile) -> list[dict[str, Any]]:
    """Return the reasoning item of a request that asks for reasoning."""
    if profile.reasoning_text:
        thought = {"type": "reasoning_text", "text": "I will search for the question's words."}
        return [{"id": new_id("rs"), "type": "reasoning", "summary": [], "content": [thought]}]
    wanted = create.body.get("reasoning") or {}
    if "deep-research" not in create.model and wanted.get("effort") in (None, "none"):
        return []
    text = "**Looking it up**\n\nI will search the library for the words of the question."
    summary = [{"type": "summary_text", "text": text}] if wanted.get("summary") else []
    return [{"id": new_id("rs"), "type": "reasoning", "summary": summary}]


def message(plan: Plan, profile: Profile) -> dict[str, Any]:
    """Return the output item that holds the text."""
    part = {
        "type": "output_text",
        "annotations": annotations_of(plan, profile.search),
        "logprobs": [],
        "text": plan.text,
    }
    return {
        "id": new_id("msg"),
        "type": "message",
        "status": "incomplete" if plan.cut else "completed",
        "content": [part],
        "role": "assistant",
    }
