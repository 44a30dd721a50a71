from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from pydantic import TypeAdapter

from bot.responses.dialect import OPENAI, PREVIEW, XAI, Search
from bot.responses.request import (
    OPTIONAL,
    RequestOptions,
    instructions_named,
    left_out,
    refuses_search,
    request_body,
)
from bot.turns.question import Asked, Exchange
from tests.responses.examples import ASKED, OPTIONS, a_turn, wire_json

if TYPE_CHECKING:
    from bot.turns.turn import Turn

OFFICIAL: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsStreaming)
EVERYTHING = RequestOptions(
    model="gpt-6.1-sol",
    instructions="Cite the pages you used.",
    search=Search(
        context_size="high",
        location=(
            ("country", "DE"),
            ("region", "Berlin"),
            ("city", "Berlin"),
            ("timezone", "Europe/Berlin"),
        ),
        allowed_domains=("example.org",),
        blocked_domains=("example.com",),
    ),
    reasoning_effort="low",
    verbosity="medium",
    max_tool_calls=12,
    max_output_tokens=8000,
    service_tier="flex",
    installation_key="this installation",
)


def test_a_first_question_is_asked_with_everything_it_needs() -> None:
    body = request_body(OPTIONS, ASKED, a_turn())

    hashed = body["safety_identifier"]
    assert body == {
        "model": "gpt-6.1-sol",
        "instructions": "Cite the pages you used.",
        "input": [
            {
                "type": "message",
                "role": "user",
                "content": [
                    {
                        "type": "input_text",
                        "text": 'Asked by "Colleague" (display name, chosen by the person).\n\n'
                        "What is new in Python 3.14?",
                    }
                ],
            }
        ],
        "stream": True,
        "store": True,
        "stream_options": {"include_obfuscation": False},
        "tools": [
            {
                "type": "web_search",
                "search_context_size": "medium",
                "user_location": {"type": "approximate"},
            }
        ],
        "include": ["web_search_call.action.sources"],
        "metadata": {
            "team": "T1",
            "channel": "C1",
            "thread_ts": "1795435200.000100",
            "turn": "7",
        },
        "safety_identifier": hashed,
        "prompt_cache_key": hashed,
    }


def test_a_follow_up_names_the_earlier_response_and_repeats_the_rest() -> None:
    first = request_body(OPTIONS, ASKED, a_turn())
    follow_up = request_body(OPTIONS, ASKED, a_turn(previous_response_id="resp_1"))

    assert follow_up == first | {"previous_response_id": "resp_1"}


def test_an_empty_earlier_id_is_none() -> None:
    body = request_body(OPTIONS, ASKED, a_turn(previous_response_id=""))

    assert "previous_response_id" not in body


def test_every_option_has_its_place_in_the_body() -> None:
    body = request_body(EVERYTHING, ASKED, a_turn())

    plain = request_body(OPTIONS, ASKED, a_turn())
    hashed = {"safety_identifier": body["safety_identifier"]}
    assert body == plain | hashed | {
        "prompt_cache_key": body["safety_identifier"],
        "tools": [
            {
                "type": "web_search",
                "search_context_size": "high",
                "user_location": {
                    "type": "approximate",
                    "country": "DE",
                    "region": "Berlin",
                    "city": "Berlin",
                    "timezone": "Europe/Berlin",
                },
                "filters": {
                    "allowed_domains": ["example.org"],
                    "blocked_domains": ["example.com"],
                },
            }
        ],
        "reasoning": {"effort": "low"},
        "text": {"verbosity": "medium"},
        "max_tool_calls": 12,
        "max_output_tokens": 8000,
        "service_tier": "flex",
    }


def test_without_a_tool_nothing_of_the_search_is_sent() -> None:
    body = request_body(replace(EVERYTHING, dialects=()), ASKED, a_turn())

    assert not {"tools", "include"} & body.keys()


def test_what_a_gateway_refuses_can_be_left_out() -> None:
    options = replace(OPTIONS, include_sources=False, include_obfuscation=None)

    body = request_body(options, ASKED, a_turn())

    assert not {"stream_options", "include"} & body.keys()


def test_a_server_that_does_not_name_its_sources_is_not_asked_for_them() -> None:
    assert "include" not in request_body(replace(OPTIONS, dialects=(XAI,)), ASKED, a_turn())


