"""Lists: the input items of a response, and the models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.responses.errors import ApiError, invalid_value
from bot.playground.responses.profile import DEEP_RESEARCH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.playground.responses.profile import Profile

MODELS = ("gpt-6.1-sol", "gpt-6.1-terra", "gpt-6-astra", "gpt-6-sol", "gpt-6-luna")
SHUTDOWN_DATES = {DEEP_RESEARCH: "2026-07-23"}
PAGE = 20
LARGEST_PAGE = 100


def input_page(items: Sequence[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """Return a page of a response's input items, the newest first unless asked otherwise.

    Whether the items of earlier responses of a chain are listed is not documented; here they are.
    """
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise invalid_value("order", order, ("asc", "desc"))
    limit = _limit(query.get("limit"))
    listed = list(items) if order == "asc" else list(reversed(items))
    after = query.get("after")
    start = next((n + 1 for n, item in enumerate(listed) if item.get("id") == after), 0)
    page = listed[start : start + limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0].get("id") if page else None,
        "last_id": page[-1].get("id") if page else None,
        "has_more": start + limit < len(listed),
    }


def _limit(value: str | None) -> int:
    if value is None:
        return PAGE
    if not value.isdecimal() or not 1 <= int(value) <= LARGEST_PAGE:
        message = f"Invalid 'limit': expected an integer from 1 to {LARGEST_PAGE}."
        raise ApiError(400, message, param="limit", code="invalid_value")
    return int(value)


def model_list(profile: Profile) -> dict[str, Any]:
    """Return all models."""
    return {"object": "list", "data": [_model(name, profile) for name in profile.models or MODELS]}


def one_model(name: str, profile: Profile) -> dict[str, Any]:
    """Return a model, or raise that there is none of this name."""
    if name not in (profile.models or MODELS):
        message = f"The model '{name}' does not exist"
        raise ApiError(404, message, param="model", code="model_not_found")
    return _model(name, profile)


def _model(name: str, profile: Profile) -> dict[str, Any]:
    model = {"id": name, "object": "model", "created": 1_790_000_000, "owned_by": "local"}
    dated = {"shutdown_date": SHUTDOWN_DATES.get(name)} if profile.shutdown_dates else {}
    return model | dated
