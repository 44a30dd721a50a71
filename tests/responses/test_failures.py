from __future__ import annotations

from typing import Any

import httpx
import pytest

from bot.errors import (
    ModelApiMissing,
    ModelCutOff,
    ModelError,
    ModelForbidden,
    ModelInputTooLong,
    ModelKeyRefused,
    ModelNotFound,
    ModelOverloaded,
    ModelPolicyRefused,
    ModelQuotaUsedUp,
    ModelRateLimited,
    ModelRequestRefused,
    ModelThreadLost,
    ModelTimedOut,
    ModelUnreachable,
    ModelUnsupported,
)
from bot.responses.failures import network_error, read_failure

Json = dict[str, Any]


def an_error(**fields: object) -> Json:
    return {"error": {"message": "", "type": None, "param": None, "code": None} | fields}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        # one row per case of the reference's table of errors
        pytest.param(401, an_error(code="invalid_api_key"), ModelKeyRefused, id="bad key"),
        pytest.param(401, an_error(type="invalid_request_error"), ModelKeyRefused, id="no member"),
        pytest.param(
            403,
            an_error(code="unsupported_country_region_territory"),
            ModelForbidden,
            id="region",
        ),
        pytest.param(403, None, ModelForbidden, id="permission"),
        pytest.param(
            400, an_error(code="model_not_found", param="model"), ModelNotFound, id="model, 400"
        ),
        pytest.param(404, an_error(code="model_not_found"), ModelNotFound, id="model, 404"),
        pytest.param(
            400,
            an_error(param="model", message="The requested model 'x' does not exist."),
            ModelNotFound,
            id="model, by message",
        ),
        pytest.param(403, an_error(code="model_not_found"), ModelNotFound, id="model, no access"),
        pytest.param(404, an_error(param="model", code=404), ModelNotFound, id="vLLM's model"),
        pytest.param(
            404, an_error(message="model 'x' not found"), ModelNotFound, id="Ollama's model"
        ),
        pytest.param(
            400, an_error(code="previous_response_not_found"), ModelThreadLost, id="parent, by code"
        ),
        pytest.param(
            404, an_error(param="previous_response_id"), ModelThreadLost, id="parent, by parameter"
        ),
        pytest.param(
            400,
            an_error(
                code="invalid_request_error",
                message="Previous response with id 'resp_0' not found.",
            ),
            ModelThreadLost,
            id="parent, by message",
        ),
        pytest.param(
            400,
            an_error(code="unsupported_parameter", param="previous_response_id"),
            ModelThreadLost,
            id="parent under zero data retention",
        ),
        pytest.param(
            422,
            {"detail": [{"loc": ["body", "previous_response_id"], "msg": "extra field"}]},
            ModelThreadLost,
            id="parent, FastAPI",
        ),
        pytest.param(
            400,
            an_error(code="unsupported_parameter", param="temperature"),
            ModelUnsupported,
            id="unsupported parameter",
        ),
        pytest.param(
            400, an_error(code="unknown_parameter"), ModelRequestRefused, id="unknown parameter"
        ),
        pytest.param(400, an_error(param="tools"), ModelUnsupported, id="tool not allowed"),
        pytest.param(
            400, an_error(code="context_length_exceeded"), ModelInputTooLong, id="too long"
        ),
        pytest.param(
            400,
            an_error(code=400, message="This model's maximum context length is 4096 tokens."),
            ModelInputTooLong,
            id="vLLM's too long",
        ),
        pytest.param(
            400,
            an_error(
                code=400,
                message="request (4390 tokens) exceeds the available context size (4096 tokens)",
            ),
            ModelInputTooLong,
            id="llama.cpp's too long",
        ),
        pytest.param(413, None, ModelInputTooLong, id="too large"),
        pytest.param(
            429, an_error(code="rate_limit_exceeded", type="tokens"), ModelRateLimited, id="rate"
        ),
        pytest.param(429, None, ModelRateLimited, id="rate, without a body"),
        pytest.param(
            429, an_error(type="insufficient_quota"), ModelQuotaUsedUp, id="quota, by type"
        ),
        pytest.param(
            429, an_error(code="insufficient_quota"), ModelQuotaUsedUp, id="quota, by code"
        ),
        pytest.param(429, an_error(code="credit_balance_exhausted"), ModelQuotaUsedUp, id="credit"),
        pytest.param(
            429,
            an_error(code="organization_spend_limit_exceeded"),
            ModelQuotaUsedUp,
            id="organisation's spending",
        ),
        pytest.param(
            429,
            an_error(code="project_spend_limit_exceeded"),
            ModelQuotaUsedUp,
            id="project's spending",
        ),
        pytest.param(
            429,
            an_error(code="organization_usage_limit_exceeded"),
            ModelQuotaUsedUp,
            id="organisation's usage",
        ),
        pytest.param(402, None, ModelQuotaUsedUp, id="OpenRouter's credits"),
        pytest.param(500, an_error(type="server_error"), ModelOverloaded, id="server"),
        pytest.param(503, an_error(code="server_is_overloaded"), ModelOverloaded, id="overload"),
        pytest.param(503, an_error(code="slow_down"), ModelOverloaded, id="slow down"),
        pytest.param(529, an_error(type="overloaded_error"), ModelOverloaded, id="another 5xx"),
        pytest.param(408, None, ModelOverloaded, id="time-out of the request"),
        pytest.param(504, None, ModelTimedOut, id="a gateway's time-out"),
        pytest.param(409, None, ModelOverloaded, id="conflict"),
        pytest.param(400, an_error(code="conversation_locked"), ModelOverloaded, id="busy"),
        pytest.param(400, an_error(code="invalid_prompt"), ModelPolicyRefused, id="prompt policy"),
        pytest.param(400, an_error(code="content_filter"), ModelPolicyRefused, id="Azure's filter"),
        pytest.param(404, {"detail": "Not Found"}, ModelApiMissing, id="not there"),
        pytest.param(404, None, ModelApiMissing, id="not there, without a body"),
        pytest.param(405, None, ModelApiMissing, id="not to be posted to"),
        pytest.param(501, None, ModelApiMissing, id="not implemented"),
        pytest.param(308, None, ModelApiMissing, id="moved elsewhere"),
        pytest.param(418, "text", ModelRequestRefused, id="any other refusal"),
        pytest.param(
            400,
            an_error(param="model", message="That is no name."),
            ModelRequestRefused,
            id="a model's name of a wrong form",
        ),
        pytest.param(
            404,
            an_error(code="unknown_parameter", param="include"),
            ModelApiMissing,
            id="not there, with a parameter",
        ),
        pytest.param(503, an_error(code=400), ModelOverloaded, id="a status beside its code"),
        pytest.param(
            400,
            an_error(
                code="context_length_exceeded",
                message="Too long with what is named by previous_response_id.",
            ),
            ModelInputTooLong,
            id="a code beside words of another",
        ),
        # inside a stream there is no status
        pytest.param(None, an_error(code="server_error"), ModelOverloaded, id="in a stream"),
        pytest.param(
            None, an_error(code="bio_policy"), ModelPolicyRefused, id="biology, in a stream"
        ),
        pytest.param(
            None,
            an_error(code="misalignment_policy_violation"),
            ModelPolicyRefused,
            id="misalignment, in a stream",
        ),
        pytest.param(
            None,
            an_error(code="data_residency_mismatch"),
            ModelForbidden,
            id="residency, in a stream",
        ),
        pytest.param(None, an_error(code=400), ModelRequestRefused, id="a status as code"),
        pytest.param(None, an_error(code="429"), ModelRateLimited, id="a status as text"),
        pytest.param(None, an_error(code=504), ModelTimedOut, id="a gateway's status as code"),
        pytest.param(None, an_error(code=7), ModelOverloaded, id="a number that is no status"),
        pytest.param(
            None, an_error(type="invalid_request_error"), ModelRequestRefused, id="only a type"
        ),
        pytest.param(
            None,
            {"type": "error", "code": None, "message": "x"},
            ModelOverloaded,
            id="only a message",
        ),
    ],
)
def test_each_failure_has_its_error(
    status: int | None, body: object, expected: type[ModelError]
) -> None:
    assert type(read_failure(body, status=status).error()) is expected


