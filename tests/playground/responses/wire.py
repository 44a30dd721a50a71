"""Requests to the local Responses server, and what comes back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from bot.playground.responses import LocalResponses

SEARCH = [{"type": "web_search"}]
SOURCES = "web_search_call.action.sources"

Json = dict[str, Any]


def open_http(responses: LocalResponses) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=responses.base_url,
        headers={"Authorization": f"Bearer {responses.api_key}"},
        trust_env=False,
        timeout=10,
    )


def asking(question: object = "How do I ask a question?", **fields: object) -> Json:
    return {"model": "gpt-6.1-sol", "input": question, "tools": SEARCH} | fields


async def ask(
    http: httpx.AsyncClient, question: object = "How do I ask?", **fields: object
) -> Json:
    answer = await http.post("/responses", json=asking(question, **fields))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def refusal(http: httpx.AsyncClient, body: object) -> tuple[int, Json]:
    answer = await http.post("/responses", json=body)
    return answer.status_code, answer.json()["error"]


async def raw_stream(
    http: httpx.AsyncClient, question: object = "How do I ask?", **fields: object
) -> str:
    answer = await http.post("/responses", json=asking(question, stream=True, **fields))
    assert answer.status_code == 200, answer.text
    return answer.text


async def stream(
    http: httpx.AsyncClient, question: object = "How do I ask?", **fields: object
) -> list[Json]:
    return events(await raw_stream(http, question, **fields))


def events(raw: str) -> list[Json]:
    lines = [line[6:] for line in raw.split("\n") if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def text_of(response: Json) -> str:
    return "".join(
        part["text"]
        for item in response["output"]
        if item["type"] == "message"
        for part in item["content"]
    )


def citations_of(response: Json) -> list[Json]:
    return [
        citation
        for item in response["output"]
        if item["type"] == "message"
        for part in item["content"]
        for citation in part["annotations"]
    ]


def searches_of(response: Json) -> list[Json]:
    return [item["action"] for item in response["output"] if item["type"] == "web_search_call"]
