from __future__ import annotations

import json
from typing import Any

import pytest

from bot.digests.digest import Digest
from bot.digests.output import UnreadableDigest, joined, read_digest
from bot.digests.prompt import numbered
from tests.digests.readings import claim, message, topic, ts

KNOWN = numbered(
    [
        message(1, "The roof leaks."),
        message(2, "We decided to mend it.", thread=1, name="Ben Otieno"),
        message(3, "Ben, can you call the roofer?", thread=1),
        message(4, "When is the party?", name="田中"),
    ]
)


def a_claim(text: object = "It leaks.", *messages: object, **fields: object) -> dict[str, Any]:
    return {"text": text, "messages": list(messages)} | fields


def a_topic(title: object = "Roof", *summary: object, **fields: object) -> dict[str, Any]:
    empty: dict[str, Any] = {"decisions": [], "open_questions": [], "action_items": []}
    return {"title": title, "summary": list(summary)} | empty | fields


def written(*topics: object) -> str:
    return json.dumps({"topics": list(topics)})


def read_claim(value: object) -> Digest:
    return read_digest(written(a_topic("Roof", value)), KNOWN)


ROOF = topic("Roof", claim("It leaks.", 1))
PLAIN = written(a_topic("Roof", a_claim("It leaks.", "m1")))


def test_a_whole_digest_is_read() -> None:
    text = written(
        a_topic(
            "Roof",
            a_claim("It leaks.", "m1"),
            decisions=[a_claim("It is mended.", "m2")],
            open_questions=[a_claim("When?", "m3", "m1")],
            action_items=[
                a_claim("Call the roofer.", "m3", owner="Ben Otieno"),
                a_claim("Find a ladder.", "m3", owner=None),
            ],
        )
    )

    assert read_digest(text, KNOWN) == Digest(
        topics=(
            topic(
                "Roof",
                claim("It leaks.", 1),
                decisions=(claim("It is mended.", 2),),
                questions=(claim("When?", 1, 3),),
                actions=(
                    claim("Call the roofer.", 3, owner="Ben Otieno"),
                    claim("Find a ladder.", 3),
                ),
            ),
        )
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"```json\n{PLAIN}\n```", id="a fence"),
        pytest.param(f"Here is the digest [1] of {{today}}:\n{PLAIN}\nIs it fine?", id="prose"),
        pytest.param(json.dumps({"digest": json.loads(PLAIN)}), id="one deeper"),
        pytest.param(json.dumps(json.loads(PLAIN)["topics"]), id="a list"),
        pytest.param(json.dumps({"topics": json.loads(PLAIN)["topics"][0]}), id="no list"),
        pytest.param('{"topics": []}\nOr rather:\n' + PLAIN, id="a second attempt"),
        pytest.param(PLAIN.replace("It leaks.", "It\nleaks."), id="line ends in strings"),
        pytest.param(
            PLAIN.removesuffix("]}") + ', {"title": "Party", "summary": [{"text": "Cake', id="cut"
        ),
        pytest.param(
            '{"topics": [{"title": "Roof", "summary": [{"text": "It leaks.", "messages": "m1"}]}]}',
            id="missing keys",
        ),
    ],
)
def test_a_digest_is_found_in_whatever_is_around_it(text: str) -> None:
    assert read_digest(text, KNOWN) == Digest(topics=(ROOF,))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("I cannot help with that.", id="prose"),
        pytest.param('{"error": "no"}', id="something else"),
        pytest.param('{"topics"', id="its beginning"),
        pytest.param("[1, 2]", id="a list of something else"),
        pytest.param("[" * 100_000, id="brackets without an end"),
        pytest.param('{"topics":' * 20_000, id="depths"),
        pytest.param('{"a":[' + "9" * 10_000 + "]}", id="a number without an end"),
    ],
)
def test_what_is_no_digest_is_said_to_be_unreadable(text: str) -> None:
    with pytest.raises(UnreadableDigest):
        read_digest(text, KNOWN)


def test_a_digest_of_a_quiet_time_has_no_topics() -> None:
    assert read_digest('{"topics": []}', KNOWN) == Digest(topics=())


@pytest.mark.parametrize(
    "messages",
    ["m1", "M1", "[m1]", "#m1", 1, "1", ["m1", "m1"], [1], [{"id": "m1"}], {"id": 1}, "m1, m1"],
)
def test_ids_are_understood_however_they_are_written(messages: object) -> None:
    assert read_claim({"text": "It leaks.", "messages": messages}) == Digest(topics=(ROOF,))


def test_ids_in_the_text_count_where_there_are_no_others() -> None:
    assert read_claim("It leaks. [m1]") == Digest(topics=(ROOF,))
    assert read_claim("It leaks (m3, m1).") == Digest(
        topics=(topic("Roof", claim("It leaks.", 1, 3)),)
    )
    assert read_claim(a_claim("It holds 12 (m3).", "m1")).topics[0].claims[0].text == (
        "It holds 12 (m3)."
    )


