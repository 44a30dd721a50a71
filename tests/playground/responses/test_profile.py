from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.playground.responses import LocalResponses, Profile
from tests.playground.responses.wire import (
    SOURCES,
    ask,
    asking,
    citations_of,
    events,
    open_http,
    raw_stream,
    refusal,
    searches_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from bot.playground.responses.profile import Chaining

GATEWAY = Profile.gateway(delta_seconds=0)
MODEL = "o3-deep-research-2025-06-26"
PREVIEW = {"model": MODEL, "tools": [{"type": "web_search_preview"}]}


@asynccontextmanager
async def served(profile: Profile) -> AsyncIterator[httpx.AsyncClient]:
    async with LocalResponses.start(profile=profile) as responses, open_http(responses) as http:
        yield http


# -- the gateway ----------------------------------------------------------------------------


async def test_gateway_answers_as_its_page_shows() -> None:
    async with served(GATEWAY) as http:
        response = await ask(http, include=[SOURCES], **PREVIEW)

    types = [item["type"] for item in response["output"]]
    assert types == ["reasoning", "web_search_call", "web_search_call", "message"]
    assert response["tools"] == [
        {"type": "web_search_preview", "search_context_size": "medium", "user_location": None}
    ]
    assert searches_of(response)[0] == {"type": "search", "query": "ask"}
    assert (response["store"], response["max_tool_calls"]) == (False, 225)
    assert response["usage"]["input_tokens_details"] == {"cached_tokens": 0}
    assert "tool_usage" not in response
    assert citations_of(response)


async def test_gateway_streams_data_lines_only_and_ends_with_done() -> None:
    async with served(GATEWAY) as http:
        raw = await raw_stream(http, **PREVIEW)

    assert raw.endswith("data: [DONE]\n\n")
    assert "\n\n: ping\n\n" in raw
    assert "event:" not in raw
    assert events(raw)[-1]["type"] == "response.completed"


async def test_gateway_demands_the_preview_tool() -> None:
    async with served(GATEWAY) as http:
        status, error = await refusal(http, asking(model=MODEL))

    assert (status, error["param"], error["code"]) == (400, "tools", None)
    assert error["message"].startswith("Deep research models require at least one of")


async def test_gateway_knows_one_model() -> None:
    async with served(GATEWAY) as http:
        status, error = await refusal(http, asking(model="gpt-6.1-sol"))
        listed = (await http.get("/models")).json()

    assert (status, error["code"], error["param"]) == (400, "model_not_found", "model")
    assert error["message"] == "The requested model 'gpt-6.1-sol' does not exist."
    assert [model["id"] for model in listed["data"]] == [MODEL]
    assert listed["data"][0]["shutdown_date"] == "2026-07-23"


async def test_id_from_the_gateway_cannot_be_followed() -> None:
    async with served(GATEWAY) as http:
        first = await ask(http, store=True, **PREVIEW)
        status, error = await refusal(http, asking(previous_response_id=first["id"], **PREVIEW))

    assert (status, error["code"]) == (400, "previous_response_not_found")


# -- chains elsewhere -----------------------------------------------------------------------


async def test_ignored_chain_is_not_echoed_and_not_read() -> None:
    async with served(Profile(delta_seconds=0, chaining="ignored")) as http:
        first = await ask(http, "How do I schedule a digest?")
        second = await ask(http, "and tomorrow?", previous_response_id=first["id"])
        unknown = await ask(http, previous_response_id="resp_unknown")

    assert second["previous_response_id"] is None
    assert "digest" not in text_of(second)
    assert unknown["previous_response_id"] is None


@pytest.mark.parametrize(
    ("chaining", "status", "expected"),
    [
        pytest.param(
            "zdr",
            400,
            {
                "message": "Previous response cannot be used for this organization due to Zero "
                "Data Retention.",
                "type": "invalid_request_error",
                "param": "previous_response_id",
                "code": "unsupported_parameter",
            },
            id="zero data retention",
        ),
        pytest.param(
            400,
            400,
            {
                "message": "llama.cpp does not support 'previous_response_id'.",
                "type": "invalid_request_error",
                "param": None,
                "code": 400,
            },
            id="llama.cpp",
        ),
        pytest.param(
            404,
            404,
            {
                "message": "Response with id 'resp_0' not found.",
                "type": "invalid_request_error",
                "param": "response_id",
                "code": 404,
            },
            id="vLLM",
        ),
    ],
)
async def test_servers_refuse_a_chain_each_in_its_way(
    chaining: Chaining, status: int, expected: dict[str, object]
) -> None:
    async with served(Profile(delta_seconds=0, chaining=chaining)) as http:
        plain = await ask(http)
        refused = await refusal(http, asking(previous_response_id="resp_0"))

    assert plain["status"] == "completed"
    assert refused == (status, expected)


async def test_profile_may_differ_in_one_thing_only() -> None:
    async with served(replace(GATEWAY, event_lines=True)) as http:
        raw = await raw_stream(http, **PREVIEW)

    assert raw.startswith("event: response.created\n")
