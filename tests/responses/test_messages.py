from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.turns.answer import (
    Cited,
    Started,
    TextDelta,
)
from tests.responses.examples import (
    Json,
    a_completed,
    a_created,
    a_message,
    added,
    cited_of,
    delta,
    done,
    ended,
    read,
    text_of,
)


def test_text_comes_as_it_is_written() -> None:
    parts = read(a_created(), added(a_message()), delta("Hel"), delta("lo."), a_completed())

    assert parts == [Started("resp_1"), TextDelta("Hel"), TextDelta("lo."), ended()]


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param(done(a_message("Hello.")), id="in the item"),
        pytest.param(
            {"type": "response.output_text.done", "item_id": "msg_1", "text": "Hello."},
            id="in the text's end",
        ),
        pytest.param(
            {
                "type": "response.content_part.done",
                "item_id": "msg_1",
                "part": {"type": "output_text", "text": "Hello."},
            },
            id="in the content part",
        ),
        pytest.param(a_completed(output=[a_message("Hello.")]), id="in the final response"),
    ],
)
@pytest.mark.parametrize("streamed", ["", "Hel", "Hello."])
def test_text_that_was_not_streamed_is_taken_from_where_it_is_whole(
    whole: Json, streamed: str
) -> None:
    deltas = [delta(streamed)] if streamed else []
    last = [] if whole["type"] == "response.completed" else [a_completed()]

    parts = read(added(a_message()), *deltas, whole, *last)

    assert text_of(parts) == "Hello."


def test_text_is_said_once_however_often_it_comes() -> None:
    parts = read(
        added(a_message()),
        delta("Hello."),
        {"type": "response.output_text.done", "item_id": "msg_1", "text": "Hello."},
        done(a_message("Hello.")),
        a_completed(output=[a_message("Hello.")]),
    )

    assert text_of(parts) == "Hello."


def test_text_of_several_messages_is_parted_by_a_blank_line() -> None:
    parts = read(
        delta("One.", item_id="msg_1", index=0),
        delta("Two,", item_id="msg_2", index=1),
        delta(" three.", item_id="msg_2", index=1),
        a_completed(),
    )

    assert text_of(parts) == "One.\n\nTwo, three."


def test_text_of_several_messages_with_one_place_is_kept_apart_by_their_ids() -> None:
    parts = read(
        done(a_message("One.", item_id="msg_1"), 0),
        done(a_message("Two.", item_id="msg_2"), 0),
        a_completed(),
    )

    assert text_of(parts) == "One.\n\nTwo."


def test_text_of_an_item_whose_id_changes_in_every_event_is_followed_by_its_place() -> None:
    parts = read(
        added(a_message(item_id="a"), 3),
        delta("Hel", item_id="b", index=3),
        delta("lo.", item_id="c", index=3),
        done(a_message("Hello.", item_id="d"), 3),
        a_completed(output=[a_message("Hello.", item_id="e")]),
    )

    assert text_of(parts) == "Hello."


def test_text_without_ids_and_places_belongs_to_the_latest_message() -> None:
    parts = read(
        added(a_message(item_id=""), None),
        delta("Hel", item_id=None, index=None),
        delta("lo.", item_id=None, index=None),
        done(a_message("Hello.", item_id=""), None),
        done(a_message("Bye.", item_id=""), None),
        a_completed(),
    )

    assert text_of(parts) == "Hello.\n\nBye."


def test_text_of_a_message_announced_twice_is_said_once() -> None:
    parts = read(
        added(a_message()), delta("Hello."), added(a_message()), delta(" Bye."), a_completed()
    )

    assert text_of(parts) == "Hello. Bye."


def test_text_that_the_server_changed_afterwards_stays_as_it_was_read() -> None:
    parts = read(delta("Helo."), done(a_message("Hello.")), a_completed())

    assert text_of(parts) == "Helo."


def test_text_of_a_message_that_was_not_streamed_is_not_lost_for_one_that_was() -> None:
    parts = read(
        added(a_message()),
        delta("One."),
        a_completed(output=[a_message("Two.", item_id="msg_2")]),
    )

    assert text_of(parts) == "One.\n\nTwo."


def test_text_of_the_final_output_is_known_by_its_id_before_its_place() -> None:
    parts = read(
        added(a_message(item_id="msg_0"), 0),
        delta("Two.", index=1),
        a_completed(output=[a_message("Two.")]),
    )

    assert text_of(parts) == "Two."


def test_text_of_the_final_output_does_not_hide_behind_commentary() -> None:
    parts = read(
        added(a_message(item_id="msg_0", phase="commentary"), 0),
        delta("One.", index=1),
        a_completed(output=[a_message("Two.", item_id="msg_2")]),
    )

    assert text_of(parts) == "One.\n\nTwo."


def test_text_is_compared_as_a_whole_where_parts_are_counted_otherwise() -> None:
    content = [
        {"type": "output_text", "text": "One. "},
        {"type": "output_text", "text": "Two."},
    ]

    parts = read(delta("One. Tw"), done(a_message(content=content)), a_completed())

    assert text_of(parts) == "One. Two."


def test_text_may_be_a_plain_string() -> None:
    parts = read(done(a_message(content="Hello.")), a_completed())

    assert text_of(parts) == "Hello."