@pytest.mark.parametrize(
    ("status", "body", "name"),
    [
        (400, an_error(code="unknown_parameter", param="prompt_cache_key"), "prompt_cache_key"),
        (400, an_error(message="Unknown parameter: 'reasoning.effort'."), "reasoning"),
        (
            400,
            an_error(message="Unsupported parameter: 'text' is not supported with this model."),
            "text",
        ),
        (400, an_error(message="Unrecognized request argument supplied: metadata"), "metadata"),
        (
            422,
            {"detail": [{"loc": ["body", "store"], "msg": "Extra inputs are not permitted"}]},
            "store",
        ),
        (
            422,
            {
                "detail": [
                    {
                        "loc": ["body", "tools", 0, "web_search", "user_location", "type"],
                        "msg": "Extra inputs are not permitted",
                    }
                ]
            },
            "tools.user_location",
        ),
        (
            400,
            an_error(code="unknown_parameter", param="tools[0].search_context_size"),
            "tools.search_context_size",
        ),
        (
            422,
            {"detail": [{"loc": ["body", "tools", 0, "type"], "msg": "Input should be"}]},
            "tools",
        ),
        (400, an_error(code="unknown_parameter", param="tools[0].web_search.type"), "tools"),
        (400, an_error(param="tool_choice", message="Tool choice 'x' not found"), "tools"),
        (400, an_error(message="Hosted tool 'web_search' is not supported with gpt-x"), "tools"),
        (400, an_error(code=400, message="'type' of tool must be 'function'"), "tools"),
        (
            400,
            an_error(
                param="tools",
                message="Deep research models require at least one of 'web_search_preview', 'mcp'",
            ),
            "tools",
        ),
        (None, an_error(code="unsupported_parameter", param="include"), "include"),
    ],
)
def test_what_is_not_supported_is_named(status: int | None, body: Json, name: str) -> None:
    error = read_failure(body, status=status).error()

    assert isinstance(error, ModelUnsupported)
    assert error.name == name


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, an_error(message="Invalid request"), ModelThreadLost),  # as OpenRouter says it
        (
            400,
            an_error(code="invalid_prompt", message="Invalid Responses API request"),
            ModelThreadLost,
        ),
        (400, an_error(code="invalid_prompt", message="It was flagged."), ModelPolicyRefused),
        (422, None, ModelThreadLost),
        (404, {"detail": "Not Found"}, ModelThreadLost),
        (400, an_error(param="metadata", message="too long"), ModelRequestRefused),
        (400, an_error(code="context_length_exceeded"), ModelInputTooLong),
        (400, an_error(code="unknown_parameter", param="include"), ModelUnsupported),
        (401, None, ModelKeyRefused),
        (404, an_error(code="model_not_found"), ModelNotFound),
        (500, None, ModelOverloaded),
    ],
)
def test_a_follow_up_that_is_refused_without_a_reason_has_lost_its_thread(
    status: int, body: Json | None, expected: type[ModelError]
) -> None:
    assert type(read_failure(body, status=status).error(chained=True)) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, ModelApiMissing),
        (400, ModelApiMissing),
        (403, ModelForbidden),
        (404, ModelApiMissing),
        (502, ModelOverloaded),  # a proxy's page while the server behind it is down
    ],
)
def test_a_page_of_html_is_judged_by_its_status(status: int, expected: type[ModelError]) -> None:
    assert type(read_failure(None, status=status, html=True).error()) is expected


