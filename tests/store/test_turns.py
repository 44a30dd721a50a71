from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import IntegrityError, StatementError

from bot.errors import ModelRateLimited, SlackUnreachable
from bot.store.engine import open_engine
from bot.store.tables import TurnRow, UtcDateTime
from bot.store.turns import TurnStore, ts_order
from bot.turns.answer import Usage
from bot.turns.turn import Turn, TurnState, WrongState
from tests.store.examples import (
    NOON,
    THREAD,
    Clock,
    a_question,
    an_answer,
    answered,
    started,
    taken,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

ROOT = Path(__file__).parents[2]


async def row_of(engine: AsyncEngine, turn_id: int) -> dict[str, object]:
    async with engine.connect() as connection:
        row = (await connection.execute(select(TurnRow).where(TurnRow.id == turn_id))).one()
    return dict(row._mapping)  # noqa: SLF001 - a row's public name, in spite of its underscore


class TestTaking:
    async def test_a_question_is_taken_once(self, store: TurnStore) -> None:
        first = await store.take(a_question())
        again = await store.take(a_question())

        assert first is not None
        assert again is None

    async def test_the_twin_event_with_another_text_is_the_same_question(
        self, store: TurnStore
    ) -> None:
        await taken(store, a_question(text="<@B> why?"))

        assert await store.take(a_question(text="why?")) is None

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param(a_question("1726000000.000101"), id="another message"),
            pytest.param(a_question(thread=replace(THREAD, channel="C2")), id="another channel"),
            pytest.param(a_question(thread=replace(THREAD, team="T2")), id="another workspace"),
        ],
    )
    async def test_another_message_is_another_question(
        self, store: TurnStore, other: object
    ) -> None:
        await taken(store, a_question())

        assert await store.take(other) is not None  # type: ignore[arg-type]  # a Question

    async def test_of_two_engines_one_takes_the_question(
        self, store: TurnStore, url: str, clock: Clock
    ) -> None:
        questions = [a_question(f"{1000 + n}.000100") for n in range(25)]
        async with open_engine(url) as second:
            stores = [store, TurnStore(second, clock)]
            pairs = await asyncio.gather(
                *(
                    asyncio.gather(*(each.take(question) for each in stores))
                    for question in questions
                )
            )

        assert [sum(turn_id is not None for turn_id in pair) for pair in pairs] == [1] * 25

    async def test_of_three_processes_that_start_at_once_one_takes_each_question(
        self, url: str
    ) -> None:
        processes = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.store.taker", url, "40"),
                cwd=ROOT,
                stdin=PIPE,
                stdout=PIPE,
            )
            for _ in range(3)
        ]
        async with asyncio.timeout(60):
            for process in processes:
                assert process.stdout is not None
                assert await process.stdout.readline() == b"ready\n"
            outputs = await asyncio.gather(*(process.communicate(b"\n") for process in processes))

        assert sum(int(output) for output, _ in outputs) == 40

    async def test_the_id_of_a_deleted_turn_is_not_given_again(
        self, store: TurnStore, engine: AsyncEngine
    ) -> None:
        first = await taken(store, a_question())
        async with engine.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM turns")

        assert await taken(store, a_question()) > first

    async def test_an_error_of_the_database_does_not_quote_the_question(
        self, engine: AsyncEngine
    ) -> None:
        with pytest.raises(IntegrityError) as caught:
            async with engine.begin() as connection:
                await connection.execute(insert(TurnRow).values(text="a secret"))

        assert "a secret" not in str(caught.value)

    async def test_a_cancelled_take_does_not_block_the_next(
        self, store: TurnStore, url: str
    ) -> None:
        async with open_engine(url) as other, other.begin():  # holds the lock, so the take waits
            task = asyncio.create_task(store.take(a_question()))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        async with asyncio.timeout(5):
            turn_id = await store.take(a_question("1726000000.000200"))

        assert turn_id is not None


