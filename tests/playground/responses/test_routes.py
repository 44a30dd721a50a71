from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.playground.responses.wire import (
    SOURCES,
    ask,
    asking,
    events,
    raw_stream,
    searches_of,
    stream,
    text_of,
)

if TYPE_CHECKING:
    from bot.playground.responses import LocalResponses
    from tests.playground.responses.conftest import Clock

WIRE = Path(__file__).parents[2] / "wire" / "responses"
ECHOED_TOOL = {
    "type": "web_search",
    "filters": None,
    "search_context_size": "medium",
    "user_location": {
        "type": "approximate",
        "city": None,
        "country": "US",
        "region": None,
        "timezone": None,
    },
}


async def test_response_has_the_fields_of_the_real_one(http: httpx.AsyncClient) -> None:
    response = await ask(http, metadata={"channel": "C1"}, safety_identifier="t1", max_tool_calls=9)

    expected: dict[str, Any] = {
        "object": "response",
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "max_tool_calls": 9,
        "metadata": {"channel": "C1"},
        "model": "gpt-6.1-sol",
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "safety_identifier": "t1",
        "service_tier": "default",
        "store": True,
        "tool_choice": "auto",
        "tools": [ECHOED_TOOL],
        "truncation": "disabled",
        "billing": {"payer": "developer"},
    }
    assert {name: response[name] for name in expected} == expected
    assert response["tool_usage"]["web_search"] == {"num_requests": 1}


async def test_response_has_no_field_more_or_less_than_a_recorded_one(
    http: httpx.AsyncClient,
) -> None:
    recorded = json.loads((WIRE / "completed_web_search.json").read_text(encoding="utf-8"))
    response = await ask(http, include=[SOURCES], reasoning={"effort": "low", "summary": "auto"})

    assert response.keys() == recorded.keys()
    for name in ("usage", "text", "reasoning", "tool_usage"):
        assert response[name].keys() == recorded[name].keys()
    for item in response["output"]:
        like = next(one for one in recorded["output"] if one["type"] == item["type"])
        assert item.keys() == like.keys()


async def test_ids_are_a_prefix_and_fifty_hexadecimal_digits(http: httpx.AsyncClient) -> None:
    response = await ask(http, reasoning={"effort": "low"})
    ids = [response["id"], *(item["id"] for item in response["output"])]

    assert [name.split("_")[0] for name in ids] == ["resp", "rs", "ws", "ws", "msg"]
    assert all(re.fullmatch(r"[a-z]+_[0-9a-f]{50}", name) for name in ids)
    assert len(set(ids)) == len(ids)


async def test_summary_of_reasoning_is_echoed_as_it_takes_effect(http: httpx.AsyncClient) -> None:
    response = await ask(http, reasoning={"effort": "high", "summary": "auto"})

    assert response["reasoning"] == {"effort": "high", "summary": "detailed"}
    assert response["output"][0]["summary"]


async def test_usage_adds_up(http: httpx.AsyncClient) -> None:
    usage = (await ask(http))["usage"]

    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 0}


async def test_location_of_a_type_only_is_not_taken_for_the_united_states(
    http: httpx.AsyncClient,
) -> None:
    tool = {"type": "web_search", "user_location": {"type": "approximate"}}
    response = await ask(http, tools=[tool])

    assert response["tools"][0]["user_location"]["country"] is None


async def test_sources_come_with_their_twins_and_only_when_asked_for(
    http: httpx.AsyncClient,
) -> None:
    plain = await ask(http)
    included = await ask(http, include=[SOURCES])
    page = "https://footnote.example/handbook/asking"

    assert "sources" not in searches_of(plain)[0]
    assert searches_of(included)[0]["sources"] == [
        {"type": "url", "url": page},
        {"type": "url", "url": f"{page}?utm_source=openai"},
    ]


async def test_sources_may_be_asked_for_when_fetching(http: httpx.AsyncClient) -> None:
    response = await ask(http)
    plain = await http.get(f"/responses/{response['id']}")
    included = await http.get(f"/responses/{response['id']}", params={"include[]": SOURCES})

    assert plain.json() == response
    assert "sources" in searches_of(included.json())[0]


@pytest.mark.parametrize("key", [None, "Bearer sk-other", "sk-local", "Basic sk-local"])
async def test_other_keys_are_refused(responses: LocalResponses, key: str | None) -> None:
    headers = {} if key is None else {"Authorization": key}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
        answer = await client.post(f"{responses.base_url}/responses", json=asking())

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert "sk-local" not in answer.text


