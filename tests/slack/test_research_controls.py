"""Who may begin a research, stop it, and look at what was searched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.slack.research_controls import (
    MAY_NOT_START,
    MAY_NOT_STOP,
    NOT_BEGUN,
    ResearchControls,
    number_of,
    wanted,
)
from bot.turns.answer import Search
from bot.turns.research import Ran
from tests.fakes import FakeRuns, a_question
from tests.slack.servers import slack_web

if TYPE_CHECKING:
    from tests.slack.servers import Answers

Json = dict[str, Any]

RESEARCH = replace(a_question("Why?"), kind="research")
PERSON = {"ok": True, "user": {"id": "U2"}}
ADMIN = {"ok": True, "user": {"id": "U2", "is_admin": True}}
OK = {"json": {"ok": True}}


def pressed_by(user: str, channel: str = "C1") -> Json:
    return {"user": {"id": user, "team_id": "T1"}, "channel": {"id": channel}}


async def press_stop(user: str, *answers: Json) -> tuple[FakeRuns, Answers]:
    runs = FakeRuns({7: RESEARCH})
    async with slack_web() as (web, said):
        said.next = list(answers)
        await ResearchControls(web, runs).stop_pressed(pressed_by(user), 7)
    return runs, said


@pytest.mark.parametrize(
    ("text", "kind", "asked"),
    [
        ("research: why is it so?", "research", "why is it so?"),
        ("Research :  why?\nIn detail.", "research", "why?\nIn detail."),
        ("research this properly", "research", "research this properly"),
        ("research:", "answer", ""),
        ("research funding in Austria?", "answer", "research funding in Austria?"),
        ("What does research: mean?", "answer", "What does research: mean?"),
    ],
)
def test_a_question_says_at_its_beginning_that_it_wants_research(
    text: str, kind: str, asked: str
) -> None:
    question = wanted(a_question(text))

    assert (question.kind, question.text) == (kind, asked)


@pytest.mark.parametrize(
    ("value", "turn_id"),
    [("7", 7), (7, 7), ("", None), ("seven", None), ("-7", None), ("9" * 10, None), (None, None)],
)
def test_a_button_says_which_turn_it_is_about(value: object, turn_id: int | None) -> None:
    assert number_of({"value": value}) == turn_id


async def test_who_asked_may_stop() -> None:
    runs, said = await press_stop(RESEARCH.user)

    assert (runs.stopped, said.calls) == ([7], [])


async def test_an_administrator_may_stop() -> None:
    runs, _ = await press_stop("U2", {"json": ADMIN})

    assert runs.stopped == [7]


@pytest.mark.parametrize("answer", [{"json": PERSON}, {"json": {"ok": False, "error": "x"}}])
async def test_nobody_else_may_and_only_that_one_is_told(answer: Json) -> None:
    runs, said = await press_stop("U2", answer, OK)

    assert runs.stopped == []
    method, params = said.calls[-1]
    assert method == "chat.postEphemeral"
    assert (params["user"], params["text"]) == ("U2", MAY_NOT_STOP)


@pytest.mark.parametrize("text", ["stop", "Stop!", "STOP..."])
async def test_the_word_stops_the_run_of_its_thread(text: str) -> None:
    runs = FakeRuns({7: RESEARCH})
    async with slack_web() as (web, _):
        taken = await ResearchControls(web, runs).stop_said(replace(RESEARCH, text=text))

    assert (taken, runs.stopped) == (True, [7])


@pytest.mark.parametrize("text", ["stop it and tell me more", "nonstop", ""])
async def test_other_words_stop_nothing(text: str) -> None:
    runs = FakeRuns({7: RESEARCH})
    async with slack_web() as (web, _):
        taken = await ResearchControls(web, runs).stop_said(replace(RESEARCH, text=text))

    assert (taken, runs.stopped) == (False, [])


async def test_the_word_of_somebody_else_is_a_message_like_any_other() -> None:
    runs = FakeRuns({7: RESEARCH})
    async with slack_web() as (web, said):
        said.next = [{"json": PERSON}]
        word = replace(RESEARCH, text="stop", user="U2")
        taken = await ResearchControls(web, runs).stop_said(word)

    assert (taken, runs.stopped) == (False, [])


async def test_where_nothing_runs_the_word_is_a_question() -> None:
    async with slack_web() as (web, _):
        controls = ResearchControls(web, FakeRuns())
        assert not await controls.stop_said(replace(RESEARCH, text="stop"))
        await controls.stop_session(RESEARCH.thread)
        await controls.stop_pressed(pressed_by("U1"), 7)


async def test_slacks_own_stop_and_a_deletion_stop_too() -> None:
    runs = FakeRuns({7: RESEARCH})
    async with slack_web() as (web, _):
        controls = ResearchControls(web, runs)
        await controls.stop_session(RESEARCH.thread)
        await controls.stop_deleted("T1", "C1", RESEARCH.ts)
        await controls.stop_deleted("T1", "C1", "9.9")

    assert runs.stopped == [7, 7]


async def test_an_answer_is_researched_for_who_pressed_the_button_and_once() -> None:
    asked = a_question("Why?")
    async with slack_web() as (web, _):
        controls = ResearchControls(web, FakeRuns({7: asked}))
        first, second = [await controls.deeper(pressed_by("U2"), 7) for _ in range(2)]
        elsewhere = await controls.deeper(pressed_by("U2", "C2"), 7)
        unknown = await controls.deeper(pressed_by("U2"), 8)

    assert first == second
    assert first is not None
    assert (first.kind, first.text, first.user) == ("research", "Why?", "U2")
    assert first.thread == asked.thread
    assert first.ts != asked.ts
    assert (elsewhere, unknown) == (None, None)


async def test_the_trail_is_shown_to_who_wants_it_where_the_run_was() -> None:
    runs = FakeRuns({7: RESEARCH}, (Ran(Search("search", ("moon",)), 2.0),))
    async with slack_web() as (web, said):
        said.next = [OK]
        controls = ResearchControls(web, runs)
        await controls.show_trail(pressed_by("U2", "C2"), 7)
        await controls.show_trail(pressed_by("U2"), 7)

    [(method, params)] = said.calls
    assert method == "chat.postEphemeral"
    assert (params["user"], params["channel"]) == ("U2", "C1")
    assert "“moon”" in str(params["blocks"])


async def test_a_message_of_who_was_asked_something_is_the_question_of_the_run() -> None:
    runs = FakeRuns(open={RESEARCH.thread: RESEARCH.user})
    reply = replace(RESEARCH, ts="200.000200", text="The last ten years.", kind="answer")
    async with slack_web() as (web, _):
        controls = ResearchControls(web, runs)
        others = await controls.as_answer(replace(reply, user="U2"))
        first, second = [await controls.as_answer(reply) for _ in range(2)]

    assert (others.kind, first.kind, second.kind) == ("answer", "research", "answer")
    assert first.text == reply.text


async def test_who_was_asked_something_can_say_stop_instead() -> None:
    runs = FakeRuns(open={RESEARCH.thread: RESEARCH.user})
    word = replace(RESEARCH, ts="200.000200", text="stop")
    async with slack_web() as (web, said):
        said.next = [OK]
        assert await ResearchControls(web, runs).stop_said(word)

    [(_, params)] = said.calls
    assert (params["user"], params["text"]) == (RESEARCH.user, NOT_BEGUN)
    assert runs.open == {}


async def test_only_who_asked_may_have_a_research_begun() -> None:
    runs = FakeRuns({7: RESEARCH})
    async with slack_web() as (web, said):
        said.next = [OK]
        controls = ResearchControls(web, runs)
        mine = await controls.may_start(pressed_by(RESEARCH.user), 7)
        others = await controls.may_start(pressed_by("U2"), 7)
        elsewhere = await controls.may_start(pressed_by(RESEARCH.user, "C2"), 7)

    assert (mine, others, elsewhere) == (True, False, False)
    assert [params["text"] for _, params in said.calls] == [MAY_NOT_START]


async def test_the_brief_is_shown_to_who_wants_it_where_the_run_is() -> None:
    runs = FakeRuns({7: RESEARCH}, briefs={7: "Find out <!here> how far it is."})
    async with slack_web() as (web, said):
        said.next = [OK]
        controls = ResearchControls(web, runs)
        await controls.show_brief(pressed_by("U2", "C2"), 7)
        await controls.show_brief(pressed_by("U2"), 7)

    [(method, params)] = said.calls
    assert (method, params["user"]) == ("chat.postEphemeral", "U2")
    assert "Find out &lt;!here&gt; how far it is." in str(params["blocks"])


async def test_research_that_waits_for_its_turn_is_taken_back_by_who_asked_for_it() -> None:
    runs = FakeRuns(waiting={RESEARCH.thread: RESEARCH.user})
    word = replace(RESEARCH, ts="200.000200", text="Stop.")
    async with slack_web() as (web, said):
        said.next = [OK]
        controls = ResearchControls(web, runs)
        assert not await controls.stop_said(replace(word, user="U2"))
        assert await controls.stop_said(word)
        assert not await controls.stop_said(word)

    assert [params["text"] for _, params in said.calls] == [NOT_BEGUN]


async def test_slacks_own_stop_takes_back_what_waits() -> None:
    runs = FakeRuns(waiting={RESEARCH.thread: RESEARCH.user})
    async with slack_web() as (web, _):
        await ResearchControls(web, runs).stop_session(RESEARCH.thread)

    assert runs.waiting == {}


async def test_a_digest_is_not_gone_into_deeper() -> None:
    asked = replace(a_question("Tell me more."), kind="about_digest")
    async with slack_web() as (web, _):
        controls = ResearchControls(web, FakeRuns({7: asked}))

        assert await controls.deeper(pressed_by("U2"), 7) is None
