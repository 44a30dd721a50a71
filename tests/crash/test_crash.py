"""A bot that is killed again and again answers everything, once, in order and whole."""

from __future__ import annotations

import pytest

from bot.playground.slack.workspace import Message, Task
from tests.crash.campaign import run_campaign
from tests.crash.verdict import Question, Thread, answer_text, judge

QUESTIONS = [Question(1, 6), Question(2, 3)]
FOOTER = [{"type": "context", "elements": [{"type": "mrkdwn", "text": "Written by a model"}]}]
BUTTON = [{"type": "actions", "elements": [{"type": "button", "action_id": "try_again"}]}]


@pytest.mark.parametrize(("database", "kills"), [("sqlite", 15), ("postgres", 10)])
async def test_nothing_is_lost_or_doubled_whenever_the_bot_is_killed(
    database: str, kills: int
) -> None:
    report = await run_campaign(kills, seed=11, database=database)

    assert report.verdict.faults == []
    assert report.verdict.is_good
    assert report.verdict.asked > 5
    assert report.kills.total() == kills


def a_message(ts: str, text: str, state: str | None = "completed", **more: object) -> Message:
    message = Message(ts, "U0FOOTNOTE", bot_id="B1", streaming_state=state)  # type: ignore[arg-type]  # a state
    message.markdown = text
    message.final_blocks = list(FOOTER)
    for name, value in more.items():
        setattr(message, name, value)
    return message


def the_answers() -> list[Message]:
    return [a_message(str(n), answer_text(question)) for n, question in enumerate(QUESTIONS)]


def wrong(messages: list[Message], status: str | None = None) -> dict[str, int]:
    """Return what is wrong, and how often."""
    verdict = judge(Thread("C1", "1.1", QUESTIONS), messages, status)
    counts = {
        "unanswered": verdict.asked - verdict.answered,
        "lost": verdict.lost,
        "doubled": verdict.doubled,
        "out of order": verdict.out_of_order,
        "spinning": verdict.spinning,
    }
    return {name: count for name, count in counts.items() if count}


def test_answers_that_are_whole_and_in_order_are_good() -> None:
    assert wrong(the_answers()) == {}


def test_an_answer_over_two_messages_is_good() -> None:
    half = len(answer_text(QUESTIONS[0])) // 2
    cut = answer_text(QUESTIONS[0]).index("Q1-", half)
    first = a_message("0", answer_text(QUESTIONS[0])[:cut], final_blocks=[])
    second = a_message("1", answer_text(QUESTIONS[0])[cut:])

    assert wrong([first, second, the_answers()[1]]) == {}


def test_no_answer_at_all_is_lost() -> None:
    assert wrong(the_answers()[:1]) == {"lost": 1, "unanswered": 1}


def test_an_answer_with_a_hole_is_lost() -> None:
    first, second = the_answers()
    first.markdown = first.markdown.replace("Q1-3 is said here. ", "")

    assert wrong([first, second]) == {"lost": 1, "unanswered": 1}


def test_an_answer_without_its_end_is_lost() -> None:
    first, second = the_answers()
    second.final_blocks = []

    assert wrong([first, second])["lost"] == 1


def test_an_honest_sentence_is_not_lost_and_no_answer_either() -> None:
    first, _ = the_answers()

    assert wrong([first, a_message("1", "", final_blocks=BUTTON)]) == {"unanswered": 1}


def test_an_answer_that_stands_there_twice_is_doubled() -> None:
    first, second = the_answers()

    assert wrong([first, second, a_message("3", second.markdown)])["doubled"] == 2


def test_a_fragment_of_a_dead_attempt_is_doubled() -> None:
    first, second = the_answers()
    fragment = a_message("0", "Q1-0 is said here.", final_blocks=[])

    assert wrong([fragment, first, second])["doubled"] == 1


def test_answers_in_another_order_than_the_questions_are_out_of_order() -> None:
    assert wrong(the_answers()[::-1]) == {"out of order": 1}


def test_sentences_in_another_order_are_out_of_order() -> None:
    first, second = the_answers()
    first.markdown = " ".join(f"Q1-{n} is said here." for n in (1, 0, 2, 3, 4, 5))

    assert wrong([first, second]) == {"out of order": 1}


@pytest.mark.parametrize(
    "left",
    [
        a_message("9", "Q1-0 is said here.", "in_progress"),
        a_message("9", "", "errored"),
        a_message("9", "", tasks={"ws_1": Task("Searching", "in_progress")}),
        a_message("9", "_Reading the question…_", None, final_blocks=[]),
    ],
    ids=["a stream", "a stream that slack closed", "a card", "a placeholder"],
)
def test_what_looks_as_if_something_went_on_is_spinning(left: Message) -> None:
    assert wrong([*the_answers(), left])["spinning"] == 1


def test_a_status_that_is_still_shown_is_spinning() -> None:
    assert wrong(the_answers(), "is thinking…") == {"spinning": 1}