class TestStarting:
    async def test_the_turn_has_its_question_as_it_was_asked(self, store: TurnStore) -> None:
        question = a_question(text="Why 👩‍🔬 \u202bלמה\u202c?\nAnd how?")
        turn_id = await taken(store, question)

        assert await store.start(turn_id) == Turn(turn_id, question, None)

    async def test_a_turn_is_chained_to_what_was_answered_while_it_waited(
        self, store: TurnStore
    ) -> None:
        first = await started(store, a_question("1.1"))
        waiting = await taken(store, a_question("2.1"))
        await store.finish_turn(first, an_answer("resp_first"))

        assert (await store.start(waiting)).previous_response_id == "resp_first"

    async def test_the_last_answered_turn_is_the_one_asked_last(self, store: TurnStore) -> None:
        late = await started(store, a_question("9.1"))
        await answered(store, a_question("10.1"), "resp_asked_last")
        await store.finish_turn(late, an_answer("resp_finished_last"))

        turn = await started(store, a_question("11.1"))

        assert turn.previous_response_id == "resp_asked_last"

    async def test_only_answered_turns_are_chained_to(self, store: TurnStore) -> None:
        await answered(store, a_question("1.1"), "resp_1")
        failed, stopped, running = [
            await started(store, a_question(ts)) for ts in ("2.1", "3.1", "4.1")
        ]
        for turn in (failed, stopped, running):
            await store.note_response(turn, f"resp_of_{turn.id}")
        await store.fail_turn(failed, TimeoutError())
        await store.stop_turn(stopped)

        turn = await started(store, a_question("5.1"))

        assert turn.previous_response_id == "resp_1"

    async def test_help_does_not_break_the_chain(self, store: TurnStore) -> None:
        await answered(store, a_question("1.1"), "resp_1")
        helped = await started(store, a_question("2.1", text="help"))
        await store.finish_turn(helped, None)

        assert (await started(store, a_question("3.1"))).previous_response_id == "resp_1"

    @pytest.mark.parametrize(
        "elsewhere",
        [
            pytest.param(replace(THREAD, thread_ts="5.5"), id="another thread"),
            pytest.param(replace(THREAD, channel="C2"), id="another channel"),
            pytest.param(replace(THREAD, team="T2"), id="another workspace"),
        ],
    )
    async def test_threads_are_not_chained_to_one_another(
        self, store: TurnStore, elsewhere: object
    ) -> None:
        await answered(store, a_question("1.1", thread=elsewhere), "resp_1")  # type: ignore[arg-type]  # a Thread

        assert (await started(store, a_question("2.1"))).previous_response_id is None

    @pytest.mark.parametrize(
        ("earlier", "later"),
        [
            pytest.param("1726000000.000100", "1726000000.000101", id="one microsecond"),
            pytest.param("999999999.999999", "1000000000.000000", id="one digit more"),
            pytest.param("1726000000.9", "1726000001.000001", id="short fraction"),
            pytest.param("1726000000.000001", "1726000000.9", id="short fraction of more"),
            pytest.param("1726000000", "1726000000.000001", id="no fraction"),
            pytest.param("9007199254.740992", "9007199254.740993", id="beyond a float"),
        ],
    )
    def test_ts_are_ordered_by_time(self, earlier: str, later: str) -> None:
        assert ts_order(earlier) < ts_order(later)


class TestStates:
    """From each state, every move that may not follow is refused, by id or by turn."""

    async def brought_to(self, store: TurnStore, state: TurnState) -> Turn:
        turn_id = await taken(store, a_question())
        if state is TurnState.WAITING:
            return Turn(turn_id, a_question(), None)
        turn = await store.start(turn_id)
        await self.move(store, turn, state)
        return turn

    async def move(self, store: TurnStore, turn: Turn, state: TurnState) -> None:
        match state:
            case TurnState.ANSWERED:
                await store.finish_turn(turn, an_answer())
            case TurnState.FAILED:
                await store.fail_turn(turn, TimeoutError())
            case TurnState.STOPPED:
                await store.stop_turn(turn)

    @pytest.mark.parametrize("stands", list(TurnState), ids=str)
    @pytest.mark.parametrize(
        "wanted", [TurnState.ANSWERED, TurnState.FAILED, TurnState.STOPPED], ids=str
    )
    async def test_a_turn_moves_as_the_table_says(
        self, store: TurnStore, engine: AsyncEngine, stands: TurnState, wanted: TurnState
    ) -> None:
        may_follow = {
            TurnState.WAITING: {TurnState.FAILED, TurnState.STOPPED},
            TurnState.RUNNING: {TurnState.ANSWERED, TurnState.FAILED, TurnState.STOPPED},
        }
        turn = await self.brought_to(store, stands)
        before = await row_of(engine, turn.id)

        if wanted in may_follow.get(stands, set()):
            await self.move(store, turn, wanted)
            assert (await row_of(engine, turn.id))["state"] == wanted
        else:
            with pytest.raises(WrongState, match=f"turn 1 is {stands} and cannot be {wanted}"):
                await self.move(store, turn, wanted)
            assert await row_of(engine, turn.id) == before

    @pytest.mark.parametrize(
        "stands", [state for state in TurnState if state is not TurnState.WAITING], ids=str
    )
    async def test_what_was_started_is_not_started_again(
        self, store: TurnStore, stands: TurnState
    ) -> None:
        turn = await self.brought_to(store, stands)

        with pytest.raises(WrongState, match=f"turn 1 is {stands} and cannot be running"):
            await store.start(turn.id)

    @pytest.mark.parametrize(
        "stands", [state for state in TurnState if state is not TurnState.RUNNING], ids=str
    )
    async def test_only_a_running_turn_is_given_a_response(
        self, store: TurnStore, stands: TurnState
    ) -> None:
        turn = await self.brought_to(store, stands)

        with pytest.raises(WrongState, match=f"is {stands} and cannot be given a response"):
            await store.note_response(turn, "resp_2")

    async def test_an_unknown_turn_is_refused(self, store: TurnStore) -> None:
        with pytest.raises(WrongState, match="turn 77 is unknown and cannot be running"):
            await store.start(77)

    async def test_of_two_that_end_a_turn_at_once_one_does(
        self, store: TurnStore, url: str, clock: Clock
    ) -> None:
        turn = await started(store, a_question())
        async with open_engine(url) as second:
            ends = await asyncio.gather(
                store.finish_turn(turn, an_answer()),
                TurnStore(second, clock).stop_turn(turn),
                return_exceptions=True,
            )

        assert sorted(type(end).__name__ for end in ends) == ["NoneType", "WrongState"]


