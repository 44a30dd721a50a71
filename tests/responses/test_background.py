"""Research in the background over real sockets: it goes on whatever becomes of the connection."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import (
    ModelApiMissing,
    ModelCutOff,
    ModelError,
    ModelKeyRefused,
    ModelOverloaded,
    ModelQuotaUsedUp,
    ModelRateLimited,
    ModelRunCancelled,
    ModelRunLost,
    ModelThreadLost,
    ModelTimedOut,
    ModelUnreachable,
    ModelUnsupported,
)
from bot.playground.responses.own_servers import OLLAMA, SGLANG, VLLM
from bot.playground.responses.profile import Profile
from bot.playground.responses.refusals import NO_BACKGROUND
from bot.playground.responses.scripts import Scripted
from bot.playground.responses.server import LocalResponses
from bot.responses.background import BackgroundModel
from bot.responses.client import open_http
from bot.responses.patience import Pace
from bot.responses.request import request_body
from bot.responses.run import Run
from bot.turns.answer import (
    Cited,
    Finished,
    Foreground,
    Search,
    Searched,
    Searching,
    Started,
    TextDelta,
    Writing,
)
from tests.fakes import FakeNotes
from tests.responses.examples import ASKED, OPTIONS, a_turn, frames, text_of, wire, wire_json
from tests.responses.said import ANSWER, KEY, QUESTION, REPEATED, enveloped, leaked
from tests.responses.server import STREAM, ByteServer, End, byte_server
from tests.responses.test_patience import Time

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    import httpx

    from bot.playground.responses.errors import Refusal
    from bot.responses.request import RequestOptions
    from bot.turns.answer import Part
    from bot.turns.research import Step
    from bot.turns.turn import Turn

Json = dict[str, Any]
JSON = {"content-type": "application/json", "x-request-id": "req_2"}

RUN = "resp_89b91df19d9d75d4cf36d9033d0789e7ecae0c233160c3be0d"
SEARCH = "ws_ab02eedd0712a148636d87b46a0c4c741ad4634745d829717b"
PAGE = "https://developers.openai.com/api/docs/guides/your-data"
TEXT = (
    "## Retention\n\nStored responses are kept for at least 30 days. "
    f"([developers.openai.com]({PAGE}?utm_source=openai))"
)
SEARCHED = Searched(
    SEARCH,
    Search("search", ("OpenAI Responses API retention", "LLM API data retention"), sources=(PAGE,)),
)
EVENTS = [frame + b"\n\n" for frame in wire("background_stream.sse").strip().split(b"\n\n")]
REST = wire("background_stream_resume_after_9.sse")
COMPLETED = wire("background_completed.json")
IN_PROGRESS = wire("background_in_progress.json")
CANCELLED = wire("background_cancelled.json")
TOO_OLD = wire_json("http_errors.json")["stream_too_old"]

PROFILE = Profile(delta_seconds=0.0, queued_seconds=30.0, working_seconds=570.0)
SCRIPT = Scripted(
    "It is far. ([a.example](https://a.example/?utm_source=openai)) Very far.",
    queries=["the moon", "how far"],
    sources=["https://a.example/"],
    citations=[("https://a.example/?utm_source=openai", "A")],
    pieces=[
        "It is far. ",
        "([a.example](https://a.example/?utm_source=openai))",
        " Very far.",
    ],
)


@dataclass
class Bench:
    """A model with what it was given."""

    base_url: str
    time: Time = field(default_factory=Time)
    notes: FakeNotes = field(default_factory=FakeNotes)
    options: RequestOptions = OPTIONS
    silence_seconds: float = 5.0
    api_key: str = LocalResponses.api_key

    def __post_init__(self) -> None:
        self.pace = Pace(self.time, self.time.sleep)

    async def research(
        self, turn: Turn | None = None, after: int | None = None
    ) -> list[Step | ModelError]:
        """Take all steps; an error is the last value."""
        steps: list[Step | ModelError] = []
        try:
            async for step in self.steps(turn, after):
                steps.append(step)  # noqa: PERF401 - what came before an error is kept
        except ModelError as error:
            steps.append(error)
        return steps

    async def steps(
        self, turn: Turn | None = None, after: int | None = None
    ) -> AsyncGenerator[Step]:
        http = open_http(self.base_url, self.api_key, silence_seconds=self.silence_seconds)
        async with asyncio.timeout(10), http:
            model = self._model(http)
            async with aclosing(model.research(ASKED, turn or a_turn(), after)) as steps:
                async for step in steps:
                    yield step

    async def cancel(self, response_id: str) -> None:
        async with open_http(self.base_url, self.api_key) as http:
            await self._model(http).cancel(response_id)

    async def started(self) -> tuple[str, AsyncGenerator[Step]]:
        """Ask, and return once the run has its id."""
        steps = self.steps()
        first = (await anext(steps)).part
        assert isinstance(first, Started)
        return first.response_id, steps

    def _model(self, http: httpx.AsyncClient) -> BackgroundModel:
        return BackgroundModel(http, self.options, self.notes.unsupported(), self.pace)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def server(time: Time) -> AsyncIterator[LocalResponses]:
    async with LocalResponses.start(profile=PROFILE, clock=time) as server:
        server.script(SCRIPT)
        yield server


@pytest.fixture
def bench(server: LocalResponses, time: Time) -> Bench:
    return Bench(server.base_url, time)


@pytest.fixture
async def wires() -> AsyncIterator[ByteServer]:
    async with byte_server() as wires:
        yield wires


@pytest.fixture
def played(wires: ByteServer) -> Bench:
    return Bench(wires.base_url)


def a_run() -> Turn:
    return replace(a_turn(), response_id=RUN)


async def last(steps: AsyncGenerator[Step]) -> Step:
    """Take the rest."""
    return [step async for step in steps][-1]


def parts(steps: Sequence[Step | ModelError]) -> list[Part]:
    return [step.part for step in steps if not isinstance(step, ModelError)]


def told(steps: Sequence[Step | ModelError]) -> list[Part]:
    """The parts, with runs of signs that text is written told as one."""
    shown: list[Part] = []
    for part in parts(steps):
        if not isinstance(part, Writing):
            shown.append(part)
        elif Writing() not in shown[-1:]:
            shown.append(Writing())
    return shown


def heard(steps: Sequence[Step | ModelError]) -> list[Part]:
    """What was told of the text while it was written."""
    text: list[Part] = []
    for part in parts(steps):
        if isinstance(part, Writing):
            text = ([] if part.begins else text) + ([part.heard] if part.heard else [])
    return text


def finished(steps: Sequence[Step | ModelError]) -> Finished:
    end = parts(steps)[-1]
    assert isinstance(end, Finished)
    return end


def kinds(steps: Sequence[Step | ModelError]) -> list[type]:
    return [type(part) for part in told(steps)] + [
        type(step) for step in steps if isinstance(step, ModelError)
    ]


def searches(steps: Sequence[Step | ModelError]) -> list[Searching | Searched]:
    return [part for part in parts(steps) if isinstance(part, (Searching, Searched))]


def asked(server: LocalResponses | ByteServer) -> list[str]:
    """Say what was requested after the creation, without where."""
    received = server.received if isinstance(server, ByteServer) else server.requests
    return [
        f"{each.method} {each.path.partition('responses/')[2].partition('/')[2]}"
        f"{each.path.partition('?')[2].replace('include[]=', '').replace('include%5B%5D=', '')}"
        for each in received
    ]


def play_object(wires: ByteServer, body: bytes, **headers: str) -> None:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    wires.play(body, headers=JSON | more)


def play_error(wires: ByteServer, status: int, message: str = "", **headers: str) -> None:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps({"error": {"message": message}}).encode()
    wires.play(body, status=status, headers=JSON | more)


def without_output(event: bytes) -> bytes:
    told = json.loads(event.partition(b"data: ")[2])
    told["response"]["output"] = []
    return frames(told)


def all_events(status: str = "completed", **fields: object) -> list[Json]:
    """A short run, with a search and a text."""
    response: Json = {"id": RUN, "background": True, "status": "queued", "output": []}
    item: Json = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    action = {"type": "search", "query": "moon"}
    message: Json = {"type": "message", "id": "msg_1", "role": "assistant"}
    content = [{"type": "output_text", "text": "Far."}]
    output = [item | {"action": action}, message | {"content": content}]
    end = response | {"status": status, "model": "m", "output": output} | fields
    place = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    events: list[Json] = [
        {"type": "response.created", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": output[0]},
        {"type": "response.output_text.delta", "delta": "Far.", **place},
        {"type": f"response.{status}", "response": end},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


ALL = all_events()
WHOLE = [
    Started(RUN),
    Searching(SEARCH),
    SEARCHED,
    Writing(),
    TextDelta(TEXT),
    Cited(f"{PAGE}?utm_source=openai", "Data controls in the OpenAI platform"),
]
LOCAL = [Started, Searching, Searched, Searching, Searched, Writing, TextDelta, Cited, Finished]


# A new run.


async def test_a_run_is_asked_for_in_the_background_and_streamed(
    server: LocalResponses, bench: Bench
) -> None:
    steps = await bench.research()

    (request,) = server.requests
    assert request.body == request_body(OPTIONS, ASKED, a_turn(), background=True)
    assert request.body.items() >= {"background": True, "store": True, "stream": True}.items()
    assert request.headers["x-client-request-id"] == "turn-7"
    assert kinds(steps) == LOCAL
    assert text_of(parts(steps)) == SCRIPT.text


async def test_a_run_waits_for_its_turn_as_all_that_is_asked_of_the_server(bench: Bench) -> None:
    began = bench.time()
    bench.pace.refused(began, 30.0)
    await bench.research()

    assert bench.time() >= began + 30.0


async def test_what_a_run_is_told_of_a_limit_slows_all_others(
    wires: ByteServer, played: Bench
) -> None:
    used_up = {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "40s",
    }
    wires.play(frames(*ALL), headers=STREAM | used_up)
    await played.research()

    assert played.pace.seconds_ahead > 30.0


async def test_the_id_comes_first_with_its_place_and_the_text_whole_at_the_end(
    wires: ByteServer, played: Bench
) -> None:
    wires.play(*EVENTS)

    steps = await played.research()

    *before, last = told(steps)
    assert before == WHOLE
    assert isinstance(last, Finished)
    assert (last.response_id, last.ending, last.request_id) == (RUN, "completed", "req_1")
    numbers = [step.sequence_number for step in steps if not isinstance(step, ModelError)]
    assert numbers == [0, 11, 15, *range(20, 29), None, None, None]
    assert "".join(p.text for p in heard(steps) if isinstance(p, TextDelta)) == TEXT
    assert heard(steps)[-1] == WHOLE[-1]


async def test_an_answer_that_comes_whole_though_it_was_asked_as_a_stream_is_read(
    wires: ByteServer, played: Bench
) -> None:
    play_object(wires, COMPLETED)

    steps = await played.research()

    assert told(steps)[:-1] == [part for part in WHOLE if part != Writing()]


async def test_a_server_that_does_not_stream_is_looked_at(wires: ByteServer, played: Bench) -> None:
    play_object(wires, wire("background_queued.json"))
    play_object(wires, IN_PROGRESS)
    play_object(wires, COMPLETED)

    steps = await played.research()

    assert parts(steps)[0] == Started(RUN)
    assert asked(wires)[1:] == ["GET web_search_call.action.sources"] * 2
    assert [round(seconds, 2) for seconds in played.time.slept] == [2.0]
    assert text_of(parts(steps)) == TEXT


# A stream that is lost.


@pytest.mark.parametrize("end", ["whole", "close", "reset"])
async def test_a_lost_stream_is_resumed_where_it_was_lost(
    wires: ByteServer, played: Bench, end: End
) -> None:
    wires.play(*EVENTS[:10], end=end)
    wires.play(REST)

    steps = await played.research()

    assert told(steps)[:-1] == WHOLE
    assert asked(wires)[1].endswith("&stream=true&starting_after=9")
    assert wires.received[1].path.startswith(f"/v1/responses/{RUN}?")
    assert played.time.slept == []


async def test_a_silent_stream_is_resumed(wires: ByteServer, played: Bench) -> None:
    played.silence_seconds = 0.2
    wires.play(*EVENTS[:10], end="hang")
    wires.play(REST)

    assert told(await played.research())[:-1] == WHOLE


async def test_a_run_whose_stream_breaks_again_and_again_is_told_once(
    server: LocalResponses, bench: Bench
) -> None:
    for events in (4, 6, 3, 7, 5):
        server.cut_after(events)

    steps = await bench.research()

    assert kinds(steps) == LOCAL
    assert text_of(parts(steps)) == SCRIPT.text
    assert len(server.creates) == 1
    assert bench.time.slept == []


async def test_what_a_server_tells_again_is_told_once(wires: ByteServer, played: Bench) -> None:
    wires.play(*EVENTS[:25], end="close")
    wires.play(*EVENTS[:-1], without_output(EVENTS[-1]))
    play_error(wires, 405)

    steps = await played.research()

    assert told(steps)[:4] == WHOLE[:4]
    assert text_of(parts(steps)) == TEXT
    assert searches(steps) == [Searching(SEARCH), SEARCHED]


@pytest.mark.parametrize("has_output", [False, True])
async def test_a_stream_without_numbers_is_read_from_its_beginning_again(
    wires: ByteServer, played: Bench, *, has_output: bool
) -> None:
    events = ALL if has_output else all_events(output=[])
    events = [{name: event[name] for name in event if name[:8] != "sequence"} for event in events]
    wires.play(frames(*events[:4]), end="close")
    wires.play(frames(*events))
    play_error(wires, 404)

    steps = await played.research()

    assert "starting_after" not in wires.received[1].path
    assert text_of(parts(steps)) == "Far."
    assert len(searches(steps)) == 2
    assert len(wires.received) == (2 if has_output else 3)


async def test_a_stream_that_is_too_long_for_an_answer_is_resumed(
    wires: ByteServer, played: Bench
) -> None:
    padding = b":" + b" " * (2**20 - 2) + b"\n"
    wires.play(*EVENTS[:10], *[padding] * 33, end="close")
    wires.play(REST)

    assert told(await played.research())[:-1] == WHOLE


async def test_an_error_of_the_stream_is_not_taken_for_the_end_of_the_run(
    wires: ByteServer, played: Bench
) -> None:
    error = {"type": "error", "error": {"code": "server_error"}, "sequence_number": 10}
    wires.play(*EVENTS[:10], frames(error))
    wires.play(REST)

    assert told(await played.research())[:-1] == WHOLE


@pytest.mark.parametrize("status", [400, 405, 422])
async def test_a_run_that_can_no_longer_be_streamed_is_looked_at_until_it_ends(
    wires: ByteServer, played: Bench, status: int
) -> None:
    wires.play(*EVENTS[:10], end="close")
    play_error(wires, status, TOO_OLD["body"]["error"]["message"])
    for _ in range(7):
        play_object(wires, IN_PROGRESS)
    play_object(wires, COMPLETED)

    steps = await played.research()

    assert told(steps)[:-1] == [part for part in WHOLE if part != Writing()]
    assert ["stream=true" in each for each in asked(wires)[1:]] == [True, *[False] * 8]
    pauses = [2.0, 3.0, 4.5, 6.75, 10.125, 15.0, 15.0]
    assert played.time.slept == pytest.approx(pauses)


async def test_a_run_of_more_than_five_minutes_is_followed_to_its_end(
    server: LocalResponses, bench: Bench
) -> None:
    server.cut_after(5)
    _, steps = await bench.started()
    bench.time.now += 301.0

    rest = [step async for step in steps]

    assert text_of(parts(rest)) == SCRIPT.text
    assert bench.time.now >= 1_000 + PROFILE.queued_seconds + PROFILE.working_seconds
    assert "stream=true" in server.requests[1].path
    assert not any("stream=true" in each.path for each in server.requests[2:])


async def test_a_server_may_say_when_to_look_again(wires: ByteServer, played: Bench) -> None:
    play_object(wires, IN_PROGRESS, openai_poll_after_ms="7500")
    for said in ("4000", "0", "soon", "1", "9999999"):
        play_object(wires, IN_PROGRESS, openai_poll_after_ms=said)
    play_object(wires, COMPLETED)

    await played.research()

    assert played.time.slept == [4.0, 1.0, 2.0, 1.0, 600.0]


async def test_a_stream_that_tells_nothing_is_given_up_after_a_while(
    wires: ByteServer, played: Bench
) -> None:
    wires.play(*EVENTS[:10], end="close")
    for _ in range(3):
        wires.play(b": ping\n\n")
        play_object(wires, IN_PROGRESS)
    play_object(wires, IN_PROGRESS)
    play_object(wires, COMPLETED)

    steps = await played.research()

    assert text_of(parts(steps)) == TEXT
    streamed = ["stream=true" in each for each in asked(wires)[1:]]
    assert streamed == [True, False, True, False, True, False, False, False]
    assert len(played.time.slept) == 4


async def test_a_stream_that_tells_something_new_is_gone_on_with(
    wires: ByteServer, played: Bench
) -> None:
    for events in (EVENTS[:10], EVENTS[10:12], EVENTS[12:14]):
        wires.play(*events, end="close")
        for _ in range(2):
            wires.play(b": ping\n\n")
            play_object(wires, IN_PROGRESS)
    wires.play(*EVENTS[14:])

    assert told(await played.research())[:-1] == WHOLE
    assert played.time.slept == [2.0, 3.0] * 3


async def test_a_run_goes_on_being_followed_while_its_server_cannot_be_reached(
    wires: ByteServer, played: Bench
) -> None:
    wires.play(*EVENTS[:10], end="close")
    for _ in range(8):
        wires.play_nothing("reset")  # neither its stream
        wires.play_nothing("reset")  # nor the run itself
    wires.play(REST)

    steps = await played.research()

    assert told(steps)[:-1] == WHOLE
    assert played.time.slept[:3] == [2.0, 3.0, 4.5]
    assert played.time.slept[-2:] == [15.0, 15.0]


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
async def test_a_busy_server_is_asked_for_the_run_until_it_answers(
    wires: ByteServer, played: Bench, status: int
) -> None:
    wires.play(*EVENTS[:10], end="close")
    play_error(wires, status, retry_after="40")  # its stream
    play_error(wires, status, retry_after="30")  # the run
    play_error(wires, status)
    play_error(wires, status)
    wires.play(REST)

    steps = await played.research()

    assert told(steps)[:-1] == WHOLE
    assert [seconds for seconds in played.time.slept if seconds] == [40.0, 30.0, 3.0]


async def test_what_is_no_answer_about_the_run_is_not_believed(
    wires: ByteServer, played: Bench
) -> None:
    wires.play(*EVENTS[:10], end="close")
    wires.play(b"<html>Sign in</html>", headers={"content-type": "text/html"})
    wires.play(b"<html>Sign in</html>", headers={"content-type": "text/html"})
    play_error(wires, 400)
    for body in (b"", b"[]", b'{"id": "resp', b'{"status": "completed"}', b"[" * 100_000):
        play_object(wires, body)
    play_object(wires, COMPLETED)

    assert text_of(parts(await played.research())) == TEXT


# A run that is not found.


async def test_a_run_that_is_not_found_yet_is_looked_for(wires: ByteServer, played: Bench) -> None:
    wires.play(*EVENTS[:1], end="close")
    for _ in range(2 * 3):
        play_error(wires, 404, f"Response with id '{RUN}' not found.")
    wires.play(*EVENTS[1:])

    steps = await played.research()

    assert told(steps)[:-1] == WHOLE
    assert played.time.slept == [2.0, 3.0, 4.5]


async def test_a_run_counts_as_new_from_when_it_was_created(
    wires: ByteServer, played: Bench
) -> None:
    limited = {"code": "rate_limit_exceeded"}
    enveloped(429, **limited).under(retry_after="60").play(wires)
    wires.play(*EVENTS[:1], end="close")
    play_error(wires, 404)
    play_error(wires, 404)
    wires.play(*EVENTS[1:])

    assert told(await played.research())[:-1] == WHOLE


@pytest.mark.parametrize("status", [404, 410])
async def test_a_run_that_stays_unfound_is_lost(
    wires: ByteServer, played: Bench, status: int
) -> None:
    wires.play(*EVENTS[:1], end="close")
    for _ in range(2 * 5):
        play_error(wires, status, f"Response with id '{RUN}' not found.")

    *steps, error = await played.research()

    assert told(steps) == [Started(RUN)]
    assert isinstance(error, ModelRunLost)
    assert error.request_id == "req_2"
    assert len(wires.received) == 1 + 2 * 5


async def test_a_run_that_is_deleted_while_it_is_followed_is_lost(
    server: LocalResponses, bench: Bench
) -> None:
    server.cut_after(5)
    response_id, steps = await bench.started()
    bench.time.now += 60.0
    server.forget(response_id)

    with pytest.raises(ModelRunLost):
        await last(steps)
    assert len(server.requests) == 3


async def test_a_run_that_was_refused_as_unknown_is_lost_as_well(
    wires: ByteServer, played: Bench
) -> None:
    play_error(wires, 400, "This response was not created as a stream.")
    play_error(wires, 400, f"Response with id '{RUN}' not found.")

    (error,) = await played.research(a_run())

    assert isinstance(error, ModelRunLost)


async def test_a_key_that_is_refused_meanwhile_is_told(wires: ByteServer, played: Bench) -> None:
    wires.play(*EVENTS[:1], end="close")
    play_error(wires, 401)
    play_error(wires, 401)

    assert kinds(await played.research()) == [Started, ModelKeyRefused]


# An earlier process's run.


async def test_a_run_is_followed_from_a_place_in_its_stream(
    server: LocalResponses, bench: Bench
) -> None:
    first: list[Step] = []
    async for step in bench.steps():
        first.append(step)
        if isinstance(step.part, Searched):
            break
    assert isinstance(first[0].part, Started)
    turn = replace(a_turn(), response_id=first[0].part.response_id)

    rest = await bench.research(turn, first[-1].sequence_number)

    assert kinds(rest) == [Searching, Searched, Writing, Searching, Searched, *LOCAL[6:]]
    assert searches(rest)[2:] == searches(first)
    assert text_of(parts(rest)) == SCRIPT.text
    assert len(server.creates) == 1


async def test_a_run_of_an_unknown_place_is_followed_from_its_beginning(
    wires: ByteServer, played: Bench
) -> None:
    wires.play(*EVENTS)

    steps = await played.research(a_run())

    assert told(steps)[:-1] == WHOLE[1:]
    assert "stream=true" in wires.received[0].path
    assert "starting_after" not in wires.received[0].path


async def test_a_run_is_followed_whatever_is_noted_by_now(wires: ByteServer, played: Bench) -> None:
    played.notes.noted["background"] = played.notes.now
    wires.play(*EVENTS)

    assert told(await played.research(a_run()))[:-1] == WHOLE[1:]
    assert wires.received[0].method == "GET"


async def test_a_run_that_ended_while_nobody_followed_it_is_told_whole(
    wires: ByteServer, played: Bench
) -> None:
    play_error(wires, 400, TOO_OLD["body"]["error"]["message"])
    play_object(wires, COMPLETED)

    steps = await played.research(a_run(), 20)

    assert told(steps)[:-1] == [part for part in WHOLE[1:] if part != Writing()]
    assert played.time.slept == []


async def test_an_expired_run_of_an_earlier_process_is_lost(
    wires: ByteServer, played: Bench
) -> None:
    for _ in range(2 * 5):
        play_error(wires, 404)

    assert kinds(await played.research(a_run(), 20)) == [ModelRunLost]


async def test_closing_the_steps_leaves_the_run_alone(server: LocalResponses, bench: Bench) -> None:
    async for _ in bench.steps():
        break

    assert [each.method for each in server.requests] == ["POST"]
    (stored,) = server.stored.values()
    assert stored.status(bench.time.now) == "queued"


# How a run ends.


@pytest.mark.parametrize("polled", [False, True])
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("rate_limit_exceeded", ModelRateLimited),
        ("insufficient_quota", ModelQuotaUsedUp),
        ("server_error", ModelOverloaded),
    ],
)
async def test_a_run_that_failed_raises_why(
    wires: ByteServer, played: Bench, code: str, error: type[ModelError], *, polled: bool
) -> None:
    failed = all_events("failed", error={"code": code, "message": REPEATED}, output=[])
    if polled:
        wires.play(frames(*failed[:3]), end="close")
        play_error(wires, 400)
        play_object(wires, json.dumps(failed[-1]["response"]).encode())
    else:
        wires.play(frames(*failed))

    *_, raised = await played.research()

    assert type(raised) is error
    assert raised.request_id == ("req_2" if polled else "req_1")
    assert wires.connections <= 2


async def test_a_run_that_failed_without_a_word_is_told_as_trouble(
    wires: ByteServer, played: Bench
) -> None:
    play_error(wires, 400)
    play_object(wires, json.dumps({"id": RUN, "status": "failed"}).encode())

    assert kinds(await played.research(a_run())) == [ModelOverloaded]


async def test_a_run_says_that_every_search_was_refused(wires: ByteServer, played: Bench) -> None:
    wires.play(*EVENTS)
    assert not finished(await played.research()).search_refused

    played.notes.noted["web_search"] = played.notes.now
    wires.play(*EVENTS)
    assert finished(await played.research()).search_refused


@pytest.mark.parametrize("name", ["incomplete_max_output_tokens.json", "incomplete_no_text.json"])
async def test_a_run_that_was_cut_short_says_so_with_the_text_it_has(
    wires: ByteServer, played: Bench, name: str
) -> None:
    play_error(wires, 400)
    play_object(wires, wire(name))

    *steps, last = parts(await played.research(a_run()))

    assert isinstance(last, Finished)
    assert last.ending == "max_output_tokens"
    assert any(isinstance(part, TextDelta) for part in steps) == ("no_text" not in name)


async def test_a_cut_run_without_any_output_ends_too(wires: ByteServer, played: Bench) -> None:
    details = {"reason": "content_filter"}
    events = all_events("incomplete", output=[], incomplete_details=details)
    wires.play(frames(events[0], events[-1]))
    play_object(wires, json.dumps(events[-1]["response"]).encode())

    steps = parts(await played.research())

    assert steps[0] == Started(RUN)
    assert isinstance(steps[1], Finished)
    assert steps[1].ending == "content_filter"


async def test_the_whole_is_fetched_where_the_end_of_the_stream_lacks_it(
    wires: ByteServer, played: Bench
) -> None:
    played.silence_seconds = 60.0
    wires.play(*EVENTS[:-1], without_output(EVENTS[-1]), end="hang")
    play_object(wires, COMPLETED)

    assert told(await played.research())[:-1] == WHOLE
    assert ["stream" in each for each in asked(wires)[1:]] == [False]


@pytest.mark.parametrize("status", [200, 404])
async def test_what_was_streamed_counts_where_no_whole_is_to_be_had(
    wires: ByteServer, played: Bench, status: int
) -> None:
    wires.play(*EVENTS[:20], end="close")
    wires.play(*EVENTS[20:-1], without_output(EVENTS[-1]))
    if status == 200:
        empty = json.loads(without_output(EVENTS[-1])[6:])["response"]
        play_object(wires, json.dumps(empty).encode())
    else:
        play_error(wires, 404)

    steps = await played.research()

    assert text_of(parts(steps)) == TEXT
    assert [part for part in told(steps) if not isinstance(part, TextDelta)][:-1] == [
        part for part in WHOLE if not isinstance(part, TextDelta)
    ]


async def test_a_run_that_the_person_stopped_is_cancelled(
    server: LocalResponses, bench: Bench
) -> None:
    server.stall_after(5)
    response_id, steps = await bench.started()
    await bench.cancel(response_id)
    server.resume()

    with pytest.raises(ModelRunCancelled):
        await last(steps)
    assert [each.method for each in server.requests] == ["POST", "POST", "GET", "GET"]


@pytest.mark.parametrize("kind", ["response.cancelled", "response.completed"])
async def test_a_run_that_the_provider_cancelled_in_its_stream_is_cancelled(
    wires: ByteServer, played: Bench, kind: str
) -> None:
    last = {"type": kind, "response": json.loads(CANCELLED), "sequence_number": 11}
    wires.play(*EVENTS[:10], frames(last))

    *_, error = await played.research()

    assert isinstance(error, ModelRunCancelled)
    assert error.request_id == "req_1"
    assert len(wires.received) == 1


# The creation.


async def test_a_busy_server_is_asked_again_for_a_run(server: LocalResponses, bench: Bench) -> None:
    server.fail(429, {"error": {"code": "rate_limit_exceeded"}}, {"retry-after": "3"})
    server.fail(503, {"error": {"code": "server_is_overloaded"}}, times=2)

    steps = await bench.research()

    assert kinds(steps) == LOCAL
    assert bench.time.slept == [3.0, 1.0, 2.0]


async def test_a_run_is_not_asked_for_without_end(server: LocalResponses, bench: Bench) -> None:
    server.fail(503, {"error": {"code": "server_is_overloaded"}}, times=99)

    assert kinds(await bench.research()) == [ModelOverloaded]
    assert sum(bench.time.slept) <= 120.0


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [(429, "insufficient_quota", ModelQuotaUsedUp), (504, "", ModelTimedOut)],
)
async def test_a_run_is_not_asked_for_again_where_that_does_not_help_or_could_ask_twice(
    server: LocalResponses, bench: Bench, status: int, code: str, error: type[ModelError]
) -> None:
    server.fail(status, {"error": {"code": code}})

    assert kinds(await bench.research()) == [error]
    assert len(server.creates) == 1


async def test_a_server_that_is_not_there_is_tried_a_few_times() -> None:
    bench = Bench("http://127.0.0.1:9/v1")

    assert kinds(await bench.research()) == [ModelUnreachable]
    assert bench.time.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_a_request_that_may_have_been_heard_is_not_made_again(
    wires: ByteServer, played: Bench, end: End
) -> None:
    wires.play_nothing(end)

    (error,) = await played.research()

    assert isinstance(error, ModelUnreachable)
    assert error.repeat_after is None
    assert len(wires.received) == 1


@pytest.mark.parametrize("end", ["whole", "close", "reset"])
async def test_a_stream_that_breaks_before_the_id_is_known_is_not_resumed(
    wires: ByteServer, played: Bench, end: End
) -> None:
    wires.play(EVENTS[0][:60], end=end)

    (error,) = await played.research()

    assert isinstance(error, ModelCutOff)
    assert error.request_id == "req_1"
    assert len(wires.received) == 1


async def test_silence_before_the_id_is_known_ends_the_wait(
    wires: ByteServer, played: Bench
) -> None:
    played.silence_seconds = 0.2
    wires.play_nothing("hang")

    assert kinds(await played.research()) == [ModelTimedOut]


async def test_a_page_is_no_run(wires: ByteServer, played: Bench) -> None:
    wires.play(b"<html></html>", headers={"content-type": "text/html"})
    assert kinds(await played.research()) == [ModelApiMissing]

    wires.play(b"", headers={"content-type": "text/plain"})
    assert kinds(await played.research()) == [ModelApiMissing]


async def test_what_the_server_does_not_support_is_left_out_of_the_run(time: Time) -> None:
    profile = replace(PROFILE, refused_parameters=("metadata", "stream_options"))
    async with LocalResponses.start(profile=profile, clock=time) as server:
        server.script(SCRIPT)
        bench = Bench(server.base_url, time)

        assert kinds(await bench.research()) == LOCAL
        assert bench.notes.noted.keys() == {"metadata", "stream_options"}


async def test_a_tool_that_may_not_be_left_out_is_told(time: Time) -> None:
    async with LocalResponses.start(profile=PROFILE, clock=time) as server:
        server.fail(400, {"error": {"message": "Unknown tool.", "param": "tools"}})

        assert kinds(await Bench(server.base_url, time).research()) == [ModelUnsupported]
        assert len(server.creates) == 1


async def test_a_run_that_follows_nothing_though_it_should_is_cancelled(
    wires: ByteServer, played: Bench
) -> None:
    wires.play(*EVENTS[:10], end="hang")
    play_object(wires, CANCELLED)

    steps = await played.research(replace(a_turn(), previous_response_id="resp_before"))

    assert kinds(steps) == [ModelThreadLost]
    assert wires.received[1].path == f"/v1/responses/{RUN}/cancel"


async def test_a_run_that_has_ended_without_its_thread_is_not_cancelled(
    wires: ByteServer, played: Bench
) -> None:
    wires.play(frames(*ALL))

    steps = await played.research(replace(a_turn(), previous_response_id="resp_before"))

    assert kinds(steps)[-1] is ModelThreadLost
    assert len(wires.received) == 1


# A server without it.


@pytest.mark.parametrize(
    ("profile", "refusal"),
    [
        (PROFILE, NO_BACKGROUND),
        (VLLM, VLLM.no_background),
        (SGLANG, SGLANG.no_background),
    ],
    ids=["named", "vLLM", "SGLang"],
)
async def test_a_server_that_refuses_the_background_is_asked_in_the_foreground(
    time: Time, profile: Profile, refusal: Refusal
) -> None:
    profile = replace(profile, delta_seconds=0.0, no_background=refusal)
    async with LocalResponses.start(profile=profile, clock=time) as server:
        server.script(replace(SCRIPT, queries=(), sources=(), citations=()))
        server.script(replace(SCRIPT, queries=(), sources=(), citations=()))
        bench = Bench(server.base_url, time, options=replace(OPTIONS, dialects=()))

        first, second = await bench.research(), await bench.research()

    assert bench.notes.noted.keys() == {"background"}
    assert ["background" in body for body in server.creates] == [True, False, False]
    assert kinds(first) == [Foreground, Writing, TextDelta, TextDelta, TextDelta, Finished]
    assert text_of(parts(first)) == text_of(parts(second)) == SCRIPT.text
    assert all(step.sequence_number is None for step in first if not isinstance(step, ModelError))


async def test_a_server_that_does_not_say_what_it_refuses_is_asked_in_the_foreground(
    wires: ByteServer, played: Bench
) -> None:
    enveloped(400, "Invalid Responses API request", code="invalid_prompt").play(wires)
    wires.play(wire("stream_web_search.sse"))

    steps = await played.research()

    assert kinds(steps)[0] is Foreground
    assert isinstance(parts(steps)[-1], Finished)
    assert played.notes.noted == {}
    assert ["background" in each.body for each in wires.received] == [True, False]


async def test_a_server_known_to_refuse_it_is_not_asked_for_the_background(
    server: LocalResponses, bench: Bench
) -> None:
    bench.options = replace(OPTIONS, never_sent=frozenset({"background"}))

    steps = await bench.research()

    assert kinds(steps)[0] is Foreground
    assert text_of(parts(steps)) == SCRIPT.text
    assert ["background" in body for body in server.creates] == [False]


async def test_a_server_that_ignores_the_background_answers_in_the_foreground(time: Time) -> None:
    profile = replace(OLLAMA, delta_seconds=0.0)
    async with LocalResponses.start(profile=profile, clock=time) as server:
        server.script(SCRIPT)
        bench = Bench(server.base_url, time)

        steps = await bench.research()

    assert len(server.creates) == 1
    assert kinds(steps)[:2] == [Foreground, Searching]
    assert Started not in kinds(steps)
    assert text_of(parts(steps)) == SCRIPT.text
    assert all(step.sequence_number is None for step in steps if not isinstance(step, ModelError))


@pytest.mark.parametrize("name", ["stream_web_search.sse", "stream_gateway_data_only_done.sse"])
async def test_an_answer_in_the_foreground_is_told_whole_at_its_end(
    wires: ByteServer, played: Bench, name: str
) -> None:
    wires.play(wire(name))
    echoed = await played.research()
    played.notes.noted["background"] = played.notes.now
    wires.play(wire(name))
    refused = await played.research()

    assert [step.part for step in echoed if not isinstance(step, ModelError)] == parts(refused)
    assert kinds(echoed)[0] is Foreground
    shown = [type(part) for part in told(echoed)]
    assert shown.index(TextDelta) > shown.index(Writing)
    assert not {Searching, Searched, Writing} & set(shown[shown.index(TextDelta) :])


@pytest.mark.parametrize("noted", [False, True])
async def test_an_answer_in_the_foreground_that_breaks_off_is_lost(
    wires: ByteServer, played: Bench, *, noted: bool
) -> None:
    if noted:
        played.notes.noted["background"] = played.notes.now
    wires.play(wire("stream_cut_off.sse"), end="close")

    steps = await played.research()

    assert kinds(steps)[0] is Foreground
    assert kinds(steps)[-1] is ModelCutOff
    assert TextDelta not in kinds(steps)
    assert len(wires.received) == 1


async def test_an_error_in_the_foreground_is_raised_at_once(
    wires: ByteServer, played: Bench
) -> None:
    wires.play(wire("stream_error_quota.sse"))

    assert kinds(await played.research()) == [Foreground, ModelQuotaUsedUp]


# Cancelling.


async def test_cancelling_twice_is_no_error(server: LocalResponses, bench: Bench) -> None:
    async for _ in bench.steps():
        break
    (response_id,) = server.stored

    await bench.cancel(response_id)
    await bench.cancel(response_id)
    await bench.cancel("resp_unknown/../models")

    assert server.stored[response_id].ended == "cancelled"
    assert [each.path.rpartition("/")[2] for each in server.requests[1:]] == ["cancel"] * 3
    assert bench.time.slept == []


@pytest.mark.parametrize("status", [400, 404])
async def test_what_has_ended_need_not_be_cancelled(
    wires: ByteServer, played: Bench, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    play_error(wires, status)

    await played.cancel(RUN)

    assert len(wires.received) == 1
    assert caplog.records == []


async def test_cancelling_is_tried_three_times_and_then_logged(
    wires: ByteServer, played: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    wires.play_nothing("reset")
    play_error(wires, 503)
    wires.play_nothing("close")

    await played.cancel(RUN)

    assert len(wires.received) == 3
    assert played.time.slept == [1.0, 1.0]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_a_refused_cancel_is_logged_at_once(
    wires: ByteServer, played: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    play_error(wires, 401)

    await played.cancel(RUN)

    assert len(wires.received) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_the_log_has_ids_and_no_texts(
    wires: ByteServer, played: Bench, whole_log: pytest.LogCaptureFixture
) -> None:
    whole_log.set_level(logging.DEBUG, "bot")
    played.api_key = KEY
    wires.play(*EVENTS[:10], end="close")
    play_error(wires, 400, REPEATED)
    play_object(wires, COMPLETED)
    await played.research()
    play_error(wires, 401, REPEATED)
    await played.research()
    play_error(wires, 401, REPEATED)
    await played.cancel(RUN)

    logged = [vars(record) for record in whole_log.records if record.name.startswith("bot.")]
    assert leaked(whole_log, "Retention", ASKED.text) == []
    assert {QUESTION, ANSWER}.isdisjoint(whole_log.messages)
    assert all(facts.get("request_id") for facts in logged)
    assert any(facts.get("response_id") == RUN for facts in logged)


def a_delta(number: int, text: str) -> Json:
    place = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    return {
        "type": "response.output_text.delta",
        "sequence_number": number,
        "delta": text,
        **place,
    }


def test_of_a_text_whose_beginning_was_not_heard_nothing_is_said_but_that_it_is_written() -> None:
    run = Run("gpt-test", response_id=RUN, after=20)

    assert [step.part for step in run.feed(a_delta(21, "rest."))] == [Writing()]


def test_a_text_that_begins_after_a_run_was_taken_over_is_heard_whole() -> None:
    run = Run("gpt-test", response_id=RUN, after=20)
    item = {"type": "message", "id": "msg_1", "role": "assistant"}
    added = {"type": "response.output_item.added", "output_index": 1, "item": item}
    run.feed({**added, "sequence_number": 21})
    steps = [*run.feed(a_delta(22, "All ")), *run.feed(a_delta(23, "of it."))]

    assert [step.part for step in steps] == [
        Writing(TextDelta("All "), begins=True),
        Writing(TextDelta("of it.")),
    ]
