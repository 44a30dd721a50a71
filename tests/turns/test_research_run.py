"""A run is followed whatever happens, and comes to one report or to one word why not."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import (
    ModelError,
    ModelQuotaUsedUp,
    ModelRunCancelled,
    ModelRunLost,
    ModelRunTooLong,
)
from bot.metrics import Metrics
from bot.turns.answer import (
    NOTES,
    Cited,
    Finished,
    Foreground,
    Search,
    Searched,
    Searching,
    Started,
    TextDelta,
    Usage,
    Writing,
    Written,
)
from bot.turns.memory import Memory
from bot.turns.preparation import Preparation
from bot.turns.prices import Prices
from bot.turns.question import Exchange
from bot.turns.research import Progress, Ran, Report, Run, Step
from bot.turns.research_run import ResearchRunner
from bot.turns.transcript import Past
from bot.turns.turn import ATTEMPTS, Turn, TurnLost
from tests.fakes import FakeHistory, FakeSlack, FakeStore, a_question

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from bot.turns.question import Asked

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SEARCH = Search("search", ("moon distance",), sources=("https://moon.example/far",))
RESEARCH = replace(a_question("What of the moon?"), kind="research")
END = Finished("resp_1", "gpt-test", "completed")
TEXT = (
    TextDelta("About 384,400 km ([moon.example](https://moon.example/far)).\n\n## More\n\nFar."),
    Cited("https://moon.example/far", "How far"),
)
STEPS: tuple[Step | Exception, ...] = (
    Step(Started("resp_1"), 0),
    Step(Searching("ws_1"), 3),
    Step(Searched("ws_1", SEARCH), 6),
    Step(Writing(), 8),
    Step(Writing(), 9),
    *(Step(part) for part in TEXT),
    Step(END, 20),
)


@dataclass
class Clock:
    now: datetime = NOON
    slept: int = 0
    stands_still: bool = False

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if self.stands_still:
            await asyncio.Event().wait()
        self.slept += 1
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass
class FakeResearcher:
    """Says its steps; where there are none, it goes on for ever."""

    steps: Sequence[Step | Exception] = STEPS
    goes_on: bool = False
    asked: list[tuple[Asked, Turn, int | None]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    async def research(self, asked: Asked, turn: Turn, after: int | None) -> AsyncGenerator[Step]:
        self.asked.append((asked, turn, after))
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            yield step
            await asyncio.sleep(0)
        if self.goes_on:
            await asyncio.Event().wait()

    async def cancel(self, response_id: str) -> Finished:
        self.cancelled.append(response_id)
        return Finished("", "gpt-test", "too_late", Usage(100, 20))


@dataclass
class FakeWriter:
    """Writes always the same, for ten tokens."""

    text: str = ""
    failing: Exception | None = None
    never: bool = False
    asked: list[Asked] = field(default_factory=list)

    async def write(self, asked: Asked, turn: Turn) -> Written:
        del turn
        self.asked.append(asked)
        if self.failing is not None:
            raise self.failing
        if self.never:
            await asyncio.Event().wait()
        return Written(self.text, Finished("resp_w", "gpt-test", "completed", Usage(8, 2)))


@dataclass
class FakeResearchReply:
    shown: list[Progress] = field(default_factory=list)
    briefs: list[str] = field(default_factory=list)
    done: list[tuple[object, ...]] = field(default_factory=list)
    left: int = 0

    @asynccontextmanager
    async def open_research(self, turn: Turn) -> AsyncIterator[FakeResearchReply]:
        del turn
        try:
            yield self
        finally:
            self.left += 1

    async def show(self, progress: Progress) -> None:
        self.shown.append(progress)

    async def brief(self, text: str) -> None:
        self.briefs.append(text)

    async def ask(self, questions: Sequence[str]) -> None:
        self.done.append(("ask", *questions))

    async def finish(self, report: Report) -> None:
        self.done.append(("finish", report))

    async def fail(self, words: str, reference: str) -> None:
        self.done.append(("fail", words, reference))

    async def stopped(self, progress: Progress) -> None:
        self.done.append(("stopped", progress))


@dataclass
class FakeRuns:
    run: Run = field(default_factory=lambda: Run(NOON))
    noted: list[tuple[str, int | None, int]] = field(default_factory=list)
    prepared: list[Run] = field(default_factory=list)
    stop_after: int | None = None  # notes
    failing: Exception | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def begin(self, turn: Turn) -> Run:
        del turn
        return self.run

    async def prepare(self, turn: Turn, run: Run) -> None:
        del turn
        self.prepared.append(run)

    async def note(
        self, turn: Turn, response_id: str, sequence_number: int | None, ran: Sequence[Ran]
    ) -> None:
        del turn
        if self.failing is not None:
            raise self.failing
        self.noted.append((response_id, sequence_number, len(ran)))
        self.changed.set()

    async def is_stop_asked(self, turn: Turn) -> bool:
        del turn
        return self.stop_after is not None and len(self.noted) >= self.stop_after


@dataclass
class Stage:
    model: FakeResearcher = field(default_factory=FakeResearcher)
    reply: FakeResearchReply = field(default_factory=FakeResearchReply)
    runs: FakeRuns = field(default_factory=FakeRuns)
    store: FakeStore = field(default_factory=FakeStore)
    clock: Clock = field(default_factory=Clock)
    clarifying: FakeWriter = field(default_factory=lambda: FakeWriter('{"questions": []}'))
    briefing: FakeWriter = field(default_factory=FakeWriter)

    async def run(self, turn: Turn | None = None) -> None:
        runner = ResearchRunner(
            self.reply,
            Memory(FakeSlack(), FakeHistory(), self.store),
            self.model,
            self.store,
            self.runs,
            Preparation(self.clarifying, self.briefing, Prices({})),
            Metrics(0.0),
            Prices({}),
            self.clock,
            self.clock.sleep,
        )
        async with asyncio.timeout(10):
            await runner.run(turn or Turn(7, RESEARCH, "resp_0"))


async def test_a_run_is_recorded_step_by_step_and_reported() -> None:
    stage = Stage()
    await stage.run()

    [(name, report)] = stage.reply.done
    assert name == "finish"
    assert isinstance(report, Report)
    assert report.answer.text.startswith("About 384,400 km [1](https://moon.example/far).")
    assert report.summary == "About 384,400 km [1](https://moon.example/far)."
    assert [each.search for each in report.ran] == [SEARCH]
    assert not report.is_partial
    assert stage.runs.noted == [
        ("resp_1", 0, 0),
        ("resp_1", 3, 0),
        ("resp_1", 6, 1),
        ("resp_1", 8, 1),
    ]
    stages = [progress.stage for progress in stage.reply.shown]
    assert stages == ["preparing", "queued", "searching", "searching", "writing"]
    assert stage.store.ends == [("answered", 7)]
    assert stage.reply.left == 1


async def test_a_run_of_a_process_that_died_is_followed_from_where_it_was_heard() -> None:
    earlier = Ran(Search("search", ("earlier",)), 2.0, key="ws_0")
    stage = Stage(
        FakeResearcher(STEPS[2:]),
        runs=FakeRuns(Run(NOON - timedelta(minutes=12), "resp_1", 5, (earlier,))),
    )
    await stage.run()

    [(_, turn, after)] = stage.model.asked
    assert (turn.response_id, after) == ("resp_1", 5)
    [(_, report)] = stage.reply.done
    assert isinstance(report, Report)
    assert [each.search.queries for each in report.ran] == [("earlier",), ("moon distance",)]
    assert report.answer.seconds >= 720


async def test_what_is_told_without_a_place_leaves_the_place_that_is_known() -> None:
    stage = Stage(
        FakeResearcher([Step(Searched("ws_1", SEARCH)), *STEPS[5:]]),
        runs=FakeRuns(Run(NOON, "resp_1", 5)),
    )
    await stage.run()

    assert stage.runs.noted == [("resp_1", 5, 1)]


async def test_it_is_told_what_the_same_person_asked_before_and_chained_to_nothing() -> None:
    own = Past(a_question("How big is it?", ts="100.000100"), "3,474 km across.")
    someones = Past(replace(a_question("A secret?", ts="100.000101"), user="U2"), "Yes.")
    stage = Stage(store=FakeStore(said=[own, someones]))
    await stage.run()

    [(asked, turn, _)] = stage.model.asked
    assert asked.earlier == (Exchange("How big is it?", "You", "3,474 km across."),)
    assert turn.previous_response_id is None


async def test_a_stop_cancels_at_the_provider_and_says_what_was_found() -> None:
    model = FakeResearcher(STEPS[:3], goes_on=True)
    stage = Stage(model, runs=FakeRuns(stop_after=3))
    await stage.run()

    assert model.cancelled == ["resp_1"]
    [(name, progress)] = stage.reply.done
    assert name == "stopped"
    assert isinstance(progress, Progress)
    assert [each.search for each in progress.ran] == [SEARCH]
    assert stage.store.ends == [("stopped", 7)]
    cost = stage.store.costs[7]
    assert cost.finished.usage == Usage(116, 24)  # of the run, and of preparing it
    assert cost.searches == (SEARCH,)


async def test_what_is_open_is_asked_once_and_nothing_is_researched() -> None:
    stage = Stage(clarifying=FakeWriter('{"questions": ["Which moon?", "Since when?"]}'))
    await stage.run()

    assert stage.reply.done == [("ask", "Which moon?", "Since when?")]
    assert stage.runs.prepared[0].questions == ("Which moon?", "Since when?")
    assert stage.runs.prepared[0].spent.usage == Usage(8, 2)
    assert (stage.model.asked, stage.briefing.asked) == ([], [])
    assert stage.store.ends == [("answered", 7)]


@pytest.mark.parametrize(
    "run",
    [
        Run(NOON, is_answer=True),
        Run(NOON, questions=("Which moon?",), is_taken_up=True),
        Run(NOON, questions=()),
    ],
    ids=["it answers", "started by the button", "found clear before"],
)
async def test_what_was_asked_or_is_clear_is_not_asked_again(run: Run) -> None:
    stage = Stage(runs=FakeRuns(run), clarifying=FakeWriter('{"questions": ["Which moon?"]}'))
    await stage.run()

    assert stage.clarifying.asked == []
    assert stage.store.ends == [("answered", 7)]


async def test_questions_that_were_recorded_before_a_restart_are_asked_all_the_same() -> None:
    stage = Stage(runs=FakeRuns(Run(NOON, questions=("Which moon?",))))
    await stage.run()

    assert stage.reply.done == [("ask", "Which moon?")]
    assert stage.clarifying.asked == []


async def test_the_run_follows_its_brief_which_is_written_once() -> None:
    stage = Stage(briefing=FakeWriter("Find out how far it is.\n- In kilometres."))
    await stage.run()

    [(asked, _, _)] = stage.model.asked
    assert asked.text == "What of the moon?\n\nBrief:\nFind out how far it is.\n- In kilometres."
    assert stage.reply.briefs == ["Find out how far it is.\n- In kilometres."]
    [(_, report)] = stage.reply.done
    assert isinstance(report, Report)
    assert report.answer.finished.usage == Usage(16, 4)  # of both small requests

    again = Stage(runs=FakeRuns(Run(NOON, brief="Find it out.")))
    await again.run()
    assert (again.clarifying.asked, again.briefing.asked) == ([], [])
    assert again.reply.briefs == ["Find it out."]


async def test_a_preparation_that_fails_says_so_and_nothing_is_researched() -> None:
    stage = Stage(clarifying=FakeWriter(failing=ModelQuotaUsedUp()))
    await stage.run()

    assert stage.reply.done == [("fail", ModelQuotaUsedUp.public, "7")]
    assert stage.model.asked == []


async def test_a_research_can_be_stopped_while_it_is_prepared() -> None:
    stage = Stage(runs=FakeRuns(stop_after=0), clarifying=FakeWriter(never=True))
    await stage.run()

    assert [name for name, *_ in stage.reply.done] == ["stopped"]
    assert stage.model.cancelled == []


async def test_a_run_past_its_deadline_is_reported_as_far_as_it_was_written() -> None:
    written = [Step(Writing(TEXT[0], begins=True)), Step(Writing(TEXT[1]))]
    void = Step(Writing(TextDelta("Told before the stream was lost. "), begins=True))
    model = FakeResearcher([*STEPS[:3], void, *written], goes_on=True)
    stage = Stage(model)
    await stage.run()

    assert model.cancelled == ["resp_1"]
    [(_, report)] = stage.reply.done
    assert isinstance(report, Report)
    assert report.is_partial
    assert report.answer.note == NOTES["too_late"]
    assert report.answer.text.startswith("About 384,400 km [1](https://moon.example/far).")
    assert report.answer.finished.response_id == ""  # nobody can go on from what was cancelled
    assert stage.store.ends == [("answered", 7)]


async def test_a_run_past_its_deadline_is_cancelled_and_the_thread_told() -> None:
    model = FakeResearcher(STEPS[:3], goes_on=True)
    stage = Stage(model)
    await stage.run()

    assert model.cancelled == ["resp_1"]
    assert stage.reply.done == [("fail", ModelRunTooLong.public, "7")]
    assert stage.store.ends == [("failed", 7, "ModelRunTooLong")]
    assert stage.clock.now - NOON >= timedelta(minutes=60)


@pytest.mark.parametrize("error", [ModelQuotaUsedUp(), ModelRunCancelled(), ModelRunLost()])
async def test_a_run_that_fails_says_so_once(error: ModelError) -> None:
    stage = Stage(FakeResearcher([*STEPS[:3], error]))
    await stage.run()

    assert stage.reply.done == [("fail", error.public, "7")]
    assert stage.store.ends == [("failed", 7, type(error).__name__)]


async def test_a_run_that_another_process_has_by_now_is_left_in_silence() -> None:
    stage = Stage(runs=FakeRuns(failing=TurnLost(7)))
    await stage.run()

    assert (stage.reply.done, stage.store.ends) == ([], [])


async def test_a_run_in_the_foreground_is_not_recorded_as_one_to_go_on_with() -> None:
    stage = Stage(FakeResearcher([Step(Foreground()), *STEPS]))
    await stage.run()

    assert stage.runs.noted == []
    assert not stage.reply.shown[-1].is_kept
    assert stage.store.ends == [("answered", 7)]


async def test_over_which_three_processes_died_without_a_step_is_given_up() -> None:
    stage = Stage()
    await stage.run(Turn(7, RESEARCH, None, attempt=ATTEMPTS + 1))

    assert stage.model.asked == []
    assert stage.store.ends == [("failed", 7, "TurnInterrupted")]


async def test_a_run_that_the_server_has_is_not_given_up_as_soon() -> None:
    stage = Stage(FakeResearcher(STEPS[2:]), runs=FakeRuns(Run(NOON, "resp_1", 5)))
    await stage.run(Turn(7, RESEARCH, None, attempt=ATTEMPTS + 1, response_id="resp_1"))

    assert stage.store.ends == [("answered", 7)]


async def test_a_process_that_closes_hands_the_run_over_and_cancels_nothing() -> None:
    model = FakeResearcher(STEPS[:2], goes_on=True)
    stage = Stage(model)
    stage.clock.stands_still = True
    task = asyncio.create_task(stage.run())
    async with asyncio.timeout(5):
        while len(stage.runs.noted) < 2:
            stage.runs.changed.clear()
            await stage.runs.changed.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert model.cancelled == []
    assert stage.store.ends == [("handed over", 7)]
