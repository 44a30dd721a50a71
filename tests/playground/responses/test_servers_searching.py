from __future__ import annotations

import pytest

from tests.playground.responses.serving import plain, posted, served
from tests.playground.responses.wire import (
    SOURCES,
    Json,
    ask,
    citations_of,
    events,
    raw_stream,
    searches_of,
    stream,
    text_of,
)

PAGE = "https://footnote.example/handbook/asking"
WITHOUT_SEARCH = ["lm-studio", "sglang", "llama.cpp", "bedrock-mantle", "upstage", "deepseek"]
INVALID_PROMPT = {
    "error": {"code": "invalid_prompt", "message": "Invalid Responses API request"},
    "metadata": None,
}


@pytest.mark.parametrize("name", WITHOUT_SEARCH)
async def test_server_without_a_search_refuses_the_tool(name: str) -> None:
    async with served(name) as http:
        status, body = await posted(http, tools=[{"type": "web_search"}])

    assert status == 400
    assert body["error"]["param"] == "tools"
    assert "'web_search'" in body["error"]["message"]


async def test_azure_leaves_a_search_searching_and_links_by_title() -> None:
    async with served("azure") as http:
        response = await ask(http)

    calls = [item for item in response["output"] if item["type"] == "web_search_call"]
    text, found = text_of(response), citations_of(response)
    assert {call["status"] for call in calls} == {"searching"}
    assert found
    for one in found:
        link = text[one["start_index"] : one["end_index"]]
        assert link == f"[{one['title']}]({one['url']})"
    assert response["content_filters"][0]["blocked"] is False


async def test_azure_takes_a_key_only_by_its_name_there() -> None:
    async with served("azure") as http:
        key = http.headers.pop("api-key")
        as_bearer = await http.post(
            "/responses", json=plain(), headers={"Authorization": f"Bearer {key}"}
        )

    assert as_bearer.status_code == 401
    assert str(http.base_url).endswith("/openai/v1/")


async def test_openrouter_searches_with_its_own_tool_and_places_no_annotation() -> None:
    tool = {
        "type": "openrouter:web_search",
        "parameters": {
            "engine": "exa",
            "max_results": 5,
            "allowed_domains": ["footnote.example"],
            "excluded_domains": ["other.example"],
            "search_context_size": "low",
        },
    }
    async with served("openrouter") as http:
        response = await ask(http, tools=[tool])
        raw = await raw_stream(http, tools=[tool])

    kinds = [item["type"] for item in response["output"]]
    assert kinds == ["openrouter:web_search", "openrouter:web_search", "message"]
    assert response["output"][0]["action"] == {"type": "search", "query": "ask"}
    assert citations_of(response)[0] == {
        "type": "url_citation",
        "url": PAGE,
        "title": citations_of(response)[0]["title"],
        "start_index": 0,
        "end_index": 0,
    }
    assert "](http" not in text_of(response)
    assert response["id"].startswith("gen-")
    assert response["usage"]["cost"] > 0
    assert not {"store", "previous_response_id"} & response.keys()
    assert "\n\n: OPENROUTER PROCESSING\n\n" in raw
    assert "event: response.web_search_call" not in raw
    assert raw.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"tools": [{"type": "web_search"}]}, id="OpenAI's tool"),
        pytest.param({"include": [SOURCES]}, id="sources"),
        pytest.param({"store": True}, id="store"),
        pytest.param({"background": True}, id="background"),
    ],
)
async def test_openrouter_says_of_no_request_what_is_wrong(fields: Json) -> None:
    async with served("openrouter") as http:
        answer = await posted(http, **fields)

    assert answer == (400, INVALID_PROMPT)


async def test_openrouter_keeps_to_the_domains_of_its_tool() -> None:
    tool = {"type": "openrouter:web_search", "parameters": {"allowed_domains": ["a.example"]}}
    async with served("openrouter") as http:
        response = await ask(http, tools=[tool])

    assert citations_of(response) == []


