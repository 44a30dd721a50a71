"""Which requests are accepted: anything else is refused by name, as OpenAI does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.playground.responses import checks
from bot.playground.responses.acceptance import accepted, check_manners
from bot.playground.responses.errors import ApiError
from bot.playground.responses.inputs import check_input, kept_items
from bot.playground.responses.response import SOURCES
from bot.playground.responses.schema import check_format
from bot.playground.responses.tools import check_tools

if TYPE_CHECKING:
    from bot.playground.responses.profile import Profile

INCLUDE = (
    SOURCES,
    "web_search_call.results",
    "reasoning.encrypted_content",
    "file_search_call.results",
    "code_interpreter_call.outputs",
    "message.output_text.logprobs",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
)
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
TIERS = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
SAMPLING = ("temperature", "top_p", "top_logprobs")  # reasoning models refuse all three
NOT_HERE = ("prompt", "moderation", "access_programs", "image", "background_options")

JSON_SCHEMA = checks.mapping(
    {
        "type": checks.text(),
        "name": checks.text(64),
        "schema": checks.anything,
        "description": checks.text(),
        "strict": checks.flag,
    },
    "name",
    "schema",
)


def _json_schema(path: str, value: object) -> None:
    JSON_SCHEMA(path, value)
    assert isinstance(value, dict)  # noqa: S101 - `mapping` has refused everything else
    check_format(path, value)


FORMAT = checks.by_type(
    {
        "text": checks.mapping({"type": checks.text()}),
        "json_object": checks.mapping({"type": checks.text()}),
        "json_schema": _json_schema,
    }
)
REASONING = checks.mapping(
    {
        "effort": checks.one_of(*EFFORTS),
        "summary": checks.one_of("auto", "concise", "detailed"),
        "context": checks.one_of("auto", "current_turn", "all_turns"),
        "mode": checks.one_of("standard", "pro"),
    }
)
COUNTED = {  # what POST /v1/responses/input_tokens takes
    "model": checks.text(),
    "input": check_input,
    "instructions": checks.text(),
    "previous_response_id": checks.text(),
    "conversation": checks.anything,
    "tools": checks.array(checks.anything),
    "tool_choice": checks.anything,
    "reasoning": REASONING,
    "text": checks.mapping({"format": FORMAT, "verbosity": checks.one_of("low", "medium", "high")}),
    "truncation": checks.one_of("auto", "disabled"),
    "parallel_tool_calls": checks.flag,
}
CREATED = COUNTED | {
    "store": checks.flag,
    "background": checks.flag,
    "stream": checks.flag,
    "stream_options": checks.mapping({"include_obfuscation": checks.flag}),
    "include": checks.array(checks.one_of(*INCLUDE)),
    "max_tool_calls": checks.whole(1),
    "max_output_tokens": checks.whole(16),
    "context_management": checks.array(
        checks.mapping(
            {"type": checks.one_of("compaction"), "compact_threshold": checks.whole(1000)}, "type"
        )
    ),
    "metadata": checks.string_pairs,
    "safety_identifier": checks.text(128),
    "user": checks.text(),
    "prompt_cache_key": checks.text(),
    "prompt_cache_options": checks.mapping(
        {
            "mode": checks.one_of("implicit", "explicit"),
            "ttl": checks.one_of("30m", "12h"),
            "comparison_response_id": checks.text(),
            "prewarm": checks.flag,
        }
    ),
    "prompt_cache_retention": checks.one_of("in_memory", "24h"),
    "service_tier": checks.one_of(*TIERS),
    **dict.fromkeys((*SAMPLING, *NOT_HERE), checks.anything),
}


@dataclass(frozen=True, slots=True)
class Create:
    """A request for a response, found in order."""

    body: dict[str, Any]
    items: tuple[dict[str, Any], ...]  # the new input, as it is kept

    @property
    def model(self) -> str:
        """The model asked for."""
        return str(self.body["model"])

    @property
    def parent(self) -> str | None:
        """The response that this one follows."""
        return self.body.get("previous_response_id")

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools that may be used."""
        return self.body.get("tools") or []

    @property
    def may_search(self) -> bool:
        """Whether a search may be made at all."""
        return bool(self.tools) and self.body.get("tool_choice") != "none"

    @property
    def searches(self) -> int:
        """How many tool calls may be made."""
        return int(self.body.get("max_tool_calls") or 1000) if self.may_search else 0

    @property
    def includes(self) -> tuple[str, ...]:
        """What the response shall hold on top."""
        return tuple(self.body.get("include") or ())

    @property
    def obfuscated(self) -> bool:
        """Whether deltas are padded with noise."""
        options = self.body.get("stream_options") or {}
        return options.get("include_obfuscation") is not False

    def compact_threshold(self, window: int | None) -> int | None:
        """Return the input tokens from which the chain shall be compacted."""
        wanted = self.body.get("context_management") or [{}]
        return (wanted[0].get("compact_threshold") or window) if wanted[0] else None

    def asks(self, name: str, *, default: bool = False) -> bool:
        """Return one of the request's switches."""
        value = self.body.get(name)
        return default if value is None else bool(value)


