"""The fields that a search tool has with each kind of server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot.playground.responses import checks
from bot.playground.responses.errors import ApiError, wrong_type
from bot.playground.responses.library import Domains

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.playground.responses.checks import Check
    from bot.playground.responses.dialect import ToolFields

BARE_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)
DOMAINS_LIMIT = 100
DOMAINS_LIMIT_AT_XAI = 5


def _host(path: str, value: object) -> None:
    if not isinstance(value, str):
        raise wrong_type(path, "a string", value)
    if not BARE_HOST.fullmatch(value):
        message = f"Invalid '{path}': expected a host name without scheme, port or path."
        raise ApiError(400, message, param=path, code="invalid_value")


def _host_or_not(path: str, value: object) -> None:
    # Perplexity's one list holds both: a host with a minus before it is left out.
    _host(path, value.removeprefix("-") if isinstance(value, str) else value)


def _country(path: str, value: object) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z]{2}", value):
        message = f"Invalid '{path}': expected a two-letter ISO-3166 country code."
        raise ApiError(400, message, param=path, code="invalid_value")


HOSTS = checks.array(_host, maximum=DOMAINS_LIMIT)
FEW_HOSTS = checks.array(_host, maximum=DOMAINS_LIMIT_AT_XAI)
SIZE = checks.one_of("low", "medium", "high")
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
KIND = {"type": checks.text()}
BASIC_FIELDS = KIND | {"search_context_size": SIZE, "user_location": LOCATION}
PREVIEW_FIELDS = BASIC_FIELDS | {
    "search_content_types": checks.array(checks.one_of("text", "image")),
}
FILTERS = {"filters": checks.mapping({"allowed_domains": HOSTS, "blocked_domains": HOSTS})}
WEB_SEARCH_FIELDS: dict[ToolFields, Mapping[str, Check]] = {
    "openai": {
        **PREVIEW_FIELDS,
        **FILTERS,
        "external_web_access": checks.flag,
        "return_token_budget": checks.one_of("default", "unlimited"),
        "image_settings": checks.mapping({"max_results": checks.whole(1), "caption": checks.flag}),
    },
    "basic": BASIC_FIELDS,
    "filters": BASIC_FIELDS | FILTERS,
    "openrouter": {
        **KIND,
        "parameters": checks.mapping(
            {
                "engine": checks.text(),
                "max_results": checks.whole(1),
                "allowed_domains": HOSTS,
                "excluded_domains": HOSTS,
                "search_context_size": SIZE,
            }
        ),
    },
    "xai": {
        **KIND,
        "filters": checks.mapping({"allowed_domains": FEW_HOSTS, "excluded_domains": FEW_HOSTS}),
    },
    "perplexity": {
        **KIND,
        "filters": checks.mapping({"search_domain_filter": checks.array(_host_or_not)}),
    },
}


def domains_of(tools: Iterable[dict[str, Any]]) -> Domains:
    """Return the hosts that the tools limit a search to, by whichever name."""
    limits = [tool.get("filters") or tool.get("parameters") or {} for tool in tools]
    mixed = _listed(limits, "search_domain_filter")
    allowed = [host for host in mixed if not host.startswith("-")]
    blocked = [host.removeprefix("-") for host in mixed if host.startswith("-")]
    return Domains(
        (*_listed(limits, "allowed_domains"), *allowed),
        (
            *_listed(limits, "blocked_domains"),
            *_listed(limits, "excluded_domains"),
            *blocked,
        ),
    )


def _listed(limits: Iterable[dict[str, Any]], name: str) -> list[str]:
    return [host for one in limits for host in one.get(name) or ()]
