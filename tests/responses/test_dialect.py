"""Each server is asked to search in its own words."""

from __future__ import annotations

from typing import Any, Literal

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
    Server,
    check_domains,
    choose_dialects,
    search_tool,
    searches_by_itself,
    server_at,
)

HERE = {"type": "approximate", "country": "AT"}
ONLY = Search("high", (("country", "AT"),), allowed_domains=("example.org",))
BUT = Search("low", (("country", "AT"),), blocked_domains=("example.com", "example.net"))


@pytest.mark.parametrize(
    ("base_url", "named", "server"),
    [
        ("https://api.openai.com/v1", "auto", "openai"),
        ("https://acme.openai.azure.com/openai/v1", "auto", "azure"),
        ("https://acme.services.ai.azure.com/openai/v1", "auto", "azure"),
        ("https://acme.cognitiveservices.azure.com/openai/v1", "auto", "azure"),
        ("http://localhost:11434/v1", "auto", "openai"),
        ("https://openrouter.ai/api/v1", "auto", "openrouter"),
        ("https://api.x.ai/v1", "auto", "xai"),
        ("https://api.perplexity.ai/v1", "auto", "perplexity"),
        ("https://api.parallel.ai/v1", "auto", "parallel"),
        ("https://notx.ai/v1", "auto", "openai"),
        ("https://openai.azure.com.example/v1", "auto", "openai"),
        ("https://gateway.example/v1", "azure", "azure"),
        ("https://api.x.ai/v1", "openai", "openai"),
    ],
)
def test_a_server_is_known_by_its_address_unless_the_settings_name_it(
    base_url: str, named: Server | Literal["auto"], server: Server
) -> None:
    assert server_at(base_url, named) == server


@pytest.mark.parametrize(
    ("server", "tool", "dialects"),
    [
        ("openai", "auto", (OPENAI, PREVIEW)),
        ("azure", "auto", (OPENAI, PREVIEW)),
        ("openrouter", "auto", (OPENROUTER,)),
        ("xai", "auto", (XAI,)),
        ("perplexity", "auto", (PERPLEXITY,)),
        ("parallel", "auto", (PARALLEL,)),
        ("xai", "web_search", (XAI,)),
        ("openrouter", "web_search", (OPENAI,)),
        ("openai", "openrouter:web_search", (OPENROUTER,)),
        ("openai", "web_search", (OPENAI,)),
        ("openai", "web_search_preview", (PREVIEW,)),
        ("xai", "none", ()),
    ],
)
def test_a_server_is_asked_with_its_own_tool_unless_the_settings_name_one(
    server: Server, tool: str, dialects: tuple[Dialect, ...]
) -> None:
    assert choose_dialects(server, tool) == dialects


@pytest.mark.parametrize(
    ("server", "model", "searches"),
    [
        ("openai", "gpt-6.1-sol", False),
        ("openai", "gpt-4o-search-preview-2025-03-11", True),
        ("openai", "gpt-5-search-api", True),
        ("azure", "our-online-deployment", False),
        ("parallel", "parallel", True),
        ("parallel", "anything", True),
        ("openai", "parallel", True),
        ("openrouter", "openai/gpt-6.1-sol", False),
        ("openrouter", "openai/gpt-6.1-sol:nitro", False),
        ("openrouter", "openai/gpt-6.1-sol:online", True),
        ("openrouter", "OpenAI/GPT-6.1-Sol:Online ", True),
        ("openrouter", "openai/gpt-6.1-sol:free:online", True),
        ("openai", "openrouter/openai/gpt-6.1-sol:online", True),
        ("openrouter", "perplexity/sonar-pro", True),
        ("openrouter", "perplexity/sonar-deep-research:nitro", True),
        ("openai", "litellm/perplexity/anything", True),
        ("openai", "llama-3.1-sonar-large-128k-online", True),
        ("perplexity", "sonar", True),
        ("perplexity", "perplexity/sonar", True),
        ("perplexity", "openai/gpt-6.1-sol", False),
        ("openai", "groq/compound-mini", True),
        ("openai", "personar", False),
        ("xai", "grok-5", False),
    ],
)
def test_who_searches_without_a_tool_is_known(
    server: Server, model: str, *, searches: bool
) -> None:
    assert searches_by_itself(server, model) is searches


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

    (dialect,) = choose_dialects("openai", written)

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
        (
            PERPLEXITY,
            Search(allowed_domains=tuple(f"{n}.example" for n in range(21))),
            "WEB_SEARCH_ALLOWED_DOMAINS has 21 domains, and this server takes 20",
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


@pytest.mark.parametrize(("dialect", "most"), [(OPENAI, 100), (PERPLEXITY, 20), (XAI, 5)])
def test_a_list_as_long_as_the_server_takes_is_taken(dialect: Dialect, most: int) -> None:
    check_domains((dialect,), Search(allowed_domains=tuple(f"{n}.example" for n in range(most))))
