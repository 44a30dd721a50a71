"""The forms in which servers write their errors down."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from bot.playground.responses.errors import ApiError

# openai: an envelope with a code in words; numeric: the status in its place; flat: no envelope;
# prompt: one code and one text for whatever is wrong with a request; detail: FastAPI's own.
ErrorForm = Literal["openai", "numeric", "flat", "prompt", "detail"]

UNPROCESSABLE = 422
FLAT_CODES = {401: "unauthenticated", 404: "not-found"}
NAMED_PROMPT_FAULTS = ("context_length_exceeded", "model_not_found")
PAGE_NOT_FOUND = "<!DOCTYPE html><html><head><title>Maintenance</title></head><body></body></html>"


def worded(error: ApiError, form: ErrorForm) -> tuple[int, dict[str, Any]]:
    """Return the status and the body that a server of this form answers with."""
    match form:
        case "openai":
            return error.status, error.body()
        case "numeric":
            return error.status, {"error": _numeric(error)}
        case "flat":
            code = FLAT_CODES.get(error.status, "invalid-argument")
            return error.status, {"code": code, "error": str(error)}
        case "prompt":
            return error.status, {"error": _prompt(error), "metadata": None}
        case "detail":
            return _detail(error)


def _numeric(error: ApiError) -> dict[str, Any]:
    named = {} if error.param is None else {"param": error.param}
    return {"message": str(error), "type": error.kind} | named | {"code": error.status}


def _prompt(error: ApiError) -> dict[str, Any]:
    if error.status != 400:  # noqa: PLR2004 - the status of a malformed request
        return {"code": "server_error", "message": str(error)}
    named = error.code in NAMED_PROMPT_FAULTS
    message = str(error) if named else "Invalid Responses API request"
    return {"code": "invalid_prompt", "message": message}


def _detail(error: ApiError) -> tuple[int, dict[str, Any]]:
    if error.code != "unknown_parameter":
        return error.status, {"detail": str(error)}
    steps = re.findall(r"[^.\[\]]+", error.param or "")
    place = [int(step) if step.isdecimal() else step for step in steps]
    fault = {
        "type": "extra_forbidden",
        "loc": ["body", *place],
        "msg": "Extra inputs are not permitted",
    }
    return UNPROCESSABLE, {"detail": [fault]}