@pytest.mark.parametrize("wrong", ["m99", 0, "m0", "https://evil.example", "none"])
def test_a_reference_to_what_was_not_read_is_dropped_and_counted(wrong: object) -> None:
    digest = read_claim(a_claim("It leaks.", "m1", wrong))

    assert digest == Digest(topics=(ROOF,), dropped_messages=1)


@pytest.mark.parametrize("value", [True, None, 1.5, [["m1"]]])
def test_what_is_no_id_names_nothing(value: object) -> None:
    assert read_claim(a_claim("It leaks.", value)) == Digest(topics=(), dropped_claims=1)


def test_a_claim_without_a_message_is_dropped_and_counted_and_an_empty_topic_vanishes() -> None:
    digest = read_digest(
        written(
            a_topic("Roof", a_claim("It leaks.", "m1"), a_claim("It is blue.")),
            a_topic("Budget", a_claim("It is doubled.", "m99"), decisions=["Spend it."]),
            a_topic("Nothing"),
            a_topic("Blank", a_claim(" \u200b", "m1")),
            "no topic",
        ),
        KNOWN,
    )

    assert digest == Digest(topics=(ROOF,), dropped_messages=1, dropped_claims=3)


def test_texts_are_one_line_of_visible_characters_and_no_longer_than_they_may_be() -> None:
    text = "a\n# b\x00\x1b[31m\u202ec\u2028<!channel>\t\ud800 👩\u200d🔬"
    owner = "@Ben\n" + "x" * 200
    digest = read_digest(
        written(
            a_topic(text * 50, a_claim(text, "m1")),
            a_topic("Long", action_items=[a_claim("x" * 40_000, "m2", owner=owner)]),
        ),
        KNOWN,
    )
    first, second = digest.topics

    assert first.claims[0].text == "a # b[31mc <!channel> \ufffd 👩\u200d🔬"
    assert len(first.title) <= 120
    assert len(second.claims[0].text) == 600
    assert second.claims[0].owner.startswith("Ben xxx")
    assert len(second.claims[0].owner) == 79  # its @ is gone


@pytest.mark.parametrize(
    ("owner", "believed"),
    [
        pytest.param("Ben Otieno", "Ben Otieno", id="named in the text"),
        pytest.param("@ana", "ana", id="who wrote it"),
        pytest.param("Carla", "", id="named nowhere"),
        pytest.param("the board", "", id="a word that is everywhere"),
        pytest.param("Unassigned", "", id="nobody"),
        pytest.param(None, "", id="null"),
        pytest.param(["Ben"], "", id="a list"),
    ],
)
def test_an_owner_is_believed_where_the_messages_name_them(owner: object, believed: str) -> None:
    text = written(a_topic("Roof", action_items=[a_claim("Call.", "m3", owner=owner)]))

    call = claim("Call.", 3, owner=believed)
    assert read_digest(text, KNOWN).topics == (topic("Roof", actions=[call]),)


def test_a_name_is_found_where_no_blanks_part_words() -> None:
    known = numbered([message(1, "田中さんお願いします", name="佐藤")])
    text = written(a_topic("Roof", action_items=[a_claim("Call.", "m1", owner="田中")]))

    assert read_digest(text, known).topics[0].claims[0].owner == "田中"


def test_the_weightiest_topic_comes_first_and_of_two_the_earlier() -> None:
    digest = read_digest(
        written(
            a_topic("Party", a_claim("Soon.", "m4")),
            a_topic("Ladder", a_claim("Lost.", "m3")),
            a_topic("Roof", a_claim("It leaks.", "m1", "m2"), a_claim("Still.", "m2")),
        ),
        KNOWN,
    )

    assert [one.title for one in digest.topics] == ["Roof", "Ladder", "Party"]


def test_parts_are_put_together_without_a_model() -> None:
    one = Digest(topics=(ROOF, topic("Party", claim("Soon.", 4))), dropped_claims=1)
    two = Digest(topics=(topic("party", claim("Cake.", 2, 3)),), dropped_messages=2)

    assert joined([one, two]) == Digest(
        topics=(topic("Party", claim("Soon.", 4), claim("Cake.", 2, 3)), ROOF),
        dropped_messages=2,
        dropped_claims=1,
    )
    assert joined([]) == Digest(topics=())


def test_no_claim_of_the_result_names_a_message_that_was_not_read() -> None:
    text = written(*(a_topic(f"T{n}", a_claim(f"C{n}", f"m{n}", n + 3)) for n in range(9)))
    digest = read_digest(text, KNOWN)
    named = {one for each in digest.topics for line in each.claims for one in line.rests_on}

    assert named <= {ts(number) for number in range(1, 5)}
    assert digest.dropped_messages + sum(len(t.claims[0].rests_on) for t in digest.topics) == 18
