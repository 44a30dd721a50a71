"""Every way in which a model server refuses a question, from its bytes to the words in the thread.

What is refused for a follow-up's sake is in test_lost_threads.py, what the network does in
test_broken_connections.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import errors
from bot.turns import answer as notes
from tests.responses.said import (
    ANSWER,
    KEY,
    QUESTION,
    REPEATED,
    Said,
    a_page,
    answered,
    detailed,
    enveloped,
    failed,
    failed_in_a_stream,
    flat,
    flat_in_a_stream,
    in_a_stream,
    leaked,
    nothing,
    numbered,
    played,
    recorded,
    worded,
)
from tests.stage import buttons_below, notes_below, open_stage_before_bytes

if TYPE_CHECKING:
    from pathlib import Path

UNKNOWN_MODEL = "The requested model 'gpt-99' does not exist."
TOO_LONG = "Your input exceeds the context window of this model. Please adjust your input."
TOO_LONG_FOR_VLLM = "This model's maximum context length is 4096 tokens. You requested 4390."
TOO_LONG_FOR_LLAMA = "request (4390 tokens) exceeds the available context size (4096 tokens)"
DECLINED = "I’m sorry, but I can’t help with that."
CUT = "Python 3.14 came out in October 2025. Two changes matter for us:\n\n- **Template str"
LOCKED = enveloped(400, code="conversation_locked", param="conversation")

SOON = {"retry_after_ms": "5"}
AT_ONCE = {"x_should_retry": "true", "retry_after_ms": "1"}
MUCH_LATER = {"retry_after": "600", "retry_after_ms": "600000"}  # nobody is kept waiting so long

REFUSED: dict[type[errors.ModelError], dict[str, Said]] = {
    errors.ModelKeyRefused: {
        "a wrong key": recorded("invalid_api_key"),
        "a wrong key, flat": flat(401, code="invalid_api_key"),
        "a wrong key, as xAI": worded(401),
        "a wrong key, as FastAPI": detailed(401),
        "a wrong key, as llama.cpp": numbered(401, kind="authentication_error"),
        "a wrong key, as a page": a_page(401),
        "a wrong key, without a word": nothing(401),
        "a wrong key, in half a body": replace(recorded("invalid_api_key"), end="close"),
        "a wrong key, in a stream": in_a_stream("invalid_api_key"),
        "a wrong key, repeated as the type": enveloped(401, type=REPEATED),
        "somebody who is no member": enveloped(401),
        "an address that is not let in": enveloped(401, type="authentication_error"),
    },
    errors.ModelForbidden: {
        "a region": enveloped(403, code="unsupported_country_region_territory"),
        "a permission": enveloped(403, type="permission_error"),
        "a permission, as FastAPI": detailed(403, "Forbidden"),
        "a permission, as a page": a_page(403),
        "a permission, without a word": nothing(403),
    },
    errors.ModelNotFound: {
        "an unknown model": recorded("model_not_found"),
        "an unknown model, as 404": enveloped(404, code="model_not_found", param="model"),
        "an unknown model, flat": flat(400, code="model_not_found", param="model"),
        "an unknown model, by its words": enveloped(400, UNKNOWN_MODEL, param="model"),
        "an unknown model, as llama.cpp": numbered(400, UNKNOWN_MODEL),
        "an unknown model, as xAI": worded(404, UNKNOWN_MODEL),
        "an unknown model, as FastAPI": detailed(404, UNKNOWN_MODEL),
        "an unknown model, in a stream": in_a_stream("model_not_found"),
        "an unknown model, as a failure": failed("model_not_found"),
    },
    errors.ModelInputTooLong: {
        "a long question": recorded("context_length_exceeded"),
        "a long question, by the words": enveloped(400, TOO_LONG, param="input"),
        "a long question, as vLLM": numbered(400, TOO_LONG_FOR_VLLM, "BadRequestError"),
        "a long question, as llama.cpp": numbered(400, TOO_LONG_FOR_LLAMA),
        "a long question, as a page": a_page(413),
        "a long question, in a stream": in_a_stream("context_length_exceeded"),
        "a long question, as response.failed": failed_in_a_stream("context_length_exceeded"),
        "a long question, as a failure": failed("context_length_exceeded"),
    },
    errors.ModelRateLimited: {
        "too many questions, for long": recorded("rate_limit").under(retry_after_ms="600000"),
        "too many questions, in vain": recorded("rate_limit").under(x_should_retry="false"),
        "too many questions, in a stream": in_a_stream("rate_limit_exceeded"),
        "too many questions, by a number": flat_in_a_stream(429),
        "too many questions, as response.failed": failed_in_a_stream("rate_limit_exceeded"),
        "too many questions, as a failure": played("failed_rate_limit.json"),
    },
    errors.ModelQuotaUsedUp: {
        "a used-up quota": recorded("insufficient_quota"),
        "a used-up quota, by its type": enveloped(429, type="insufficient_quota"),
        "a used-up quota, flat": flat(429, code="insufficient_quota"),
        "a used-up quota, to be asked again": recorded("insufficient_quota").under(**AT_ONCE),
        "a used-up quota, in a stream": played("stream_error_quota.sse"),
        "a used-up quota, flat in a stream": flat_in_a_stream("insufficient_quota"),
        "a used-up quota, as response.failed": failed_in_a_stream("insufficient_quota"),
        "a used-up quota, as a failure": failed("insufficient_quota"),
        "used-up credit": enveloped(429, code="credit_balance_exhausted"),
        "an organisation's spending": enveloped(429, code="organization_spend_limit_exceeded"),
        "a project's spending": enveloped(429, code="project_spend_limit_exceeded"),
        "an organisation's usage": enveloped(429, code="organization_usage_limit_exceeded"),
        "OpenRouter's credits": numbered(402),
        "OpenRouter's credits, without a word": nothing(402),
        "OpenRouter's credits, in a stream": flat_in_a_stream(402),
    },
    errors.ModelOverloaded: {
        "a failing server, for long": recorded("server_error").under(**MUCH_LATER),
        "a failing server, in a stream": in_a_stream("server_error"),
        "a failing server, flat in a stream": played("stream_error_flat.sse"),
        "a failing server, as response.failed": failed_in_a_stream("server_error"),
        "a failing server, as a failure": played("failed_server_error.json"),
        "an overload, for long": recorded("overloaded").under(**MUCH_LATER),
        "an overload, in a stream": played("stream_error_overloaded.sse"),
        "an overload, as response.failed": failed_in_a_stream("slow_down"),
        "an overload, as a failure": failed("server_is_overloaded"),
        "a gateway that is down for long": recorded("gateway_html").under(**MUCH_LATER),
        "a conflict, for long": nothing(409).under(**MUCH_LATER),
        "a busy conversation, for long": LOCKED.under(**MUCH_LATER),
    },
    errors.ModelPolicyRefused: {
        "the policy": enveloped(400, code="invalid_prompt"),
        "the policy, flat": flat(400, code="invalid_prompt"),
        "the policy, in a stream": in_a_stream("invalid_prompt"),
        "the policy, as a failure": failed("invalid_prompt"),
        "the policy on biology": failed_in_a_stream("bio_policy"),
        "the policy on biology, as a failure": failed("bio_policy"),
        "the policy on misuse": failed_in_a_stream("misalignment_policy_violation"),
        "the policy on misuse, as a failure": failed("misalignment_policy_violation"),
    },
    errors.ModelApiMissing: {
        "an address without a Responses API": a_page(404),
        "such an address, as FastAPI": detailed(404, "Not Found"),
        "such an address, without a word": nothing(404),
        "an address that takes no questions": a_page(405),
        "one that takes none, without a word": nothing(405),
        "an address of web pages": a_page(200),
    },
}
REFUSALS = [
    pytest.param(said, error, id=name)
    for error, forms in REFUSED.items()
    for name, said in forms.items()
]

PASSING: dict[str, Said] = {
    "too many questions": recorded("rate_limit"),
    "too many questions, by their type": enveloped(429, type="tokens"),
    "too many questions, flat": flat(429, code="rate_limit_exceeded"),
    "too many questions, as xAI": worded(429),
    "too many questions, as FastAPI": detailed(429),
    "too many questions, as llama.cpp": numbered(429),
    "too many questions, as a page": a_page(429),
    "too many questions, without a word": nothing(429),
    "a failing server": recorded("server_error"),
    "a failing server, flat": flat(500, type="server_error"),
    "a failing server, as FastAPI": detailed(500, "Internal Server Error"),
    "a failing server, as llama.cpp": numbered(500, kind="server_error"),
    "a failing server, without a word": nothing(500),
    "a gateway that is down": recorded("gateway_html"),
    "an overload": recorded("overloaded"),
    "an overload, asking to slow down": enveloped(503, code="slow_down"),
    "an overload, as a page": a_page(503),
    "a time-out of the request": nothing(408),
    "a time-out of the request, as a page": a_page(408),
    "a conflict": enveloped(409),
    "a conflict, without a word": nothing(409),
    "a busy conversation": LOCKED,
}

SHORT = {
    "a refusal": (played("refusal.json"), DECLINED, notes.NOTES["refusal"]),
    "a streamed refusal": (played("stream_refusal.sse"), DECLINED, notes.NOTES["refusal"]),
    "a content filter": (
        played("incomplete_content_filter.json"),
        "Here is the first",
        notes.NOTES["content_filter"],
    ),
    "its length": (
        played("incomplete_max_output_tokens.json"),
        CUT,
        notes.NOTES["max_output_tokens"],
    ),
    "its length, streamed": (
        played("stream_incomplete.sse"),
        CUT,
        notes.NOTES["max_output_tokens"],
    ),
    "thinking alone": (played("incomplete_no_text.json"), "", notes.NO_ROOM),
}


@pytest.mark.parametrize(("said", "error"), REFUSALS)
async def test_the_thread_is_told_at_once_and_once_of(
    tmp_path: Path,
    said: Said,
    error: type[errors.ModelError],
    whole_log: pytest.LogCaptureFixture,
) -> None:
    async with open_stage_before_bytes(tmp_path, OPENAI_API_KEY=KEY) as (stage, server):
        said.play(server)
        root = await stage.mention(QUESTION)
        [told] = await stage.answers(stage.general, root)
        unrest = stage.unrest(stage.general, root)

    [failure] = [record for record in whole_log.records if record.message == "turn failed"]
    assert notes_below(told) == [f":warning: {error.public}  (reference 1)"]
    assert told.markdown == ""
    assert buttons_below(told) == ["Try again"]
    assert len(server.received) == 1
    assert failure.__dict__.items() >= {"turn": 1, "request_id": said.request_id}.items()
    assert unrest == []
    assert leaked(whole_log) == []


@pytest.mark.parametrize("said", PASSING.values(), ids=PASSING)
async def test_the_model_is_asked_again_and_answers_after(
    tmp_path: Path, said: Said, whole_log: pytest.LogCaptureFixture
) -> None:
    async with open_stage_before_bytes(tmp_path, OPENAI_API_KEY=KEY) as (stage, server):
        said.under(**SOON).play(server)
        answered(ANSWER, "resp_1").play(server)
        root = await stage.mention(QUESTION)
        [answer] = await stage.answers(stage.general, root)
        unrest = stage.unrest(stage.general, root)

    first, second = (received.body for received in server.received)
    assert answer.markdown == ANSWER
    assert [note for note in notes_below(answer) if ":warning:" in note] == []
    assert buttons_below(answer) == ["Go deeper"]
    assert second == first
    assert unrest == []
    assert leaked(whole_log) == []


@pytest.mark.parametrize(("said", "text", "note"), SHORT.values(), ids=SHORT)
async def test_an_answer_is_shown_with_the_reason_where_it_was_ended_by(
    tmp_path: Path, said: Said, text: str, note: str, whole_log: pytest.LogCaptureFixture
) -> None:
    async with open_stage_before_bytes(tmp_path, OPENAI_API_KEY=KEY) as (stage, server):
        said.play(server)
        root = await stage.mention(QUESTION)
        [answer] = await stage.answers(stage.general, root)
        unrest = stage.unrest(stage.general, root)

    assert answer.markdown == text
    assert notes_below(answer)[0] == f":warning: {note}"
    assert buttons_below(answer) == []
    assert len(server.received) == 1
    assert unrest == []
    assert leaked(whole_log) == []
