"""What a compatible server does differently from OpenAI's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WEB_SEARCH_TYPES = ("web_search", "web_search_2025_08_26")
PREVIEW_TYPES = ("web_search_preview", "web_search_preview_2025_03_11")

DEEP_RESEARCH = "o3-deep-research-2025-06-26"

Chaining = Literal["yes", "ignored", "silent", "zdr", 400, 404]


@dataclass(frozen=True, slots=True)
class Profile:
    """One server's habits; the defaults are OpenAI's."""

    tool_types: tuple[str, ...] = (*WEB_SEARCH_TYPES, *PREVIEW_TYPES)
    models: tuple[str, ...] | None = None  # None: any model is known
    chaining: Chaining = (
        "yes"  # ignored: the echo is null; silent: there is none; the others refuse
    )
    store: Literal[False] | None = None  # None: as asked; False: nothing is ever kept
    include_sources: bool = True
    send_queries: bool = True  # False: a search names only `query`, as older models do
    usage_details: bool = True  # cache_write_tokens, tool_usage, billing
    # OpenAI's own stream announces a search without an `action`, which the openai package in
    # strict mode rejects; with True the announcement holds an empty one, as the types want it.
    early_action: bool = True
    event_lines: bool = True
    done_frame: bool = False
    comments: bool = False
    keepalive: bool = False
    empty_final_output: bool = False
    delta_seconds: float = 0.02
    queued_seconds: float = 0.3  # how long a background response waits
    working_seconds: float = 0.7  # and how long it works

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
