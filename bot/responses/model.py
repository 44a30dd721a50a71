"""The models, built from the settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.digests.prompt import FORM as DIGEST
from bot.digests.writer import DigestWriter
from bot.responses.background import BackgroundModel
from bot.responses.client import ResponsesClient
from bot.responses.dialect import (
    NEVER_SENT,
    TAKE_OPENAIS,
    Search,
    check_domains,
    choose_dialects,
    searches_by_itself,
    server_at,
)
from bot.responses.discretion import DiscreetModel
from bot.responses.patience import PatientModel
from bot.responses.price_list import price_list
from bot.responses.request import RequestOptions, instructions_named
from bot.responses.writing import WritingModel
from bot.turns.preparation import FORM as CLARIFYING
from bot.turns.preparation import Preparation

if TYPE_CHECKING:
    from httpx import AsyncClient

    from bot.responses.patience import Pace
    from bot.settings import Settings
    from bot.turns.form import JsonForm
    from bot.turns.prices import Prices
    from bot.turns.unsupported import Unsupported


@dataclass(frozen=True, slots=True)
class Models:
    """The models, each by what it does, and what they cost."""

    answering: PatientModel
    researching: BackgroundModel
    preparation: Preparation
    digesting: DigestWriter
    talking: DiscreetModel  #: about a digest, without a tool
    prices: Prices


def build_models(
    settings: Settings,
    http: AsyncClient,
    unsupported: Unsupported,
    installation_key: str,
    pace: Pace,
) -> Models:
    """Return the models behind these connections; all that is asked is asked at one pace."""
    prices, searches = price_list(settings.prices_file), tells_the_web(settings)

    def patient(options: RequestOptions) -> PatientModel:
        return PatientModel(ResponsesClient(http, options, unsupported, pace.heed), pace)

    def toolless(name: str, form: JsonForm | None = None) -> PatientModel:
        return patient(writing_options(settings, installation_key, name, form))

    def discreet(name: str, form: JsonForm | None = None) -> DiscreetModel:
        return DiscreetModel(toolless(name, form), searches)

    talking = discreet("digest_talk")
    return Models(
        patient(request_options(settings, installation_key)),
        BackgroundModel(http, research_options(settings, installation_key), unsupported, pace),
        Preparation(
            WritingModel(toolless("clarify", CLARIFYING)),
            WritingModel(toolless("brief")),
            prices,
            asks=settings.research_asks_back,
        ),
        DigestWriter(
            WritingModel(discreet("digest", DIGEST)),
            WritingModel(discreet("digest_join", DIGEST)),
            prices,
            talking.check,
        ),
        talking,
        prices,
    )


def tells_the_web(settings: Settings) -> bool:
    """Whether the model searches by itself, also where the settings give its server another name.

    Those who prepare a research may: they are told only what a person asked of the web.
    """
    by_address = server_at(settings.openai_base_url)
    servers = {by_address, server_at(settings.openai_base_url, settings.openai_dialect)}
    return any(searches_by_itself(server, settings.openai_model) for server in servers)


def request_options(settings: Settings, installation_key: str) -> RequestOptions:
    """Say what is the same for every question. Raises SettingsError where that cannot be heeded."""
    prose, search = settings.instructions_file, _search(settings)
    server = server_at(settings.openai_base_url, settings.openai_dialect)
    dialects = choose_dialects(server, settings.web_search_tool)
    check_domains(dialects, search)
    return RequestOptions(
        model=settings.openai_model,
        instructions=prose.read_text(encoding="utf-8") if prose else instructions_named("answer"),
        dialects=dialects,
        search=search,
        may_lack_search=settings.web_search_tool == "auto",
        include_sources=settings.openai_include_sources,
        include_obfuscation=False if settings.openai_stream_options else None,
        reasoning_effort=settings.openai_reasoning_effort,
        verbosity=settings.openai_verbosity,
        max_tool_calls=settings.openai_max_tool_calls,
        max_output_tokens=settings.openai_max_output_tokens,
        compact_threshold=settings.openai_compact_threshold if server in TAKE_OPENAIS else None,
        never_sent=NEVER_SENT.get(server, frozenset()),
        check_parent=settings.chaining == "auto",
        share_names=settings.share_names,
        installation_key=installation_key,
    )


def research_options(settings: Settings, installation_key: str) -> RequestOptions:
    """Say what is the same for every research: more of everything, and a model of its own."""
    options = request_options(settings, installation_key)
    return replace(
        options,
        model=settings.research_model,
        instructions=f"{options.instructions}\n\n{instructions_named('research')}",
        reasoning_effort=settings.research_reasoning_effort,
        max_tool_calls=settings.research_max_tool_calls,
        max_output_tokens=None,
        compact_threshold=None,
    )


def writing_options(
    settings: Settings, installation_key: str, name: str, form: JsonForm | None
) -> RequestOptions:
    """Say what is the same for all texts of a kind: no tool reaches the web with what is told."""
    return replace(
        request_options(settings, installation_key),
        instructions=instructions_named(name),
        dialects=(),
        max_tool_calls=None,
        compact_threshold=None,
        store=False,
        form=form,
    )


def _search(settings: Settings) -> Search:
    location = {
        "country": settings.web_search_country,
        "region": settings.web_search_region,
        "city": settings.web_search_city,
        "timezone": settings.web_search_timezone,
    }
    return Search(
        context_size=settings.web_search_context_size,
        location=tuple((name, place) for name, place in location.items() if place),
        allowed_domains=settings.web_search_allowed_domains,
        blocked_domains=settings.web_search_blocked_domains,
    )
