"""What the Responses API says went wrong, as our errors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from bot.errors import (
    ModelApiMissing,
    ModelCutOff,
    ModelError,
    ModelForbidden,
    ModelInputTooLong,
    ModelKeyRefused,
    ModelNotFound,
    ModelOverloaded,
    ModelPolicyRefused,
    ModelQuotaUsedUp,
    ModelRateLimited,
    ModelRequestRefused,
    ModelThreadLost,
    ModelTimedOut,
    ModelUnreachable,
    ModelUnsupported,
)
from bot.responses.fields import mapping, sequence, words

if TYPE_CHECKING:
    from collections.abc import Mapping

_BY_CODE: Mapping[str, type[ModelError]] = {
    "invalid_api_key": ModelKeyRefused,
    "unsupported_country_region_territory": ModelForbidden,
    "data_residency_mismatch": ModelForbidden,
    "model_not_found": ModelNotFound,
    "insufficient_quota": ModelQuotaUsedUp,
    "credit_balance_exhausted": ModelQuotaUsedUp,
    "organization_spend_limit_exceeded": ModelQuotaUsedUp,
    "project_spend_limit_exceeded": ModelQuotaUsedUp,
    "organization_usage_limit_exceeded": ModelQuotaUsedUp,
    "rate_limit_exceeded": ModelRateLimited,
    "server_error": ModelOverloaded,
    "server_is_overloaded": ModelOverloaded,
    "slow_down": ModelOverloaded,
    "conversation_locked": ModelOverloaded,
    "context_length_exceeded": ModelInputTooLong,
    "previous_response_not_found": ModelThreadLost,
    "invalid_prompt": ModelPolicyRefused,
    "content_filter": ModelPolicyRefused,
}
_INVALID_REQUEST = re.compile(r"invalid [\w ]{0,40}request", re.IGNORECASE)
_POLICY_CODE = re.compile(r".*_policy(_violation)?\Z")  # bio_policy and whichever follow it

_BY_STATUS: Mapping[int, type[ModelError]] = {
    401: ModelKeyRefused,
    402: ModelQuotaUsedUp,  # OpenRouter's way to say that the credits are used up
    403: ModelForbidden,
    404: ModelApiMissing,
    405: ModelApiMissing,
    408: ModelOverloaded,  # the request came too slowly, so nothing was begun
    409: ModelOverloaded,
    413: ModelInputTooLong,
    429: ModelRateLimited,
    501: ModelApiMissing,
    504: ModelTimedOut,
}

_BY_KIND: Mapping[str, type[ModelError]] = {
    "invalid_request_error": ModelRequestRefused,
    "authentication_error": ModelKeyRefused,
    "permission_error": ModelForbidden,
    "rate_limit_error": ModelRateLimited,
    "requests": ModelRateLimited,  # which of the limits was met
    "tokens": ModelRateLimited,
}

# Servers without a code for it say so in words: vLLM "Response with id '…' not found.", xAI
# "Previous response cannot be used …", llama.cpp "… does not support 'previous_response_id'."
_LOST_THREAD = re.compile(
    r"response with id .{0,200} not found|previous response cannot be used|previous_response_id",
    re.IGNORECASE | re.DOTALL,
)
# Said of all responses, and not of the one that was named.
_KEEPS_NONE = re.compile(
    r"zero data retention|\bnot support|\bextra (inputs|fields)\b", re.IGNORECASE
)
# Ollama's 404 for a model has no code: without this it would read as "no Responses API there".
_UNKNOWN_MODEL = re.compile(
    r"\bmodel\b.{0,200}(not found|does not exist)", re.IGNORECASE | re.DOTALL
)
# vLLM "This model's maximum context length is …", llama.cpp "… exceeds the available context size".
_TOO_LONG = re.compile(
    r"maximum context length|exceeds? the (available )?context (size|window|length)", re.IGNORECASE
)

# Servers differ in how they refuse a parameter: OpenAI "Unknown parameter: 'x'." and "Unsupported
# parameter: 'x' is not …", earlier "Unrecognized request argument supplied: x", and FastAPI's
# "Extra inputs are not permitted", with the place beside it.
_UNSUPPORTED_CODES = {"unknown_parameter", "unsupported_parameter"}
_UNSUPPORTED = re.compile(
    r"\b(unknown|unsupported|unrecognized)\b[\w ]{0,30}\b(parameter|argument|field)"
    r"|\bextra (inputs|fields)\b",
    re.IGNORECASE,
)
# Of a response in the background; vLLM "… does not support `store=True` and therefore does not
# support the background mode", SGLang "Response store is disabled. …", neither with a parameter.
_NO_BACKGROUND = re.compile(
    r"\bnot support (the )?background\b|\bresponse store is disabled\b", re.IGNORECASE
)
_NAMED = re.compile(r"\b(?:parameter|argument|field)s?(?: supplied)?:? ['\"`]?([\w.\[\]]{1,80})")
_TOOL = re.compile(
    r"\btools?\b.{0,200}\b(not|unsupported|unknown|invalid|must|require)\b"
    r"|\b(unsupported|unknown|invalid|require)\b.{0,200}\btools?\b",
    re.IGNORECASE | re.DOTALL,
)
_TOOL_TYPE = re.compile(r"(\w+:)?web_?search.*|.*tool.*|\d*", re.IGNORECASE)

_CODE_WORD = re.compile(r"[\w.:/\[\]-]{1,80}\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a server said about a failure, whatever form it said it in."""

    status: int | None = None  #: HTTP's, None inside a stream
    code: str = ""
    kind: str = ""  #: the error's `type`
    param: str = ""
    message: str = ""  #: decides where there is no code; may hold parts of the question or key
    html: bool = False

    @property
    def detail(self) -> str:
        """Say for the operator what is known to be neither a text nor a key."""
        facts = {"code": self.code, "type": self.kind, "param": self.param}
        named = [f"{name}={word}" for name, word in facts.items() if _CODE_WORD.match(word)]
        return " ".join([f"status={self.status}", *named] if self.status else named)

    def error(self, *, chained: bool = False, background: bool = False) -> ModelError:
        """Return the error that tells the person what happened.

        Of a request that was `chained` to a response, a refusal that names no reason is taken for
        one of the chain, as by OpenRouter, which keeps none and says only that it was invalid.
        """
        if background and _NO_BACKGROUND.search(self.message):
            return ModelUnsupported(self.detail, "background")
        kinds = (self._by_code, self._by_place)
        found = next((error for error in (kind() for kind in kinds) if error), None)
        if found is None and (name := self._unsupported()):
            return ModelUnsupported(self.detail, name)
        found = found or self._by_status() or _BY_KIND.get(self.kind, ModelOverloaded)
        if chained and not self.param and self._status in {400, 404, 422} and not self.html:
            found = ModelThreadLost if found in {ModelRequestRefused, ModelApiMissing} else found
        error = found(self.detail)
        if isinstance(error, ModelThreadLost):
            refused_for_good = self.code in _UNSUPPORTED_CODES or _KEEPS_NONE.search(self.message)
            error.keeps_none = bool(refused_for_good)
        return error

    def _by_code(self) -> type[ModelError] | None:
        if self.kind == "insufficient_quota":
            return ModelQuotaUsedUp
        if _POLICY_CODE.match(self.code):
            return ModelPolicyRefused
        if self.code == "invalid_prompt" and _INVALID_REQUEST.match(self.message):
            return None  # OpenRouter's code for a request of a wrong form
        return _BY_CODE.get(self.code)

    def _by_place(self) -> type[ModelError] | None:
        """Tell by what the request named and the server did not find."""
        if self._status not in {None, 400, 404, 422}:
            return None
        if self.param == "previous_response_id" or _LOST_THREAD.search(self.message):
            return ModelThreadLost
        if _TOO_LONG.search(self.message):
            return ModelInputTooLong
        is_missing = self._status == 404 and self.param == "model"  # noqa: PLR2004 - Not Found
        return ModelNotFound if is_missing or _UNKNOWN_MODEL.search(self.message) else None

    def _unsupported(self) -> str:
        """Name what the server does not support, as `ModelUnsupported` has it."""
        if self._status not in {None, 400, 422}:
            return ""
        if self.code in _UNSUPPORTED_CODES or _UNSUPPORTED.search(self.message):
            named = _NAMED.search(self.message)
            return _name(self.param or (named.group(1) if named else ""))
        if self.param.startswith("tool") or _TOOL.search(self.message):
            return "tools"
        return ""

    def _by_status(self) -> type[ModelError] | None:
        status = self._status
        if status is None:
            return None
        if status in _BY_STATUS:
            return _BY_STATUS[status]
        if status >= 500:  # noqa: PLR2004 - server errors, a proxy's HTML pages among them
            return ModelOverloaded
        return ModelApiMissing if self.html or status < 400 else ModelRequestRefused  # noqa: PLR2004 - 3xx

    @property
    def _status(self) -> int | None:
        """The status; llama.cpp and vLLM put it into `code`, also inside a stream."""
        if self.status is None and re.fullmatch(r"[45]\d\d", self.code, re.ASCII):
            return int(self.code)
        return self.status


