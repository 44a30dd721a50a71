"""Follow-ups whose thread a model server does not have, or not all of, from its bytes on.

The thread is told again in plain messages, and who asks reads the answer and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot import errors
from bot.playground.slack import LocalSlack
from tests.responses.examples import a_completed, a_created, delta, frames
from tests.responses.said import (
    ANSWER,
    KEY,
    QUESTION,
    Said,
    a_page,
    answered,
    broken,
    detailed,
    enveloped,
    failed,
    failed_in_a_stream,
    flat,
    flat_in_a_stream,
    in_a_stream,
    leaked,
    numbered,
    recorded,
    worded,
)
from tests.responses.server import ByteServer, byte_server
from tests.stage import (
    FAST,
    Stage,
    buttons_below,
    notes_below,
    open_bot_before_bytes,
    open_stage_before_bytes,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bot.playground.slack.workspace import Message

Json = dict[str, Any]

FOLLOW_UP = "And from Bremen to the sun?"
SECOND_ANSWER = "About 150 million km."

NOT_FOUND = "Previous response with id 'resp_1' not found."
MALFORMED = "Invalid 'previous_response_id': 'gen-1'. Expected an ID that begins with 'resp'."
UNEXPECTED = [{"loc": ["body", "previous_response_id"], "msg": "Extra inputs are not permitted"}]
GONE, PARENT = "previous_response_not_found", "previous_response_id"
LOST: dict[str, Said] = {
    "is not found": recorded("previous_response_not_found"),
    "is not found, as 404": enveloped(404, NOT_FOUND, code=GONE, param=PARENT),
    "is not found, flat": flat(400, NOT_FOUND, code=GONE, param=PARENT),
    "is not found, by the code alone": enveloped(400, code=GONE),
    "is not found, by the parameter alone": enveloped(400, param=PARENT),
    "is not found, by the parameter alone, as 404": enveloped(404, param=PARENT),
    "is not found, by the words": enveloped(400, NOT_FOUND, code="invalid_request_error"),
    "is not found, by the words, as 404": enveloped(404, NOT_FOUND),
    "is not found, as xAI": worded(404, NOT_FOUND, "not-found"),
    "is not found, as FastAPI": detailed(404, NOT_FOUND),
    "is not found, as vLLM": recorded("vllm_style"),
    "is not found, in a stream": in_a_stream(GONE, NOT_FOUND),
    "is not found, flat in a stream": flat_in_a_stream(GONE, NOT_FOUND),
    "is not found, as response.failed": failed_in_a_stream(GONE, NOT_FOUND),
    "is not found, as a failure": failed(GONE, NOT_FOUND),
    "may not be kept": recorded("previous_response_zdr"),
    "may not be kept, as xAI": recorded("xai_style"),
    "may not be kept, in a stream": in_a_stream("unsupported_parameter", NOT_FOUND),
    "is a name of another form": enveloped(400, MALFORMED, param=PARENT, code="invalid_value"),
    "is a name of another form, by the words": numbered(400, MALFORMED),
    "cannot be named, as llama.cpp": recorded("llama_cpp_style"),
    "cannot be named, as FastAPI": detailed(422, UNEXPECTED),
    "is not followed": answered("I know nothing of a moon.", "resp_2", parent=None),
}
KEEPS_NONE = ("previous_response_zdr", "xai_style", "llama_cpp_style")

TOO_LONG: dict[str, Said] = {
    "a refusal": recorded("context_length_exceeded"),
    "a flat refusal": flat(400, code="context_length_exceeded", param="input"),
    "vLLM's words": numbered(400, "This model's maximum context length is 4096 tokens."),
    "a page": a_page(413),
    "a stream": in_a_stream("context_length_exceeded"),
    "response.failed": failed_in_a_stream("context_length_exceeded"),
    "a failure": failed("context_length_exceeded"),
}


async def ask_and_follow_up(stage: Stage, *follow_ups: str) -> tuple[str, list[Message]]:
    root = await stage.mention(QUESTION)
    answers = await stage.answers(stage.general, root)
    for follow_up in follow_ups:
        await stage.slack.say(stage.you, stage.general, follow_up, root)
        answers = await stage.answers(stage.general, root, count=len(answers) + 1)
    return root, answers


def an_answer_told_again(text: str) -> Json:
    return {"type": "message", "role": "assistant", "content": text}


def assert_answered(answer: Message, text: str) -> None:
    assert answer.markdown == text
    assert [note for note in notes_below(answer) if ":warning:" in note] == []
    assert buttons_below(answer) == ["Go deeper"]


def assert_told_again(server: ByteServer) -> None:
    """Check that the second request named the first one's answer, and the third told it."""
    first, second, third, *_ = (received.body for received in server.received)
    told = [*first["input"], an_answer_told_again(ANSWER), *second["input"]]
    assert PARENT not in first
    assert second[PARENT] == "resp_1"
    assert len(second["input"]) == 1
    assert third == first | {"input": told, "metadata": second["metadata"]}