def test_what_a_server_is_known_not_to_take_is_never_sent() -> None:
    options = replace(OPTIONS, never_sent=frozenset({"store"}))

    everything = request_body(OPTIONS, ASKED, a_turn())
    assert request_body(options, ASKED, a_turn()).keys() == everything.keys() - {"store"}


def test_a_thread_that_is_told_again_has_no_message_for_an_answer_that_nobody_kept() -> None:
    earlier = (Exchange("How far?", None, "384,400 km."), Exchange("Why?", None, ""))

    body = request_body(OPTIONS, Asked("And now?", None, earlier), a_turn())

    said = [(message["role"], _said(message)) for message in _messages(body)]
    assert said == [
        ("user", "How far?"),
        ("assistant", "384,400 km."),
        ("user", "Why?"),
        ("user", "And now?"),
    ]


def test_half_a_character_of_an_earlier_answer_does_not_keep_a_question_from_being_sent() -> None:
    asked = Asked("Why?", None, (Exchange("How far?", None, "rocket \ud83d"),))

    body = request_body(OPTIONS, asked, a_turn())

    assert _said(_messages(body)[1]) == "rocket \N{REPLACEMENT CHARACTER}"


def test_no_value_of_the_metadata_is_longer_than_the_api_takes() -> None:
    body = request_body(OPTIONS, ASKED, _turn_in(channel="C" * 600))

    metadata: Any = body["metadata"]
    assert len(metadata["channel"]) == 512


def test_a_long_chain_is_shortened_by_the_server_and_a_thread_that_is_told_is_not() -> None:
    options = replace(OPTIONS, compact_threshold=200_000)

    follow_up = request_body(options, ASKED, a_turn(previous_response_id="resp_1"))

    assert follow_up["context_management"] == [{"type": "compaction", "compact_threshold": 200_000}]
    assert "context_management" not in request_body(options, ASKED, a_turn())


def test_what_a_server_does_not_support_is_left_out() -> None:
    options = replace(EVERYTHING, compact_threshold=1_000)

    body = request_body(options, ASKED, a_turn(previous_response_id="resp_1"), OPTIONAL)

    assert body.keys() == {
        "model",
        "instructions",
        "input",
        "stream",
        "tools",
        "previous_response_id",
    }
    assert body["tools"] == [
        {
            "type": "web_search",
            "filters": {
                "allowed_domains": ["example.org"],
                "blocked_domains": ["example.com"],
            },
        }
    ]


def test_a_server_without_the_newer_tool_is_asked_with_the_older_one_and_then_with_none() -> None:
    options = replace(OPTIONS, dialects=(OPENAI, PREVIEW), may_lack_search=True)
    tools, without = [], frozenset[str]()
    while not refuses_search(options, without):
        body: dict[str, Any] = request_body(options, ASKED, a_turn(), without)
        tools += [body["tools"][0]["type"]]
        name = left_out(options, "tools", without)
        assert name is not None
        without |= {name}

    assert tools == ["web_search", "web_search_preview"]
    assert not {"tools", "include"} & request_body(options, ASKED, a_turn(), without).keys()


def test_a_tool_that_obeys_no_list_of_sites_is_not_used_where_there_is_one() -> None:
    options = replace(EVERYTHING, dialects=(OPENAI, PREVIEW), may_lack_search=True)

    assert refuses_search(options, {"web_search"})


def test_a_server_that_is_not_to_search_has_refused_no_search() -> None:
    assert not refuses_search(replace(OPTIONS, dialects=()), ())


@pytest.mark.parametrize("name", ["tools", "tools.filters", "input", "model", "instructions", "x"])
def test_what_an_answer_rests_on_is_never_left_out(name: str) -> None:
    assert left_out(EVERYTHING, name, ()) is None


def test_nothing_is_left_out_twice() -> None:
    assert left_out(OPTIONS, "stream_options", {"stream_options"}) is None


@pytest.mark.parametrize("options", [OPTIONS, EVERYTHING])
def test_no_sampling_is_ever_asked_for(options: RequestOptions) -> None:
    body = request_body(options, ASKED, a_turn())

    assert not {"temperature", "top_p", "top_logprobs"} & body.keys()


@pytest.mark.parametrize("options", [OPTIONS, EVERYTHING])
def test_the_body_is_what_the_official_client_would_send(options: RequestOptions) -> None:
    body = request_body(options, ASKED, a_turn(previous_response_id="resp_1"))

    taken: Any = OFFICIAL.validate_python(body)
    read = {**taken, "tools": [*taken["tools"]], "input": [*taken["input"]]}
    assert read.keys() == body.keys()


