from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest

from bot.digests.output import read_digest
from bot.digests.prompt import FORM, numbered, told, told_again
from bot.playground.responses import LocalResponses, Profile
from bot.playground.responses.answering import STAND_IN
from bot.playground.responses.schema import least
from tests.digests.readings import message
from tests.playground.responses.wire import ask, asking, open_http, refusal, stream, text_of

if TYPE_CHECKING:
    import httpx

Json = dict[str, Any]

TEXT = {"type": "string"}


def an_object(**properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def an_array(items: Json) -> Json:
    return {"type": "array", "items": items}


CLAIM = an_object(text=TEXT, messages=an_array(TEXT))
ACTION = an_object(text=TEXT, owner={"type": ["string", "null"]}, messages=an_array(TEXT))
DIGEST = an_object(
    topics=an_array(
        an_object(
            title=TEXT,
            summary=an_array(CLAIM),
            decisions=an_array(CLAIM),
            open_questions=an_array(CLAIM),
            action_items=an_array(ACTION),
        )
    )
)
QUESTIONS = an_object(questions=an_array(TEXT), why=TEXT)


def shaped(schema: object, *, strict: bool = True) -> Json:
    return {"format": {"type": "json_schema", "name": "it", "strict": strict, "schema": schema}}


async def answer(http: httpx.AsyncClient, question: str, schema: Json) -> Any:  # noqa: ANN401 - JSON
    return json.loads(text_of(await ask(http, question, text=shaped(schema), tools=[])))


def channel(*messages: tuple[str, str, str]) -> str:
    """Tell messages as JSON lines, each with its thread, its writer and its text."""
    return "\n".join(
        json.dumps({"id": f"m{number}", "thread": thread, "name": name, "text": text})
        for number, (thread, name, text) in enumerate(messages, 1)
    )


CHANNEL = channel(
    ("t1", "Ana", "The roof of the office leaks again. What do we do?"),
    ("t1", "Ben", "We decided last week to have it mended."),
    ("t1", "Ana", "I will call the roofer tomorrow."),
    ("t2", "Carla", "Is the party on Friday or on Saturday?"),
    ("t3", "Dan", "Ben, can you order the cake?"),
    ("t4", "Eve", "The rain came through the roof of the office on the second floor."),
    ("t5", "Eve", "Thanks!"),
)


async def test_a_digest_is_made_of_the_messages_and_names_the_right_ones(
    http: httpx.AsyncClient,
) -> None:
    roof, *others = (await answer(http, CHANNEL, DIGEST))["topics"]

    assert roof == {
        "title": "The roof of the office leaks again",
        "summary": [
            {"text": "Ana: The roof of the office leaks again.", "messages": ["m1"]},
            {"text": "Ben: We decided last week to have it mended.", "messages": ["m2"]},
            {
                "text": "Eve: The rain came through the roof of the office on the second floor.",
                "messages": ["m6"],
            },
        ],
        "decisions": [{"text": "We decided last week to have it mended.", "messages": ["m2"]}],
        "open_questions": [],
        "action_items": [
            {"text": "Ana: I will call the roofer tomorrow.", "owner": "Ana", "messages": ["m3"]}
        ],
    }
    party, cake = others
    assert party["open_questions"] == [
        {"text": "Is the party on Friday or on Saturday?", "messages": ["m4"]}
    ]
    assert cake["open_questions"] == []
    assert cake["action_items"] == [
        {"text": "Dan: Ben, can you order the cake?", "owner": "Ben", "messages": ["m5"]}
    ]


async def test_the_lines_of_parts_are_put_under_their_topics_again(http: httpx.AsyncClient) -> None:
    lines = [
        {"topic": "Roof", "kind": "summary", "text": "It leaks.", "messages": ["m1"]},
        {"topic": "Party", "kind": "open_question", "text": "When?", "messages": ["m4"]},
        {
            "topic": "Roof",
            "kind": "action_item",
            "text": "Call.",
            "owner": "Ana",
            "messages": ["m3"],
        },
    ]

    roof, party = (await answer(http, "\n".join(map(json.dumps, lines)), DIGEST))["topics"]

    assert (roof["title"], party["title"]) == ("Roof", "Party")
    assert roof["summary"] == [{"text": "It leaks.", "messages": ["m1"]}]
    assert roof["action_items"] == [{"text": "Call.", "owner": "Ana", "messages": ["m3"]}]
    assert party["open_questions"] == [{"text": "When?", "messages": ["m4"]}]


@pytest.mark.parametrize(
    "text",
    [
        "Hello.",
        "{",
        "[]\n3\nnull",
        '{"id": "m1"}\n{"text": "x"}',
        '{"id": 1, "text": 2, "name": null}',
        '{"kind": "summary"}',
        "[" * 5_000,
        channel(("t1", "Ana", ""), ("t1", "Ana", "\n\n")),
    ],
)
async def test_whatever_is_said_a_digest_fits_its_shape(http: httpx.AsyncClient, text: str) -> None:
    assert set(await answer(http, text, DIGEST)) == {"topics"}


@pytest.mark.parametrize(
    ("question", "count"),
    [
        ("What is our churn?", 2),
        ("The best database?", 2),
        ("Which four hours are the hottest in Madrid?", 0),
        ("Which of the databases that ran on our machines in 2025 had the best latency?", 0),
    ],
)
async def test_a_vague_question_is_asked_back(
    http: httpx.AsyncClient, question: str, count: int
) -> None:
    asked = await answer(http, question, QUESTIONS)

    assert len(asked["questions"]) == count
    assert all(one.endswith("?") for one in asked["questions"])
    assert asked["why"] == ""


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (an_object(a=TEXT, b=an_array(TEXT)), {"a": "", "b": []}),
        (an_object(a={"type": ["string", "null"]}, b={"type": "integer"}), {"a": None, "b": 0}),
        (an_object(a={"enum": ["x", "y"]}, b={"const": 7}), {"a": "x", "b": 7}),
        (an_object(a={"anyOf": [TEXT, {"type": "null"}]}), {"a": None}),
        (an_object(a={"anyOf": [an_object(b=TEXT), TEXT]}), {"a": {"b": ""}}),
        (
            an_object(a={"$ref": "#/$defs/b"}) | {"$defs": {"b": an_object(c={"type": "boolean"})}},
            {"a": {"c": False}},
        ),
    ],
)
async def test_any_other_shape_gets_the_least_that_fits(
    http: httpx.AsyncClient, schema: Json, value: Json
) -> None:
    assert await answer(http, "What is our best?", schema) == value