@pytest.mark.parametrize("said", LOST.values(), ids=LOST)
async def test_a_follow_up_is_answered_though_the_response_it_names(
    tmp_path: Path, said: Said, whole_log: pytest.LogCaptureFixture
) -> None:
    async with open_stage_before_bytes(tmp_path, OPENAI_API_KEY=KEY) as (stage, server):
        answered(ANSWER, "resp_1").play(server)
        said.play(server)
        answered(SECOND_ANSWER, "resp_3").play(server)
        root, [_, second] = await ask_and_follow_up(stage, FOLLOW_UP)
        unrest = stage.unrest(stage.general, root)

    assert_answered(second, SECOND_ANSWER)
    assert_told_again(server)
    assert len(server.received) == 3
    assert unrest == []
    assert leaked(whole_log, FOLLOW_UP, SECOND_ANSWER) == []


async def test_an_answer_that_turns_out_to_follow_nothing_is_replaced_in_its_message(
    tmp_path: Path, whole_log: pytest.LogCaptureFixture
) -> None:
    unaware = "I know nothing of a moon, or of a way from Bremen to it. " * 4
    silent = frames(a_created("resp_2"), delta(unaware), a_completed(id="resp_2"))
    async with open_stage_before_bytes(tmp_path, OPENAI_API_KEY=KEY) as (stage, server):
        answered(ANSWER, "resp_1").play(server)
        Said(body=silent).play(server)
        answered(SECOND_ANSWER, "resp_3").play(server)
        root, _ = await ask_and_follow_up(stage, FOLLOW_UP)
        await stage.slack.until(lambda s: SECOND_ANSWER in str(s.thread(stage.general, root)))
        [_, _, _, second] = stage.slack.thread(stage.general, root)
        await stage.slack.until(lambda _: "Written by" in str(second.blocks))
        unrest = stage.unrest(stage.general, root)

    assert SECOND_ANSWER in str(second.blocks)
    assert "I know nothing" not in str(second.blocks)
    assert ":warning:" not in str(second.blocks)
    assert_told_again(server)
    assert len(server.received) == 3
    assert unrest == []
    assert leaked(whole_log, FOLLOW_UP, SECOND_ANSWER) == []


@pytest.mark.parametrize("name", KEEPS_NONE)
async def test_a_server_that_says_it_keeps_no_response_is_named_none_again(
    tmp_path: Path, name: str
) -> None:
    async with open_stage_before_bytes(tmp_path) as (stage, server):
        answered(ANSWER, "resp_1").play(server)
        recorded(name).play(server)
        answered(SECOND_ANSWER, "resp_3").play(server)
        answered("Yes.", "resp_4").play(server)
        _, [*_, last] = await ask_and_follow_up(stage, FOLLOW_UP, "Is that far?")

    assert_answered(last, "Yes.")
    assert [PARENT in received.body for received in server.received] == [False, True, False, False]


async def test_a_server_that_lost_one_response_is_named_the_next(tmp_path: Path) -> None:
    async with open_stage_before_bytes(tmp_path) as (stage, server):
        answered(ANSWER, "resp_1").play(server)
        recorded("previous_response_not_found").play(server)
        answered(SECOND_ANSWER, "resp_3").play(server)
        answered("Yes.", "resp_4", parent="resp_3").play(server)
        _, [*_, last] = await ask_and_follow_up(stage, FOLLOW_UP, "Is that far?")

    assert_answered(last, "Yes.")
    assert [received.body.get(PARENT) for received in server.received] == [
        None,
        "resp_1",
        None,
        "resp_3",
    ]


