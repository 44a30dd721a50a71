"""Output items, read leniently: searches, and the text and annotations of messages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.responses.fields import count, mapping, position, sequence, words
from bot.turns.answer import Cited, Search, Usage

Item = Mapping[str, object]
TextKind = Literal["text", "refusal"]

SearchKind = Literal["search", "open_page", "find_in_page"]

RESULTS = "search_results"
_KINDS: Mapping[str, SearchKind] = {
    "open_page": "open_page",
    "find_in_page": "find_in_page",
}


@dataclass(frozen=True, slots=True)
class Content:
    """A message's content part that a person reads."""

    kind: TextKind
    text: str
    cited: tuple[Cited, ...] = ()


def is_search(item: Item) -> bool:
    """Tell whether an item is a web search.

    OpenRouter's type is `openrouter:web_search`; Perplexity's `search_results` is a whole one.
    """
    kind = words(item.get("type"))
    return kind in {"web_search_call", RESULTS} or kind.endswith(":web_search")


def is_answer(item: Item) -> bool:
    """Tell whether an item is a message of the model's."""
    return item.get("type") == "message" and item.get("role", "assistant") == "assistant"


def search_of(item: Item) -> Search:
    """Read what a search item says it did; xAI writes `name` and `arguments` for `action`."""
    if item.get("type") == RESULTS:
        pages = (page.url for page in results_of(item))
        return Search("search", _unique(sequence(item.get("queries"))), sources=tuple(pages))
    action = mapping(item.get("action")) or _arguments(item)
    url = words(action.get("url")) or None
    queries = _unique([action.get("query"), *sequence(action.get("queries"))])
    named = words(action.get("type")) or words(item.get("name"))
    kind: SearchKind = "open_page" if url and not queries else "search"
    sources = [mapping(source) for source in sequence(action.get("sources"))]
    return Search(
        _KINDS.get(named, kind),
        queries=queries,
        url=url,
        sources=_unique([source.get("url") for source in sources if source.get("type") == "url"]),
    )


def search_failed(item: Item) -> bool:
    """Tell whether a search came to nothing; Azure leaves a finished one at `searching`."""
    return item.get("status") in ("failed", "incomplete")


def contents_of(item: Item) -> list[tuple[int, Content]]:
    """Read what a message says, each part with its content index."""
    content = item.get("content")
    if isinstance(content, str):  # a chat message's form, which bridging servers let through
        return [(0, Content("text", words(content)))]
    parts = ((index, content_of(part)) for index, part in enumerate(sequence(content)))
    return [(index, part) for index, part in parts if part]


def content_of(value: object) -> Content | None:
    """Read a content part; None if it is none that a person reads."""
    part = mapping(value)
    match part.get("type"):
        case "output_text" | "text":
            annotations = sequence(part.get("annotations"))
            cited = tuple(found for found in map(cited_in, annotations) if found)
            return Content("text", words(part.get("text")), cited)
        case "refusal":
            return Content("refusal", words(part.get("refusal")))
    return None


def cited_in(value: object) -> Cited | None:
    """Read an annotation; None if it cites no page."""
    annotation = mapping(value)
    if annotation.get("type") != "url_citation":
        return None
    # Chat Completions nests the same fields once more; servers that bridge to it may do so too.
    return page_of(annotation.get("url_citation") or annotation)


def page_of(value: object) -> Cited | None:
    """Read a page that is named by its URL alone or with a title."""
    if isinstance(value, str):
        return Cited(words(value)) if value else None
    url = words(mapping(value).get("url"))
    return Cited(url, words(mapping(value).get("title"))) if url else None


def pages_of(value: object) -> list[Cited]:
    """Read a list of pages, like xAI's `citations`."""
    return [page for page in map(page_of, sequence(value)) if page]


def results_of(item: Item) -> tuple[Cited, ...]:
    """Read the pages in Perplexity's `search_results` item, with the numbers they have in texts."""
    if item.get("type") != RESULTS:
        return ()
    results = [mapping(result) for result in sequence(item.get("results"))]
    pages = [(page_of(r), position(r.get("id")) or place) for place, r in enumerate(results, 1)]
    return tuple(replace(page, number=number) for page, number in pages if page)


def usage_of(value: object) -> Usage | None:
    """Read what a response took; servers leave out whatever they do not count."""
    usage = mapping(value)
    given = mapping(usage.get("input_tokens_details"))
    written = mapping(usage.get("output_tokens_details"))
    if not usage:
        return None
    return Usage(
        input_tokens=count(usage.get("input_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        cached_tokens=count(given.get("cached_tokens")),
        reasoning_tokens=count(written.get("reasoning_tokens")),
        cache_write_tokens=count(given.get("cache_write_tokens")),
    )


def _arguments(item: Item) -> Item:
    arguments = item.get("arguments")
    if not isinstance(arguments, str):
        return mapping(arguments)
    try:
        return mapping(json.loads(arguments))
    except (ValueError, RecursionError):
        return {}


def _unique(values: Sequence[object]) -> tuple[str, ...]:
    texts = (words(value).strip() for value in values)
    return tuple(dict.fromkeys(text for text in texts if text))
