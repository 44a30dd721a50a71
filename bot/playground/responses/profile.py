"""What a compatible server does differently from OpenAI's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.playground.responses.dialect import OPENAI_SEARCH, Search
from bot.playground.responses.refusals import LOST

if TYPE_CHECKING:
    from bot.playground.responses.errors import Refusal
    from bot.playground.responses.wording import ErrorForm

WEB_SEARCH_TYPES = ("web_search", "web_search_2025_08_26")
PREVIEW_TYPES = ("web_search_preview", "web_search_preview_2025_03_11")

DEEP_RESEARCH = "o3-deep-research-2025-06-26"

KEPT = ("retrieve", "cancel", "delete", "input_items")  # what can be done with a kept response
MODELS = ("models", "model")
ENDPOINTS = (*KEPT, *MODELS, "input_tokens")  # besides the creation, which all have

Chaining = Literal["yes", "ignored", "silent", "zdr", 400, 404]
Ids = Literal["openai", "gen", "uuid", "int", "wrapped"]
Billing = Literal["tokens", "cost", "cost object", "sources", "none"]


@dataclass(frozen=True, slots=True)
class Profile:
    """One server's habits; the defaults are OpenAI's."""

    # Where it is and who may ask.
    path: str = "/v1"
    key_header: Literal["authorization", "api-key"] = "authorization"
    endpoints: tuple[str, ...] = ENDPOINTS

    # What it takes.
    models: tuple[str, ...] | None = None  # None: any model is known
    context_window: int | None = None  # tokens, as this server counts them; None: without an end
    compacts: bool = True  # False: `context_management` is accepted and has no effect
    tool_types: tuple[str, ...] = (*WEB_SEARCH_TYPES, *PREVIEW_TYPES)
    other_tools: Literal["refused", "ignored"] = "refused"
    typed_items: bool = False  # items of the input have to say "type": "message"
    refused_parameters: tuple[str, ...] = ()  # where they ask for something: not false, not null
    refused_as: Literal["unsupported_parameter", "unknown_parameter"] = "unsupported_parameter"
    refused_includes: tuple[str, ...] = ()
    ignored_parameters: tuple[str, ...] = ()
    ignores_unknown: bool = False  # fields that nobody knows are left unread
    no_background: Refusal | None = None  # what a background response is refused with

    # What it keeps.
    chaining: Chaining | Refusal = (
        "yes"  # ignored: the echo is null; silent: there is none; the others refuse
    )
    chained_models: tuple[str, ...] = ()  # parts of the names of those that can be followed
    lost_parent: Refusal = LOST
    completed_parents: bool = False  # a response that was cut short cannot be followed
    keeps_streamed: bool = True
    store: bool | None = None  # None: as asked; False: nothing is ever kept; True: everything is

    # What it answers.
    search: Search = OPENAI_SEARCH
    ids: Ids = "openai"
    left_out: tuple[str, ...] = ()  # fields that its response object does not have
    include_sources: bool = True
    send_queries: bool = True  # False: a search names only `query`, as older models do
    usage_details: bool = True  # cache_write_tokens, tool_usage, billing
    billing: Billing = "tokens"  # what its usage tells; "none": it has none
    listed_citations: bool = False  # `citations`, the URLs of all pages cited
    content_filters: bool = False
    reasoning_text: bool = False  # the reasoning itself, as open models show it
    shutdown_dates: bool = True  # in the list of models

    # How it fails.
    errors: ErrorForm = "openai"
    failed_runs: bool = False  # what no run can be made of is a run that failed, with status 200
    html_not_found: bool = False

    # How it streams.
    # OpenAI's own stream announces a search without an `action`, which the openai package in
    # strict mode rejects; with True the announcement holds an empty one, as the types want it.
    early_action: bool = True
    event_lines: bool = True
    done_frame: bool = False
    comments: bool = False
    comment: str = "ping"
    keepalive: bool = False
    empty_final_output: bool = False
    always_completed: bool = False  # the last event is `response.completed`, however it ended
    delta_seconds: float = 0.02
    queued_seconds: float = 0.3  # how long a background response waits
    working_seconds: float = 0.7  # and how long it works
    paced_runs: bool = False  # whether its events come over all of that time

    @classmethod
    def gateway(cls, *, delta_seconds: float = 0.02) -> Profile:
        """Return a gateway that still serves the retired deep-research models."""
        return cls(
            tool_types=PREVIEW_TYPES,
            models=(DEEP_RESEARCH,),
            store=False,
            include_sources=False,
            send_queries=False,
            usage_details=False,
            early_action=False,
            event_lines=False,
            done_frame=True,
            comments=True,
            delta_seconds=delta_seconds,
        )
