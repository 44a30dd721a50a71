from __future__ import annotations

import re

import pytest

from bot.playground.responses.answering import NOTHING_FOUND, STAND_IN, Task, plan_answer
from bot.playground.responses.library import HANDBOOK, Domains, Library, sections_of
from bot.playground.responses.links import url_citations
from bot.playground.responses.plan import Opened, Plan, Searched

LIBRARY = Library.shipped()
GROUP = re.compile(r"^(.+[.?!:]) \(\[footnote\.example\]\((https://\S+)\?utm_source=openai\)\)$")


def answer(*questions: str, searches: int = 10) -> Plan:
    return plan_answer(Task(questions, searches), LIBRARY)


def opened(plan: Plan) -> list[str]:
    return [step.url for step in plan.steps if isinstance(step, Opened)]


def searched(plan: Plan) -> list[Searched]:
    return [step for step in plan.steps if isinstance(step, Searched)]


@pytest.mark.parametrize(
    "question",
    ["How do I schedule a digest?", "How do I ask?", "What is the capital of Mongolia?", "", "👋"],
)
def test_every_answer_says_that_it_is_a_stand_in(question: str) -> None:
    assert answer(question).text.endswith(STAND_IN)


def test_answer_is_a_short_extract_with_a_citation_behind_each_sentence() -> None:
    plan = answer("How do I schedule a digest?")
    *quoted, stand_in = plan.text.split("\n\n")
    found = [GROUP.match(line) for line in quoted]

    assert 2 <= len(quoted) <= 5
    assert all(found)
    assert stand_in == STAND_IN
    assert len(url_citations(plan.text, plan.citations)) == len(quoted)


def test_quoted_sentences_stand_in_the_library() -> None:
    plan = answer("Where is my data stored?")
    held = " ".join(section.text for section in LIBRARY.sections)

    for line in plan.text.split("\n\n")[:-1]:
        found = GROUP.match(line)
        assert found is not None
        assert found[1] in held


def test_only_pages_that_the_searches_returned_are_cited() -> None:
    for question in ("How do I change the model?", "Do I have to mention the bot in every reply?"):
        plan = answer(question)
        returned = {url for step in searched(plan) for url in step.sources}
        cited = {url.removesuffix("?utm_source=openai") for url, _ in plan.citations}

        assert cited <= returned


def test_how_a_digest_is_scheduled_is_known() -> None:
    assert "`/digest schedule weekdays 9:00`" in answer("How do I schedule a digest?").text


def test_search_names_the_telling_words_and_opens_the_best_page() -> None:
    plan = answer("How do I schedule a digest?")

    assert searched(plan)[0].queries == ("schedule digest",)
    assert opened(plan) == [HANDBOOK + "digests"]


def test_second_search_asks_for_what_the_first_has_not_brought() -> None:
    library = Library(
        [
            *sections_of("# Cats\n\nCats purr, sleep, dream and climb.", "https://a.example/cats"),
            *sections_of("# Dogs\n\nDogs bark.", "https://a.example/dogs"),
        ]
    )
    plan = plan_answer(
        Task(("Why do cats purr, sleep, dream and climb, and dogs bark?",), 10), library
    )

    first, second = searched(plan)
    assert first.queries == ("cats purr sleep dream climb dogs bark",)
    assert second.queries == ("dogs bark cats",)
    assert {url for url, _ in plan.citations} == {
        "https://a.example/cats?utm_source=openai",
        "https://a.example/dogs?utm_source=openai",
    }


@pytest.mark.parametrize("allowed", [1, 2])
def test_no_more_tool_calls_are_made_than_allowed(allowed: int) -> None:
    assert len(answer("How do I schedule a digest?", searches=allowed).steps) == allowed


def test_without_a_search_nothing_is_cited() -> None:
    plan = answer("How do I schedule a digest?", searches=0)

    assert (plan.steps, plan.citations) == ((), ())
    assert plan.text.startswith("No search was allowed")


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Mongolia?",
        "Who won the football world cup in 2018?",
        "How do I bake bread?",
        "хлеб",
    ],
)
def test_question_about_something_else_is_answered_plainly(question: str) -> None:
    plan = answer(question)

    assert plan.text == f"{NOTHING_FOUND}\n\n{STAND_IN}"
    assert [step.sources for step in searched(plan)] == [()]


def test_page_that_touches_a_question_only_in_passing_is_not_quoted() -> None:
    plan = answer("Which mountain in Peru did the first climbers ask about?")

    assert plan.text.startswith(NOTHING_FOUND)


def test_short_follow_up_leans_on_the_question_before() -> None:
    plan = answer("How do I schedule a digest?", "and weekly?")

    assert searched(plan)[0].queries == ("schedule digest weekly",)
    assert plan.text.startswith("A weekly digest is scheduled")


def test_follow_up_of_a_follow_up_leans_on_both() -> None:
    plan = answer("How do I schedule a digest?", "and weekly?", "and on Monday?")

    assert searched(plan)[0].queries == ("schedule digest weekly monday",)


def test_new_question_stands_alone() -> None:
    plan = answer("How do I schedule a digest?", "Which environment variables can be set there?")

    assert opened(plan) == [HANDBOOK + "settings"]
    assert "digest" not in searched(plan)[0].queries[0]


def test_search_keeps_to_the_domains_of_the_request() -> None:
    plan = plan_answer(
        Task(("How do I ask?",), 10, domains=Domains(allowed=("example.org",))), LIBRARY
    )

    assert plan.text.startswith(NOTHING_FOUND)


def test_answer_ends_where_its_tokens_end() -> None:
    plan = plan_answer(Task(("How do I ask?",), 10, output_tokens=20), LIBRARY)

    assert plan.cut
    assert len(plan.text) == 80