def test_a_schema_that_holds_itself_has_an_end() -> None:
    node = an_object(next={"$ref": "#"})

    assert json.dumps(least(node)).endswith("null" + "}" * json.dumps(least(node)).count("{"))


async def test_an_answer_in_a_shape_is_streamed_like_any_other(http: httpx.AsyncClient) -> None:
    events = await stream(http, CHANNEL, text=shaped(DIGEST), tools=[])
    deltas = [event["delta"] for event in events if event["type"].endswith("output_text.delta")]

    assert len(deltas) > 5
    assert json.loads("".join(deltas))["topics"]
    assert "".join(deltas) == text_of(events[-1]["response"])


async def test_an_answer_in_a_shape_ends_where_its_tokens_do(http: httpx.AsyncClient) -> None:
    response = await ask(http, CHANNEL, text=shaped(DIGEST), tools=[], max_output_tokens=16)

    assert response["status"] == "incomplete"
    assert len(text_of(response)) == 64


OPEN = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}
FALSE = "'additionalProperties' is required to be supplied and to be false."
MISSING = (
    "'required' is required to be supplied and to be an array including every key in properties. "
    "Missing 'a'."
)


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        pytest.param(OPEN, f"In context=(), {FALSE}", id="open"),
        pytest.param(
            OPEN | {"additionalProperties": True}, f"In context=(), {FALSE}", id="told so"
        ),
        pytest.param(
            an_object(x=an_array(OPEN)),
            f"In context=('properties', 'x', 'items'), {FALSE}",
            id="open inside",
        ),
        pytest.param(
            an_object(x={"anyOf": [TEXT, OPEN]}),
            f"In context=('properties', 'x', 'anyOf', '1'), {FALSE}",
            id="open in a choice",
        ),
        pytest.param(
            an_object(x=TEXT) | {"$defs": {"y": OPEN}},
            f"In context=('$defs', 'y'), {FALSE}",
            id="open in a definition",
        ),
        pytest.param(
            an_object(a=TEXT) | {"required": []}, f"In context=(), {MISSING}", id="not required"
        ),
        pytest.param(
            {"type": "object", "properties": {"a": TEXT}, "additionalProperties": False},
            f"In context=(), {MISSING}",
            id="nothing required",
        ),
        pytest.param(
            an_array(TEXT),
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'.",
            id="no object",
        ),
        pytest.param("object", "'object' is not of type 'object'.", id="no schema"),
    ],
)
async def test_a_strict_schema_that_is_open_is_refused(
    http: httpx.AsyncClient, schema: object, what: str
) -> None:
    assert await refusal(http, asking(text=shaped(schema))) == (
        400,
        {
            "message": f"Invalid schema for response_format 'it': {what}",
            "type": "invalid_request_error",
            "param": "text.format.schema",
            "code": "invalid_json_schema",
        },
    )


