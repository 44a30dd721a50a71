"""Calls of the local Slack's Web API, as a bot makes them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.slack import Limits, LocalSlack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Json = dict[str, Any]


@dataclass
class Api:
    """A local Slack and a bot's client."""

    slack: LocalSlack
    token: str

    async def call(self, method: str, **params: Any) -> Json:  # noqa: ANN401 - JSON
        client = AsyncWebClient(token=self.token, base_url=self.slack.api_url)
        response = await client.api_call(method, json=params)
        assert isinstance(response.data, dict)
        return response.data

    async def refused(self, method: str, **params: Any) -> str:  # noqa: ANN401 - JSON
        with pytest.raises(SlackApiError) as caught:
            await self.call(method, **params)
        return str(caught.value.response["error"])

    async def post(self, text: str = "hello", **params: Any) -> str:  # noqa: ANN401 - JSON
        channel = self.slack.channels["general"]
        answer = await self.call("chat.postMessage", **{"channel": channel, "text": text, **params})
        return str(answer["ts"])


@asynccontextmanager
async def open_api() -> AsyncIterator[Api]:
    async with LocalSlack.start(limits=Limits(calls_factor=100)) as slack:
        yield Api(slack, slack.bot_token)
