from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from bot.playground.responses import LocalResponses, Profile, Scripted
from tests.playground.responses.wire import (
    SOURCES,
    ask,
    citations_of,
    events,
    open_http,
    raw_stream,
    stream,
    text_of,
)

if TYPE_CHECKING:
    import httpx

ONE_SEARCH = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.web_search_call.in_progress",
    "response.web_search_call.searching",
    "response.web_search_call.completed",
    "response.output_item.done",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.annotation.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]
CITED = Scripted(
    "It is. ([a.example](https://a.example/?utm_source=openai)) 👍",
    queries=("is it",),
    sources=("https://a.example/",),
    citations=(("https://a.example/", "A"),),
    pieces=("It is. ([a.example](https://a.exa", "mple/?utm_source=openai))", " 👍"),
)


async def test_events_come_in_the_documented_order(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.script(CITED)

    told = await stream(http)

    assert [event["type"] for event in told] == ONE_SEARCH
    assert [event["sequence_number"] for event in told] == list(range(len(told)))


async def test_citation_is_told_after_the_delta_that_ends_its_link(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.script(CITED)

    said = ""
    for event in await stream(http):
        if event["type"] == "response.output_text.delta":
            said += event["delta"]
        elif event["type"] == "response.output_text.annotation.added":
            break

    assert said.endswith("utm_source=openai))")


async def test_deltas_add_up_to_the_text_and_done_items_to_the_output(
    http: httpx.AsyncClient,
) -> None:
    told = await stream(http, include=[SOURCES], reasoning={"effort": "low", "summary": "auto"})
    deltas = [event["delta"] for event in told if event["type"] == "response.output_text.delta"]
    items = [event["item"] for event in told if event["type"] == "response.output_item.done"]

    assert "".join(deltas) == text_of(told[-1]["response"])
    assert items == told[-1]["response"]["output"]
    assert items[0]["type"] == "reasoning"


async def test_added_annotations_are_those_of_the_message(http: httpx.AsyncClient) -> None:
    told = await stream(http, "How do I schedule a digest?")
    added = [event["annotation"] for event in told if event["type"].endswith("annotation.added")]

    assert added == citations_of(told[-1]["response"])
    assert added


async def test_items_are_announced_before_they_have_anything_in_them(
    http: httpx.AsyncClient,
) -> None:
    told = await stream(http, reasoning={"effort": "low", "summary": "auto"})
    added = [event["item"] for event in told if event["type"] == "response.output_item.added"]

    assert [item.get("status") for item in added] == [None, *["in_progress"] * 3]
    assert (added[0]["summary"], added[-1]["content"]) == ([], [])


async def test_snapshots_at_the_start_are_empty(http: httpx.AsyncClient) -> None:
    told = await stream(http)

    for event in told[:2]:
        assert event["response"]["status"] == "in_progress"
        assert (event["response"]["output"], event["response"]["usage"]) == ([], None)
    assert told[0]["response"]["id"] == told[-1]["response"]["id"]


async def test_frames_have_event_lines_and_no_done(http: httpx.AsyncClient) -> None:
    raw = await raw_stream(http)

    frames = [frame.split("\n") for frame in raw.strip().split("\n\n")]
    assert all(len(frame) == 2 for frame in frames)
    for name, data in frames:
        assert name == f"event: {json.loads(data.removeprefix('data: '))['type']}"
    assert "[DONE]" not in raw


async def test_deltas_are_padded_unless_told_otherwise(http: httpx.AsyncClient) -> None:
    padded = await stream(http)
    plain = await stream(http, stream_options={"include_obfuscation": False})

    assert all("obfuscation" in event for event in padded if event["type"].endswith(".delta"))
    assert not any("obfuscation" in event for event in plain)


async def test_the_same_text_is_cut_differently_from_one_answer_to_the_next(
    http: httpx.AsyncClient,
) -> None:
    cuts = defaultdict(set)
    for turn in range(2):
        for event in await stream(http):
            if event["type"].endswith("text.delta"):
                cuts[turn].add(event["delta"])

    assert cuts[0] != cuts[1]


async def test_streamed_response_can_be_fetched_as_it_was_told(http: httpx.AsyncClient) -> None:
    told = await stream(http, include=[SOURCES])
    final = told[-1]["response"]

    fetched = await http.get(f"/responses/{final['id']}", params={"include[]": SOURCES})

    assert fetched.json() == final


async def test_server_may_ping_keep_alive_end_with_done_and_empty_its_output() -> None:
    profile = Profile(
        delta_seconds=0, comments=True, keepalive=True, done_frame=True, empty_final_output=True
    )
    async with LocalResponses.start(profile=profile) as responses, open_http(responses) as http:
        raw = await raw_stream(http)

    assert raw.endswith("data: [DONE]\n\n")
    assert "\n\n: ping\n\n" in raw
    assert events(raw)[2] == {"type": "keepalive", "sequence_number": 2}
    assert events(raw)[-1]["response"]["output"] == []


@pytest.mark.parametrize("early", [True, False])
async def test_announced_search_names_no_query(*, early: bool) -> None:
    profile = Profile(delta_seconds=0, early_action=early)
    async with LocalResponses.start(profile=profile) as responses, open_http(responses) as http:
        told = await stream(http)
    announced = next(
        event["item"] for event in told if event["type"] == "response.output_item.added"
    )

    assert announced.get("action") == ({"type": "search"} if early else None)


async def test_text_without_a_stream_is_the_same_answer(http: httpx.AsyncClient) -> None:
    told = await stream(http)
    whole = await ask(http)

    assert text_of(whole) == text_of(told[-1]["response"])
