"""The client over real sockets."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import (
    ModelApiMissing,
    ModelCutOff,
    ModelError,
    ModelInputTooLong,
    ModelKeyRefused,
    ModelNotFound,
    ModelOverloaded,
    ModelQuotaUsedUp,
    ModelRateLimited,
    ModelRequestRefused,
    ModelThreadLost,
    ModelTimedOut,
    ModelUnreachable,
    ModelUnsupported,
    SettingsError,
)
from bot.responses.client import ResponsesClient, open_http
from bot.responses.dialect import OPENAI, PREVIEW
from bot.responses.reading import ERROR_BODY_LIMIT
from bot.responses.request import request_body
from bot.turns.answer import Finished, Started, TextDelta
from tests.fakes import FakeNotes
from tests.responses.examples import (
    ASKED,
    OPTIONS,
    a_completed,
    a_created,
    a_turn,
    delta,
    ended,
    frames,
    wire,
    wire_json,
)
from tests.responses.server import STREAM, ByteServer, End, byte_server
from tests.responses.test_wire import ANSWERS, FAILURES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import httpx

    from bot.responses.dialect import Server
    from bot.turns.answer import Part

JSON = {"content-type": "application/json", "x-request-id": "req_1"}
HTML = {"content-type": "text/html"}
KEY_REFUSED = "status=401 code=invalid_api_key type=invalid_request_error"
SHORT = frames(a_created(), delta("Hello."), a_completed())
SHORT_PARTS = [Started("resp_1"), TextDelta("Hello."), ended()]

HTTP_ERRORS: dict[str, type[ModelError]] = {
    "invalid_api_key": ModelKeyRefused,
    "previous_response_not_found": ModelThreadLost,
    "previous_response_zdr": ModelThreadLost,
    "model_not_found": ModelNotFound,
    "context_length_exceeded": ModelInputTooLong,
    "unsupported_parameter": ModelUnsupported,
    "unknown_parameter": ModelUnsupported,
    "deep_research_needs_tool": ModelUnsupported,
    "rate_limit": ModelRateLimited,
    "insufficient_quota": ModelQuotaUsedUp,
    "server_error": ModelOverloaded,
    "overloaded": ModelOverloaded,
    "stream_too_old": ModelRequestRefused,
    "gateway_html": ModelOverloaded,
    "xai_style": ModelThreadLost,
    "llama_cpp_style": ModelThreadLost,
    "vllm_style": ModelThreadLost,
    "fastapi_style": ModelUnsupported,
}


@pytest.fixture
async def server() -> AsyncIterator[ByteServer]:
    async with byte_server() as server:
        yield server


@pytest.fixture
async def http(server: ByteServer) -> AsyncIterator[httpx.AsyncClient]:
    async with open_http(server.base_url, "sk-local") as http:
        yield http


@pytest.fixture
def client(http: httpx.AsyncClient) -> ResponsesClient:
    return ResponsesClient(http, OPTIONS, FakeNotes().unsupported())


def wire_refusal(name: str) -> bytes:
    error = {"message": f"Unknown parameter: '{name}'.", "param": name, "code": "unknown_parameter"}
    return json.dumps({"error": error}).encode()


async def ask(
    client: ResponsesClient, previous_response_id: str | None = None
) -> list[Part | ModelError]:
    """Ask and take the parts; an error is the last value."""
    parts: list[Part | ModelError] = []
    turn = a_turn(previous_response_id=previous_response_id)
    try:
        async with asyncio.timeout(10), aclosing(client.respond(ASKED, turn)) as answer:
            async for part in answer:
                parts.append(part)  # noqa: PERF401 - what came before an error is kept
    except ModelError as error:
        parts.append(error)
    return parts


async def test_a_question_is_posted_with_key_and_turn(
    server: ByteServer, client: ResponsesClient
) -> None:
    server.play(SHORT)

    parts = await ask(client)

    (received,) = server.received
    assert parts == SHORT_PARTS
    assert (received.method, received.path) == ("POST", "/v1/responses")
    assert received.body == request_body(OPTIONS, ASKED, a_turn())
    wanted = {
        "authorization": "Bearer sk-local",
        "content-type": "application/json",
        "accept": "text/event-stream, application/json;q=0.9",
        "accept-encoding": "identity",
        "x-client-request-id": "turn-7",
    }
    assert received.headers.items() >= wanted.items()


@pytest.mark.parametrize("name", [name for name in ANSWERS if name.endswith(".sse")])
async def test_a_stream_is_answered(server: ByteServer, client: ResponsesClient, name: str) -> None:
    data = wire(name)
    server.play(*(data[at : at + 500] for at in range(0, len(data), 500)))

    assert await ask(client) == ANSWERS[name]


@pytest.mark.parametrize("name", [name for name in ANSWERS if name.endswith(".json")])
async def test_a_server_that_does_not_stream_is_answered(
    server: ByteServer, client: ResponsesClient, name: str
) -> None:
    server.play(wire(name), headers=JSON)

    assert await ask(client) == ANSWERS[name]


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_under_http_200_is_raised(
    server: ByteServer, client: ResponsesClient, name: str
) -> None:
    server.play(wire(name), headers=JSON if name.endswith(".json") else STREAM)

    *parts, error = await ask(client)

    expected, error_class = FAILURES[name]
    assert parts == expected
    assert type(error) is error_class
    assert isinstance(error, ModelError)
    assert error.request_id == "req_1"


def test_every_http_error_is_tested() -> None:
    assert HTTP_ERRORS.keys() == wire_json("http_errors.json").keys()


@pytest.mark.parametrize("name", HTTP_ERRORS)
async def test_an_http_error_is_translated(
    server: ByteServer, client: ResponsesClient, name: str
) -> None:
    row = wire_json("http_errors.json")[name]
    body = row["body_text"] if "body_text" in row else json.dumps(row["body"])
    server.play(body.encode(), status=row["status"], headers=row["headers"])

    (error,) = await ask(client)

    assert type(error) is HTTP_ERRORS[name]
    assert error.request_id == row["headers"].get("x-request-id")


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        pytest.param(200, HTML, b"<!DOCTYPE html><title>Sign in</title>", id="a page"),
        pytest.param(200, {}, b"\n<html></html>", id="a page without a type"),
        pytest.param(404, HTML, b"<html></html>", id="a page that is not there"),
        pytest.param(404, JSON, b'{"detail":"Not Found"}', id="another API"),
        pytest.param(405, {}, b"", id="a page that cannot be posted to"),
        pytest.param(400, {}, b"<html></html>", id="a server that speaks TLS only"),
        pytest.param(302, {"location": "/login"}, b"", id="elsewhere"),
        pytest.param(200, {"content-type": "text/plain"}, b"It works!", id="words"),
        pytest.param(200, {}, b"", id="nothing"),
        pytest.param(200, JSON, b'{"choices":[]}', id="chat completions"),
        pytest.param(200, STREAM, frames({"choices": []}), id="chat completions, streamed"),
    ],
)
async def test_what_is_no_responses_api_is_told(
    server: ByteServer,
    client: ResponsesClient,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    server.play(*([body] if body else []), status=status, headers=headers)

    (error,) = await ask(client)

    assert type(error) is ModelApiMissing


async def test_a_stream_is_read_whatever_it_is_called(
    server: ByteServer, client: ResponsesClient
) -> None:
    server.play(SHORT, headers={"content-type": "text/plain", "x-request-id": "req_1"})

    assert await ask(client) == SHORT_PARTS


@pytest.mark.parametrize("end", ["whole", "close", "reset"])
async def test_a_stream_without_its_end_is_a_cut(
    server: ByteServer, client: ResponsesClient, end: End
) -> None:
    server.play(frames(a_created(), delta("Hel")), end=end)

    *_, error = await ask(client)

    assert type(error) is ModelCutOff
    assert error.request_id == "req_1"


async def test_a_stream_that_ends_with_the_connection_is_read(
    server: ByteServer, client: ResponsesClient
) -> None:
    server.play_unframed(SHORT)

    assert [type(part) for part in await ask(client)] == [Started, TextDelta, Finished]


async def test_the_next_question_goes_over_the_same_connection(
    server: ByteServer, client: ResponsesClient
) -> None:
    for _ in range(3):
        server.play(SHORT)

    assert [await ask(client) for _ in range(3)] == [SHORT_PARTS] * 3
    assert server.connections == 1


@pytest.mark.parametrize("after", [b"", frames({"type": "keepalive"}), b"data: {", b"\xff\xfe"])
async def test_what_comes_after_the_end_is_not_waited_for(
    server: ByteServer, client: ResponsesClient, after: bytes
) -> None:
    server.play(SHORT + after, end="hang")

    assert await ask(client) == SHORT_PARTS
    async with asyncio.timeout(5):
        await server.hung_up.wait()


@pytest.mark.parametrize("echoed", [None, "resp_other"])
async def test_a_server_that_follows_another_response_or_none_is_left_before_it_answers(
    server: ByteServer, client: ResponsesClient, echoed: str | None
) -> None:
    created = a_created()
    created["response"] |= {"previous_response_id": echoed}
    server.play(frames(created, delta("Hel")), end="hang")
    async with asyncio.timeout(5):
        parts = await ask(client, "resp_0")
        await server.hung_up.wait()

    assert [type(part) for part in parts] == [ModelThreadLost]


async def test_a_server_that_echoes_no_parent_at_all_is_found_out_at_the_end(
    server: ByteServer, client: ResponsesClient
) -> None:
    server.play(SHORT)

    assert [type(part) for part in await ask(client, "resp_0")] == [
        Started,
        TextDelta,
        ModelThreadLost,
    ]


async def test_who_wants_a_chain_in_any_case_does_not_look_for_its_echo(
    server: ByteServer, http: httpx.AsyncClient
) -> None:
    server.play(SHORT)
    client = ResponsesClient(http, replace(OPTIONS, check_parent=False), FakeNotes().unsupported())

    assert await ask(client, "resp_0") == SHORT_PARTS


async def test_a_follow_up_that_is_refused_without_a_reason_has_lost_its_thread(
    server: ByteServer, client: ResponsesClient
) -> None:
    for _ in range(2):
        server.play(b'{"error": {"message": "Invalid request"}}', status=400, headers=JSON)

    errors = [*await ask(client, "resp_0"), *await ask(client)]

    assert [type(error) for error in errors] == [ModelThreadLost, ModelRequestRefused]


async def test_what_is_refused_after_text_was_written_is_not_asked_again(
    server: ByteServer, client: ResponsesClient
) -> None:
    refusal = {"type": "error"} | json.loads(wire_refusal("include"))
    server.play(frames(a_created(), delta("Hel"), refusal))

    *parts, error = await ask(client)

    assert parts == [Started("resp_1"), TextDelta("Hel")]
    assert isinstance(error, ModelUnsupported)
    assert len(server.received) == 1


def a_response(**fields: object) -> bytes:
    message = {"type": "message", "content": [{"type": "output_text", "text": "Hello."}]}
    said = {"id": "resp_1", "status": "completed", "model": "m", "output": [message]}
    return json.dumps(said | fields).encode()


async def take_up(
    http: httpx.AsyncClient,
    response_id: str = "resp_1",
    previous_response_id: str | None = None,
    *,
    include_sources: bool = True,
) -> tuple[list[Part], list[float]]:
    """Go on with a turn that was given a response; return its parts and the waits for it."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    options = replace(OPTIONS, include_sources=include_sources)
    client = ResponsesClient(http, options, FakeNotes().unsupported(), sleep=sleep)
    turn = replace(a_turn(previous_response_id=previous_response_id), response_id=response_id)
    async with asyncio.timeout(10):
        return [part async for part in client.respond(ASKED, turn)], waits