def read_failure(body: object, *, status: int | None = None, html: bool = False) -> Failure:
    """Read a failure from any of the forms in which servers write it.

    OpenAI `{"error": {…}}` · flat, in a stream · xAI `{"code", "error": "text"}` · FastAPI
    `{"detail": [{"loc", "msg"}]}`
    """
    outer = mapping(body)
    inner = mapping(outer.get("error")) or outer
    detail = mapping(next(iter(sequence(outer.get("detail"))), None))
    place = ".".join(str(step) for step in sequence(detail.get("loc"))[1:])
    said = [inner.get("message"), outer.get("error"), outer.get("detail"), detail.get("msg")]
    return Failure(
        status=status,
        code=_code(inner.get("code")),
        kind="" if inner.get("type") == "error" else words(inner.get("type")),
        param=words(inner.get("param")) or place,
        message=next((words(text) for text in said if words(text)), ""),
        html=html,
    )


def network_error(error: httpx.HTTPError, *, answered: bool, request_id: str | None) -> ModelError:
    """Translate what happened to the connection, before or after the server began to answer."""
    detail = type(error).__name__
    if isinstance(error, httpx.ReadTimeout):
        return ModelTimedOut(detail, request_id=request_id)
    if answered:
        return ModelCutOff(detail, request_id=request_id)
    unreachable = ModelUnreachable(detail, request_id=request_id)
    unreachable.repeat_after = 0.0
    return unreachable


def _code(value: object) -> str:
    return str(value) if isinstance(value, int) else words(value)


def _name(path: str) -> str:
    """Shorten a path like `tools[0].user_location.city` to what can be left out of a request."""
    first, *rest = [step for step in re.split(r"[.\[\]]+", path) if step] or [""]
    if first not in {"tools", "tool_choice"}:
        return "text.format" if [first, *rest[:1]] == ["text", "format"] else first
    inner = [step for step in rest if not _TOOL_TYPE.fullmatch(step) and step != "type"]
    return f"tools.{inner[0]}" if inner else "tools"