def checked_create(body: object, profile: Profile) -> Create:
    """Return the request, or raise the first thing that is wrong with it."""
    read = accepted(body, CREATED, profile)
    checks.mapping(CREATED, "model")("", read)
    create = _counted(read, profile)
    check_manners(create.body, profile)
    _check_combinations(create.body)
    return create


def checked_count(body: object, profile: Profile) -> Create:
    """Return a request whose tokens shall be counted."""
    read = accepted(body, COUNTED, profile)
    checks.mapping(COUNTED, "model")("", read)
    return _counted(read, profile)


def _counted(body: object, profile: Profile) -> Create:
    assert isinstance(body, dict)  # noqa: S101 - `mapping` has refused everything else
    _check_model(body["model"], profile)
    for name in SAMPLING:
        if body.get(name) is not None:
            message = f"Unsupported parameter: '{name}' is not supported with this model."
            raise ApiError(400, message, param=name)
    for name in NOT_HERE:
        if body.get(name) is not None:
            message = f"Unsupported parameter: '{name}' is not available on this local server."
            raise ApiError(400, message, param=name, code="unsupported_parameter")
    check_tools(body, profile)
    _check_parent(body, profile)
    return Create(body, tuple(kept_items(body["input"])))


def _check_model(model: str, profile: Profile) -> None:
    if profile.models is not None and model not in profile.models:
        message = f"The requested model '{model}' does not exist."
        raise ApiError(400, message, param="model", code="model_not_found")


def _check_parent(body: dict[str, Any], profile: Profile) -> None:
    parent = body.get("previous_response_id")
    if parent is not None and body.get("conversation") is not None:
        message = (
            "Mutually exclusive parameters: Ensure you are only providing one of: "
            "'previous_response_id' or 'conversation'."
        )
        raise ApiError(400, message, code="mutually_exclusive_parameters")
    if body.get("conversation") is not None:
        message = "Unsupported parameter: 'conversation' is not available on this local server."
        raise ApiError(400, message, param="conversation", code="unsupported_parameter")
    begins = parent is None or parent.startswith("resp") or profile.ids in ("gen", "uuid")
    if not begins and profile.chaining == "yes":
        message = (
            f"Invalid 'previous_response_id': '{parent}'. Expected an ID that begins with 'resp'."
        )
        raise ApiError(400, message, param="previous_response_id", code="invalid_value")
    if body.get("input") is None:
        message = "Missing required parameter: 'input'."
        raise ApiError(400, message, param="input", code="missing_required_parameter")


def _check_combinations(body: dict[str, Any]) -> None:
    if body.get("stream_options") and not body.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise ApiError(400, message, param="stream_options")
    encrypted = "reasoning.encrypted_content" in (body.get("include") or ())
    if encrypted and body.get("store") is not False:
        message = "Encrypted content cannot be requested for persisted responses."
        raise ApiError(400, message, param="include")
