"""Responses that were kept, and the chains that they form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.playground.responses.errors import (
    ApiError,
    previous_response_not_found,
    response_not_found,
)

if TYPE_CHECKING:
    from bot.playground.responses.profile import Profile
    from bot.playground.responses.request import Create

KEPT_SECONDS = 30 * 24 * 3600  # "at least 30 days", says OpenAI's page on data controls
UNSTORED_SECONDS = 10 * 60  # a background response with store:false, for polling only
STREAM_SECONDS = 5 * 60  # "no longer be streamed because it is more than 5 minutes old"
RUNNING = ("queued", "in_progress")


@dataclass(slots=True)
class Stored:
    """A response with the items that led to it."""

    response: dict[str, Any]  # as it is at its end
    items: tuple[dict[str, Any], ...]  # the whole chain's input, this request's included
    started: float
    events: list[dict[str, Any]] = field(default_factory=list)  # of a streamed background response
    queued_seconds: float = 0.0
    working_seconds: float = 0.0
    ended: str | None = None  # set where the clock does not decide: "cancelled" or "delivered"

    @property
    def chain(self) -> tuple[dict[str, Any], ...]:
        """Return what a follow-up carries: all items up to and with this output."""
        return (*self.items, *self.response["output"])

    def deliver(self) -> None:
        """Note that the stream has told the end, whatever the clock says."""
        if self.ended is None:
            self.ended = "delivered"

    def status(self, now: float) -> str:
        """Return how far the response is."""
        if self.ended == "cancelled":
            return "cancelled"
        waited = now - self.started
        if self.ended is None and waited < self.queued_seconds:
            return "queued"
        if self.ended is None and waited < self.queued_seconds + self.working_seconds:
            return "in_progress"
        return str(self.response["status"])

    def seen(self, now: float) -> dict[str, Any]:
        """Return the response object as it is now."""
        status = self.status(now)
        if status == self.response["status"]:
            return self.response
        unfinished: dict[str, Any] = {
            "status": status,
            "output": [],
            "usage": None,
            "completed_at": None,
            "incomplete_details": None,
            "service_tier": "auto",
        }
        named = {key: self.response[key] for key in self.response if key not in LATE_FIELDS}
        return named | unfinished


LATE_FIELDS = ("tool_usage", "billing")


class Store:
    """The responses of one server, for as long as OpenAI keeps them."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self.stored: dict[str, Stored] = {}

    def add(self, stored: Stored) -> None:
        """Keep a response."""
        self.stored[stored.response["id"]] = stored

    def get(self, response_id: str, now: float) -> Stored:
        """Return a response that is kept, or raise that it is not found."""
        stored = self.stored.get(response_id)
        if stored is None or now - stored.started > _lifetime(stored):
            raise response_not_found(response_id)
        return stored

    def delete(self, response_id: str, now: float) -> None:
        """Forget a response; those that follow it keep their own copy of the chain."""
        self.get(response_id, now)
        del self.stored[response_id]

    def parent(self, create: Create, now: float) -> Stored | None:
        """Return the response that a request follows, or refuse it as this server would."""
        if create.parent is None or self._profile.chaining in {"ignored", "silent"}:
            return None
        self._refuse_chaining(create.parent)
        try:
            stored = self.get(create.parent, now)
        except ApiError:
            raise previous_response_not_found(create.parent) from None
        if not stored.response["store"]:
            raise previous_response_not_found(create.parent)
        if stored.status(now) in (*RUNNING, "cancelled"):
            raise previous_response_not_found(create.parent)
        return stored

    def _refuse_chaining(self, response_id: str) -> None:
        match self._profile.chaining:
            case "zdr":
                message = (
                    "Previous response cannot be used for this organization due to Zero Data "
                    "Retention."
                )
                code: str | int = "unsupported_parameter"
                raise ApiError(400, message, param="previous_response_id", code=code)
            case 400:
                message = "llama.cpp does not support 'previous_response_id'."
                raise ApiError(400, message, code=400)
            case 404:
                message = f"Response with id '{response_id}' not found."
                raise ApiError(404, message, param="response_id", code=404)


def _lifetime(stored: Stored) -> float:
    return KEPT_SECONDS if stored.response["store"] else UNSTORED_SECONDS
