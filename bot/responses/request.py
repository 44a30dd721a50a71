"""What the model is asked: the body of `POST /v1/responses`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from bot.turns.characters import whole_characters

if TYPE_CHECKING:
    from bot.turns.question import Asked, Thread
    from bot.turns.turn import Turn

METADATA_LIMIT = 512  # characters of a value, by the reference of the Responses API
SOURCES = "web_search_call.action.sources"

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOptions:
    """What is the same for every question. None and empty leave a field out."""

    model: str
    instructions: str
    tool: Literal["web_search", "web_search_preview", "none"] = "web_search"
    search_context_size: Literal["low", "medium", "high"] | None = "medium"
    country: str | None = None  #: ISO 3166 alpha-2; of who asks, like the next three
    region: str | None = None
    city: str | None = None
    timezone: str | None = None  #: IANA
    allowed_domains: tuple[str, ...] = ()  #: hosts without a scheme; subdomains are included
    blocked_domains: tuple[str, ...] = ()
    include_sources: bool = True  #: some gateways answer 400 to it, OpenRouter for one
    include_obfuscation: bool | None = False  #: None leaves `stream_options` out
    reasoning_effort: str | None = None
    verbosity: str | None = None
    max_tool_calls: int | None = None
    max_output_tokens: int | None = None
    service_tier: str | None = None
    check_parent: bool = True  #: whether a chain that a server does not echo counts as lost
    share_names: bool = True  #: whether the model is told who asks
    installation_key: str = field(default="", repr=False)  #: makes the hashes this bot's own


def answer_instructions() -> str:
    """Return what the model is told about its work."""
    return (files("bot.responses") / "instructions" / "answer.md").read_text(encoding="utf-8")


def request_body(options: RequestOptions, asked: Asked, turn: Turn) -> Json:
    """Build the body that asks a question, chained to the turn's earlier response or told again.

    What a chain does not carry over (instructions, tools, include) goes into every request, and
    `store` is always named, as servers differ in what they take it for.
    """
    thread = turn.question.thread
    hashed = _thread_hash(thread, options.installation_key)
    body: Json = {
        "model": options.model,
        "instructions": options.instructions,
        "input": [*_earlier(options, asked), _user_message(options, asked.text, asked.name)],
        "stream": True,
        "store": True,
        "metadata": _metadata(turn),
        # Of the thread, not the person: from GPT-6.2 on, another identifier in a chain makes the
        # API drop the earlier reasoning.
        "safety_identifier": hashed,
        "prompt_cache_key": hashed,
    }
    if turn.previous_response_id:
        body["previous_response_id"] = turn.previous_response_id
    return body | _search(options) | _limits(options)


def _earlier(options: RequestOptions, asked: Asked) -> list[Json]:
    """Tell again what was said; as plain messages, which every server understands."""
    told: list[Json] = []
    for exchange in asked.earlier:
        told.append(_user_message(options, exchange.text, exchange.name))
        if exchange.answer:
            text = whole_characters(exchange.answer)
            told.append({"type": "message", "role": "assistant", "content": text})
    return told


def _user_message(options: RequestOptions, text: str, name: str | None) -> Json:
    name = " ".join((name or "").split())
    if options.share_names and name:
        quoted = json.dumps(name, ensure_ascii=False)
        text = f"Asked by {quoted} (display name, chosen by the person).\n\n{text}"
    content = [{"type": "input_text", "text": whole_characters(text)}]
    return {"type": "message", "role": "user", "content": content}


def _metadata(turn: Turn) -> Json:
    thread = turn.question.thread
    facts = {
        "team": thread.team,
        "channel": thread.channel,
        "thread_ts": thread.thread_ts,
        "turn": str(turn.id),
    }
    return {name: fact[:METADATA_LIMIT] for name, fact in facts.items()}


def _search(options: RequestOptions) -> Json:
    if options.tool == "none":
        return {}
    tool: Json = {"type": options.tool, "user_location": _location(options)}
    if options.search_context_size:
        tool["search_context_size"] = options.search_context_size
    filters = _filters(options)
    if filters and options.tool == "web_search":  # the preview knows no filters
        tool["filters"] = filters
    return {"tools": [tool]} | ({"include": [SOURCES]} if options.include_sources else {})


def _location(options: RequestOptions) -> Json:
    """Say where the person is; with the type alone OpenAI does not assume the United States."""
    known = {
        "country": options.country,
        "region": options.region,
        "city": options.city,
        "timezone": options.timezone,
    }
    return {"type": "approximate", **{name: place for name, place in known.items() if place}}


def _filters(options: RequestOptions) -> Json:
    domains = {
        "allowed_domains": list(options.allowed_domains),
        "blocked_domains": list(options.blocked_domains),
    }
    return {name: hosts for name, hosts in domains.items() if hosts}


def _limits(options: RequestOptions) -> Json:
    optional: Json = {
        "reasoning": options.reasoning_effort and {"effort": options.reasoning_effort},
        "text": options.verbosity and {"verbosity": options.verbosity},
        "max_tool_calls": options.max_tool_calls,
        "max_output_tokens": options.max_output_tokens,
        "service_tier": options.service_tier,
    }
    limits = {name: value for name, value in optional.items() if value}
    if options.include_obfuscation is not None:
        limits["stream_options"] = {"include_obfuscation": options.include_obfuscation}
    return limits


def _thread_hash(thread: Thread, key: str) -> str:
    """Name a thread towards the provider so that nobody else can tell which it is."""
    place = f"{thread.team}\n{thread.channel}\n{thread.thread_ts}"
    secret = hashlib.sha256(key.encode()).digest()
    return hashlib.blake2b(place.encode(), key=secret, digest_size=24).hexdigest()