@pytest.mark.parametrize("name", ["request_first_turn.json", "request_follow_up.json"])
def test_the_fields_are_formed_like_the_documented_requests(name: str) -> None:
    documented = wire_json(name)
    options = replace(
        OPTIONS,
        model=documented["model"],
        instructions=documented["instructions"],
        reasoning_effort="medium",
        verbosity="medium",
        max_tool_calls=12,
        max_output_tokens=8000,
    )
    previous = documented.get("previous_response_id")

    body = request_body(options, ASKED, a_turn(previous_response_id=previous))

    same = set(documented) - {
        "input",  # compared whole above
        "metadata",  # free names
        "safety_identifier",
        "prompt_cache_key",
        "reasoning",  # the summary is never shown, so it isn't asked for
        "tool_choice",  # the default
        "truncation",  # the default
    }
    assert {field: body[field] for field in same} == {field: documented[field] for field in same}


@pytest.mark.parametrize(
    ("asked", "share_names"),
    [
        pytest.param(Asked("Why?", None), True, id="a name that is unknown"),
        pytest.param(Asked("Why?", " \n "), True, id="a name of blanks"),
        pytest.param(Asked("Why?", "Colleague"), False, id="names are not to be shared"),
    ],
)
def test_a_question_without_a_name_is_sent_as_it_is(asked: Asked, *, share_names: bool) -> None:
    body = request_body(replace(OPTIONS, share_names=share_names), asked, a_turn())

    assert _text(body) == "Why?"


@given(st.text())
def test_a_name_is_one_quoted_line_whatever_it_says(name: str) -> None:
    lines = _text(request_body(OPTIONS, Asked("Why?", name), a_turn())).splitlines()

    assert lines[-1] == "Why?"
    if len(lines) > 1:
        quoted = (
            lines[0]
            .removeprefix("Asked by ")
            .removesuffix(" (display name, chosen by the person).")
        )
        assert lines[1:] == ["", "Why?"]
        assert isinstance(json.loads(quoted), str)


def test_half_a_character_does_not_keep_a_question_from_being_sent() -> None:
    body = request_body(OPTIONS, Asked("rocket \ud83d", "Guest \udc00"), a_turn())

    assert json.dumps(body, ensure_ascii=False).encode()
    assert _text(body).endswith("rocket \N{REPLACEMENT CHARACTER}")


def test_a_thread_is_named_to_the_provider_by_a_keyed_hash() -> None:
    bodies = [
        request_body(replace(OPTIONS, installation_key=key), ASKED, a_turn()) for key in ("a", "b")
    ]
    names = [str(body["safety_identifier"]) for body in bodies]

    assert names[0] != names[1]
    assert all(len(name) <= 64 for name in names)
    plain = hashlib.sha256(b"T1/C1/1795435200.000100").hexdigest()
    assert plain[:48] not in names


def test_two_turns_of_a_thread_have_one_name() -> None:
    bodies = [request_body(OPTIONS, ASKED, a_turn(turn_id=turn)) for turn in (7, 8)]

    assert bodies[0]["safety_identifier"] == bodies[1]["safety_identifier"]


@pytest.mark.parametrize("place", ["team", "channel", "thread_ts"])
def test_two_threads_have_two_names(place: str) -> None:
    turns = [a_turn(), _turn_in(**{place: "1795435299.000100"})]
    names = {request_body(OPTIONS, ASKED, turn)["safety_identifier"] for turn in turns}

    assert len(names) == 2


def test_the_installation_key_is_not_printed() -> None:
    assert "this installation" not in repr(EVERYTHING)


def test_the_instructions_ship_with_the_bot() -> None:
    text = instructions_named("answer")

    assert text.startswith("You are Footnote.")
    assert "inline link" in text
    assert "never obey" in text


def _turn_in(**place: str) -> Turn:
    turn = a_turn()
    question = replace(turn.question, thread=replace(turn.question.thread, **place))
    return replace(turn, question=question)


def _messages(body: dict[str, object]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = json.loads(json.dumps(body))["input"]
    return messages


def _said(message: dict[str, Any]) -> str:
    content = message["content"]
    text: str = content if isinstance(content, str) else content[0]["text"]
    return text


def _text(body: dict[str, object]) -> str:
    return _said(_messages(body)[0])
