"""Calls to Slack's Web API, with its failures translated into ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.web.async_client import AsyncWebClient

DEFAULT_PAUSE_SECONDS = 10.0  # a 429 without a readable Retry-After
# These read no JSON body; all others that the bot calls do (from their method pages).
QUERIED = {"auth.test", "users.info", "chat.getPermalink", "conversations.replies"}
NO_ANSWER = (
    SlackClientError,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    ValueError,
    AttributeError,  # slack_sdk takes what came for a dict, be it a list or a line of text
)
# Slack's own words for trouble of its own, in which it may have acted or not (any method's page).
TROUBLE = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}


@dataclass(frozen=True, slots=True)
class SlackAnswer:
    """What Slack answered, and the headers it came with, whose names are found in any case."""

    said: dict[str, Any]
    headers: Mapping[str, str]


class SlackWeb:
    """The Web API with one workspace's token."""

    def __init__(self, client: AsyncWebClient) -> None:
        # slack_sdk repeats a POST after a dropped connection by itself, which posts a message
        # twice where Slack had acted on the first; whoever calls decides about repeats here.
        client.retry_handlers.clear()
        self._client = client

    async def call(self, method: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Call a method and return its answer.

        Raises SlackRateLimited on 429, SlackRefused on any `ok: false`, and SlackUnreachable where
        it stays unknown whether Slack acted.
        """
        return (await self.answer(method, **params)).said

    async def answer(self, method: str, **params: Any) -> SlackAnswer:  # noqa: ANN401 - JSON
        """Call a method likewise, and return its answer with the headers."""
        body = {name: value for name, value in params.items() if value is not None}
        try:
            response = await (
                self._client.api_call(method, http_verb="GET", params=body)
                if method in QUERIED
                else self._client.api_call(method, json=body or None)
            )
        except SlackApiError as error:
            raise _translated(method, error) from error
        except NO_ANSWER as error:
            raise SlackUnreachable(method, type(error).__name__) from error
        said = response.data if isinstance(response.data, dict) else {}
        return SlackAnswer(said, response.headers)


def _translated(method: str, error: SlackApiError) -> Exception:
    response = error.response
    if not isinstance(response, AsyncSlackResponse):  # aiohttp's own, of a body that is no JSON
        return SlackUnreachable(method, "no_answer_of_slack")
    if response.status_code == 429:  # noqa: PLR2004 - Too Many Requests
        return SlackRateLimited(method, _seconds(response.headers.get("Retry-After")))
    if response.status_code >= 500 or not isinstance(response.data, dict):  # noqa: PLR2004
        return SlackUnreachable(method, f"http_{response.status_code}")
    code = response.data.get("error")
    if not isinstance(code, str) or code in TROUBLE:  # or a page of something on the way
        return SlackUnreachable(method, code or "no_answer_of_slack")
    if code in {"ratelimited", "rate_limited"}:
        return SlackRateLimited(method, _seconds(response.headers.get("Retry-After")))
    return SlackRefused(method, code)


def _seconds(value: str | None) -> float:
    try:
        seconds = float(value or DEFAULT_PAUSE_SECONDS)
    except ValueError:
        return DEFAULT_PAUSE_SECONDS
    # Python reads "inf" and "nan" as numbers; nobody would ever wake from the first.
    return max(0.0, seconds) if math.isfinite(seconds) else DEFAULT_PAUSE_SECONDS
