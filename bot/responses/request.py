"""What the model is asked: the body of `POST /v1/responses`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING

from bot.responses.dialect import OPENAI, Dialect, Search, obeys, search_tool
from bot.turns.characters import whole_characters

if TYPE_CHECKING:
    from collections.abc import Container

    from bot.turns.form import JsonForm
    from bot.turns.question import Asked, Thread
    from bot.turns.turn import Turn

METADATA_LIMIT = 512  # characters of a value, by the reference of the Responses API
SOURCES = "web_search_call.action.sources"
FORM = "text.format"
# What a server may refuse without harm to the answer: it is asked again without it.
OPTIONAL = frozenset(
    {
        "store",
        "metadata",
        "safety_identifier",
        "prompt_cache_key",
        "include",
        "reasoning",
        "text",
        "max_tool_calls",
        "max_output_tokens",
        "service_tier",
        "context_management",
        "stream_options",
        FORM,
        "tools.user_location",
        "tools.search_context_size",
    }
)

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOptions:
    """What is the same for every question. None and empty leave a field out."""

    model: str
    instructions: str
    dialects: tuple[Dialect, ...] = (OPENAI,)  #: the first that is supported; none: no search
    search: Search = field(default_factory=Search)
    include_sources: bool = True  #: some gateways answer 400 to it, OpenRouter for one
    include_obfuscation: bool | None = False  #: None leaves `stream_options` out
    reasoning_effort: str | None = None
    verbosity: str | None = None
    max_tool_calls: int | None = None
    max_output_tokens: int | None = None
    service_tier: str | None = None
    compact_threshold: int | None = None  #: tokens from which the server shortens a chain itself
    may_lack_search: bool = False  #: whether a server that refuses the tools is asked without any
    never_sent: frozenset[str] = frozenset()  #: what this server is known not to take
    check_parent: bool = True  #: whether a chain that a server does not echo counts as lost
    share_names: bool = True  #: whether the model is told who asks
    store: bool = True  #: False for what is nobody's to go on from
    form: JsonForm | None = None  #: that the answer's text is to have
    installation_key: str = field(default="", repr=False)  #: makes the hashes this bot's own


def instructions_named(name: str) -> str:
    """Return what the model is told about a kind of work, by the file's name without its end."""
    return (files("bot.responses") / "instructions" / f"{name}.md").read_text(encoding="utf-8")


def request_body(
    options: RequestOptions,
    asked: Asked,
    turn: Turn,
    unsupported: Container[str] = (),
    *,
    background: bool = False,
) -> Json:
    """Build the body that asks a question, chained to the turn's earlier response or told again.

    What a chain does not carry over (instructions, tools, include) goes into every request, and
    `store` is always named, as servers differ in what they take it for. What the server does not
    support is left out.
    """
    thread = turn.question.thread
    hashed = _thread_hash(thread, options.installation_key)
    body: Json = {
        "model": options.model,
        "instructions": options.instructions,
        "input": [*_earlier(options, asked), _user_message(options, asked.text, asked.name)],
        "stream": True,
        "store": options.store,
        "metadata": _metadata(turn),
        # Of the thread, not the person: from GPT-6.2 on, another identifier in a chain makes the
        # API drop the earlier reasoning.
        "safety_identifier": hashed,
        "prompt_cache_key": hashed,
    }
    if turn.previous_response_id:
        body["previous_response_id"] = turn.previous_response_id
        body |= _compaction(options)
    if background:
        body["background"] = True
    body |= _search(options, unsupported) | _limits(options) | _text(options, unsupported)
    sent = body.keys() - options.never_sent
    return {name: value for name, value in body.items() if name in sent and name not in unsupported}


def expected_parent(options: RequestOptions, turn: Turn) -> str | None:
    """Return the parent whose echo is looked for; None where none is."""
    return turn.previous_response_id if options.check_parent else None


def fetched_with(options: RequestOptions, unsupported: Container[str]) -> dict[str, str]:
    """Return the query that has a response told with what was asked to be included in it."""
    included = "include" not in unsupported and "include" in _search(options, unsupported)
    return {"include[]": SOURCES} if included else {}


def left_out(options: RequestOptions, name: str, unsupported: Container[str]) -> str | None:
    """Say what to leave out where the server refused `name`; None where that may not be.

    The tool is only left out where the server's own was to be found out.
    """
    if name == "tools":
        dialect = _dialect(options, unsupported)
        return dialect.tool if dialect and options.may_lack_search else None
    return name if name in OPTIONAL and name not in unsupported else None


def refuses_search(options: RequestOptions, unsupported: Container[str]) -> bool:
    """Whether the server supports none of the tools it was to search with."""
    return bool(options.dialects) and _dialect(options, unsupported) is None


def _dialect(options: RequestOptions, unsupported: Container[str]) -> Dialect | None:
    """Say how the search is asked for; None where there is none, or the server supports none."""
    supported = (dialect for dialect in options.dialects if dialect.tool not in unsupported)
    return next((dialect for dialect in supported if obeys(dialect, options.search)), None)


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


def _search(options: RequestOptions, unsupported: Container[str]) -> Json:
    dialect = _dialect(options, unsupported)
    if dialect is None:
        return {}
    tool = search_tool(dialect, options.search)
    kept = {name: value for name, value in tool.items() if f"tools.{name}" not in unsupported}
    sources = options.include_sources and dialect.sources
    return {"tools": [kept]} | ({"include": [SOURCES]} if sources else {})


def _compaction(options: RequestOptions) -> Json:
    if options.compact_threshold is None:
        return {}
    compaction: Json = {"type": "compaction", "compact_threshold": options.compact_threshold}
    return {"context_management": [compaction]}


def _limits(options: RequestOptions) -> Json:
    optional: Json = {
        "reasoning": options.reasoning_effort and {"effort": options.reasoning_effort},
        "max_tool_calls": options.max_tool_calls,
        "max_output_tokens": options.max_output_tokens,
        "service_tier": options.service_tier,
    }
    limits = {name: value for name, value in optional.items() if value}
    if options.include_obfuscation is not None:
        limits["stream_options"] = {"include_obfuscation": options.include_obfuscation}
    return limits


def _text(options: RequestOptions, unsupported: Container[str]) -> Json:
    text: Json = {"verbosity": options.verbosity} if options.verbosity else {}
    form = options.form
    if form is not None and FORM not in unsupported:
        schema = {"name": form.name, "schema": form.schema, "strict": True}
        text["format"] = {"type": "json_schema", **schema}
    return {"text": text} if text else {}


def _thread_hash(thread: Thread, key: str) -> str:
    """Name a thread towards the provider so that nobody else can tell which it is."""
    place = f"{thread.team}\n{thread.channel}\n{thread.thread_ts}"
    secret = hashlib.sha256(key.encode()).digest()
    return hashlib.blake2b(place.encode(), key=secret, digest_size=24).hexdigest()