def methods(server: ByteServer) -> list[str]:
    return [received.method for received in server.received]


async def test_an_earlier_response_that_is_complete_is_not_asked_for_again(
    server: ByteServer, http: httpx.AsyncClient
) -> None:
    server.play(a_response(), headers=JSON)
    parts, waits = await take_up(http, "resp/1?")

    (received,) = server.received
    assert parts == [Started("resp_1"), TextDelta("Hello."), replace(ended(), request_id=None)]
    assert waits == []
    assert received.method == "GET"
    path, _, query = received.path.partition("?")
    assert (path, query) == (
        "/v1/responses/resp%2F1%3F",
        "include%5B%5D=web_search_call.action.sources",
    )


async def test_an_earlier_response_is_taken_without_sources_where_they_are_not_wanted(
    server: ByteServer, http: httpx.AsyncClient
) -> None:
    server.play(a_response(), headers=JSON)
    await take_up(http, include_sources=False)

    assert [received.path for received in server.received] == ["/v1/responses/resp_1"]


async def test_an_earlier_response_in_the_background_is_waited_for(
    server: ByteServer, http: httpx.AsyncClient
) -> None:
    for status in ("queued", "in_progress", "completed"):
        server.play(a_response(status=status, background=True), headers=JSON)
    parts, waits = await take_up(http)

    assert TextDelta("Hello.") in parts
    assert waits == [2.0, 2.0]
    assert methods(server) == ["GET"] * 3


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(
            200,
            a_response(previous_response_id="resp_0", status="in_progress"),
            id="one that was dropped",
        ),
        pytest.param(
            200, a_response(previous_response_id="resp_0", status="incomplete"), id="one cut short"
        ),
        pytest.param(200, a_response(previous_response_id="resp_x"), id="one of another thread"),
        pytest.param(200, b"[]", id="something else"),
        pytest.param(200, b"{", id="half an object"),
        pytest.param(404, b"{}", id="none"),
    ],
)
async def test_where_an_earlier_response_is_not_to_be_had_the_question_is_asked_again(
    server: ByteServer, http: httpx.AsyncClient, status: int, body: bytes
) -> None:
    completed = a_completed(previous_response_id="resp_0")
    server.play(body, status=status, headers=JSON)
    server.play(frames(a_created(), delta("Hello again."), completed))
    parts, waits = await take_up(http, previous_response_id="resp_0")

    assert TextDelta("Hello again.") in parts
    assert TextDelta("Hello.") not in parts
    assert waits == []
    assert methods(server) == ["GET", "POST"]


