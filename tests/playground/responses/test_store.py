from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.playground.responses.wire import ask, asking, refusal, text_of

if TYPE_CHECKING:
    import httpx

    from bot.playground.responses import LocalResponses
    from tests.playground.responses.conftest import Clock

DAY = 24 * 3600


def not_found(response_id: str) -> dict[str, object]:
    return {
        "message": f"Previous response with id '{response_id}' not found.",
        "type": "invalid_request_error",
        "param": "previous_response_id",
        "code": "previous_response_not_found",
    }


async def test_follow_up_reads_the_questions_before_it(http: httpx.AsyncClient) -> None:
    first = await ask(http, "How do I schedule a digest?")
    alone = await ask(http, "and weekly?")
    chained = await ask(http, "and on a weekday?", previous_response_id=first["id"])

    assert "weekly digest" in text_of(alone).lower()
    assert "digest" in text_of(chained).lower()
    assert chained["previous_response_id"] == first["id"]


async def test_whole_chain_is_kept_with_each_response(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    first = await ask(http, "one")
    second = await ask(http, "two", previous_response_id=first["id"])
    third = await ask(http, "three", previous_response_id=second["id"])

    items = responses.stored[third["id"]].items
    said = [item["content"][0]["text"] for item in items if item.get("role") == "user"]
    assert said == ["one", "two", "three"]
    ids = [item["id"] for item in items]
    assert ids[1:4] == [item["id"] for item in first["output"]]


async def test_instructions_are_not_inherited(http: httpx.AsyncClient) -> None:
    first = await ask(http, instructions="Be short.")
    second = await ask(http, previous_response_id=first["id"])

    assert (first["instructions"], second["instructions"]) == ("Be short.", None)


async def test_two_follow_ups_may_name_the_same_parent(http: httpx.AsyncClient) -> None:
    first = await ask(http)
    one = await ask(http, previous_response_id=first["id"])
    other = await ask(http, previous_response_id=first["id"])

    assert one["id"] != other["id"]
    assert one["previous_response_id"] == other["previous_response_id"]


async def test_cached_tokens_grow_along_a_chain(http: httpx.AsyncClient) -> None:
    cached, parent = [], None
    for _ in range(3):
        response = await ask(http, previous_response_id=parent)
        parent = response["id"]
        cached.append(response["usage"]["input_tokens_details"]["cached_tokens"])
        assert cached[-1] <= response["usage"]["input_tokens"]

    assert cached[0] == 0
    assert 1024 <= cached[1] < cached[2]
    assert all(count % 128 == 0 for count in cached)


async def test_short_prompt_is_not_cached(http: httpx.AsyncClient) -> None:
    first = await ask(http, "Why? " * 400, tools=[])
    second = await ask(http, tools=[], previous_response_id=first["id"])

    assert first["usage"]["total_tokens"] < 1024
    assert second["usage"]["input_tokens_details"]["cached_tokens"] == 0


async def test_unknown_parent_is_refused(http: httpx.AsyncClient) -> None:
    status, error = await refusal(http, asking(previous_response_id="resp_000"))

    assert (status, error) == (400, not_found("resp_000"))


async def test_parent_that_was_not_stored_is_refused(http: httpx.AsyncClient) -> None:
    parent = await ask(http, store=False)
    status, error = await refusal(http, asking(previous_response_id=parent["id"]))

    assert parent["store"] is False
    assert (status, error) == (400, not_found(parent["id"]))


async def test_background_response_that_was_not_stored_cannot_be_a_parent(
    http: httpx.AsyncClient, clock: Clock
) -> None:
    parent = await ask(http, store=False, background=True)
    clock.now += 5
    status, error = await refusal(http, asking(previous_response_id=parent["id"]))

    assert (status, error) == (400, not_found(parent["id"]))


async def test_deleted_parent_is_refused(http: httpx.AsyncClient) -> None:
    parent = await ask(http)
    await http.delete(f"/responses/{parent['id']}")
    status, error = await refusal(http, asking(previous_response_id=parent["id"]))

    assert (status, error) == (400, not_found(parent["id"]))


async def test_chain_survives_the_deletion_of_an_earlier_response(http: httpx.AsyncClient) -> None:
    first = await ask(http, "one")
    second = await ask(http, "two", previous_response_id=first["id"])
    await http.delete(f"/responses/{first['id']}")
    third = await ask(http, "three", previous_response_id=second["id"])

    assert third["status"] == "completed"


async def test_forgotten_parent_is_refused(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    parent = await ask(http)
    responses.forget(parent["id"])
    status, error = await refusal(http, asking(previous_response_id=parent["id"]))

    assert (status, error) == (400, not_found(parent["id"]))


async def test_expired_response_is_neither_found_nor_followed(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    parent, other = await ask(http), await ask(http)
    responses.expire(parent["id"])
    fetched = await http.get(f"/responses/{parent['id']}")
    status, error = await refusal(http, asking(previous_response_id=parent["id"]))
    followed = await ask(http, previous_response_id=other["id"])

    assert fetched.status_code == 404
    assert (status, error) == (400, not_found(parent["id"]))
    assert followed["previous_response_id"] == other["id"]


async def test_expired_response_in_the_background_is_not_found(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    response = await ask(http, background=True, store=False)
    responses.expire(response["id"])

    assert (await http.get(f"/responses/{response['id']}")).status_code == 404


async def test_response_belongs_to_the_key_it_was_made_with(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.accept_key("sk-other")
    other = {"Authorization": "Bearer sk-other"}
    parent = await ask(http)
    body = asking(previous_response_id=parent["id"])
    refused = await http.post("/responses", json=body, headers=other)
    one = f"/responses/{parent['id']}"
    answers = [
        await http.get(one, headers=other),
        await http.get(f"{one}/input_items", headers=other),
        await http.post(f"{one}/cancel", headers=other),
        await http.delete(one, headers=other),
    ]
    followed = await ask(http, previous_response_id=parent["id"])

    assert refused.json()["error"] == not_found(parent["id"])
    assert {answer.status_code for answer in answers} == {404}
    assert followed["previous_response_id"] == parent["id"]


async def test_another_key_has_chains_of_its_own(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.accept_key("sk-other")
    http.headers["Authorization"] = "Bearer sk-other"
    parent = await ask(http)
    child = await ask(http, previous_response_id=parent["id"])

    assert child["previous_response_id"] == parent["id"]


async def test_unfinished_response_cannot_be_a_parent(http: httpx.AsyncClient) -> None:
    parent = await ask(http, background=True)
    status, error = await refusal(http, asking(previous_response_id=parent["id"]))

    assert (status, error) == (400, not_found(parent["id"]))


@pytest.mark.parametrize(("days", "status"), [(29.9, 200), (30.1, 400)])
async def test_response_is_kept_for_thirty_days(
    http: httpx.AsyncClient, clock: Clock, days: float, status: int
) -> None:
    parent = await ask(http)
    clock.now += days * DAY
    answer = await http.post("/responses", json=asking(previous_response_id=parent["id"]))

    assert answer.status_code == status


async def test_unstored_background_response_can_be_polled_for_ten_minutes(
    http: httpx.AsyncClient, clock: Clock
) -> None:
    response = await ask(http, store=False, background=True)
    clock.now += 9 * 60
    soon = await http.get(f"/responses/{response['id']}")
    clock.now += 2 * 60
    late = await http.get(f"/responses/{response['id']}")

    assert (soon.status_code, late.status_code) == (200, 404)
