"""The official client, which validates every answer against its own types."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import openai
import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from bot.playground.responses import LocalResponses, Profile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from openai.types.responses import WebSearchToolParam

SEARCH: WebSearchToolParam = {"type": "web_search"}
QUESTION = "How do I schedule a digest?"


@asynccontextmanager
async def official(responses: LocalResponses) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(
        base_url=responses.base_url,
        api_key=responses.api_key,
        max_retries=0,
        http_client=DefaultAsyncHttpxClient(trust_env=False),
        _strict_response_validation=True,
    ) as client:
        yield client


@pytest.fixture
async def client(responses: LocalResponses) -> AsyncIterator[AsyncOpenAI]:
    async with official(responses) as opened:
        yield opened


async def test_creates_with_everything_switched_on(client: AsyncOpenAI) -> None:
    response = await client.responses.create(
        model="gpt-6.1-sol",
        input=QUESTION,
        instructions="Be short.",
        tools=[SEARCH],
        include=["web_search_call.action.sources"],
        reasoning={"effort": "low", "summary": "auto"},
        metadata={"channel": "C1"},
        store=True,
    )

    assert [item.type for item in response.output] == [
        "reasoning",
        "web_search_call",
        "web_search_call",
        "message",
    ]
    assert "`/digest schedule weekdays 9:00`" in response.output_text


async def test_streams_and_fetches(client: AsyncOpenAI) -> None:
    stream = await client.responses.create(
        model="gpt-6.1-sol",
        input=QUESTION,
        tools=[SEARCH],
        reasoning={"effort": "low", "summary": "auto"},
        stream=True,
    )
    events = [event async for event in stream]
    final = events[-1]
    assert final.type == "response.completed"
    fetched = await client.responses.retrieve(final.response.id)

    assert fetched.output_text == final.response.output_text
    assert fetched.output_text == "".join(
        event.delta for event in events if event.type == "response.output_text.delta"
    )


async def test_its_own_accumulating_stream_agrees(client: AsyncOpenAI) -> None:
    async with client.responses.stream(
        model="gpt-6.1-sol", input=QUESTION, tools=[SEARCH]
    ) as stream:
        final = await stream.get_final_response()

    assert final.status == "completed"


async def test_chains_lists_and_counts(client: AsyncOpenAI) -> None:
    first = await client.responses.create(model="m", input=QUESTION, tools=[SEARCH])
    second = await client.responses.create(
        model="m", input="and weekly?", tools=[SEARCH], previous_response_id=first.id
    )
    listed = await client.responses.input_items.list(second.id, order="asc")
    counted = await client.responses.input_tokens.count(
        model="m", input="x", previous_response_id=second.id
    )

    assert second.previous_response_id == first.id
    assert [item.type for item in listed.data] == [
        "message",
        "web_search_call",
        "web_search_call",
        "message",
        "message",
    ]
    assert counted.input_tokens > 100


async def test_compacts_a_chain_in_a_stream(client: AsyncOpenAI) -> None:
    first = await client.responses.create(model="m", input="Why? " * 1000)
    stream = await client.responses.create(
        model="m",
        input=QUESTION,
        previous_response_id=first.id,
        context_management=[{"type": "compaction", "compact_threshold": 1000}],
        stream=True,
    )
    final = [event async for event in stream][-1]
    assert final.type == "response.completed"
    compaction = final.response.output[0]
    assert compaction.type == "compaction"
    # What came before a compaction may be left out by who sends the thread again.
    again = await client.responses.create(
        model="m",
        input=[
            {"type": "compaction", "encrypted_content": compaction.encrypted_content},
            {"role": "user", "content": "and weekly?"},
        ],
    )

    assert again.status == "completed"


async def test_runs_in_the_background_cancels_and_deletes(client: AsyncOpenAI) -> None:
    response = await client.responses.create(
        model="m", input=QUESTION, tools=[SEARCH], background=True
    )
    cancelled = await client.responses.cancel(response.id)
    await client.responses.delete(response.id)

    assert (response.status, cancelled.status) == ("queued", "cancelled")
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(response.id)


async def test_resumes_a_background_stream(client: AsyncOpenAI) -> None:
    stream = await client.responses.create(
        model="m", input=QUESTION, tools=[SEARCH], background=True, stream=True
    )
    events = [event async for event in stream]
    first = events[0]
    assert first.type == "response.created"
    resumed = await client.responses.retrieve(first.response.id, stream=True, starting_after=9)

    assert [event async for event in resumed] == events[10:]


async def test_lists_models(client: AsyncOpenAI) -> None:
    models = await client.models.list()
    one = await client.models.retrieve("gpt-6.1-sol")

    assert one in models.data


async def test_translates_refusals(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model="m", input="x", previous_response_id="resp_0")

    assert refused.value.code == "previous_response_not_found"
    assert refused.value.request_id is not None


async def test_is_refused_with_another_key(responses: LocalResponses) -> None:
    async with official(responses) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.with_options(api_key="sk-other").models.list()


async def test_rejects_a_search_announced_as_openai_announces_it() -> None:
    # Why `early_action` is the default although OpenAI's own stream has no action there.
    profile = Profile(delta_seconds=0, early_action=False)
    async with LocalResponses.start(profile=profile) as responses, official(responses) as client:
        stream = await client.responses.create(
            model="m", input=QUESTION, tools=[SEARCH], stream=True
        )
        with pytest.raises(openai.APIResponseValidationError):
            [event async for event in stream]
        await stream.close()