async def test_every_answer_has_a_request_id_of_its_own(http: httpx.AsyncClient) -> None:
    answers = [
        await http.post("/responses", json=asking()),
        await http.post("/responses", json=asking(stream=True)),
        await http.post("/responses", json={}),
        await http.get("/responses/resp_0"),
        await http.get("/nothing"),
    ]
    ids = [answer.headers["x-request-id"] for answer in answers]

    assert all(re.fullmatch(r"req_[0-9a-f]{32}", name) for name in ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/responses/resp_0"),
        ("DELETE", "/responses/resp_0"),
        ("POST", "/responses/resp_0/cancel"),
        ("GET", "/responses/resp_0/input_items"),
        ("GET", "/responses/resp_0?stream=true"),
    ],
)
async def test_unknown_response_is_not_found(
    http: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await http.request(method, path)

    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Response with id 'resp_0' not found."


async def test_unknown_path_is_answered_with_an_envelope(http: httpx.AsyncClient) -> None:
    answer = await http.post("/chat/completions", json={})

    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Invalid URL (POST /v1/chat/completions)"


async def test_deleted_response_is_gone(http: httpx.AsyncClient) -> None:
    response = await ask(http)
    deleted = await http.delete(f"/responses/{response['id']}")
    fetched = await http.get(f"/responses/{response['id']}")

    assert deleted.json() == {"id": response["id"], "object": "response", "deleted": True}
    assert fetched.status_code == 404


async def test_response_without_store_cannot_be_fetched(http: httpx.AsyncClient) -> None:
    response = await ask(http, store=False)
    fetched = await http.get(f"/responses/{response['id']}")

    assert fetched.status_code == 404


async def test_too_few_output_tokens_make_the_answer_incomplete(http: httpx.AsyncClient) -> None:
    told = await stream(http, max_output_tokens=16)
    final = told[-1]["response"]

    assert told[-1]["type"] == "response.incomplete"
    assert final["incomplete_details"] == {"reason": "max_output_tokens"}
    assert (final["status"], final["completed_at"]) == ("incomplete", None)
    assert final["output"][-1]["status"] == "incomplete"
    assert 0 < len(text_of(final)) <= 64


async def test_line_that_says_who_asks_is_no_part_of_the_question(
    http: httpx.AsyncClient,
) -> None:
    named = 'Asked by "You" (display name, chosen by the person).\n\nHow do I schedule a digest?'
    response = await ask(http, named)

    assert searches_of(response)[0]["query"] == "schedule digest"


async def test_replayed_turns_are_read_like_a_chain(http: httpx.AsyncClient) -> None:
    turns = [
        {"type": "message", "role": "user", "content": "How do I schedule a digest?"},
        {"type": "message", "role": "assistant", "content": "Not in this version."},
        {"type": "message", "role": "user", "content": "and weekly?"},
    ]
    response = await ask(http, turns)

    assert searches_of(response)[0]["query"] == "schedule digest weekly"


async def test_no_search_is_made_where_none_is_allowed(http: httpx.AsyncClient) -> None:
    forbidden = await ask(http, tool_choice="none")
    without_tools = await ask(http, tools=[])

    for response in (forbidden, without_tools):
        assert searches_of(response) == []
        assert "No search was allowed" in text_of(response)


# -- input items, tokens, models ------------------------------------------------------------


async def test_input_items_are_paged_newest_first(http: httpx.AsyncClient) -> None:
    said = [{"role": "user", "content": str(number)} for number in range(5)]
    path = f"/responses/{(await ask(http, said))['id']}/input_items"
    first = (await http.get(path, params={"limit": 3})).json()
    rest = (await http.get(path, params={"limit": 3, "after": first["last_id"]})).json()
    oldest = (await http.get(path, params={"order": "asc", "limit": 1})).json()

    pages = [[item["content"][0]["text"] for item in page["data"]] for page in (first, rest)]
    assert pages == [["4", "3", "2"], ["1", "0"]]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert oldest["data"][0]["content"] == [{"type": "input_text", "text": "0"}]


@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "101"}, {"order": "up"}])
async def test_input_items_refuse_other_pages(
    http: httpx.AsyncClient, params: dict[str, str]
) -> None:
    response = await ask(http)
    answer = await http.get(f"/responses/{response['id']}/input_items", params=params)

    assert answer.status_code == 400


async def test_input_tokens_are_what_a_create_would_cost(http: httpx.AsyncClient) -> None:
    counted = await http.post("/responses/input_tokens", json=asking(tool_choice="none"))
    response = await ask(http, asking()["input"], tool_choice="none")

    assert counted.json() == {
        "object": "response.input_tokens",
        "input_tokens": response["usage"]["input_tokens"],
    }