class TestRecording:
    async def test_a_taken_question_is_kept_whole(
        self, store: TurnStore, engine: AsyncEngine
    ) -> None:
        turn_id = await taken(store, a_question(text="Why?"))

        assert await row_of(engine, turn_id) == {
            "id": turn_id,
            "state": TurnState.WAITING,
            "team": "T1",
            "channel": "C1",
            "thread_ts": "1726000000.000100",
            "ts": "1726000000.000100",
            "ts_order": 1726000000000100,
            "user": "U1",
            "user_team": "T1",
            "text": "Why?",
            "previous_response_id": None,
            "response_id": None,
            "model": None,
            "request_id": None,
            "input_tokens": None,
            "output_tokens": None,
            "cached_tokens": None,
            "reasoning_tokens": None,
            "searches": None,
            "seconds": None,
            "error": None,
            "created_at": NOON,
            "updated_at": NOON,
        }

    async def test_an_answer_is_kept_with_what_it_cost(
        self, store: TurnStore, engine: AsyncEngine, clock: Clock
    ) -> None:
        turn = await started(store, a_question())
        before = await row_of(engine, turn.id)
        clock.advance(seconds=4)

        await store.finish_turn(turn, an_answer("resp_1", usage=Usage(100, 50, 20, 30)))

        assert await row_of(engine, turn.id) == before | {
            "state": TurnState.ANSWERED,
            "response_id": "resp_1",
            "model": "gpt-6.1-sol",
            "request_id": "req_1",
            "input_tokens": 100,
            "output_tokens": 50,
            "cached_tokens": 20,
            "reasoning_tokens": 30,
            "searches": 2,
            "seconds": 3.25,
            "updated_at": NOON + timedelta(seconds=4),
        }

    async def test_tokens_the_server_did_not_tell_are_unknown_and_not_zero(
        self, store: TurnStore, engine: AsyncEngine
    ) -> None:
        turn = await started(store, a_question())
        await store.finish_turn(turn, an_answer(usage=None))

        assert (await row_of(engine, turn.id))["input_tokens"] is None

    async def test_the_response_is_known_while_the_turn_runs(
        self, store: TurnStore, engine: AsyncEngine
    ) -> None:
        turn = await started(store, a_question())
        await store.note_response(turn, "resp_early")

        row = await row_of(engine, turn.id)
        assert (row["state"], row["response_id"]) == (TurnState.RUNNING, "resp_early")

    @pytest.mark.parametrize(
        ("error", "kept"),
        [
            pytest.param(
                ModelRateLimited("a secret", request_id="req_9"),
                {"error": "ModelRateLimited", "request_id": "req_9"},
                id="the model's, with the provider's id",
            ),
            pytest.param(
                SlackUnreachable("chat.appendStream", "a secret"),
                {"error": "SlackUnreachable", "request_id": None},
                id="Slack's",
            ),
            pytest.param(
                RuntimeError("a secret"), {"error": "RuntimeError", "request_id": None}, id="a bug"
            ),
        ],
    )
    async def test_a_failure_is_kept_by_its_kind_and_never_with_its_text(
        self, store: TurnStore, engine: AsyncEngine, error: Exception, kept: dict[str, object]
    ) -> None:
        turn = await started(store, a_question())
        before = await row_of(engine, turn.id)

        await store.fail_turn(turn, error)

        after = await row_of(engine, turn.id)
        assert after == before | {"state": TurnState.FAILED, **kept}

    async def test_times_are_kept_in_utc(
        self, store: TurnStore, engine: AsyncEngine, clock: Clock
    ) -> None:
        clock.now = datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
        turn_id = await taken(store, a_question())

        created_at = (await row_of(engine, turn_id))["created_at"]
        assert isinstance(created_at, datetime)
        assert created_at.isoformat() == "2026-03-01T12:00:00+00:00"

    async def test_a_clock_without_a_time_zone_is_refused(
        self, store: TurnStore, clock: Clock
    ) -> None:
        clock.now = NOON.replace(tzinfo=None)

        with pytest.raises(StatementError, match="without a time zone"):
            await store.take(a_question())


