from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import (
    ModelApiMissing,
    ModelCutOff,
    ModelError,
    ModelOverloaded,
    ModelPolicyRefused,
    ModelRateLimited,
)
from bot.responses.stream import StreamReader
from bot.turns.answer import (
    Finished,
    Started,
    TextDelta,
    Usage,
)
from tests.responses.examples import (
    Json,
    a_completed,
    a_created,
    delta,
    ended,
    read,
)

if TYPE_CHECKING:
    from bot.turns.answer import Ending


@pytest.mark.parametrize(
    ("details", "ending"),
    [
        ({"reason": "max_output_tokens"}, "max_output_tokens"),
        ({"reason": "content_filter"}, "content_filter"),
        ({"reason": "steered"}, "incomplete"),
        ({"reason": ["max_output_tokens"]}, "incomplete"),
        (None, "incomplete"),
    ],
)
def test_the_end_of_an_incomplete_answer_says_why(details: object, ending: Ending) -> None:
    response = {"id": "resp_1", "model": "m", "incomplete_details": details}
    response_events: list[Json] = [
        {"type": "response.incomplete", "response": response},
        {"type": "response.completed", "response": response | {"status": "incomplete"}},
        response | {"status": "incomplete", "output": []},
    ]

    for event in response_events:
        assert read(event) == [Started("resp_1"), ended(ending=ending)]


def test_the_end_keeps_what_the_server_echoes() -> None:
    completed = a_completed(
        previous_response_id="resp_0", store=False, usage={"input_tokens": 3}, model="dated"
    )

    assert read(completed)[-1] == Finished(
        "resp_1", "dated", "completed", Usage(3), "resp_0", stored=False, request_id="req_1"
    )


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ([], None),
        ({"total_tokens": 9}, Usage()),
        ({"input_tokens": "9", "output_tokens": -1, "input_tokens_details": 3}, Usage()),
        ({"input_tokens": True, "output_tokens": 2**70}, Usage()),
        (
            {"output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 3}},
            Usage(0, 4, 0, 3),
        ),
    ],
)
def test_the_end_counts_what_can_be_counted(usage: object, expected: Usage | None) -> None:
    assert read(a_completed(usage=usage))[-1] == ended(usage=expected)


def test_the_end_stands_without_a_response() -> None:
    parts = read(delta("Hello."), {"type": "response.completed"})

    assert parts == [
        TextDelta("Hello."),
        Finished("", "asked-for", "completed", request_id="req_1"),
    ]


@pytest.mark.parametrize("status", ["in_progress", "complete", "", None, 7])
def test_the_end_of_a_completed_response_is_one_whatever_its_status(status: object) -> None:
    assert read(a_completed(status=status)) == [Started("resp_1"), ended()]


@pytest.mark.parametrize("kind", ["created", "queued", "in_progress"])
def test_the_beginning_is_whichever_event_comes_first(kind: str) -> None:
    reader = StreamReader()

    assert reader.feed(a_created() | {"type": f"response.{kind}"}) == [Started("resp_1")]


def test_the_end_names_the_response_once() -> None:
    parts = read(a_created("resp_1"), a_created("resp_1"), a_completed())

    assert parts == [Started("resp_1"), ended()]


def test_the_end_is_the_end() -> None:
    assert read(a_completed(), delta("more"), {"type": "error"}) == [Started("resp_1"), ended()]


@pytest.mark.parametrize("events", [[], [a_created()], [{"type": "keepalive"}]])
def test_the_end_that_never_comes_is_a_cut(events: list[Json]) -> None:
    with pytest.raises(ModelCutOff):
        read(*events)


def test_the_end_of_chat_completions_is_no_response() -> None:
    with pytest.raises(ModelApiMissing):
        read({"object": "chat.completion.chunk", "choices": [{"delta": {"content": "Hi"}}]})


@pytest.mark.parametrize(
    ("event", "error_class"),
    [
        pytest.param(
            {"type": "response.failed", "response": {"error": {"code": "rate_limit_exceeded"}}},
            ModelRateLimited,
            id="failed",
        ),
        pytest.param({"type": "response.failed"}, ModelOverloaded, id="failed for no reason"),
        pytest.param(
            a_completed(status="failed", error={"code": "bio_policy"}),
            ModelPolicyRefused,
            id="completed that failed",
        ),
        pytest.param(a_completed(status="cancelled"), ModelCutOff, id="cancelled"),
        pytest.param({"type": "error", "code": "rate_limit_exceeded"}, ModelRateLimited, id="flat"),
        pytest.param(
            {"type": "error", "error": {"code": "rate_limit_exceeded"}},
            ModelRateLimited,
            id="nested",
        ),
        pytest.param(
            {"error": {"code": "rate_limit_exceeded"}}, ModelRateLimited, id="an error alone"
        ),
        pytest.param({"type": "error"}, ModelOverloaded, id="an error without any facts"),
    ],
)
def test_the_end_with_an_error_is_raised(event: Json, error_class: type[ModelError]) -> None:
    reader = StreamReader()

    with pytest.raises(ModelError) as caught:
        reader.feed(event)

    assert type(caught.value) is error_class
