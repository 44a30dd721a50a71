from __future__ import annotations

import pytest

from bot.playground.responses.profile import MODELS
from bot.playground.responses.servers import SERVERS
from tests.playground.responses.serving import plain, posted, served
from tests.playground.responses.wire import (
    SOURCES,
    Json,
    ask,
    asking,
    events,
    searches_of,
    stream,
    text_of,
)

NO_STORE = (
    "Response store is disabled. Stateful Responses require --enable-response-store on a "
    "standalone server; response storage is unavailable in PD mode."
)
PAGE = "https://footnote.example/handbook/asking"


@pytest.mark.parametrize("name", SERVERS)
async def test_every_server_answers_a_plain_question_and_tells_it_alike_in_a_stream(
    name: str,
) -> None:
    async with served(name) as http:
        answer = await http.post("/responses", json=plain(name))
        streamed = await http.post("/responses", json=plain(name) | {"stream": True})

    told = events(streamed.text)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "completed"
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert told[-1]["type"] == "response.completed"
    assert text_of(answer.json()) == "".join(
        event["delta"] for event in told if event["type"] == "response.output_text.delta"
    )


@pytest.mark.parametrize("name", SERVERS)
async def test_every_server_takes_a_thread_that_is_told_again(name: str) -> None:
    said = [("user", "How do I ask?"), ("assistant", "By a mention."), ("user", "And a digest?")]
    thread = [{"type": "message", "role": role, "content": text} for role, text in said]
    async with served(name) as http:
        answer = await http.post("/responses", json=plain(name) | {"input": thread})

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("name", SERVERS)
async def test_tokens_are_counted_by_few_servers(name: str) -> None:
    async with served(name) as http:
        answer = await http.post("/responses/input_tokens", json=plain(name))

    counting = name.startswith(("openai", "azure", "litellm")) or name == "gateway"
    assert answer.status_code == (200 if counting else 404)
    if counting:
        assert answer.json()["object"] == "response.input_tokens"


@pytest.mark.parametrize("name", SERVERS)
async def test_models_are_listed_where_the_server_has_a_list(name: str) -> None:
    async with served(name) as http:
        answer = await http.get("/models")

    listed = set(MODELS) <= set(SERVERS[name].endpoints)
    assert answer.status_code == (200 if listed else 404)
    if listed:
        dated = {"shutdown_date" in model for model in answer.json()["data"]}
        assert dated == {name in ("openai", "openai-zdr", "gateway")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("store", True),
        ("truncation", "auto"),
        ("include", [SOURCES]),
        ("previous_response_id", "resp_0"),
    ],
)
async def test_groq_refuses_what_needs_a_store_by_its_name(name: str, value: object) -> None:
    async with served("groq") as http:
        status, body = await posted(http, **{name: value})

    assert status == 400
    assert (body["error"]["param"], body["error"]["code"]) == (name, "unsupported_parameter")


async def test_groq_takes_what_is_switched_off_and_searches_with_its_browser() -> None:
    async with served("groq") as http:
        status, response = await posted(http, store=False, tools=[{"type": "browser_search"}])
        other, body = await posted(http, tools=[{"type": "web_search"}])

    assert (status, response["status"]) == (200, "completed")
    assert searches_of(response)
    assert (other, body["error"]["param"]) == (400, "tools[0].type")


async def test_strict_gateway_forbids_fields_as_fastapi_does() -> None:
    async with served("gateway-422") as http:
        named = await posted(http, safety_identifier="x")
        unknown = await posted(http, unheard_of=1)
        inner = await posted(http, tools=[{"type": "web_search", "depth": 1}])
        other = await posted(http, temperature=1)

    def forbidden(*place: object) -> tuple[int, Json]:
        fault = {
            "type": "extra_forbidden",
            "loc": ["body", *place],
            "msg": "Extra inputs are not permitted",
        }
        return 422, {"detail": [fault]}

    assert named == forbidden("safety_identifier")
    assert unknown == forbidden("unheard_of")
    assert inner == forbidden("tools", 0, "depth")
    assert other == (
        400,
        {"detail": "Unsupported parameter: 'temperature' is not supported with this model."},
    )


async def test_plain_gateway_refuses_by_name_and_streams_little() -> None:
    async with served("gateway-400") as http:
        status, body = await posted(http, metadata={"channel": "C1"})
        told = await stream(http)
        page = await http.get("/models")

    assert (status, body["error"]["param"]) == (400, "metadata")
    assert body["error"]["code"] == "unsupported_parameter"
    assert (told[-1]["response"]["output"], told[-1]["response"]["usage"]) == ([], None)
    assert page.headers["content-type"].startswith("text/html")
    assert page.text.startswith("<!DOCTYPE html>")


async def test_digitalocean_answers_a_look_up_with_a_page_of_html() -> None:
    async with served("digitalocean") as http:
        _, response = await posted(http, store=True, background=True)
        page = await http.get(f"/responses/{response['id']}")

    assert (response["store"], response["status"]) == (True, "completed")
    assert (page.status_code, page.text[:15]) == (404, "<!DOCTYPE html>")


NO_BACKGROUND = "Unsupported parameter: 'background' is not supported."
NO_BACKGROUND_AT_VLLM = (
    "This vLLM engine does not support `store=True` and therefore does not support the background "
    "mode. To enable these features, set the environment variable "
    "`VLLM_ENABLE_RESPONSES_API_STORE=1` when launching the vLLM server."
)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vllm", NO_BACKGROUND_AT_VLLM),
        ("sglang", NO_STORE),
        *[
            (name, NO_BACKGROUND)
            for name in ("lm-studio", "llama.cpp", "groq", "bedrock-runtime", "litellm-bridged")
        ],
    ],
)
async def test_background_is_refused(name: str, message: str) -> None:
    async with served(name) as http:
        status, body = await posted(http, background=True)

    assert (status, body["error"]["message"]) == (400, message)


@pytest.mark.parametrize(
    "name",
    ["openai", "azure", "vllm-store", "sglang-store", "litellm", "perplexity", "bedrock-mantle"],
)
async def test_response_in_the_background_is_fetched(name: str) -> None:
    async with served(name) as http:
        _, begun = await posted(http, background=True)
        ended = (await http.get(f"/responses/{begun['id']}")).json()

    assert (begun["id"], begun["background"]) == (ended["id"], True)
    assert ended["status"] == "completed"


async def test_zdr_organisation_keeps_nothing() -> None:
    async with served("openai-zdr") as http:
        response = await ask(http, store=True)
        fetched = await http.get(f"/responses/{response['id']}")

    assert (response["store"], fetched.status_code) == (False, 404)


async def test_openai_is_the_measure() -> None:
    async with served("openai") as http:
        answer = await http.post("/responses", json=asking(include=[SOURCES]))

    assert searches_of(answer.json())[0]["sources"][1]["url"] == f"{PAGE}?utm_source=openai"