async def test_parts_come_before_the_answer_is_whole(
    server: ByteServer, client: ResponsesClient
) -> None:
    server.play(frames(a_created(), delta("Hel")), end="hang")

    async with asyncio.timeout(5), aclosing(client.respond(ASKED, a_turn())) as answer:
        parts = [await anext(answer), await anext(answer)]

    assert parts == [Started("resp_1"), TextDelta("Hel")]


async def test_closing_the_answer_hangs_up(server: ByteServer, client: ResponsesClient) -> None:
    server.play(frames(a_created(), delta("Hel")), end="hang")

    async with aclosing(client.respond(ASKED, a_turn())) as answer:
        await anext(answer)

    async with asyncio.timeout(5):
        await server.hung_up.wait()


async def test_cancelling_whoever_waits_hangs_up(
    server: ByteServer, client: ResponsesClient
) -> None:
    server.play(frames(a_created()), end="hang")
    started = asyncio.Event()

    async def wait_for_parts() -> None:
        async with aclosing(client.respond(ASKED, a_turn())) as answer:
            async for _ in answer:
                started.set()

    async with asyncio.timeout(5):
        task = asyncio.create_task(wait_for_parts())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.hung_up.wait()


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_a_server_that_hangs_up_without_a_word_is_not_reached(
    server: ByteServer, client: ResponsesClient, end: End
) -> None:
    server.play_nothing(end)

    (error,) = await ask(client)

    assert type(error) is ModelUnreachable


