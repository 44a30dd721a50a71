"""Questions of a model are read however it writes them."""

from __future__ import annotations

import pytest

from bot.turns.answer import Usage
from bot.turns.form import form_of, read_object
from bot.turns.preparation import QUESTION_CHARACTERS, read_questions, with_brief
from bot.turns.prices import NOTHING_SPENT, Spent
from bot.turns.question import Asked


@pytest.mark.parametrize(
    "text",
    [
        '{"questions": ["Which?", "When?"]}',
        'Here it is:\n```json\n{"questions": ["Which?", "When?"]}\n```\nGood luck.',
        'I would ask {"questions": ["Which?", " When? "]}.',
        '{"questions": ["Which?", 7, null, "", "When?"], "why": {}}',
    ],
)
def test_questions_are_read_in_a_fence_and_between_words(text: str) -> None:
    assert read_questions(text) == ("Which?", "When?")


@pytest.mark.parametrize(
    "text", ["", "No questions.", "[]", '{"questions": "Which?"}', '{"questions": {}}', "{" * 9_999]
)
def test_what_is_no_question_in_that_form_asks_nothing(text: str) -> None:
    assert read_questions(text) == ()


def test_there_are_three_questions_at_most_none_of_them_long() -> None:
    many = ", ".join(f'"{"w" * 999}{number}"' for number in range(9))
    questions = read_questions(f'{{"questions": [{many}]}}')

    assert [len(question) for question in questions] == [QUESTION_CHARACTERS] * 3


def test_a_form_has_all_its_properties_and_no_others() -> None:
    form = form_of("two", one={"type": "string"}, other={"type": "null"})

    assert form.schema["required"] == ["one", "other"]
    assert form.schema["additionalProperties"] is False
    assert read_object('{"one": 1}') == {"one": 1}


def test_a_question_without_a_brief_stays_as_it_is() -> None:
    asked = Asked("Why?", "You")

    assert with_brief(asked, "") == asked
    assert with_brief(asked, "Find out.").text == "Why?\n\nBrief:\nFind out."


def test_what_was_spent_is_summed_up_as_far_as_it_is_known() -> None:
    known = Spent(Usage(8, 2, reasoning_tokens=1), 0.5)

    assert NOTHING_SPENT + known == known
    assert known + known == Spent(Usage(16, 4, reasoning_tokens=2), 1.0)
    assert known + Spent() == Spent(known.usage, None)
    assert Spent() + Spent() == Spent()
