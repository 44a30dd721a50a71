"""Calls to Slack's Web API, with its failures translated into ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.web.async_client import AsyncWebClient

DEFAULT_PAUSE_SECONDS = 10.0  # a 429 without a readable Retry-After
UPLOAD_SECONDS = 60.0  # for all the bytes of a file
# These read no JSON body; all others that the bot calls do (from their method pages).
QUERIED = {
    "auth.test",
    "users.info",
    "chat.getPermalink",
    "conversations.info",
    "conversations.members",
    "conversations.replies",
    "files.getUploadURLExternal",
}
UPLOAD = "upload_url"  # what the post of bytes is called in errors: no method, but an address
# An address that has lapsed, or that a moment later may take what it has not taken now.
WORTH_ANOTHER = {404, 408, 410, 425, 429}
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

    async def upload(self, url: str, data: bytes) -> None:
        """Post the bytes of a file to the address that Slack gave for them, without the token.

        Raises SlackRefused for an address that may not have them and where they are not taken,
        and SlackUnreachable where a new address may do better.
        """
        if not self._may_have_files(url):
            raise SlackRefused(UPLOAD, "bad_address")
        timeout = aiohttp.ClientTimeout(total=UPLOAD_SECONDS)
        try:
            async with (
                # With the proxy of the environment, as slack_sdk's own calls go.
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                session.post(url, data=data, allow_redirects=False) as response,
            ):
                status = response.status
        except NO_ANSWER as error:
            raise SlackUnreachable(UPLOAD, type(error).__name__) from error
        if status >= 500 or status in WORTH_ANOTHER:  # noqa: PLR2004 - a server's trouble
            raise SlackUnreachable(UPLOAD, f"http_{status}")
        if status != 200:  # noqa: PLR2004 - OK
            raise SlackRefused(UPLOAD, f"http_{status}")

    def _may_have_files(self, url: str) -> bool:
        """Whether an address is encrypted, or on the very server of the Web API."""
        try:
            scheme, host, port = _origin(url)
        except ValueError:
            return False
        is_ours = (scheme, host, port) == _origin(self._client.base_url)
        return host is not None and (scheme == "https" or is_ours)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


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
