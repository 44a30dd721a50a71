"""The items in a response's output: reasoning, searches and the message with its citations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot.playground.responses.inputs import new_id
from bot.playground.responses.plan import UTM, Opened, Plan, Searched, cited

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.playground.responses.profile import Profile
    from bot.playground.responses.request import Create


def output_of(create: Create, plan: Plan, profile: Profile) -> list[dict[str, Any]]:
    """Return the output items: reasoning, then what was searched and opened, then the text."""
    steps = [search_call(step, profile) for step in plan.steps]
    return [*reasoning(create), *steps, message(plan)]


def url_citations(text: str, citations: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return a url_citation for each link in the text to one of the pages.

    As recorded from OpenAI, a span counts code points and covers the whole group with its
    parentheses: "([host](url))", or "([host](url), [host](url))" for several links.
    """
    titles = dict(citations)
    if not titles:
        return []
    urls = "|".join(re.escape(url) for url in titles)
    target = rf"\((?P<url>(?:{urls})(?:[?&]{UTM})?)\)"
    link = rf"(?:\[(?:[^\[\]]|\[[^\[\]]*\])*\])?{target}"
    many = link.replace("?P<url>", "?:")
    group = re.compile(rf"\({many}(?:[,;] ?{many})*\)|{many}")
    return [
        {
            "type": "url_citation",
            "end_index": found.end(),
            "start_index": found.start(),
            "title": _title(inner["url"], titles),
            "url": inner["url"],
        }
        for found in group.finditer(text)
        for inner in re.finditer(target, found[0])
    ]


def _title(url: str, titles: dict[str, str]) -> str:
    return titles.get(url) or titles[re.sub(rf"[?&]{UTM}$", "", url)]


def search_call(step: Searched | Opened, profile: Profile) -> dict[str, Any]:
    """Return the output item of a search or of an opened page."""
    item = {"id": new_id("ws"), "type": "web_search_call", "status": "completed"}
    if isinstance(step, Opened):
        return item | {"action": {"type": "open_page", "url": step.url}}
    action: dict[str, Any] = {"type": "search"}
    if step.queries and profile.send_queries:
        action["queries"] = list(step.queries)
    if step.queries:
        action["query"] = step.queries[0]
    if profile.include_sources:
        action["sources"] = [{"type": "url", "url": url} for url in _twins(step.sources)]
    return item | {"action": action}


def _twins(urls: Iterable[str]) -> list[str]:
    # Recorded: each page comes plain and once more with the tracking parameter.
    return [twin for url in urls for twin in (url, cited(url))]


def reasoning(create: Create) -> list[dict[str, Any]]:
    """Return the reasoning item of a request that asks for reasoning."""
    wanted = create.body.get("reasoning") or {}
    if "deep-research" not in create.model and wanted.get("effort") in (None, "none"):
        return []
    text = "**Looking it up**\n\nI will search the library for the words of the question."
    summary = [{"type": "summary_text", "text": text}] if wanted.get("summary") else []
    return [{"id": new_id("rs"), "type": "reasoning", "summary": summary}]


def message(plan: Plan) -> dict[str, Any]:
    """Return the output item that holds the text."""
    part = {
        "type": "output_text",
        "annotations": url_citations(plan.text, plan.citations),
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