@given(st.text(st.characters(exclude_characters="\x00")))
def test_text_cut_between_two_halves_of_a_character_is_put_together(text: str) -> None:
    halves = text.encode("utf-16-le", "surrogatepass")
    units = [halves[at : at + 2] for at in range(0, len(halves), 2)]
    deltas = [delta(unit.decode("utf-16-le", "surrogatepass")) for unit in units]

    parts = read(*deltas, done(a_message(text)), a_completed())

    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert text_of(parts) == whole


def test_text_does_not_leave_half_a_character_to_the_next_part() -> None:
    first = {"type": "response.output_text.done", "item_id": "msg_1", "text": "One 🚀"}

    parts = read(delta("One \ud83d"), first, delta(" Two") | {"content_index": 1}, a_completed())

    assert text_of(parts) == "One 🚀 Two"


def test_text_can_be_written_as_utf_8_whatever_the_server_escapes() -> None:
    parts = read(delta("a\ud83d"), delta("b\x00\udc00"), a_completed())

    assert text_of(parts) == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "item",
    [
        {
            "type": "reasoning",
            "id": "rs_1",
            "content": [{"type": "reasoning_text", "text": "x"}],
        },
        {"type": "message", "role": "user", "content": "x"},
        {"type": "message", "content": [{"type": "reasoning_text", "text": "x"}, 1, None]},
        {"type": "compaction", "content": "x"},
    ],
)
def test_text_of_anything_but_the_models_messages_is_skipped(item: Json) -> None:
    parts = read(added(item), done(item), a_completed(output=[item]))

    assert parts == [Started("resp_1"), ended()]


def test_text_of_the_reasoning_is_skipped() -> None:
    events = [
        {"type": "response.reasoning_text.delta", "delta": "x"},
        {
            "type": "response.content_part.done",
            "part": {"type": "reasoning_text", "text": "x"},
        },
    ]

    assert read(*events, a_completed()) == [Started("resp_1"), ended()]


COMMENTARY = a_message("Let me check.", item_id="msg_0", phase="commentary")
ANSWER = a_message("In October.", phase="final_answer")


def test_commentary_is_not_shown_before_an_answer() -> None:
    parts = read(
        added(a_message(item_id="msg_0", phase="commentary"), 0),
        delta("Let me check.", item_id="msg_0", index=0),
        done(COMMENTARY, 0),
        added(a_message(phase="final_answer"), 1),
        delta("In October.", index=1),
        done(ANSWER, 1),
        a_completed(output=[COMMENTARY, ANSWER]),
    )

    assert text_of(parts) == "In October."


def test_commentary_is_not_shown_by_a_server_that_does_not_stream_it() -> None:
    parts = read(done(COMMENTARY), a_completed(output=[ANSWER]))

    assert text_of(parts) == "In October."


def test_commentary_may_be_told_to_be_that_only_when_it_is_whole() -> None:
    parts = read(
        added(a_message(item_id="msg_0"), 0), done(COMMENTARY, 0), done(ANSWER, 1), a_completed()
    )

    assert text_of(parts) == "In October."


def test_commentary_that_was_shown_as_text_is_not_taken_back() -> None:
    streamed = delta("Let me check", item_id="msg_0")

    parts = read(streamed, done(COMMENTARY, 0), a_completed(output=[COMMENTARY]))

    assert text_of(parts) == "Let me check."


def test_commentary_is_shown_in_the_end_if_nothing_else_came() -> None:
    annotation = {"type": "url_citation", "url": "https://example.org"}
    content = [{"type": "output_text", "text": "Wait.", "annotations": [annotation]}]
    second = a_message(item_id="msg_1", phase="commentary", content=content)

    parts = read(done(COMMENTARY, 0), done(second, 1), a_completed())

    assert parts == [
        Started("resp_1"),
        TextDelta("Let me check."),
        TextDelta("\n\nWait."),
        Cited("https://example.org"),
        ended(),
    ]


def test_commentary_keeps_its_citations_to_itself() -> None:
    annotation = {"type": "url_citation", "url": "https://example.org"}
    added_annotation = {
        "type": "response.output_text.annotation.added",
        "item_id": "msg_0",
        "annotation": annotation,
    }

    parts = read(added(COMMENTARY, 0), added_annotation, done(ANSWER, 1), a_completed())

    assert cited_of(parts) == []


def test_a_refusal_is_shown_and_told_in_the_ending() -> None:
    content = [{"type": "refusal", "refusal": "I can’t."}]

    parts = read(done(a_message(content=content)), a_completed())

    assert parts == [TextDelta("I can’t."), Started("resp_1"), ended(ending="refusal")]


def test_a_refusal_is_shown_once_when_it_is_streamed() -> None:
    parts = read(
        {"type": "response.refusal.delta", "item_id": "msg_1", "delta": "I "},
        {"type": "response.refusal.done", "item_id": "msg_1", "refusal": "I can’t."},
        a_completed(),
    )

    assert parts == [
        TextDelta("I "),
        TextDelta("can’t."),
        Started("resp_1"),
        ended(ending="refusal"),
    ]


def test_a_refusal_is_parted_from_the_text_before_it() -> None:
    content = [
        {"type": "output_text", "text": "Well."},
        {"type": "refusal", "refusal": "I can’t."},
    ]

    parts = read(delta("Well."), done(a_message(content=content)), a_completed())

    assert text_of(parts) == "Well.\n\nI can’t."