async def test_a_server_that_is_not_there_is_not_reached() -> None:
    async with byte_server() as gone:
        base_url = gone.base_url
    async with open_http(base_url, "sk-local") as http:
        (error,) = await ask(ResponsesClient(http, OPTIONS, FakeNotes().unsupported()))

    assert type(error) is ModelUnreachable


@pytest.mark.parametrize("said", [b"", frames(a_created())])
async def test_silence_ends_the_wait(server: ByteServer, said: bytes) -> None:
    if said:
        server.play(said, end="hang")
    else:
        server.play_nothing("hang")
    async with open_http(server.base_url, "sk-local", silence_seconds=0.05) as http:
        *_, error = await ask(ResponsesClient(http, OPTIONS, FakeNotes().unsupported()))

    assert type(error) is ModelTimedOut


@pytest.mark.parametrize("end", ["close", "whole"])
async def test_an_error_counts_by_its_status_where_its_body_cannot_be_read(
    server: ByteServer, client: ResponsesClient, end: End
) -> None:
    server.play(b"x" * (ERROR_BODY_LIMIT + 1), status=429, headers=JSON, end="hang")
    server.play(b'{"error":', status=429, headers=JSON, end=end)

    errors = [*await ask(client), *await ask(client)]

    assert [type(error) for error in errors] == [ModelRateLimited, ModelRateLimited]


async def test_many_answers_grow_at_once(server: ByteServer, client: ResponsesClient) -> None:
    for _ in range(120):
        server.play(frames(a_created()), end="hang")

    async with asyncio.timeout(8), AsyncExitStack() as stack:
        answers = [
            await stack.enter_async_context(aclosing(client.respond(ASKED, a_turn())))
            for _ in range(120)
        ]
        first = await asyncio.gather(*(anext(answer) for answer in answers))

    assert first == [Started("resp_1")] * 120