async def test_input_tokens_take_no_other_fields(http: httpx.AsyncClient) -> None:
    answer = await http.post("/responses/input_tokens", json=asking(stream=True))

    assert answer.json()["error"]["code"] == "unknown_parameter"


async def test_models_are_listed_and_found_by_name(http: httpx.AsyncClient) -> None:
    listed = (await http.get("/models")).json()
    one = await http.get("/models/gpt-6.1-sol")
    none = await http.get("/models/gpt-99")

    assert one.json() in listed["data"]
    assert (none.status_code, none.json()["error"]["code"]) == (404, "model_not_found")


# -- background -----------------------------------------------------------------------------


async def test_background_response_is_queued_works_and_completes(
    http: httpx.AsyncClient, clock: Clock
) -> None:
    seen = [await ask(http, background=True)]
    for seconds in (0.2, 0.2, 0.7):
        clock.now += seconds
        seen.append((await http.get(f"/responses/{seen[0]['id']}")).json())

    statuses = [response["status"] for response in seen]
    assert statuses == ["queued", "queued", "in_progress", "completed"]
    assert [bool(response["output"]) for response in seen] == [False, False, False, True]
    assert [bool(response["usage"]) for response in seen] == [False, False, False, True]


async def test_cancelled_background_response_stays_cancelled(
    http: httpx.AsyncClient, clock: Clock
) -> None:
    response = await ask(http, background=True)
    once = await http.post(f"/responses/{response['id']}/cancel")
    clock.now += 60
    twice = await http.post(f"/responses/{response['id']}/cancel")
    fetched = await http.get(f"/responses/{response['id']}")

    assert once.json()["status"] == "cancelled"
    assert once.json() == twice.json() == fetched.json()


async def test_cancelling_what_is_complete_changes_nothing(
    http: httpx.AsyncClient, clock: Clock
) -> None:
    response = await ask(http, background=True)
    clock.now += 60
    cancelled = await http.post(f"/responses/{response['id']}/cancel")

    assert cancelled.json()["status"] == "completed"


async def test_only_background_responses_can_be_cancelled(http: httpx.AsyncClient) -> None:
    response = await ask(http)
    answer = await http.post(f"/responses/{response['id']}/cancel")

    assert answer.status_code == 400


async def test_background_stream_begins_queued_and_can_be_resumed(http: httpx.AsyncClient) -> None:
    told = await stream(http, background=True)
    response_id = told[0]["response"]["id"]
    url = f"/responses/{response_id}"
    rest = await http.get(url, params={"stream": "true", "starting_after": "0"})
    later = await http.get(url, params={"stream": "true", "starting_after": "9"})

    begun = [event["type"] for event in told[:3]]
    assert begun == ["response.created", "response.queued", "response.in_progress"]
    assert events(rest.text) == told[1:]
    assert events(later.text) == told[10:]
    assert (await http.get(url)).json()["status"] == "completed"


async def test_stream_cannot_be_resumed_after_five_minutes(
    http: httpx.AsyncClient, clock: Clock
) -> None:
    told = await stream(http, background=True)
    clock.now += 301
    answer = await http.get(f"/responses/{told[0]['response']['id']}", params={"stream": "true"})

    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "message": "This response can no longer be streamed because it is more than 5 minutes old",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


@pytest.mark.parametrize("fields", [{}, {"background": True}])
async def test_only_what_was_streamed_in_the_background_can_be_resumed(
    http: httpx.AsyncClient, fields: dict[str, bool]
) -> None:
    response = await ask(http, **fields)
    answer = await http.get(f"/responses/{response['id']}", params={"stream": "true"})

    assert answer.status_code == 400


async def test_place_to_resume_from_is_a_number(http: httpx.AsyncClient) -> None:
    told = events(await raw_stream(http, background=True))
    url = f"/responses/{told[0]['response']['id']}"
    answer = await http.get(url, params={"stream": "true", "starting_after": "x"})

    assert answer.json()["error"]["param"] == "starting_after"


async def test_cancelled_stream_ends_without_a_terminal_event(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.stall_after(3)
    task = asyncio.create_task(raw_stream(http, background=True))
    await responses.until(lambda: responses.stored)
    (response_id,) = responses.stored
    await http.post(f"/responses/{response_id}/cancel")
    responses.resume()

    assert events(await task)[-1]["type"] != "response.completed"
    assert (await http.get(f"/responses/{response_id}")).json()["status"] == "cancelled"
