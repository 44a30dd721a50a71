"""What differs between servers in how they take a search and tell what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Which fields the search tool has; `basic` is OpenAI's without filters, `filters` is with them.
ToolFields = Literal["openai", "basic", "filters", "openrouter", "xai", "perplexity"]
# How a source stands in the text: "([host](url))", "[Title](url)", "[[1]](url)", "[1]", not at all.
Links = Literal["group", "title", "number", "mark", "none"]
# What an annotation tells: the link's place, no place (0 to 0), nothing but the URL, the place of
# the claim that the source backs, or there is none.
Annotations = Literal["span", "zero", "bare", "claim", "none"]
# How a search is told: by an action, by a name and arguments, or not at all.
Steps = Literal["action", "arguments", "none"]


@dataclass(frozen=True, slots=True)
class Search:
    """How a server searches; the defaults are OpenAI's."""

    fields: ToolFields = "openai"
    always: bool = False  # searches although no tool is asked for
    single: bool = False  # refuses a second tool
    steps: Steps = "action"
    item_type: str = "web_search_call"
    item_status: str = "completed"
    links: Links = "group"
    tracked: bool = True  # links carry OpenAI's utm_source
    annotations: Annotations = "span"
    results_item: bool = False  # the pages found are an item of their own


OPENAI_SEARCH = Search()