async def test_the_log_has_facts_and_no_texts(
    server: ByteServer, client: ResponsesClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    row = wire_json("http_errors.json")["invalid_api_key"]
    server.play(json.dumps(row["body"]).encode(), status=401, headers=JSON)
    server.play(SHORT)

    await ask(client)
    await ask(client)

    failed, answered = [record for record in caplog.records if record.name.startswith("bot")]
    facts = {"turn": 7, "request_id": "req_1"}
    assert failed.getMessage() == "no answer from the model: ModelKeyRefused"
    assert failed.__dict__.items() >= (facts | {"detail": KEY_REFUSED}).items()
    assert answered.__dict__.items() >= (facts | {"response_id": "resp_1"}).items()
    logged = repr([record.__dict__ for record in caplog.records])
    assert not [text for text in ("sk-", "Python 3.14", "Colleague", "Hello") if text in logged]


async def test_a_proxy_of_the_environment_is_on_the_way_to_the_world(
    server: ByteServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.base_url.removesuffix("/v1"))
    server.play(SHORT)
    async with open_http("http://model.example/v1", "sk-local") as http:
        parts = await ask(ResponsesClient(http, OPTIONS, FakeNotes().unsupported()))

    assert parts == SHORT_PARTS
    assert server.received[0].path == "http://model.example/v1/responses"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_proxy_of_the_environment_is_not_on_the_way_to_this_machine(
    server: ByteServer, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    server.play(SHORT)
    async with open_http(server.base_url.replace("127.0.0.1", host), "sk-local") as http:
        parts = await ask(ResponsesClient(http, OPTIONS, FakeNotes().unsupported()))

    assert parts == SHORT_PARTS


@pytest.mark.parametrize(
    ("host", "by_proxy"),
    [
        ("127.0.0.9", False),
        ("[::1]", False),
        ("model.localhost", False),
        ("notlocalhost", True),
        ("192.0.2.1", True),
    ],
)
async def test_only_this_machine_is_reached_past_a_proxy(host: str, *, by_proxy: bool) -> None:
    async with open_http(f"http://{host}/v1", None) as http:
        assert http.trust_env is by_proxy


async def test_a_model_may_think_for_three_minutes_and_its_server_connects_in_ten_seconds() -> None:
    async with open_http("http://127.0.0.1/v1", None) as http:
        assert (http.timeout.read, http.timeout.connect) == (180.0, 10.0)


async def test_a_count_is_waited_for_no_longer_than_ten_seconds(
    server: ByteServer, http: httpx.AsyncClient, client: ResponsesClient
) -> None:
    limits: list[float] = []

    async def read_limits(request: httpx.Request) -> None:
        limits.append(max(request.extensions["timeout"].values()))

    http.event_hooks = {"request": [read_limits]}
    server.play(b'{"input_tokens": 7}', headers=JSON)
    await client.count_tokens(ASKED, a_turn())

    assert limits == [10.0]


async def test_tokens_are_counted_where_the_server_does_so(
    server: ByteServer, client: ResponsesClient
) -> None:
    server.play(b'{"object": "response.input_tokens", "input_tokens": 1243}', headers=JSON)

    assert await client.count_tokens(ASKED, a_turn()) == 1243
    (received,) = server.received
    assert received.path.endswith("/responses/input_tokens")
    assert received.body.keys() == {"model", "input", "instructions", "tools"}


async def test_a_server_that_counts_no_tokens_is_asked_once(
    server: ByteServer, client: ResponsesClient
) -> None:
    server.play(b"<html>", status=404, headers=HTML)

    assert [await client.count_tokens(ASKED, a_turn()) for _ in range(2)] == [None, None]
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"{"),
        (200, b"[]"),
        (200, b'{"input_tokens": "many"}'),
        (200, b'{"input_tokens": 0}'),
        (401, b"{}"),
        (403, b"{}"),
        (408, b"{}"),
        (409, b"{}"),
        (413, b"{}"),
        (429, b"{}"),
        (503, b"no"),
    ],
)
async def test_a_count_that_cannot_be_had_now_is_tried_again(
    server: ByteServer, client: ResponsesClient, status: int, body: bytes
) -> None:
    server.play(body, status=status, headers=JSON)
    server.play(b'{"input_tokens": 7}', headers=JSON)

    assert [await client.count_tokens(ASKED, a_turn()) for _ in range(2)] == [None, 7]


