from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.playground.responses import LocalResponses, Profile
from tests.playground.responses.wire import ask, asking, open_http, refusal, stream, text_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

LONG = "Why? " * 800  # about 1,000 tokens
COMPACTION = [{"type": "compaction", "compact_threshold": 2000}]
TOO_LONG = {
    "message": "Your input exceeds the context window of this model. Please adjust your input "
    "and try again.",
    "type": "invalid_request_error",
    "param": "input",
    "code": "context_length_exceeded",
}


@pytest.fixture
async def narrow() -> AsyncIterator[httpx.AsyncClient]:
    """Three long questions do not fit; the search tool is not asked for, since it takes room."""
    profile = Profile(delta_seconds=0, context_window=2500)
    async with LocalResponses.start(profile=profile) as responses, open_http(responses) as http:
        yield http


async def counted(http: httpx.AsyncClient, question: str, parent: str | None = None) -> int:
    body = {"model": "m", "input": question, "previous_response_id": parent}
    answer = await http.post("/responses/input_tokens", json=body)
    return int(answer.json()["input_tokens"])


async def two_long(http: httpx.AsyncClient, **fields: object) -> str:
    first = await ask(http, LONG, tools=[], **fields)
    second = await ask(http, LONG, tools=[], previous_response_id=first["id"], **fields)
    return str(second["id"])


async def test_input_that_the_window_does_not_hold_is_refused(narrow: httpx.AsyncClient) -> None:
    fits = await ask(narrow, LONG, tools=[])
    refused = await refusal(narrow, asking(LONG * 3, tools=[]))

    assert fits["status"] == "completed"
    assert refused == (400, TOO_LONG)


async def test_whole_chain_has_to_fit_the_window(narrow: httpx.AsyncClient) -> None:
    second = await two_long(narrow)
    refused = await refusal(narrow, asking(LONG, tools=[], previous_response_id=second))
    counting = await narrow.post(
        "/responses/input_tokens",
        json={"model": "m", "input": LONG, "previous_response_id": second},
    )

    assert refused == (400, TOO_LONG)
    assert counting.status_code == 400


async def test_truncation_drops_the_oldest_items(narrow: httpx.AsyncClient) -> None:
    second = await two_long(narrow)
    third = await ask(narrow, LONG, tools=[], previous_response_id=second, truncation="auto")
    refused = await refusal(narrow, asking(LONG * 3, tools=[], truncation="auto"))

    assert third["usage"]["input_tokens"] <= 2500
    assert refused == (400, TOO_LONG)


async def test_count_is_that_of_the_whole_chain(narrow: httpx.AsyncClient) -> None:
    first = await ask(narrow, LONG, tools=[])

    assert await counted(narrow, "x", first["id"]) > 1000 > await counted(narrow, "x")


async def test_compaction_lets_a_chain_go_on(narrow: httpx.AsyncClient) -> None:
    second = await two_long(narrow)
    third = await ask(
        narrow, LONG, tools=[], previous_response_id=second, context_management=COMPACTION
    )
    fourth = await ask(narrow, "And now?", tools=[], previous_response_id=third["id"])

    compaction, message = third["output"]
    assert (compaction["type"], message["type"]) == ("compaction", "message")
    assert compaction.keys() == {"id", "type", "encrypted_content"}
    assert compaction["id"].startswith("cmp_")
    assert third["usage"]["input_tokens"] < 1100
    assert fourth["usage"]["input_tokens"] < 200


async def test_nothing_is_compacted_below_the_threshold(narrow: httpx.AsyncClient) -> None:
    response = await ask(narrow, LONG, tools=[], context_management=COMPACTION)

    assert [item["type"] for item in response["output"]] == ["message"]


async def test_compaction_without_a_threshold_waits_for_the_end_of_the_window(
    narrow: httpx.AsyncClient,
) -> None:
    wanted = [{"type": "compaction"}]
    second = await two_long(narrow, context_management=wanted)
    third = await ask(
        narrow, LONG, tools=[], previous_response_id=second, context_management=wanted
    )

    assert third["output"][0]["type"] == "compaction"


async def test_new_input_alone_has_to_fit(narrow: httpx.AsyncClient) -> None:
    body = asking(LONG * 3, tools=[], context_management=COMPACTION)

    assert await refusal(narrow, body) == (400, TOO_LONG)


async def test_what_was_asked_before_a_compaction_is_still_known(
    http: httpx.AsyncClient,
) -> None:
    first = await ask(http, f"How do I schedule a digest? {LONG * 2}", tools=[])
    follow_up = {"previous_response_id": first["id"], "context_management": COMPACTION}
    second = await ask(http, "and weekly?", **follow_up)
    third = await ask(http, "and on a weekday?", previous_response_id=second["id"])

    assert second["output"][0]["type"] == "compaction"
    assert "digest" in text_of(third).lower()


async def test_compaction_is_told_in_the_stream(http: httpx.AsyncClient) -> None:
    first = await ask(http, LONG * 2, tools=[])
    told = await stream(
        http, "x", tools=[], previous_response_id=first["id"], context_management=COMPACTION
    )

    kinds = [event["type"] for event in told[2:5]]
    assert kinds == [
        "response.output_item.added",
        "response.compaction.compacting",
        "response.output_item.done",
    ]
    assert told[4]["item"] == told[-1]["response"]["output"][0]


@pytest.mark.parametrize("content", ["gAAAAAB==", "e30=", "WzFd"])
async def test_compaction_that_was_made_elsewhere_can_be_sent_along(
    http: httpx.AsyncClient, content: str
) -> None:
    earlier = {"type": "compaction", "id": "cmp_1", "encrypted_content": content}
    response = await ask(http, [earlier, {"role": "user", "content": "How do I ask?"}])

    assert response["status"] == "completed"


async def test_server_without_compaction_ignores_that_it_is_asked_for() -> None:
    profile = Profile(delta_seconds=0, context_window=2500, compacts=False)
    async with LocalResponses.start(profile=profile) as responses, open_http(responses) as http:
        refused = await refusal(http, asking(LONG * 3, tools=[], context_management=COMPACTION))

    assert refused == (400, TOO_LONG)