class TestAsking:
    @pytest.mark.parametrize(
        ("state", "asked", "has_answered"),
        [
            pytest.param(TurnState.WAITING, True, False, id="a waiting question"),
            pytest.param(TurnState.RUNNING, True, False, id="a running one"),
            pytest.param(TurnState.ANSWERED, True, True, id="an answered one"),
            pytest.param(TurnState.FAILED, False, False, id="a failed one"),
            pytest.param(TurnState.STOPPED, False, False, id="a stopped one"),
        ],
    )
    async def test_a_thread_is_joined_by(
        self, store: TurnStore, state: TurnState, *, asked: bool, has_answered: bool
    ) -> None:
        await TestStates().brought_to(store, state)

        assert await store.has_asked(THREAD, "U1") is asked
        assert await store.has_answered(THREAD) is has_answered

    async def test_help_is_no_answer_that_others_follow_up(self, store: TurnStore) -> None:
        turn = await started(store, a_question(text="help"))
        await store.finish_turn(turn, None)

        assert not await store.has_answered(THREAD)

    async def test_who_did_not_ask_has_not_asked(self, store: TurnStore) -> None:
        await answered(store, a_question(user="U1"), "resp_1")

        assert not await store.has_asked(THREAD, "U2")

    @pytest.mark.parametrize(
        "elsewhere",
        [
            pytest.param(replace(THREAD, thread_ts="5.5"), id="thread"),
            pytest.param(replace(THREAD, channel="C2"), id="channel"),
            pytest.param(replace(THREAD, team="T2"), id="workspace"),
        ],
    )
    async def test_what_was_answered_here_does_not_count_in_another(
        self, store: TurnStore, elsewhere: object
    ) -> None:
        await answered(store, a_question(), "resp_1")

        assert not await store.has_asked(elsewhere, "U1")  # type: ignore[arg-type]  # a Thread
        assert not await store.has_answered(elsewhere)  # type: ignore[arg-type]  # a Thread

    async def test_it_can_be_asked_while_another_process_writes(
        self, store: TurnStore, url: str
    ) -> None:
        await answered(store, a_question(), "resp_1")
        async with open_engine(url) as other, other.begin(), asyncio.timeout(5):
            has_answered = await store.has_answered(THREAD)

        assert has_answered


class TestRestart:
    async def test_nothing_is_lost_when_the_database_is_opened_again(
        self, url: str, store: TurnStore, clock: Clock
    ) -> None:
        await answered(store, a_question("1.1"), "resp_1")
        running = await started(store, a_question("2.1", text="Running?"))
        waiting = await taken(store, a_question("3.1", text="Waiting?"))

        async with open_engine(url) as engine:
            reopened = TurnStore(engine, clock)
            found = (await reopened.unfinished(), await reopened.waiting())

        assert found == (
            [Turn(running.id, a_question("2.1", text="Running?"), "resp_1")],
            [Turn(waiting, a_question("3.1", text="Waiting?"), None)],
        )

    async def test_unfinished_turns_come_in_the_order_they_were_asked(
        self, store: TurnStore
    ) -> None:
        asked = ["10.2", "9.1", "10.1"]
        running = [await started(store, a_question(ts)) for ts in asked]
        other = replace(THREAD, thread_ts="20.0")
        for number in range(3):
            await taken(store, a_question(f"{22 - number}.1", thread=other))

        assert [turn.question.ts for turn in await store.unfinished()] == ["9.1", "10.1", "10.2"]
        assert [turn.question.ts for turn in await store.waiting()] == ["20.1", "21.1", "22.1"]
        assert running


def test_a_moment_that_a_server_gives_in_another_zone_is_told_in_utc() -> None:
    given = NOON.astimezone(timezone(timedelta(hours=-5)))

    told = UtcDateTime().process_result_value(given, DefaultDialect())

    assert str(told) == "2026-03-01 12:00:00+00:00"