async def test_what_is_left_of_a_limit_is_passed_on_with_every_answer(
    server: ByteServer, http: httpx.AsyncClient
) -> None:
    heeded: list[str | None] = []
    client = ResponsesClient(
        http,
        OPTIONS,
        FakeNotes().unsupported(),
        lambda headers: heeded.append(headers.get("x-ratelimit-remaining-requests")),
    )
    server.play(SHORT, headers=STREAM | {"x-ratelimit-remaining-requests": "3"})
    server.play(b"{}", status=500, headers=JSON | {"x-ratelimit-remaining-requests": "2"})

    await ask(client)
    await ask(client)

    assert heeded == ["3", "2"]


async def test_what_the_server_refuses_is_left_out_at_once_and_from_then_on(
    server: ByteServer, http: httpx.AsyncClient
) -> None:
    server.play(wire_refusal("include"), status=400, headers=JSON)
    server.play(wire_refusal("stream_options"), status=400, headers=JSON)
    server.play(SHORT)
    server.play(SHORT)
    notes = FakeNotes()
    client = ResponsesClient(http, OPTIONS, notes.unsupported())

    assert [await ask(client), await ask(client)] == [SHORT_PARTS, SHORT_PARTS]
    sent = [received.body.keys() for received in server.received]
    assert ["include" in keys for keys in sent] == [True, False, False, False]
    assert ["stream_options" in keys for keys in sent] == [True, True, False, False]
    assert notes.noted.keys() == {"include", "stream_options"}


async def test_two_that_meet_the_same_refusal_leave_out_the_same(
    server: ByteServer, http: httpx.AsyncClient
) -> None:
    unsupported = FakeNotes().unsupported()
    options = replace(OPTIONS, dialects=(OPENAI, PREVIEW), may_lack_search=True)
    client = ResponsesClient(http, options, unsupported)
    for _ in range(2):
        server.play(wire_refusal("tools"), status=400, headers=JSON)
    for _ in range(2):
        server.play(SHORT)

    await asyncio.gather(ask(client), ask(client))

    assert list(unsupported) == ["web_search"]


async def test_an_answer_says_that_the_server_refused_every_search(
    server: ByteServer, http: httpx.AsyncClient
) -> None:
    server.play(wire_refusal("tools"), status=400, headers=JSON)
    server.play(SHORT)
    options = replace(OPTIONS, may_lack_search=True)

    parts = await ask(ResponsesClient(http, options, FakeNotes().unsupported()))

    assert parts == [*SHORT_PARTS[:-1], replace(ended(), search_refused=True)]
    assert "tools" not in server.received[-1].body


@pytest.mark.parametrize("name", ["tools", "input", "model"])
async def test_what_may_not_be_left_out_is_told(
    server: ByteServer, client: ResponsesClient, name: str
) -> None:
    server.play(wire_refusal(name), status=400, headers=JSON)

    (error,) = await ask(client)

    assert isinstance(error, ModelUnsupported)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("server", "header"),
    [("azure", ("api-key", "k1")), ("openai", ("authorization", "Bearer k1"))],
)
async def test_a_key_is_sent_as_its_server_expects_it(
    server: Server, header: tuple[str, str]
) -> None:
    async with open_http("https://models.example/v1", "k1", server) as http:
        keys = [
            (name, http.headers[name])
            for name in ("api-key", "authorization")
            if name in http.headers
        ]

    assert keys == [header]


async def test_a_server_without_keys_gets_none(server: ByteServer) -> None:
    server.play(SHORT)
    async with open_http(server.base_url + "/", None) as http:
        await ask(ResponsesClient(http, OPTIONS, FakeNotes().unsupported()))

    assert "authorization" not in server.received[0].headers
    assert server.received[0].path == "/v1/responses"


@pytest.mark.parametrize(
    ("base_url", "api_key"),
    [
        ("http://127.0.0.1:port/v1", "sk-local"),
        ("127.0.0.1:8000/v1", "sk-local"),
        ("ftp://127.0.0.1/v1", "sk-local"),
        ("http:///v1", "sk-local"),
        ("http://127.0.0.1/v1", "sk-\nlocal"),
        ("http://127.0.0.1/v1", "sk-“local”"),
        ("http://127.0.0.1/v1", "sk local"),
    ],
)
def test_an_address_or_key_that_cannot_be_used_is_told_at_once(base_url: str, api_key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_http(base_url, api_key)

    assert "sk" not in str(caught.value)
