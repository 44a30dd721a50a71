"""A thread is read from Slack as what was said to the bot, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.slack.events import Bot
from bot.slack.history import PAGES, History
from bot.slack.identity import People
from bot.slack.pacing import Pacing
from bot.slack.part import metadata
from bot.turns.question import Exchange, Question, Thread
from bot.turns.transcript import Transcript
from bot.turns.turn import Turn
from tests.slack.servers import Answers, slack_web

Json = dict[str, Any]

BOT = Bot("UBOT", "BBOT", "T1")
QUESTION = Question(
    thread=Thread(team="T1", channel="C1", thread_ts="1.0"),
    ts="9.0",
    user="U1",
    user_team="T1",
    text="and then?",
)


def person(ts: str, text: str, user: str = "U1", **fields: object) -> Json:
    return {"type": "message", "ts": ts, "user": user, "text": text, **fields}


def bots(ts: str, *texts: str, turn: int | None = None, part: int = 1) -> Json:
    blocks: list[Json] = [{"type": "markdown", "text": text} for text in texts]
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": "3 s"}]})
    message = person(ts, "For notifications", "UBOT", bot_id="BBOT", blocks=blocks)
    return (
        message
        if turn is None
        else message | {"metadata": metadata(Turn(turn, QUESTION, None), part)}
    )


def page(*messages: Json, cursor: str = "") -> Json:
    body = {"ok": True, "messages": messages, "response_metadata": {"next_cursor": cursor}}
    return {"json": body}


async def read(*pages: Json, question: Question = QUESTION) -> tuple[Transcript, Answers]:
    async with slack_web() as (slack, answers):
        answers.next = list(pages)
        people = People(slack, lambda: 0.0, share_names=False)
        return await History(slack, Pacing(), people, BOT).read(question), answers


async def test_questions_are_paired_with_their_answers() -> None:
    said, answers = await read(
        page(
            person("1.0", "<@UBOT> how far is the &lt;moon&gt;?"),
            bots("2.0", "384,400 km.", turn=1),
            bots("3.0", "More of it.", turn=1, part=2),
            person("4.0", "and the sun?"),
            bots("5.0", "150 million km.", turn=2),
            person("9.0", "and then?"),
        )
    )

    assert said.exchanges == (
        Exchange("how far is the <moon>?", None, "384,400 km.\n\nMore of it."),
        Exchange("and the sun?", None, "150 million km."),
    )
    assert said.is_whole
    [(method, params)] = answers.calls
    assert method == "conversations.replies"
    assert (params["ts"], params["latest"]) == ("1.0", "9.0")


async def test_what_people_say_to_each_other_is_not_read() -> None:
    said, _ = await read(
        page(
            person("1.0", "our secret plan", "U2"),
            person("2.0", "<@UBOT> how far is the moon?"),
            bots("3.0", "384,400 km.", turn=1),
            person("4.0", "I do not trust this", "U2"),
            person("5.0", "<@U2> I do"),
            person("6.0", "joined", "U3", subtype="channel_join"),
            person("7.0", "buy!", "UADS", bot_id="B2"),
        )
    )

    assert said.exchanges == (Exchange("how far is the moon?", None, "384,400 km."),)


async def test_an_answer_goes_to_the_question_that_was_meant_for_the_bot() -> None:
    said, _ = await read(
        page(
            person("1.0", "<@UBOT> how far is the moon?"),
            bots("2.0", "384,400 km.", turn=1),
            person("3.0", "I do not trust this", "U2"),
            person("4.0", "<@U2> I do"),
            person("5.0", "and the sun?"),
            bots("6.0", "150 million km.", turn=2),
        )
    )

    assert [(each.text, each.answer) for each in said.exchanges] == [
        ("how far is the moon?", "384,400 km."),
        ("and the sun?", "150 million km."),
    ]


async def test_messages_are_read_in_the_order_of_their_times() -> None:
    said, _ = await read(
        page(
            bots("10.0", "Two.", turn=2),
            person("9.5", "<@UBOT> two?"),
            bots("2.0", "One.", turn=1),
            person("1.0", "<@UBOT> one?"),
        ),
        question=replace(QUESTION, ts="11.0"),
    )

    assert [(each.text, each.answer) for each in said.exchanges] == [
        ("one?", "One."),
        ("two?", "Two."),
    ]


async def test_answers_that_say_no_turn_go_to_the_questions_in_their_order() -> None:
    said, _ = await read(
        page(
            person("1.0", "<@UBOT> one?"),
            person("2.0", "<@UBOT> two?"),
            bots("3.0", "One."),
            bots("4.0", "Two."),
        )
    )

    assert [(each.text, each.answer) for each in said.exchanges] == [
        ("one?", "One."),
        ("two?", "Two."),
    ]


async def test_what_another_program_says_of_a_message_is_not_heeded() -> None:
    theirs = {"event_type": "other_event", "event_payload": {"turn": 1, "part": 0}}
    said, _ = await read(
        page(person("1.0", "<@UBOT> one?"), bots("2.0", "One.") | {"metadata": theirs})
    )

    assert said.exchanges == (Exchange("one?", None, "One."),)


async def test_of_an_answer_is_read_what_a_person_sees() -> None:
    said, _ = await read(page(person("1.0", "<@UBOT> one?"), bots("2.0", "O\u200bne.", " \n")))

    assert said.exchanges == (Exchange("one?", None, "One."),)


async def test_a_file_answers_none_of_the_questions_that_wait() -> None:
    said, _ = await read(
        page(
            person("1.0", "<@UBOT> one?"),
            person("2.0", "<@UBOT> two?", "U2"),
            person("3.0", "<@UBOT> three?", "U2"),
            bots("4.0", "One.", turn=1),
            person("5.0", "", "UBOT", bot_id="BBOT", files=[{"id": "F1", "name": "report-1.md"}]),
            bots("6.0", "Two.", turn=2),
            bots("7.0", "Three.", turn=3),
        )
    )

    assert [each.answer for each in said.exchanges] == ["One.", "Two.", "Three."]


async def test_questions_that_waited_get_the_answers_in_their_order() -> None:
    said, _ = await read(
        page(
            person("1.0", "<@UBOT> one?"),
            person("2.0", "<@UBOT> two?", "U2"),
            bots("3.0", "One.", turn=1),
            bots("4.0", "More of one.", turn=1, part=2),
            bots("5.0", "Two.", turn=2),
        )
    )

    assert [(each.text, each.answer) for each in said.exchanges] == [
        ("one?", "One.\n\nMore of one."),
        ("two?", "Two."),
    ]


async def test_the_question_of_a_command_is_read_from_the_root_that_the_bot_posted() -> None:
    root = person(
        "1.0",
        "<@U1> asked: how far &amp; why?",
        "UBOT",
        metadata=metadata(Turn(1, QUESTION, None), 0),
    )
    said, _ = await read(page(root, bots("2.0", "Far.", turn=1)))

    assert said.exchanges == (Exchange("how far & why?", None, "Far."),)


async def test_an_answer_that_failed_or_only_helped_is_no_answer() -> None:
    said, _ = await read(
        page(
            person("1.0", "<@UBOT> one?"),
            bots("2.0", turn=1),
            person("3.0", "<@UBOT> help"),
            bots("4.0", "How to ask", turn=2),
            person("5.0", "<@UBOT> two?"),
            bots("6.0", "Two.", turn=3),
        )
    )

    assert [(each.text, each.answer) for each in said.exchanges] == [
        ("one?", ""),
        ("two?", "Two."),
    ]


async def test_a_streamed_message_is_read_by_its_text() -> None:
    streamed = person("2.0", "It is &lt;far&gt;.", "UBOT", streaming_state="completed")
    below = [{"type": "context", "elements": []}]
    said, _ = await read(page(person("1.0", "<@UBOT> one?"), streamed | {"blocks": below}))

    assert said.exchanges == (Exchange("one?", None, "It is <far>."),)


async def test_all_pages_are_read_and_a_root_that_comes_again_counts_once() -> None:
    root = person("1.0", "<@UBOT> one?")
    said, _ = await read(
        page(root, cursor="c1"), page(root, bots("2.0", "One.", turn=1), bots("11.0", "Later."))
    )

    assert said.exchanges == (Exchange("one?", None, "One."),)


@pytest.mark.parametrize(
    "pages",
    [
        [{"json": {"ok": False, "error": "missing_scope"}}],
        [page(person("1.0", "<@UBOT> one?"), cursor="c"), {"status": 429}],
        [page(cursor="c")] * PAGES,
    ],
    ids=["may not", "too often", "too long"],
)
async def test_what_could_not_be_read_to_its_end_is_said_not_to_be_whole(
    pages: list[Json],
) -> None:
    said, _ = await read(*pages)

    assert not said.is_whole


async def test_no_more_than_three_pages_are_read_and_each_with_all_that_is_said_of_a_message() -> (
    None
):
    _, answers = await read(*[page(cursor="c")] * 9)

    assert len(answers.calls) == 3
    assert {params["include_all_metadata"] for _, params in answers.calls} <= {True, "1", "true"}


async def test_threads_are_read_as_often_as_slack_allows_and_later_where_it_says_so() -> None:
    now, waits = [0.0], list[float]()

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    async with slack_web() as (slack, answers):
        people = People(slack, lambda: 0.0, share_names=False)
        pacing = Pacing(clock=lambda: now[0], sleep=sleep)
        history = History(slack, pacing, people, BOT)
        for _ in range(25):
            await history.read(QUESTION)
        before = len(waits)
        await history.read(QUESTION)
        answers.next = [{"status": 429, "json": {}, "headers": {"Retry-After": "30"}}]
        for _ in range(2):
            await history.read(QUESTION)

    assert before == 0
    assert waits[0] == pytest.approx(1.2)
    assert waits[-1] == pytest.approx(30.0)


async def test_the_beginning_of_a_thread_has_nothing_before_it() -> None:
    said, answers = await read(question=replace(QUESTION, ts="1.0"))

    assert (said.exchanges, said.is_whole, answers.calls) == ((), True, [])


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"ts": 5},
        {"ts": "2.0"},
        {"ts": "2.0", "user": ["U1"], "text": "x"},
        {"ts": "2.0", "user": "UBOT", "blocks": ["x", {"type": "markdown"}]},
        {"ts": "2.0", "user": "UBOT", "metadata": "x"},
        {"ts": "2.0", "user": "UBOT", "metadata": {"event_type": "footnote_answer"}},
        "text",
        None,
    ],
    ids=str,
)
async def test_a_message_of_another_shape_is_passed_over(message: Any) -> None:  # noqa: ANN401
    said, _ = await read(page(person("1.0", "<@UBOT> one?"), message, bots("3.0", "One.", turn=1)))

    assert [each.text for each in said.exchanges] == ["one?"]


async def test_a_thread_of_a_digest_is_not_read_for_a_model_that_searches() -> None:
    digest = replace(QUESTION, kind="digest")
    root = person("1.0", "Digest", "UBOT", metadata=metadata(Turn(1, digest, None), 0))
    said, _ = await read(
        page(root, person("2.0", "<@UBOT> and more?"), bots("3.0", "The plan is secret."))
    )

    assert said == Transcript((), is_whole=False)
