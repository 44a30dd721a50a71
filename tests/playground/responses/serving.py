"""The servers by name, each opened to be asked over HTTP."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx

from bot.playground.responses import LocalResponses
from bot.playground.responses.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.playground.responses.wire import Json


@asynccontextmanager
async def served(name: str) -> AsyncIterator[httpx.AsyncClient]:
    profile = replace(SERVERS[name], delta_seconds=0, queued_seconds=0, working_seconds=0)
    async with LocalResponses.start(profile=profile) as responses:
        key = responses.api_key
        azure = profile.key_header == "api-key"
        headers = {"api-key": key} if azure else {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(
            base_url=responses.base_url, headers=headers, trust_env=False, timeout=10
        ) as http:
            yield http


async def posted(http: httpx.AsyncClient, **fields: object) -> tuple[int, Any]:
    answer = await http.post("/responses", json=plain() | fields)
    return answer.status_code, answer.json()


def plain(name: str = "openai") -> Json:
    """Return a request that this server takes."""
    body = {
        "model": model_of(name),
        "input": [{"type": "message", "role": "user", "content": "How do I ask?"}],
    }
    # The models for deep research that the old gateway still has go with no other tool.
    return body | ({"tools": [{"type": "web_search_preview"}]} if name == "gateway" else {})


def model_of(name: str) -> str:
    return (SERVERS[name].models or ("gpt-6.1-sol",))[0]