async def test_a_schema_that_is_not_strict_may_be_open(http: httpx.AsyncClient) -> None:
    response = await ask(http, "Hello?", text=shaped(OPEN, strict=False), tools=[])

    assert json.loads(text_of(response)) == {"a": ""}


@pytest.mark.parametrize("properties", [5, "a", [1], None])
async def test_what_is_no_schema_at_all_is_still_answered(
    http: httpx.AsyncClient, properties: object
) -> None:
    odd = {"type": "object", "properties": properties, "additionalProperties": False, "anyOf": 3}

    assert (await http.post("/responses", json=asking(text=shaped(odd)))).status_code == 200


async def test_a_plain_answer_is_as_before(http: httpx.AsyncClient) -> None:
    text = {"format": {"type": "text"}, "verbosity": "low"}

    assert text_of(await ask(http, text=text)) == text_of(await ask(http))


async def test_a_brief_is_made_of_the_question(http: httpx.AsyncClient) -> None:
    response = await ask(
        http, "Which heat pumps work\nbelow -20 °C?", instructions="# Brief\n\nWrite it.", tools=[]
    )
    lines = text_of(response).splitlines()

    assert len(lines) == 3
    assert lines[0] == "Find out: Which heat pumps work below -20 °C?"
    assert "heat, pumps, below, 20" in lines[1]


async def test_a_server_that_reads_no_shape_answers_in_words() -> None:
    profile = Profile(delta_seconds=0, ignored_parameters=("text",))
    async with LocalResponses.start(profile=profile) as server, open_http(server) as http:
        response = await ask(http, "How do I ask?", text=shaped(DIGEST))

    assert text_of(response).endswith(STAND_IN)


async def test_what_the_bot_tells_comes_back_as_a_digest_that_it_believes(
    http: httpx.AsyncClient,
) -> None:
    known = numbered(
        [
            message(1, 'The roof leaks again.\nIgnore this: "}]} <!channel>'),
            message(2, "Agreed: we mend it.", thread=1, name="Ben"),
            message(3, "I'll call the roofer.", thread=1),
            message(5, "Who brings the cake?", name="Carla"),
        ]
    )
    written = told(list(known.values()), known, UTC)
    answered = text_of(await ask(http, written, text=shaped(FORM.schema), tools=[]))

    digest = read_digest(answered, known)
    again = text_of(
        await ask(http, told_again([digest], known), text=shaped(FORM.schema), tools=[])
    )

    roof, cake = digest.topics
    assert [one.text for one in roof.of("decision")] == ["Agreed: we mend it."]
    assert [(one.text, one.owner) for one in roof.of("action_item")] == [
        ("Ana: I'll call the roofer.", "Ana")
    ]
    assert [one.text for one in cake.of("open_question")] == ["Who brings the cake?"]
    assert (digest.dropped_messages, digest.dropped_claims) == (0, 0)
    assert read_digest(again, known) == digest
