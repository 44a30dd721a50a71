from __future__ import annotations

import pytest

from tests.playground.responses.serving import model_of, posted, served
from tests.playground.responses.wire import (
    Json,
    ask,
    stream,
)


def envelope(message: str, **fields: object) -> Json:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return {"error": error | fields}


NOT_FOUND_LOCALLY = {
    "error": {
        "message": "Response with id 'resp_0' not found.",
        "type": "invalid_request_error",
        "param": "response_id",
        "code": 404,
    }
}
ZDR = "Previous response cannot be used for this organization due to Zero Data Retention."
NO_STORE = (
    "Response store is disabled. Stateful Responses require --enable-response-store on a "
    "standalone server; response storage is unavailable in PD mode."
)
INVALID_PROMPT = {
    "error": {"code": "invalid_prompt", "message": "Invalid Responses API request"},
    "metadata": None,
}


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        (
            "openai",
            400,
            envelope(
                "Previous response with id 'resp_0' not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            ),
        ),
        (
            "openai-zdr",
            400,
            envelope(ZDR, param="previous_response_id", code="unsupported_parameter"),
        ),
        ("openrouter", 400, INVALID_PROMPT),
        ("vllm", 404, NOT_FOUND_LOCALLY),
        ("vllm-store", 404, NOT_FOUND_LOCALLY),
        (
            "sglang",
            400,
            {"error": {"message": NO_STORE, "type": "invalid_request_error", "code": 400}},
        ),
        ("sglang-store", 404, NOT_FOUND_LOCALLY),
        (
            "llama.cpp",
            400,
            {
                "error": {
                    "message": "llama.cpp does not support 'previous_response_id'.",
                    "type": "invalid_request_error",
                    "code": 400,
                }
            },
        ),
        (
            "groq",
            400,
            envelope(
                "Unsupported parameter: 'previous_response_id' is not supported.",
                param="previous_response_id",
                code="unsupported_parameter",
            ),
        ),
        (
            "xai",
            404,
            {"code": "not-found", "error": "Previous response with id 'resp_0' not found."},
        ),
        ("xai-zdr", 404, {"code": "not-found", "error": ZDR}),
        (
            "digitalocean",
            404,
            envelope("Response with id 'resp_0' not found.", type="not_found_error"),
        ),
        ("upstage", 400, envelope("the 'previous_response_id' parameter is not supported")),
    ],
)
async def test_parent_is_refused_in_the_words_of_the_server(
    name: str, status: int, body: Json
) -> None:
    async with served(name) as http:
        answer = await posted(http, previous_response_id="resp_0")

    assert answer == (status, body)


@pytest.mark.parametrize("name", ["ollama", "bedrock-runtime", "perplexity-older"])
async def test_parent_is_ignored_and_echoed_as_null(name: str) -> None:
    async with served(name) as http:
        response = (await posted(http, previous_response_id="resp_0"))[1]

    assert response["previous_response_id"] is None


async def test_deepseek_neither_keeps_a_parent_nor_echoes_it() -> None:
    async with served("deepseek") as http:
        response = (await posted(http, previous_response_id="resp_0"))[1]

    assert "previous_response_id" not in response
    assert response["store"] is False


@pytest.mark.parametrize(
    "name",
    [
        "openai",
        "azure",
        "lm-studio",
        "vllm-store",
        "sglang-store",
        "litellm",
        "litellm-bridged",
        "xai",
        "xai-older",
        "perplexity",
        "databricks",
        "bedrock-mantle",
        "parallel",
        "qwen",
        "fireworks",
        "laozhang",
    ],
)
async def test_parent_is_followed_by_its_id(name: str) -> None:
    async with served(name) as http:
        _, first = await posted(http, model=model_of(name))
        status, second = await posted(http, model=model_of(name), previous_response_id=first["id"])

    assert (status, second["status"]) == (200, "completed")
    assert second["previous_response_id"] == first["id"]
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"]


async def test_databricks_follows_gpt_models_only() -> None:
    async with served("databricks") as http:
        _, first = await posted(http, model="databricks-gpt-5")
        followed, _ = await posted(http, model="databricks-gpt-5", previous_response_id=first["id"])
        status, body = await posted(
            http, model="databricks-claude", previous_response_id=first["id"]
        )

    assert followed == 200
    assert (status, body["error"]["param"]) == (400, "previous_response_id")


async def test_old_lm_studio_does_not_find_what_it_streamed() -> None:
    async with served("lm-studio-old") as http:
        whole = await ask(http, tools=None)
        followed, _ = await posted(http, previous_response_id=whole["id"])
        streamed = (await stream(http, tools=None))[-1]["response"]
        status, body = await posted(http, previous_response_id=streamed["id"])

    assert (followed, status) == (200, 400)
    assert body["error"]["code"] == "previous_response_not_found"


async def test_perplexity_follows_completed_parents_only() -> None:
    async with served("perplexity") as http:
        _, cut = await posted(http, max_output_tokens=16)
        status, response = await posted(http, previous_response_id=cut["id"])

    assert (cut["status"], status, response["status"]) == ("incomplete", 200, "failed")
    assert response["error"]["code"] == "previous_response_not_found"


async def test_parallel_keeps_what_was_not_to_be_stored() -> None:
    async with served("parallel") as http:
        _, first = await posted(http, model="parallel", store=False)
        status, _ = await posted(http, model="parallel", previous_response_id=first["id"])

    assert (first["store"], status) == (True, 200)


@pytest.mark.parametrize(
    ("name", "store"), [("vllm", None), ("openai-zdr", False), ("ollama", False), ("qwen", True)]
)
async def test_store_is_echoed_as_it_takes_effect(name: str, store: bool | None) -> None:
    async with served(name) as http:
        _, response = await posted(http, store=True)

    assert response.get("store") is store