async def test_ollama_tells_of_searches_and_annotates_nothing() -> None:
    async with served("ollama") as http:
        response = await ask(http, tool_choice="required", background=True, unheard_of=1)

    assert searches_of(response)
    assert citations_of(response) == []
    assert (response["background"], response["tool_choice"]) == (False, "auto")
    assert response["id"].removeprefix("resp_").isdecimal()


async def test_vllm_searches_with_the_preview_and_ignores_every_other_tool() -> None:
    async with served("vllm") as http:
        ignored = await ask(http)
        searched = await ask(http, tools=[{"type": "web_search_preview"}])

    assert (ignored["tools"], searches_of(ignored)) == ([], [])
    assert searches_of(searched)
    assert citations_of(searched) == []


async def test_vllm_tells_its_reasoning_and_ends_every_stream_as_completed() -> None:
    async with served("vllm") as http:
        told = await stream(http, max_output_tokens=16)

    kinds = [event["type"] for event in told]
    parts = [kind for kind in kinds if kind.startswith("response.reasoning")]
    assert parts == [
        "response.reasoning_part.added",
        "response.reasoning_text.delta",
        "response.reasoning_text.done",
        "response.reasoning_part.done",
    ]
    assert (kinds[-1], told[-1]["response"]["status"]) == ("response.completed", "incomplete")


async def test_xai_numbers_its_links_and_lists_its_citations() -> None:
    tool = {"type": "web_search", "filters": {"allowed_domains": ["footnote.example"]}}
    async with served("xai") as http:
        response = await ask(http, tools=[tool])

    assert citations_of(response)[0] == {"type": "url_citation", "url": PAGE}
    assert f".[[1]]({PAGE})" in text_of(response)
    assert response["citations"][0] == PAGE
    assert response["usage"]["num_sources_used"] == len(response["citations"])
    assert response["usage"]["server_side_tool_usage_details"] == {"web_search_calls": 2}
    assert len(response["id"]) == 36


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"search_context_size": "low"}, id="context size"),
        pytest.param({"filters": {"blocked_domains": ["a.example"]}}, id="blocked domains"),
        pytest.param(
            {"filters": {"excluded_domains": [f"{n}.example" for n in "abcdef"]}}, id="6 domains"
        ),
    ],
)
async def test_xai_refuses_what_its_search_does_not_have(fields: Json) -> None:
    async with served("xai") as http:
        status, body = await posted(http, tools=[{"type": "web_search"} | fields])

    assert status == 400
    assert body["code"] == "invalid-argument"
    assert next(iter(fields)) in body["error"]


async def test_xai_leaves_excluded_domains_out() -> None:
    filters = {"excluded_domains": ["footnote.example"]}
    async with served("xai") as http:
        response = await ask(http, tools=[{"type": "web_search", "filters": filters}])

    assert response["citations"] == []


async def test_xai_lists_its_citations_at_the_end_of_a_stream_only() -> None:
    async with served("xai") as http:
        told = await stream(http, tools=[{"type": "web_search"}])

    assert "citations" not in told[0]["response"]
    assert told[-1]["response"]["citations"] == [PAGE]


async def test_older_xai_tells_a_search_by_name_and_arguments() -> None:
    async with served("xai-older") as http:
        response = await ask(http)

    searched, opened = [i for i in response["output"] if i["type"] == "web_search_call"]
    assert (searched["name"], searched["arguments"]) == ("web_search", '{"query": "ask"}')
    assert opened["name"] == "open_page"
    assert "action" not in searched


async def test_perplexity_marks_its_text_and_lists_results() -> None:
    tool = {"type": "web_search", "filters": {"search_domain_filter": ["footnote.example"]}}
    async with served("perplexity") as http:
        _, response = await posted(http, tools=[tool])
        told = events((await http.post("/responses", json=plain() | STREAMED)).text)

    results, message = response["output"]
    assert (results["type"], message["type"]) == ("search_results", "message")
    assert results["results"][0]["url"] == PAGE
    assert results["queries"] == ["ask"]
    assert ".[1]" in text_of(response)
    assert "](http" not in text_of(response)
    assert citations_of(response) == []
    assert response["usage"]["cost"]["total_cost"] > 0
    told_results = [e for e in told if e["type"] == "response.reasoning.search_results"]
    assert [event["results"][0]["url"] for event in told_results] == [PAGE]


