"""The ids of responses, as each kind of server makes them."""

from __future__ import annotations

import base64
import secrets
import uuid
from typing import TYPE_CHECKING

from bot.playground.responses.inputs import new_id

if TYPE_CHECKING:
    from bot.playground.responses.profile import Ids

LARGEST = 1_000_000  # below which a number is drawn


def response_id(ids: Ids, at: float) -> str:
    """Return a new id for a response that is begun at this time."""
    match ids:
        case "openai":
            return new_id("resp")
        case "gen":
            return f"gen-{int(at)}-{secrets.token_urlsafe(15)}"
        case "uuid":
            return str(uuid.uuid4())
        case "int":
            return f"resp_{secrets.randbelow(LARGEST)}"
        case "wrapped":
            routing = f"litellm:custom_llm_provider:openai;response_id:{new_id('resp')}"
            return f"resp_{base64.urlsafe_b64encode(routing.encode()).decode()}"
