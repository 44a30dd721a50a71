"""Refusals, worded and wrapped as OpenAI words and wraps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TYPE_NAMES = {
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    str: "a string",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


class ApiError(Exception):
    """A request that is answered with an error envelope."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | int | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code
        self.kind = kind

    def body(self) -> dict[str, Any]:
        """Return the envelope."""
        error = {
            "message": str(self),
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }
        return {"error": error}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server refuses with; `{id}` in the message stands for the response that was named."""

    status: int
    message: str
    param: str | None = None
    code: str | int | None = None
    kind: str = "invalid_request_error"

    def error(self, response_id: str = "") -> ApiError:
        """Return the error to raise."""
        message = self.message.replace("{id}", response_id)
        return ApiError(self.status, message, param=self.param, code=self.code, kind=self.kind)


def unknown_parameter(path: str) -> ApiError:
    """Return the refusal of a field that does not exist."""
    message = f"Unknown parameter: '{path}'."
    return ApiError(400, message, param=path, code="unknown_parameter")


def missing_parameter(path: str) -> ApiError:
    """Return the refusal of a request that lacks a required field."""
    message = f"Missing required parameter: '{path}'."
    return ApiError(400, message, param=path, code="missing_required_parameter")


def wrong_type(path: str, expected: str, value: object) -> ApiError:
    """Return the refusal of a value of another type."""
    got = TYPE_NAMES.get(type(value), "something else")
    message = f"Invalid type for '{path}': expected {expected}, but got {got} instead."
    return ApiError(400, message, param=path, code="invalid_type")


def invalid_value(path: str, value: object, supported: tuple[str, ...]) -> ApiError:
    """Return the refusal of a value outside the allowed ones."""
    message = f"Invalid value: '{value}'. Supported values are: {_listed(supported)}."
    return ApiError(400, message, param=path, code="invalid_value")


def _listed(values: tuple[str, ...]) -> str:
    quoted = [f"'{value}'" for value in values]
    if len(quoted) <= 2:  # noqa: PLR2004 - two are joined without a comma
        return " and ".join(quoted)
    return ", ".join(quoted[:-1]) + f", and {quoted[-1]}"


def invalid_api_key() -> ApiError:
    """Return the refusal of a wrong or missing key, which is never repeated."""
    message = (
        "Incorrect API key provided: sk-XXXX. You can find your API key at "
        "https://platform.openai.com/account/api-keys."
    )
    return ApiError(401, message, code="invalid_api_key")


def unsupported_parameter(name: str) -> ApiError:
    """Return the refusal of a field that exists and is not served."""
    message = f"Unsupported parameter: '{name}' is not supported."
    return ApiError(400, message, param=name, code="unsupported_parameter")


def response_not_found(response_id: str) -> ApiError:
    """Return the answer to a look-up of an unknown id."""
    message = f"Response with id '{response_id}' not found."
    return ApiError(404, message, param="response_id")


def context_length_exceeded() -> ApiError:
    """Return the refusal of an input that the model cannot hold."""
    message = (
        "Your input exceeds the context window of this model. Please adjust your input and try "
        "again."
    )
    return ApiError(400, message, param="input", code="context_length_exceeded")
