"""A run is known to whoever goes on with it, and can be stopped by whoever may."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.store.runs import RunStore
from bot.store.tenure import Tenure
from bot.store.turns import TurnStore
from bot.turns.answer import Search
from bot.turns.research import Ran, Run, Running
from bot.turns.turn import TurnLost
from tests.store.examples import NOON, THREAD, Clock, a_question, started

if TYPE_CHECKING:
    from bot.store.database import Database
    from bot.turns.turn import Turn

RAN = (
    Ran(Search("search", ("moon", "sun")), 2.5, key="ws_1"),
    Ran(Search("open_page", url="https://moon.example/"), 0.5, failed=True, key="ws_2"),
)
RESEARCH = replace(a_question(), kind="research")


class Process:
    """A process with its stores."""

    def __init__(self, database: Database) -> None:
        clock, self.tenure = Clock(), Tenure(lambda: 0.0)
        self.turns = TurnStore(database, self.tenure, clock)
        self.runs = RunStore(database, self.tenure, clock)

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