@pytest.mark.parametrize(
    ("message", "keeps_none"),
    [
        ("Previous response with id 'resp_0' not found.", False),
        ("Invalid 'previous_response_id': 'gen-1'.", False),
        ("Previous response cannot be used … due to Zero Data Retention.", True),
        ("llama.cpp does not support 'previous_response_id'.", True),
        ("the 'previous_response_id' parameter is not supported", True),
    ],
)
def test_one_thread_that_is_gone_is_told_from_a_server_that_keeps_none(
    message: str, *, keeps_none: bool
) -> None:
    error = read_failure(an_error(message=message), status=400).error()

    assert isinstance(error, ModelThreadLost)
    assert error.keeps_none is keeps_none


def test_a_server_that_has_no_such_parameter_keeps_no_thread() -> None:
    body = an_error(code="unsupported_parameter", param="previous_response_id")

    error = read_failure(body, status=400).error()

    assert isinstance(error, ModelThreadLost)
    assert error.keeps_none


def test_a_page_of_html_does_not_say_that_a_thread_is_lost() -> None:
    failure = read_failure(None, status=404, html=True)

    assert type(failure.error(chained=True)) is ModelApiMissing


def test_the_name_of_an_event_is_no_kind_of_error() -> None:
    body = {"type": "error", "code": "server_error", "message": "x"}

    assert str(read_failure(body).error()) == "code=server_error"


def test_the_detail_names_codes_and_never_texts() -> None:
    body = an_error(
        code="unsupported_parameter",
        param="input[0].text",
        type="a sentence with what somebody asked",
        message="Incorrect API key provided: sk-1234",
    )

    assert str(read_failure(body, status=400).error()) == (
        "status=400 code=unsupported_parameter param=input[0].text"
    )


@pytest.mark.parametrize(
    ("error", "answered", "expected"),
    [
        (httpx.ConnectError("x"), False, ModelUnreachable),
        (httpx.ConnectTimeout("x"), False, ModelUnreachable),
        (httpx.PoolTimeout("x"), False, ModelUnreachable),
        (httpx.WriteTimeout("x"), False, ModelUnreachable),
        (httpx.ProxyError("x"), False, ModelUnreachable),
        (httpx.RemoteProtocolError("x"), False, ModelUnreachable),
        (httpx.ReadTimeout("x"), False, ModelTimedOut),
        (httpx.ReadTimeout("x"), True, ModelTimedOut),
        (httpx.RemoteProtocolError("x"), True, ModelCutOff),
        (httpx.ReadError("x"), True, ModelCutOff),
        (httpx.DecodingError("x"), True, ModelCutOff),
    ],
)
def test_what_happens_to_the_connection_has_its_error(
    error: httpx.HTTPError, *, answered: bool, expected: type[ModelError]
) -> None:
    translated = network_error(error, answered=answered, request_id="req_1")

    assert type(translated) is expected
    assert translated.request_id == "req_1"
    assert str(translated) == type(error).__name__


def test_only_a_server_that_did_not_answer_may_be_asked_again() -> None:
    lost = httpx.RemoteProtocolError("x")
    errors = [network_error(lost, answered=heard, request_id=None) for heard in (False, True)]
    silent = network_error(httpx.ReadTimeout("x"), answered=False, request_id=None)

    assert [error.repeat_after for error in (*errors, silent)] == [0.0, None, None]
