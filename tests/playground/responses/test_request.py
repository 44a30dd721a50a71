from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.playground.responses.wire import SEARCH, ask, asking, refusal

if TYPE_CHECKING:
    import httpx

    from bot.playground.responses import LocalResponses


def tool(**fields: object) -> dict[str, Any]:
    return asking(tools=[{"type": "web_search"} | fields])


def said(role: str, part: str) -> dict[str, Any]:
    return asking([{"role": role, "content": [{"type": part, "text": "x"}]}])


MALFORMED = [
    pytest.param({"input": "x"}, "model", "missing_required_parameter", id="no model"),
    pytest.param({"model": "m"}, "input", "missing_required_parameter", id="no input"),
    pytest.param(asking(colour="blue"), "colour", "unknown_parameter", id="unknown field"),
    pytest.param(asking(5), "input", "invalid_type", id="input is a number"),
    pytest.param(asking(stream="yes"), "stream", "invalid_type", id="switch is a text"),
    pytest.param(asking(model=4), "model", "invalid_type", id="model is a number"),
    pytest.param(asking(instructions=["x"]), "instructions", "invalid_type", id="instructions"),
    pytest.param(asking(temperature=0.2), "temperature", None, id="temperature"),
    pytest.param(asking(top_p=0.2), "top_p", None, id="top_p"),
    pytest.param(
        asking(max_output_tokens=15),
        "max_output_tokens",
        "integer_below_min_value",
        id="fewer than 16 tokens",
    ),
    pytest.param(asking(max_tool_calls=True), "max_tool_calls", "invalid_type", id="true calls"),
    pytest.param(
        asking(metadata={str(n): "x" for n in range(17)}),
        "metadata",
        "object_above_max_properties",
        id="17 pairs of metadata",
    ),
    pytest.param(
        asking(metadata={"k" * 65: "x"}), "metadata", "string_above_max_length", id="long key"
    ),
    pytest.param(
        asking(metadata={"k": "x" * 513}), "metadata.k", "string_above_max_length", id="long value"
    ),
    pytest.param(asking(metadata={"k": 1}), "metadata.k", "invalid_type", id="number as value"),
    pytest.param(
        asking(safety_identifier="x" * 129),
        "safety_identifier",
        "string_above_max_length",
        id="long safety identifier",
    ),
    pytest.param(asking(include=["sources"]), "include[0]", "invalid_value", id="include"),
    pytest.param(
        asking(include=["reasoning.encrypted_content"]), "include", None, id="encrypted and stored"
    ),
    pytest.param(asking(truncation="left"), "truncation", "invalid_value", id="truncation"),
    pytest.param(
        asking(reasoning={"effort": "huge"}), "reasoning.effort", "invalid_value", id="effort"
    ),
    pytest.param(
        asking(reasoning={"depth": 1}), "reasoning.depth", "unknown_parameter", id="reasoning"
    ),
    pytest.param(
        asking(text={"verbosity": "long"}), "text.verbosity", "invalid_value", id="verbosity"
    ),
    pytest.param(
        asking(stream_options={"include_obfuscation": False}),
        "stream_options",
        None,
        id="stream options without a stream",
    ),
    pytest.param(
        asking(conversation="conv_1", previous_response_id="resp_1"),
        None,
        "mutually_exclusive_parameters",
        id="chain and conversation",
    ),
    pytest.param(asking(prompt={"id": "x"}), "prompt", "unsupported_parameter", id="prompt"),
    pytest.param(said("robot", "input_text"), "input[0].role", "invalid_value", id="role"),
    pytest.param(
        said("user", "output_text"), "input[0].content[0].type", "invalid_value", id="user part"
    ),
    pytest.param(
        said("assistant", "input_text"),
        "input[0].content[0].type",
        "invalid_value",
        id="assistant part",
    ),
    pytest.param(
        asking([{"role": "user"}]), "input[0].content", "missing_required_parameter", id="silent"
    ),
    pytest.param(
        asking([{"type": "reasoning", "id": "rs_1", "summary": [], "status": "completed"}]),
        "input[0].status",
        "unknown_parameter",
        id="status of a reasoning item",
    ),
    pytest.param(
        asking(
            [{"type": "reasoning", "id": "rs_1", "summary": []}, {"role": "user", "content": "x"}]
        ),
        "input",
        None,
        id="reasoning without what it led to",
    ),
    pytest.param(asking([5]), "input[0]", "invalid_type", id="item is a number"),
    pytest.param(
        asking([{"role": "user", "content": 5}]), "input[0].content", "invalid_type", id="content"
    ),
    pytest.param(
        asking([{"role": "assistant", "content": 5}]),
        "input[0].content",
        "invalid_type",
        id="assistant's content",
    ),
    pytest.param(
        asking([{"role": "user", "content": "x", "phase": "commentary"}]),
        "input[0].phase",
        "unknown_parameter",
        id="phase of a user",
    ),
    pytest.param(asking([{"type": "robot"}]), "input[0].type", "invalid_value", id="item"),
    pytest.param(asking([{"type": 5}]), "input[0].type", "invalid_type", id="type of an item"),
    pytest.param(asking(metadata=[]), "metadata", "invalid_type", id="metadata is a list"),
    pytest.param(asking(truncation=1), "truncation", "invalid_type", id="truncation is a number"),
    pytest.param(asking(conversation="c"), "conversation", "unsupported_parameter", id="conv"),
    pytest.param(asking(tool_choice=5), "tool_choice", "invalid_type", id="choice is a number"),
    pytest.param(
        asking(tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [SEARCH]}),
        "tool_choice",
        None,
        id="search among allowed tools",
    ),
    pytest.param(
        tool(filters={"allowed_domains": [5]}),
        "tools[0].filters.allowed_domains[0]",
        "invalid_type",
        id="domain is a number",
    ),
    pytest.param(asking(tools=[5]), "tools[0]", "invalid_type", id="tool is a number"),
    pytest.param(asking(tools={}), "tools", "invalid_type", id="tools is an object"),
    pytest.param(asking(tools=[{}]), "tools[0].type", "missing_required_parameter", id="no type"),
    pytest.param(
        asking(tools=[{"type": "search"}]), "tools[0].type", "invalid_value", id="unknown tool"
    ),
    pytest.param(asking(tools=[{"type": "mcp"}]), "tools[0]", None, id="tool hosted elsewhere"),
    pytest.param(
        tool(search_context_size="huge"),
        "tools[0].search_context_size",
        "invalid_value",
        id="size of the search",
    ),
    pytest.param(tool(depth=1), "tools[0].depth", "unknown_parameter", id="tool's unknown field"),
    pytest.param(
        tool(user_location={"country": "DE"}),
        "tools[0].user_location.type",
        "missing_required_parameter",
        id="location without a type",
    ),
    pytest.param(
        tool(user_location={"type": "approximate", "country": "Germany"}),
        "tools[0].user_location.country",
        "invalid_value",
        id="country by name",
    ),
    pytest.param(
        tool(filters={"allowed_domains": ["https://example.org"]}),
        "tools[0].filters.allowed_domains[0]",
        "invalid_value",
        id="domain with a scheme",
    ),
    pytest.param(
        tool(filters={"blocked_domains": ["example.org/path"]}),
        "tools[0].filters.blocked_domains[0]",
        "invalid_value",
        id="domain with a path",
    ),
    pytest.param(
        tool(filters={"allowed_domains": [f"{n}.example.org" for n in range(101)]}),
        "tools[0].filters.allowed_domains",
        "array_above_max_length",
        id="101 domains",
    ),
    pytest.param(
        asking(tools=[{"type": "web_search_preview", "filters": {}}]),
        "tools[0].filters",
        "unknown_parameter",
        id="filters of the preview",
    ),
    pytest.param(
        asking(tools=[], tool_choice="required"), "tool_choice", None, id="required without tools"
    ),
    pytest.param(
        asking(tool_choice={"type": "web_search_preview"}), "tool_choice", None, id="absent choice"
    ),
    pytest.param(asking(tool_choice="maybe"), "tool_choice", "invalid_value", id="choice"),
    pytest.param(
        asking(model="gpt-5", reasoning={"effort": "minimal"}), "tools", None, id="minimal effort"
    ),
    pytest.param(
        asking(model="o3-deep-research"), "tools", None, id="deep research with web_search"
    ),
    pytest.param(
        asking(previous_response_id="thread_1"),
        "previous_response_id",
        "invalid_value",
        id="malformed parent",
    ),
]


