"""Whose server it is, and how that wants to be asked to search the web."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from bot.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, object]
Server = Literal["openai", "azure", "openrouter", "xai", "perplexity", "parallel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What a server's search tool is called, and what it understands. The defaults are OpenAI's."""

    tool: str = "web_search"
    allowed: str | None = "allowed_domains"  #: what its filters call these; None: it has none
    blocked: str | None = "blocked_domains"
    blocked_mark: str = ""  #: stands before a blocked domain
    most_domains: int = 100  #: of a list
    user_location: bool = True
    context_size: bool = True
    parameters: bool = False  #: whether all of it stands in an object of that name
    sources: bool = True  #: whether it can be asked for the pages that a search returned
    raw: Json | None = None  #: the whole tool, where an administrator has written it down


OPENAI = Dialect()
PREVIEW = Dialect(tool="web_search_preview", allowed=None, blocked=None)
OPENROUTER = Dialect(
    tool="openrouter:web_search",
    blocked="excluded_domains",
    user_location=False,
    parameters=True,
    sources=False,  # answered with 400
)
XAI = Dialect(
    blocked="excluded_domains",
    most_domains=5,
    user_location=False,
    context_size=False,
    sources=False,
)
PERPLEXITY = Dialect(
    allowed="search_domain_filter",
    blocked="search_domain_filter",
    blocked_mark="-",  # "Search Domain Filtering Patterns" of its documentation, like the limit
    most_domains=20,
    user_location=False,
    context_size=False,
    sources=False,
)
PARALLEL = replace(OPENAI, user_location=False, context_size=False)

# Which server is known by which name of a host, with all names below it.
BY_HOST: Mapping[str, Server] = {
    "openai.azure.com": "azure",
    "services.ai.azure.com": "azure",
    "cognitiveservices.azure.com": "azure",
    "openrouter.ai": "openrouter",
    "x.ai": "xai",
    "perplexity.ai": "perplexity",
    "parallel.ai": "parallel",
}
BY_SERVER: Mapping[Server, Dialect] = {
    "openai": OPENAI,
    "azure": OPENAI,
    "openrouter": OPENROUTER,
    "xai": XAI,
    "perplexity": PERPLEXITY,
    "parallel": PARALLEL,
}
BY_TOOL: Mapping[str, Dialect] = {"web_search_preview": PREVIEW, OPENROUTER.tool: OPENROUTER}
# OpenRouter keeps nothing, and refuses to be asked to without saying what it refuses.
NEVER_SENT: Mapping[Server, frozenset[str]] = {"openrouter": frozenset({"store"})}
TAKE_OPENAIS = ("openai", "azure")  # all that OpenAI's own takes, as far as it is documented
# Who searches without being given a tool. Perplexity's server is not among them: it searches with
# the tool that a request names, and its own models are known by their names. Vendors stand before a
# "/", on every server that passes requests on.
ALWAYS_SEARCHING: tuple[Server, ...] = ("parallel",)
SEARCHING_VENDORS = frozenset({"parallel", "perplexity"})
SEARCHING_MODELS = re.compile(
    r"\bsonar\b|\bsearch-(?:preview|api)\b|^compound\b"  # Perplexity's, OpenAI's and Groq's
)
SEARCHING_VARIANT = "online"  # behind a ":", of any model at OpenRouter


@dataclass(frozen=True, slots=True)
class Search:
    """What the tool is to heed. None and empty leave a field out."""

    context_size: str | None = None
    location: tuple[tuple[str, str], ...] = ()  #: pairs of country, region, city, timezone
    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()


def server_at(base_url: str, named: Server | Literal["auto"] = "auto") -> Server:
    """Say whose server this is, by its address unless the settings name it."""
    host = urlsplit(base_url).hostname or ""
    found = (server for name, server in BY_HOST.items() if f".{host}".endswith(f".{name}"))
    return next(found, "openai") if named == "auto" else named


def searches_by_itself(server: Server, model: str) -> bool:
    """Whether a model there is known to search the web though no tool is in the request."""
    name, *variants = model.strip().lower().split(":")
    *vendors, last = name.split("/")
    return (
        server in ALWAYS_SEARCHING
        or SEARCHING_VARIANT in variants
        or not SEARCHING_VENDORS.isdisjoint([*vendors, last])
        or bool(SEARCHING_MODELS.search(last))
    )


def choose_dialects(server: Server, tool: str | Json) -> tuple[Dialect, ...]:
    """Say how this server is asked to search: the first of these that it does not refuse.

    Unless the settings name a tool, one that knows neither of OpenAI's is asked without any.
    """
    if isinstance(tool, dict):
        return (Dialect(tool=str(tool["type"]), allowed=None, blocked=None, raw=tool),)
    if tool == "none":
        return ()
    own = BY_SERVER[server]
    if tool == "auto":
        return (own, PREVIEW) if server in TAKE_OPENAIS else (own,)
    return (own if own.tool == tool else BY_TOOL.get(tool, OPENAI),)


def check_domains(dialects: tuple[Dialect, ...], search: Search) -> None:
    """Raise SettingsError where the server would not heed the lists of domains."""
    for name in ("allowed", "blocked"):
        domains: tuple[str, ...] = getattr(search, f"{name}_domains")
        if not domains or not dialects:
            continue
        setting, first = f"WEB_SEARCH_{name.upper()}_DOMAINS", dialects[0]
        if getattr(first, name) is None:
            raise SettingsError(f"{setting}: {first.tool} obeys no such list. Leave it empty.")
        if len(domains) > first.most_domains:
            raise SettingsError(
                f"{setting} has {len(domains)} domains, and this server takes "
                f"{first.most_domains}. Leave some out."
            )


def obeys(dialect: Dialect, search: Search) -> bool:
    """Whether the tool keeps to the lists of domains: what it does not is not used."""
    listed = (search.allowed_domains, dialect.allowed), (search.blocked_domains, dialect.blocked)
    return all(name is not None for domains, name in listed if domains)


def search_tool(dialect: Dialect, search: Search) -> Json:
    """Build the tool."""
    if dialect.raw is not None:
        return dialect.raw
    heeded: Json = {}
    if dialect.user_location:
        # With the type alone OpenAI does not assume the United States.
        heeded["user_location"] = {"type": "approximate", **dict(search.location)}
    if dialect.context_size and search.context_size:
        heeded["search_context_size"] = search.context_size
    filters = _filters(dialect, search)
    if dialect.parameters:
        heeded = {"parameters": heeded | filters}
    elif filters:
        heeded["filters"] = filters
    return {"type": dialect.tool} | {name: value for name, value in heeded.items() if value}


def _filters(dialect: Dialect, search: Search) -> Json:
    filters: Json = {}
    if dialect.allowed and search.allowed_domains:
        filters[dialect.allowed] = list(search.allowed_domains)
    if dialect.blocked and search.blocked_domains:
        filters[dialect.blocked] = [dialect.blocked_mark + host for host in search.blocked_domains]
    return filters