@pytest.mark.parametrize("said", TOO_LONG.values(), ids=TOO_LONG)
async def test_a_thread_that_is_too_long_to_be_named_is_told_by(
    tmp_path: Path, said: Said, whole_log: pytest.LogCaptureFixture
) -> None:
    async with open_stage_before_bytes(tmp_path, OPENAI_API_KEY=KEY) as (stage, server):
        answered(ANSWER, "resp_1").play(server)
        said.play(server)
        answered(SECOND_ANSWER, "resp_3").play(server)
        root, [_, second] = await ask_and_follow_up(stage, FOLLOW_UP)
        unrest = stage.unrest(stage.general, root)

    assert_answered(second, SECOND_ANSWER)
    assert_told_again(server)
    assert len(server.received) == 3
    assert unrest == []
    assert leaked(whole_log, FOLLOW_UP, SECOND_ANSWER) == []


async def test_a_thread_that_grows_too_long_while_it_is_answered_is_told_so_below_the_text(
    tmp_path: Path,
) -> None:
    async with open_stage_before_bytes(tmp_path) as (stage, server):
        answered(ANSWER, "resp_1").play(server)
        in_a_stream("context_length_exceeded", text=SECOND_ANSWER).play(server)
        root, [_, told] = await ask_and_follow_up(stage, FOLLOW_UP)
        unrest = stage.unrest(stage.general, root)

    assert told.markdown == SECOND_ANSWER
    assert errors.ModelInputTooLong.public in notes_below(told)[0]
    assert buttons_below(told) == ["Try again"]
    assert len(server.received) == 2
    assert unrest == []


async def test_what_is_too_long_to_be_told_whole_is_told_without_its_beginning(
    tmp_path: Path,
) -> None:
    long = [f"{place} " + "and the way there " * 1_200 for place in ("Bremen", "Leer", "Emden")]
    async with open_stage_before_bytes(tmp_path) as (stage, server):
        for n in range(4):
            answered(f"Answer {n}.", f"resp_{n}", f"resp_{n - 1}" if n else None).play(server)
        for _ in range(2):
            recorded("context_length_exceeded").play(server)
        answered(ANSWER, "resp_6").play(server)
        _, [*_, last] = await ask_and_follow_up(stage, *long, FOLLOW_UP)

    named, whole, parts = (received.body for received in server.received[4:])
    assert_answered(last, ANSWER)
    assert "the beginning of the thread was left out" in notes_below(last)[-1]
    assert named[PARENT] == "resp_3"
    assert len(whole["input"]) == 9
    assert parts["input"] == whole["input"][4:]


async def test_a_question_that_is_too_long_is_not_asked_twice_in_the_same_words(
    tmp_path: Path, whole_log: pytest.LogCaptureFixture
) -> None:
    async with open_stage_before_bytes(tmp_path) as (stage, server):
        answered(ANSWER, "resp_1").play(server)
        for _ in range(2):
            recorded("context_length_exceeded").play(server)
        _, [_, told] = await ask_and_follow_up(stage, FOLLOW_UP)

    [failure] = [record for record in whole_log.records if record.message == "turn failed"]
    reference = failure.__dict__["turn"]
    words = f"{errors.ModelInputTooLong.public}  (reference {reference})"
    assert_told_again(server)
    assert len(server.received) == 3
    assert notes_below(told) == [f":warning: {words}"]
    assert buttons_below(told) == ["Try again"]


async def test_a_response_that_is_not_to_be_had_after_a_restart_is_asked_for_anew(
    tmp_path: Path, whole_log: pytest.LogCaptureFixture
) -> None:
    missing = enveloped(404, "Response with id 'resp_unsaid' not found.", param="response_id")
    async with LocalSlack.start(limits=FAST) as slack, byte_server() as server:
        broken("hang", ANSWER * 9).play(server)
        missing.play(server)
        answered(ANSWER, "resp_3").play(server)
        async with open_bot_before_bytes(tmp_path, slack, server, GRACE_SECONDS=0) as stage:
            root = await stage.mention(QUESTION)
            await slack.until(lambda s: ANSWER in str(s.thread(stage.general, root)))
        async with open_bot_before_bytes(tmp_path, slack, server) as stage:
            await slack.until(lambda s: ANSWER in str(s.thread(stage.general, root)[1].blocks))
            unrest = stage.unrest(stage.general, root)

    asked = [(received.method, received.path.partition("?")[0]) for received in server.received]
    assert asked == [
        ("POST", "/v1/responses"),
        ("GET", "/v1/responses/resp_unsaid"),
        ("POST", "/v1/responses"),
    ]
    assert unrest == []
    assert leaked(whole_log) == []