@pytest.mark.parametrize(("body", "param", "code"), MALFORMED)
async def test_malformed_request_is_refused_by_name(
    http: httpx.AsyncClient, body: object, param: str | None, code: str | None
) -> None:
    status, error = await refusal(http, body)

    assert status == 400
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)


async def test_refusal_of_temperature_is_worded_as_recorded(http: httpx.AsyncClient) -> None:
    _, error = await refusal(http, asking(temperature=1))

    assert error["message"] == (
        "Unsupported parameter: 'temperature' is not supported with this model."
    )


async def test_malformed_parent_id_says_how_an_id_begins(http: httpx.AsyncClient) -> None:
    _, error = await refusal(http, asking(previous_response_id="thread_1"))

    assert error["message"].endswith("Expected an ID that begins with 'resp'.")


@pytest.mark.parametrize("content", [b"", b"{", b"what?"])
async def test_body_that_is_no_json_is_refused(http: httpx.AsyncClient, content: bytes) -> None:
    answer = await http.post("/responses", content=content)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("We could not parse the JSON body")


async def test_body_that_is_a_list_is_refused(http: httpx.AsyncClient) -> None:
    status, error = await refusal(http, [])

    assert (status, error["code"]) == (400, "invalid_type")


ACCEPTED = [
    pytest.param(asking(metadata={str(n): "x" * 512 for n in range(16)}), id="full metadata"),
    pytest.param(asking(safety_identifier="x" * 128), id="longest safety identifier"),
    pytest.param(asking(max_output_tokens=16), id="fewest tokens"),
    pytest.param(asking(temperature=None, previous_response_id=None), id="null is left out"),
    pytest.param(
        tool(filters={"allowed_domains": ["example.org"], "blocked_domains": ["a.example.org"]}),
        id="allowed and blocked domains",
    ),
    pytest.param(tool(user_location={"type": "approximate"}), id="location of a type only"),
    pytest.param(asking(tools=[{"type": "web_search_preview"}]), id="preview"),
    pytest.param(asking(tool_choice={"type": "web_search"}), id="choice of the tool"),
    pytest.param(
        asking(reasoning={"effort": "high", "summary": "auto"}, text={"verbosity": "low"}),
        id="effort and verbosity",
    ),
    pytest.param(
        asking(
            [
                {"type": "message", "role": "user", "content": "x"},
                {"type": "message", "role": "assistant", "content": "y"},
                {"type": "message", "role": "user", "content": "z"},
            ]
        ),
        id="earlier turns replayed",
    ),
    pytest.param(said("assistant", "output_text"), id="assistant's part"),
    pytest.param(asking(stream=False, store=False, background=False), id="switches off"),
]


@pytest.mark.parametrize("body", ACCEPTED)
async def test_request_in_order_is_answered(http: httpx.AsyncClient, body: object) -> None:
    answer = await http.post("/responses", json=body)

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] in ("completed", "incomplete")


async def test_output_of_a_response_can_be_sent_back_as_input(http: httpx.AsyncClient) -> None:
    first = await ask(http, reasoning={"effort": "low"})

    second = await ask(http, [*first["output"], {"role": "user", "content": "And weekly?"}])

    assert second["status"] == "completed"


async def test_refused_request_is_remembered_with_its_body(
    http: httpx.AsyncClient, responses: LocalResponses
) -> None:
    await refusal(http, asking(temperature=1))

    assert responses.creates == [asking(temperature=1)]
    assert responses.stored == {}
