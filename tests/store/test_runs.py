"""A run is known to whoever goes on with it, and can be stopped by whoever may."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from bot.store.runs import RunStore
from bot.store.tables import turns
from bot.store.tenure import Tenure
from bot.store.turns import TurnStore
from bot.turns.answer import Search, Usage
from bot.turns.prices import NOTHING_SPENT, Spent
from bot.turns.research import Ran, Run, Running
from bot.turns.turn import TurnLost, TurnState
from tests.store.examples import NOON, THREAD, Clock, a_question, an_answer, started

if TYPE_CHECKING:
    from bot.store.database import Database
    from bot.turns.question import Question
    from bot.turns.turn import Turn

RAN = (
    Ran(Search("search", ("moon", "sun")), 2.5, key="ws_1"),
    Ran(Search("open_page", url="https://moon.example/"), 0.5, failed=True, key="ws_2"),
)
RESEARCH = replace(a_question(), kind="research")


class Process:
    """A process with its stores."""

    def __init__(self, database: Database) -> None:
        self.clock, self.tenure = Clock(), Tenure(lambda: 0.0)
        self.turns = TurnStore(database, self.tenure, self.clock)
        self.runs = RunStore(database, self.tenure, self.clock)

    async def researching(self) -> Turn:
        turn = await started(self.turns, RESEARCH)
        await self.runs.begin(turn)
        return turn


@pytest.fixture
def process(database: Database) -> Process:
    return Process(database)


async def test_what_is_wanted_is_kept_with_the_question(process: Process) -> None:
    turn = await process.researching()

    assert turn.question.kind == "research"
    assert await process.runs.question(turn.id) == RESEARCH
    assert await process.runs.question(turn.id + 1) is None


async def test_a_run_that_is_noted_is_found_by_who_takes_it_over(
    process: Process, other: Database
) -> None:
    turn = await process.researching()
    await process.runs.note(turn, "resp_1", 17, RAN)
    process.tenure.end()
    heir = Process(other)
    [taken] = await heir.turns.recover(())

    assert await heir.runs.begin(taken) == Run(NOON, "resp_1", 17, RAN)
    assert taken.response_id == "resp_1"
    assert await heir.runs.ran(turn.id) == RAN
    with pytest.raises(TurnLost):
        await process.runs.note(turn, "resp_1", 18, RAN)


async def test_a_process_that_dies_over_a_run_that_gets_on_is_no_failed_attempt(
    process: Process, other: Database
) -> None:
    turn = await process.researching()
    for _ in range(5):
        await process.runs.note(turn, "resp_1", 17, RAN)
        process.tenure.end()
        process = Process(other)
        [turn] = await process.turns.recover(())

    assert turn.attempt == 2


async def test_a_stop_reaches_the_process_that_follows_the_run(
    process: Process, other: Database
) -> None:
    turn = await process.researching()
    before = await process.runs.is_stop_asked(turn)
    running = await Process(other).runs.running_in(THREAD)
    assert running == Running(turn.id, RESEARCH.user)
    asked = [await Process(other).runs.ask_stop(turn.id) for _ in range(2)]

    assert (before, await process.runs.is_stop_asked(turn)) == (False, True)
    assert asked == [True, False]


async def test_a_run_is_stopped_by_the_message_that_asked_for_it(process: Process) -> None:
    turn = await process.researching()
    place = THREAD.team, THREAD.channel

    assert not await process.runs.ask_stop_of(*place, "1.1")
    assert await process.runs.ask_stop_of(*place, RESEARCH.ts)
    assert await process.runs.is_stop_asked(turn)


async def test_a_run_that_has_ended_is_not_stopped(process: Process) -> None:
    turn = await process.researching()
    await process.turns.stop_turn(turn)

    assert not await process.runs.ask_stop(turn.id)
    assert await process.runs.running_in(THREAD) is None


@pytest.mark.parametrize("end", ["failed", "stopped"])
async def test_to_try_again_is_to_begin_a_run_anew(process: Process, end: str) -> None:
    turn = await process.researching()
    await process.runs.note(turn, "resp_1", 17, RAN)
    if end == "failed":
        await process.turns.fail_turn(turn, ValueError())
    else:
        await process.turns.stop_turn(turn)
    again = await process.turns.try_again(turn.id)
    assert again is not None
    assert again.turn is not None

    assert await process.runs.begin(again.turn) == Run(NOON)


QUESTIONS = ("Which moon?", "Since when?")
SPENT = Spent(Usage(8, 2), 0.25)


async def asking(process: Process) -> Turn:
    """A research that has asked something, and waits for the person."""
    turn = await process.researching()
    await process.runs.prepare(turn, Run(NOON, questions=QUESTIONS, spent=SPENT))
    await process.turns.finish_turn(turn, an_answer(response_id=""))
    return turn


def a_reply(ts: str = "1726000000.000200") -> Question:
    return replace(RESEARCH, ts=ts, text="Ours.", kind="answer")


async def test_what_was_prepared_is_known_to_who_takes_the_turn_over(process: Process) -> None:
    turn = await process.researching()
    first = await process.runs.begin(turn)
    assert (first.questions, first.brief, first.spent) == (None, None, NOTHING_SPENT)
    await process.runs.prepare(turn, replace(first, questions=(), brief="Look.", spent=SPENT))

    run = await process.runs.begin(turn)
    assert (run.questions, run.brief, run.spent) == ((), "Look.", SPENT)
    assert await process.runs.brief(turn.id) == "Look."


async def test_a_reply_to_what_was_asked_is_taken_up_once_and_known_for_an_answer(
    process: Process,
) -> None:
    await asking(process)
    assert not await process.runs.take_up(replace(a_reply(), user="U2"))
    assert await process.runs.take_up(a_reply())
    assert await process.runs.take_up(a_reply())  # delivered twice
    assert not await process.runs.take_up(a_reply("1726000000.000300"))

    taken = await process.turns.take(replace(a_reply(), kind="research"))
    assert taken is not None
    assert taken.turn is not None
    assert (await process.runs.begin(taken.turn)).is_answer


async def test_nothing_is_taken_up_where_the_question_was_clear(process: Process) -> None:
    turn = await process.researching()
    await process.runs.prepare(turn, Run(NOON, questions=()))
    await process.turns.finish_turn(turn, an_answer())

    assert not await process.runs.take_up(a_reply())


async def test_a_research_that_asked_is_begun_by_the_button_once(process: Process) -> None:
    turn = await asking(process)
    process.clock.advance(3_600)
    taken = await process.turns.start_now(turn.id)

    assert taken is not None
    assert taken.turn is not None
    run = await process.runs.begin(taken.turn)
    assert (run.is_taken_up, run.questions, run.spent) == (True, QUESTIONS, SPENT)
    assert run.began_at > NOON  # its time begins now
    assert await process.turns.start_now(turn.id) is None
    assert not await process.runs.take_up(a_reply())


async def test_the_button_does_nothing_once_the_person_has_answered(process: Process) -> None:
    turn = await asking(process)
    assert await process.runs.take_up(a_reply())

    assert await process.turns.start_now(turn.id) is None
    assert await process.turns.start_now(turn.id + 1) is None


async def test_a_turn_after_the_questions_is_chained_to_nothing(process: Process) -> None:
    await asking(process)
    taken = await process.turns.take(replace(a_reply(), kind="answer"))

    assert taken is not None
    assert taken.turn is not None
    assert taken.turn.previous_response_id is None


async def test_research_that_waits_is_taken_back_and_nothing_else(process: Process) -> None:
    await process.researching()
    plain = replace(a_reply(), text="And this?")
    waiting = [replace(a_reply(f"1726000000.000{n}00"), kind="research") for n in (3, 4)]
    others = replace(waiting[1], user="U2")
    for question in (plain, waiting[0], others):
        await process.turns.take(question)

    assert not await process.runs.stop_waiting(THREAD, "U3")
    assert await process.runs.stop_waiting(THREAD, "U1")
    assert not await process.runs.stop_waiting(THREAD, "U1")
    assert await process.runs.stop_waiting(THREAD)
    assert not await process.runs.stop_waiting(THREAD)


async def test_what_a_run_without_a_report_has_cost_is_kept(
    process: Process, database: Database
) -> None:
    turn = await process.researching()
    cost = an_answer(usage=Usage(100, 20))
    await process.turns.note_cost(turn, cost)
    await process.turns.stop_turn(turn)

    found = select(turns).where(turns.c.id == turn.id)
    row = await database.run(lambda c: c.execute(found).one())
    assert (row.state, row.input_tokens, row.searches) == (TurnState.STOPPED, 100, 2)
    assert (row.answer, row.response_id) == (None, None)
