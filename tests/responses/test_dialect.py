"""Each server is asked to search in its own words."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import SettingsError
from bot.responses.dialect import (
    OPENAI,
    OPENROUTER,
    PARALLEL,
    PERPLEXITY,
    PREVIEW,
    XAI,
    Dialect,
    Search,
    check_domains,
    choose_dialects,
    may_compact,
    search_tool,
)

HERE = {"type": "approximate", "country": "AT"}
ONLY = Search("high", (("country", "AT"),), allowed_domains=("example.org",))
BUT = Search("low", (("country", "AT"),), blocked_domains=("example.com", "example.net"))


@pytest.mark.parametrize(
    ("base_url", "tool", "dialects"),
    [
        ("https://api.openai.com/v1", "auto", (OPENAI, PREVIEW)),
        ("https://acme.openai.azure.com/openai/v1", "auto", (OPENAI, PREVIEW)),
        ("http://localhost:11434/v1", "auto", (OPENAI, PREVIEW)),
        ("https://openrouter.ai/api/v1", "auto", (OPENROUTER,)),
        ("https://api.x.ai/v1", "auto", (XAI,)),
        ("https://api.perplexity.ai/v1", "auto", (PERPLEXITY,)),
        ("https://api.parallel.ai/v1", "auto", (PARALLEL,)),
        ("https://notx.ai/v1", "auto", (OPENAI, PREVIEW)),
        ("https://api.x.ai/v1", "web_search", (XAI,)),
        ("https://openrouter.ai/api/v1", "web_search", (OPENAI,)),
        ("https://gateway.example/v1", "openrouter:web_search", (OPENROUTER,)),
        ("https://gateway.example/v1", "web_search", (OPENAI,)),
        ("https://gateway.example/v1", "web_search_preview", (PREVIEW,)),
        ("https://api.x.ai/v1", "none", ()),
    ],
)
def test_a_server_is_known_by_its_address_unless_the_settings_say_otherwise(
    base_url: str, tool: str, dialects: tuple[Dialect, ...]
) -> None:
    assert choose_dialects(base_url, tool) == dialects


@pytest.mark.parametrize(
    ("dialect", "search", "tool"),
    [
        (
            OPENAI,
            BUT,
            {
                "type": "web_search",
                "user_location": HERE,
                "search_context_size": "low",
                "filters": {"blocked_domains": ["example.com", "example.net"]},
            },
        ),
        (OPENAI, Search(), {"type": "web_search", "user_location": {"type": "approximate"}}),
        (
            PREVIEW,
            Search("high", (("country", "AT"),)),
            {"type": "web_search_preview", "user_location": HERE, "search_context_size": "high"},
        ),
        (
            OPENROUTER,
            ONLY,
            {
                "type": "openrouter:web_search",
                "parameters": {"search_context_size": "high", "allowed_domains": ["example.org"]},
            },
        ),
        (OPENROUTER, Search(), {"type": "openrouter:web_search"}),
        (
            XAI,
            BUT,
            {
                "type": "web_search",
                "filters": {"excluded_domains": ["example.com", "example.net"]},
            },
        ),
        (
            PERPLEXITY,
            ONLY,
            {"type": "web_search", "filters": {"search_domain_filter": ["example.org"]}},
        ),
        (
            PERPLEXITY,
            BUT,
            {
                "type": "web_search",
                "filters": {"search_domain_filter": ["-example.com", "-example.net"]},
            },
        ),
        (PARALLEL, Search("high"), {"type": "web_search"}),
    ],
)
def test_a_tool_has_its_servers_form(
    dialect: Dialect, search: Search, tool: dict[str, Any]
) -> None:
    assert search_tool(dialect, search) == tool


def test_a_tool_that_was_written_out_is_sent_as_it_is() -> None:
    written: dict[str, object] = {"type": "browser_search", "depth": [1, 2]}

    (dialect,) = choose_dialects("https://api.groq.com/openai/v1", written)

    assert search_tool(dialect, Search("high", (("country", "AT"),))) == written


@pytest.mark.parametrize(
    ("dialect", "search", "words"),
    [
        (PREVIEW, ONLY, "WEB_SEARCH_ALLOWED_DOMAINS: web_search_preview obeys no such list"),
        (PREVIEW, BUT, "WEB_SEARCH_BLOCKED_DOMAINS: web_search_preview obeys no such list"),
        (
            XAI,
            Search(blocked_domains=tuple(f"{n}.example" for n in range(6))),
            "WEB_SEARCH_BLOCKED_DOMAINS has 6 domains, and this server takes 5",
        ),
    ],
)
def test_a_list_of_sites_that_would_not_be_obeyed_ends_the_start(
    dialect: Dialect, search: Search, words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        check_domains((dialect,), search)


def test_lists_that_are_obeyed_are_taken() -> None:
    check_domains((OPENAI, PREVIEW), ONLY)
    check_domains((XAI,), BUT)
    check_domains((), ONLY)


def test_only_servers_that_may_know_it_are_asked_to_shorten_a_chain() -> None:
    assert may_compact("https://api.openai.com/v1")
    assert may_compact("https://litellm.example/v1")
    assert not may_compact("https://openrouter.ai/api/v1")
