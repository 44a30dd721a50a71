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
_POLICY_CODE = re.compile(r".*_policy(_violation)?\Z")  # bio_policy and whichever follow it

_BY_STATUS: Mapping[int, type[ModelError]] = {
    401: ModelKeyRefused,
    402: ModelQuotaUsedUp,  # OpenRouter's way to say that the credits are used up
    403: ModelForbidden,
    404: ModelApiMissing,
    405: ModelApiMissing,
    408: ModelTimedOut,
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
# Ollama's 404 for a model has no code: without this it would read as "no Responses API there".
_UNKNOWN_MODEL = re.compile(
    r"\bmodel\b.{0,200}(not found|does not exist)", re.IGNORECASE | re.DOTALL
)

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

    def error(self) -> ModelError:
        """Return the error that tells the person what happened."""
        kinds = (self._by_code, self._by_place, self._by_status)
        found = next((error for error in (kind() for kind in kinds) if error), None)
        error = found or _BY_KIND.get(self.kind, ModelOverloaded)
        return error(self.detail)

    def _by_code(self) -> type[ModelError] | None:
        if self.kind == "insufficient_quota":
            return ModelQuotaUsedUp
        if _POLICY_CODE.match(self.code):
            return ModelPolicyRefused
        return _BY_CODE.get(self.code)

    def _by_place(self) -> type[ModelError] | None:
        """Tell by what the request named and the server did not find."""
        if self._status in {None, 400, 404, 422}:
            if self.param == "previous_response_id" or _LOST_THREAD.search(self.message):
                return ModelThreadLost
            if self._status == 404 and (  # noqa: PLR2004 - Not Found
                self.param == "model" or _UNKNOWN_MODEL.search(self.message)
            ):
                return ModelNotFound
        return None

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
