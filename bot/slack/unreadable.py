"""What is done with a delivery that nothing here can read: it is acknowledged, and logged."""

from __future__ import annotations

import logging

from bot.slack.events import shape_of

log = logging.getLogger(__name__)

# What Bolt raises on an unforeseen shape; what a listener raises never comes out of it.
UNREADABLE = (TypeError, AttributeError, LookupError, ValueError)


def log_skipped(error: str, body: object) -> None:
    """Log the delivery's shape, without any of its values."""
    facts = {"error": error, "shape": shape_of(body)}
    log.warning("a delivery of unknown shape is skipped", extra=facts)
