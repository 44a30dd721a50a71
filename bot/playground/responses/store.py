"""Responses that were kept, and the chains that they form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.playground.responses.errors import ApiError, Refusal, response_not_found
from bot.playground.responses.refusals import (
    LLAMA_CPP,
    NOT_THIS_MODEL,
    VLLM,
    ZERO_DATA_RETENTION,
)
from bot.playground.responses.response import LATE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.playground.responses.profile import Profile
    from bot.playground.responses.request import Create

KEPT_SECONDS = 30 * 24 * 3600  # "at least 30 days", says OpenAI's page on data controls
UNSTORED_SECONDS = 10 * 60  # a background response with store:false, for polling only
STREAM_SECONDS = 5 * 60  # "no longer be streamed because it is more than 5 minutes old"
RUNNING = ("queued", "in_progress")
REFUSALS: Mapping[object, Refusal] = {"zdr": ZERO_DATA_RETENTION, 400: LLAMA_CPP, 404: VLLM}


@dataclass(slots=True)
class Stored:
    """A response with the items that led to it."""

    response: dict[str, Any]  # as it is at its end
    items: tuple[dict[str, Any], ...]  # the whole chain's input, this request's included
    started: float
    key: str  # whose it is
    events: list[dict[str, Any]] = field(default_factory=list)  # of a streamed background response
    queued_seconds: float = 0.0
    working_seconds: float = 0.0
    ended: str | None = None  # set where the clock does not decide: "cancelled" or "delivered"

    @property
    def chain(self) -> tuple[dict[str, Any], ...]:
        """Return what a follow-up carries: all items up to and with this output."""
        return (*self.items, *self.response["output"])

    def due(self, event: dict[str, Any]) -> float:
        """Return when an event of the stream comes, of a run whose events come over its time."""
        part: float = (event["sequence_number"] + 1) / len(self.events)
        return self.started + self.queued_seconds + self.working_seconds * part

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


class Store:
    """The responses of one server, for as long as OpenAI keeps them."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self.stored: dict[str, Stored] = {}

    def add(self, stored: Stored) -> None:
        """Keep a response."""
        self.stored[stored.response["id"]] = stored

    def get(self, response_id: str, key: str, now: float) -> Stored:
        """Return a response that is kept for this key, or raise that it is not found."""
        stored = self.stored.get(response_id)
        if stored is None or stored.key != key or now - stored.started > _lifetime(stored):
            raise response_not_found(response_id)
        return stored

    def forget(self, response_id: str) -> None:
        """Drop a response; those that follow it keep their own copy of the chain."""
        del self.stored[response_id]

    def expire(self, response_id: str) -> None:
        """Make a response older than any is kept."""
        stored = self.stored[response_id]
        stored.started -= _lifetime(stored) + 1

    def parent(self, create: Create, key: str, now: float) -> Stored | None:
        """Return the response that a request follows, or refuse it as this server would."""
        if create.parent is None or self._profile.chaining in ("ignored", "silent"):
            return None
        self._refuse_chaining(create)
        lost = self._profile.lost_parent.error(create.parent)
        try:
            stored = self.get(create.parent, key, now)
        except ApiError:
            raise lost from None
        if not stored.response["store"] or not self._may_be_followed(stored.status(now)):
            raise lost
        return stored

    def _may_be_followed(self, status: str) -> bool:
        if self._profile.completed_parents:
            return status == "completed"
        return status not in (*RUNNING, "cancelled")

    def _refuse_chaining(self, create: Create) -> None:
        chaining = self._profile.chaining
        refusal = chaining if isinstance(chaining, Refusal) else REFUSALS.get(chaining)
        parts = self._profile.chained_models
        if parts and not any(part in create.model for part in parts):
            refusal = NOT_THIS_MODEL
        if refusal is not None:
            raise refusal.error(create.parent or "")


def _lifetime(stored: Stored) -> float:
    return KEPT_SECONDS if stored.response["store"] else UNSTORED_SECONDS
