from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bot.playground.responses import LocalResponses, Profile, Scripted
from tests.playground.responses.wire import (
    SOURCES,
    ask,
    asking,
    citations_of,
    events,
    open_http,
    raw_stream,
    searches_of,
    stream,
    text_of,
)


async def until_broken_off(http: httpx.AsyncClient) -> bytes:
    received = b""
    with suppress(httpx.RemoteProtocolError):
        async with http.stream("POST", "/responses", json=asking(stream=True)) as answer:
            async for chunk in answer.aiter_raw():
                received += chunk
        pytest.fail("the stream came to its end")
    return received


WIRE = Path(__file__).parents[2] / "wire" / "responses"


# -- scripted answers -----------------------------------------------------------------------


async def test_scripted_answers_are_given_once_each_and_in_order(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.script(Scripted("One."), Scripted("Two.", model="gpt-6.1-sol-2026-09-29"))
    first, second, third = [await ask(http) for _ in range(3)]

    assert (text_of(first), text_of(second)) == ("One.", "Two.")
    assert (first["model"], second["model"]) == ("gpt-6.1-sol", "gpt-6.1-sol-2026-09-29")
    assert "stand-in" in text_of(third)


async def test_script_may_be_written_when_the_question_is_known(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.script(lambda question: Scripted(f"You asked: {question}"))

    assert text_of(await ask(http, "Why?")) == "You asked: Why?"


async def test_scripted_searches_and_citations_are_those_of_the_script(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    link = "https://a.example/?utm_source=openai"
    script = Scripted(
        f"So. ([a.example]({link}))",
        queries=("one", ("two", "three")),
        sources=("https://a.example/",),
        citations=(("https://a.example/", "A"),),
    )
    responses.script(script)
    response = await ask(http, include=[SOURCES])

    found, further = searches_of(response)
    assert (found["queries"], found["query"]) == (["one"], "one")
    assert (further["queries"], further["query"]) == (["two", "three"], "two")
    assert [source["url"] for source in found["sources"]] == ["https://a.example/", link]
    assert [(one["url"], one["title"]) for one in citations_of(response)] == [(link, "A")]


async def test_scripted_answer_makes_no_more_searches_than_allowed(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.script(Scripted("So.", queries=("one", "two", "three")))

    assert len(searches_of(await ask(http, max_tool_calls=2))) == 2


async def test_scripted_answer_of_any_length_is_not_cut(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    text = "Ünïcödé 👍🏽 日本\n" * 4000
    responses.script(Scripted(text))
    told = await stream(http, max_output_tokens=16)

    assert text_of(told[-1]["response"]) == text
    assert "".join(event.get("delta", "") for event in told) == text


async def test_scripted_pieces_are_the_deltas(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.script(Scripted("abc", pieces=("a", "b", "c")))
    told = await stream(http)

    assert [event["delta"] for event in told if "delta" in event] == ["a", "b", "c"]


def test_pieces_that_are_not_the_text_are_a_mistake_in_the_script() -> None:
    with pytest.raises(ValueError, match="pieces"):
        Scripted("abc", pieces=("a", "b"))


async def test_scripted_answer_can_be_followed(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.script(Scripted("One."))
    first = await ask(http)
    second = await ask(http, previous_response_id=first["id"])

    assert second["previous_response_id"] == first["id"]


# -- recordings -----------------------------------------------------------------------------

RECORDING = (
    b'event: response.created\ndata: {"type":"response.created","sequence_number":0}\n\n'
    b'event: response.completed\ndata: {"type":"response.completed","sequence_number":1,'
    b'"response":{"id":"resp_recorded","object":"response","store":true,"background":false,'
    b'"status":"completed","output":[]}}\n\n'
)


@pytest.mark.parametrize("sizes", [None, [1], [7, 100], [10_000]])
async def test_recording_is_played_byte_by_byte_as_ordered(
    http: httpx.AsyncClient, responses: LocalResponses, sizes: list[int] | None
) -> None:
    responses.play(RECORDING, piece_sizes=sizes)
    answer = await http.post("/responses", json=asking(stream=True))

    assert answer.content == RECORDING
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"


async def test_played_response_can_be_followed(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.play(RECORDING)
    await raw_stream(http, "What is it?")
    second = await ask(http, previous_response_id="resp_recorded")

    assert second["previous_response_id"] == "resp_recorded"


async def test_recording_may_have_another_status_and_headers(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.play(b"busy", status=503, headers={"content-type": "text/plain"})
    answer = await http.post("/responses", json=asking(stream=True))

    assert (answer.status_code, answer.text) == (503, "busy")
    assert answer.headers.get_list("content-type") == ["text/plain"]


@pytest.mark.parametrize(
    "recording",
    [pytest.param(path.read_bytes(), id=path.stem) for path in sorted(WIRE.glob("*.sse"))],
)
async def test_every_recording_is_played_as_it_is(
    http: httpx.AsyncClient, responses: LocalResponses, recording: bytes
) -> None:
    responses.play(recording, piece_sizes=[1000])
    answer = await http.post("/responses", json=asking(stream=True))

    assert answer.content == recording


async def test_refused_request_does_not_use_the_recording_up(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.play(RECORDING)
    await http.post("/responses", json=asking(temperature=1))

    assert await raw_stream(http) == RECORDING.decode()


# -- faults ---------------------------------------------------------------------------------


async def test_ordered_failure_strikes_so_many_times(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    body = {"error": {"message": "busy", "type": "requests", "param": None, "code": "x"}}
    responses.fail(429, body, {"retry-after": "1"}, times=2)
    answers = [await http.post("/responses", json=asking()) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].json() == body
    assert answers[0].headers["retry-after"] == "1"
    assert len(responses.creates) == 3


async def test_failure_may_be_a_page_of_html(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.fail(502, "<html>Bad Gateway</html>", {"x-request-id": "req_1"})
    answer = await http.post("/responses", json=asking())

    assert (answer.status_code, answer.text) == (502, "<html>Bad Gateway</html>")
    assert answer.headers["content-type"] == "text/html"
    assert answer.headers.get_list("x-request-id") == ["req_1"]


async def test_failure_strikes_only_the_kind_of_request_it_was_ordered_for(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.fail(500, {}, on="retrieve")
    response = await ask(http)
    first = await http.get(f"/responses/{response['id']}")
    second = await http.get(f"/responses/{response['id']}")

    assert (first.status_code, second.status_code) == (500, 200)


async def test_hanging_request_is_never_answered(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.hang()
    task = asyncio.create_task(http.post("/responses", json=asking()))
    await responses.until(lambda: responses.creates)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await responses.until(lambda: responses.hung_up == 1)

    assert text_of(await ask(http))


async def test_closing_the_server_ends_what_hangs() -> None:
    async with LocalResponses.start() as responses:
        responses.hang()
        http = open_http(responses)
        task = asyncio.create_task(http.post("/responses", json=asking()))
        await responses.until(lambda: responses.creates)
    with pytest.raises(httpx.RemoteProtocolError):
        await task
    await http.aclose()

    assert responses.hung_up == 0


async def test_cut_stream_ends_in_the_middle_of_a_frame(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.cut_after(4)
    received = await until_broken_off(http)

    frames = received.decode().split("\n\n")
    assert len(frames) == 5
    assert frames[4].startswith("event: response.web_search_call.searching")
    with pytest.raises(json.JSONDecodeError):
        json.loads(frames[4].partition("data: ")[2])
    assert responses.stored == {}


async def test_response_of_a_cut_stream_may_be_kept(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.cut_after(4, kept=True)
    with pytest.raises(httpx.RemoteProtocolError):
        await raw_stream(http)
    (response_id,) = responses.stored

    assert (await http.get(f"/responses/{response_id}")).json()["status"] == "completed"


async def test_stalled_stream_goes_on_when_told(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    received = bytearray()

    async def read() -> None:
        async with http.stream("POST", "/responses", json=asking(stream=True)) as answer:
            async for chunk in answer.aiter_raw():
                received.extend(chunk)

    responses.stall_after(2)
    task = asyncio.create_task(read())
    await responses.until(lambda: received.count(b"\n\n") >= 2)
    for _ in range(5):  # whole answers are given to others in the meantime
        await ask(http)
    while_stalled = received.count(b"\n\n")
    responses.resume()
    await task

    assert while_stalled == 2
    assert events(received.decode())[-1]["type"] == "response.completed"


async def test_reader_that_hangs_up_is_counted_and_leaves_nothing_stored(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    responses.stall_after(5)
    async with http.stream("POST", "/responses", json=asking(stream=True)):
        pass
    await responses.until(lambda: responses.hung_up == 1)

    assert responses.stored == {}


# -- what is remembered ---------------------------------------------------------------------


async def test_requests_are_remembered_with_headers_and_body(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    response = await ask(http, "Why?")
    await http.get(f"/responses/{response['id']}", params={"stream": "false"})
    created, fetched = responses.requests

    assert (created.method, created.path) == ("POST", "/v1/responses")
    assert created.headers["authorization"] == "Bearer sk-local"
    assert responses.creates == [created.body] == [asking("Why?")]
    assert fetched.path == f"/v1/responses/{response['id']}?stream=false"
    assert fetched.body is None


async def test_waiting_ends_with_a_time_out() -> None:
    async with LocalResponses.start() as responses:
        with pytest.raises(TimeoutError):
            await responses.until(lambda: responses.creates, seconds=0.01)


async def test_answer_takes_the_time_of_its_deltas() -> None:
    pieces = tuple("abcdefghij")
    async with (
        LocalResponses.start(profile=Profile(delta_seconds=0.01)) as responses,
        open_http(responses) as http,
    ):
        responses.script(Scripted("abcdefghij", pieces=pieces))
        began = asyncio.get_running_loop().time()
        await stream(http)

    assert asyncio.get_running_loop().time() - began >= 0.1


async def test_port_can_be_chosen() -> None:
    async with LocalResponses.start() as first:
        port = int(first.base_url.split(":")[2].removesuffix("/v1"))
    async with LocalResponses.start(port=port) as second:
        assert second.base_url == first.base_url