STREAMED = {"stream": True, "tools": [{"type": "web_search"}]}


async def test_perplexity_leaves_out_a_domain_with_a_minus() -> None:
    tool = {"type": "web_search", "filters": {"search_domain_filter": ["-footnote.example"]}}
    async with served("perplexity") as http:
        _, response = await posted(http, tools=[tool])

    assert response["output"][0]["results"] == []


async def test_perplexity_wants_typed_items_and_fails_with_status_200() -> None:
    async with served("perplexity") as http:
        untyped = await posted(http, input=[{"role": "user", "content": "How?"}])
        streamed = await http.post(
            "/responses", json=plain() | {"previous_response_id": "resp_0", "stream": True}
        )

    status, body = untyped
    assert (status, body["error"]["param"]) == (400, "input[0].type")
    last = events(streamed.text)[-1]
    assert (streamed.status_code, last["type"]) == (200, "response.failed")
    assert last["response"]["error"]["code"] == "previous_response_not_found"


async def test_parallel_always_searches_and_annotates_the_claim() -> None:
    async with served("parallel") as http:
        response = await ask(http, model="parallel", tools=None)

    text, found = text_of(response), citations_of(response)
    claims = [text[one["start_index"] : one["end_index"]] for one in found]
    assert searches_of(response)
    assert "](http" not in text
    assert claims
    assert all(claim in text.split("\n") for claim in claims)


async def test_parallel_takes_what_it_has_no_use_for_and_one_search_tool() -> None:
    tool = {"type": "web_search", "search_context_size": "low"}
    async with served("parallel") as http:
        response = await ask(
            http, model="parallel", tools=[tool, {"type": "mcp"}], max_output_tokens=16, unheard=1
        )
        status, body = await posted(http, model="parallel", tools=[tool, tool])

    assert (response["status"], response["tools"]) == ("completed", [tool])
    assert (status, body["error"]["param"]) == (400, "tools")


async def test_parallel_keeps_to_the_domains_of_its_filters() -> None:
    tool = {"type": "web_search", "filters": {"blocked_domains": ["footnote.example"]}}
    async with served("parallel") as http:
        response = await ask(http, model="parallel", tools=[tool])

    assert citations_of(response) == []


async def test_databricks_and_qwen_search_without_filters() -> None:
    filtered = [{"type": "web_search", "filters": {"allowed_domains": ["a.example"]}}]
    for name in ("databricks", "qwen"):
        async with served(name) as http:
            response = await ask(http)
            status, body = await posted(http, tools=filtered)

        assert citations_of(response)
        assert (status, body["error"]["param"]) == (400, "tools[0].filters")


async def test_bridged_litellm_answers_from_a_search_that_it_does_not_show() -> None:
    async with served("litellm-bridged") as http:
        response = await ask(http)

    assert [item["type"] for item in response["output"]] == ["message"]
    assert citations_of(response)


async def test_litellm_wraps_ids_and_passes_everything_on() -> None:
    async with served("litellm") as http:
        response = await ask(http, background=True)
        fetched = await http.get(f"/responses/{response['id']}")
        listed = await http.get(f"/responses/{response['id']}/input_items")

    assert len(response["id"]) > 100
    assert fetched.json()["status"] == "completed"
    assert searches_of(fetched.json())
    assert listed.status_code == 200


async def test_laozhang_searches_for_gpt_and_grok() -> None:
    async with served("laozhang") as http:
        answers = [await ask(http, model=model) for model in ("gpt-6.1-sol", "grok-4.5")]
        raw = await raw_stream(http)

    assert all(searches_of(answer) for answer in answers)
    assert "event:" not in raw
    assert raw.endswith("data: [DONE]\n\n")


async def test_llama_cpp_sends_empty_comments() -> None:
    async with served("llama.cpp") as http:
        raw = await raw_stream(http, tools=None)

    assert "\n\n: \n\n" in raw
