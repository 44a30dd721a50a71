from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import IntegrityError, StatementError

from bot.errors import ModelRateLimited, SlackUnreachable
from bot.store.messages import MessageStore
from bot.store.rows import ts_order
from bot.store.tables import UtcDateTime, turns
from bot.store.tenure import Tenure
from bot.store.turns import TurnStore
from bot.turns.answer import Usage
from bot.turns.turn import Sent, Turn, TurnLost, TurnState, WrongState, states_before
from tests.store.examples import (
    NOON,
    THREAD,
    Clock,
    a_question,
    a_store,
    an_answer,
    answered,
    started,
    taken,
)

if TYPE_CHECKING:
    from bot.store.database import Database
    from bot.turns.question import Thread

ROOT = Path(__file__).parents[2]


async def row_of(database: Database, turn_id: int) -> dict[str, object]:
    statement = select(turns).where(turns.c.id == turn_id)
    row = await database.run(lambda connection: connection.execute(statement).mappings().one())
    return dict(row)


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

    async def test_of_two_processes_one_takes_the_question(
        self, store: TurnStore, other: Database
    ) -> None:
        questions = [a_question(f"{1000 + n}.000100") for n in range(25)]
        stores = [store, a_store(other)]
        pairs = await asyncio.gather(
            *(asyncio.gather(*(each.take(question) for each in stores)) for question in questions)
        )

        assert [sum(taken is not None for taken in pair) for pair in pairs] == [1] * 25

    @pytest.mark.usefixtures("database")  # or all three would make the file
    async def test_of_three_processes_that_start_at_once_one_takes_each_question(
        self, migrated_url: str
    ) -> None:
        processes = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.store.taker", migrated_url, "40"),
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
        self, store: TurnStore, database: Database
    ) -> None:
        first = await taken(store, a_question())
        await database.run(lambda connection: connection.execute(delete(turns)).rowcount)

        assert (await taken(store, a_question())).turn_id > first.turn_id

    async def test_an_error_of_the_database_does_not_quote_the_question(
        self, database: Database
    ) -> None:
        with pytest.raises(IntegrityError) as caught:
            await database.run(
                lambda connection: connection.execute(insert(turns), {"text": "a secret"})
            )

        assert "a secret" not in str(caught.value)

    async def test_a_cancelled_take_does_not_block_the_next(self, store: TurnStore) -> None:
        task = asyncio.create_task(store.take(a_question()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            turn = await store.take(a_question("1726000000.000200"))

        assert turn is not None

    async def test_a_commands_question_is_taken_once_and_placed_in_its_thread(
        self, store: TurnStore
    ) -> None:
        asked = a_question("/abc", thread=replace(THREAD, thread_ts=""))
        turn = await store.take_to_place(asked)
        again = await store.take_to_place(asked)
        assert turn is not None
        placed = await store.place(turn, a_question())

        assert again is None
        assert placed.turn is not None
        assert (placed.turn.id, placed.turn.question) == (turn.id, a_question())

    async def test_who_asks_on_below_a_commands_question_is_answered_after_it(
        self, store: TurnStore, database: Database
    ) -> None:
        asked = a_question("/abc", thread=replace(THREAD, thread_ts=""))
        turn = await store.take_to_place(asked)
        assert turn is not None
        steps = MessageStore(database, store._tenure, Clock())  # noqa: SLF001 - the same process
        await steps.intend(turn, 0, streamed=False)
        follow_up = await taken(store, a_question("1726000001.1"))  # its root is there already
        elsewhere = replace(THREAD, channel="C2", thread_ts="5.5")
        other = await taken(store, a_question("6.6", thread=elsewhere))
        placed = await store.place(turn, a_question())

        assert (follow_up.turn, other.turn) == (None, None)  # either may be below it
        assert placed.turn is not None
        assert await store.stranded() == [elsewhere]
        assert await store.start_next(elsewhere) is not None
        await store.finish_turn(placed.turn, None)
        following = await store.start_next(THREAD)
        assert following is not None
        assert following.id == follow_up.turn_id

    async def test_a_command_whose_root_is_not_about_to_be_posted_keeps_nobody_waiting(
        self, store: TurnStore
    ) -> None:
        await store.take_to_place(a_question("/abc", thread=replace(THREAD, thread_ts="")))
        follow_up = await taken(store, a_question("1726000001.1"))

        assert follow_up.turn is not None

    async def test_a_question_that_is_deleted_while_it_waits_is_stopped_and_no_other(
        self, store: TurnStore, database: Database
    ) -> None:
        running = await started(store, a_question("1.1"))
        waiting = await taken(store, a_question("2.1"))
        withdrawn = [await store.withdraw("T1", "C1", ts) for ts in ("1.1", "2.1", "2.1", "3.1")]

        assert withdrawn == [False, True, False, False]
        assert (await row_of(database, running.id))["state"] is TurnState.RUNNING
        assert (await row_of(database, waiting.turn_id))["state"] is TurnState.STOPPED


class TestStarting:
    async def test_the_turn_has_its_question_as_it_was_asked(self, store: TurnStore) -> None:
        question = a_question(text="Why 👩‍🔬 \u202bלמה\u202c?\nAnd how?")
        turn = await started(store, question)

        assert turn == Turn(turn.id, question, None, epoch=1, attempt=1)

    async def test_one_turn_of_a_thread_runs_at_a_time_and_the_one_asked_first_is_next(
        self, store: TurnStore
    ) -> None:
        first = await started(store, a_question("1.1"))
        others = [await taken(store, a_question(ts)) for ts in ("9.1", "10.1", "2.1")]
        meanwhile = await store.start_next(THREAD)
        await store.finish_turn(first, an_answer("resp_first"))
        second = await store.start_next(THREAD)

        assert [taken.turn for taken in others] == [None] * 3
        assert meanwhile is None
        assert second is not None
        assert (second.question.ts, second.previous_response_id) == ("2.1", "resp_first")

    async def test_turns_of_other_threads_run_at_once(self, store: TurnStore) -> None:
        threads = [replace(THREAD, thread_ts=f"{n}.1") for n in range(20)]
        takes = await asyncio.gather(
            *(store.take(a_question(f"{n}.2", thread=threads[n])) for n in range(20))
        )

        assert all(taken is not None and taken.turn is not None for taken in takes)

    async def test_of_two_processes_one_starts_the_next_turn(
        self, store: TurnStore, other: Database
    ) -> None:
        second = a_store(other)
        turn, order = await started(store, a_question("1.1")), []
        for n in range(2, 12):
            await taken(store, a_question(f"{n}.1"))
        for _ in range(10):
            await end(turn, store, second)
            found = await asyncio.gather(store.start_next(THREAD), second.start_next(THREAD))
            [turn] = [each for each in found if each is not None]
            order.append(turn.question.ts)

        assert order == [f"{n}.1" for n in range(2, 12)]

    async def test_nothing_is_lost_between_one_that_ends_a_turn_and_one_that_takes_the_next(
        self, store: TurnStore, other: Database
    ) -> None:
        second = a_store(other)
        for n in range(40):
            thread = replace(THREAD, thread_ts=f"{n}.1")
            turn = await started(store, a_question(f"{n}.1", thread=thread))

            async def ended(turn: Turn = turn, thread: Thread = thread) -> Turn | None:
                await store.finish_turn(turn, an_answer())
                return await store.start_next(thread)

            next_turn, taken = await asyncio.gather(
                ended(), second.take(a_question(f"{n}.2", thread=thread))
            )
            assert taken is not None
            assert (next_turn is None) != (taken.turn is None)

    async def test_only_answered_turns_are_chained_to(self, store: TurnStore) -> None:
        await answered(store, a_question("1.1"), "resp_1")
        failed = await started(store, a_question("2.1"))
        await store.note_response(failed, "resp_of_failed")
        await store.fail_turn(failed, TimeoutError())
        stopped = await started(store, a_question("3.1"))
        await store.note_response(stopped, "resp_of_stopped")
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


ENDS = (TurnState.ANSWERED, TurnState.FAILED, TurnState.STOPPED)


class TestStates:
    """From each state, every move that may not follow is refused."""

    async def brought_to(self, store: TurnStore, state: TurnState) -> Turn:
        if state is TurnState.PLACING:
            asked = a_question("/abc", thread=replace(THREAD, thread_ts=""))
            placing = await store.take_to_place(asked)
            assert placing is not None
            return placing
        if state is TurnState.WAITING:
            await started(store, a_question("1.1"))
            waiting = await taken(store, a_question())
            return Turn(waiting.turn_id, a_question(), None)
        turn = await started(store, a_question())
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
    @pytest.mark.parametrize("wanted", ENDS, ids=str)
    async def test_a_turn_moves_as_the_table_says(
        self, store: TurnStore, database: Database, stands: TurnState, wanted: TurnState
    ) -> None:
        turn = await self.brought_to(store, stands)
        before = await row_of(database, turn.id)

        if stands in states_before(wanted) and stands is not TurnState.WAITING:
            await self.move(store, turn, wanted)
            assert (await row_of(database, turn.id))["state"] is wanted
        elif stands is wanted:  # a repeat, whose first answer got lost
            await self.move(store, turn, wanted)
            assert await row_of(database, turn.id) == before
        else:
            with pytest.raises((WrongState, TurnLost)):
                await self.move(store, turn, wanted)
            assert await row_of(database, turn.id) == before

    @pytest.mark.parametrize("stands", ENDS, ids=str)
    async def test_who_is_refused_is_told_where_the_turn_stands(
        self, store: TurnStore, stands: TurnState
    ) -> None:
        turn = await self.brought_to(store, stands)

        with pytest.raises(WrongState, match=f"is {stands} and cannot be given a response"):
            await store.note_response(turn, "resp_2")

    async def test_an_unknown_turn_is_refused(self, store: TurnStore) -> None:
        with pytest.raises(WrongState, match="turn 77 is unknown and cannot be given a response"):
            await store.note_response(Turn(77, a_question(), None), "resp_1")

    async def test_a_failed_turn_is_tried_again_and_no_other(self, store: TurnStore) -> None:
        failed = await self.brought_to(store, TurnState.FAILED)
        again = await store.try_again(failed.id)
        meanwhile = await store.try_again(failed.id)
        unknown = await store.try_again(77)

        assert again is not None
        assert again.turn == replace(failed, epoch=2)
        assert (meanwhile, unknown) == (None, None)

    async def test_what_is_tried_again_is_chained_to_what_was_said_last(
        self, store: TurnStore, clock: Clock
    ) -> None:
        failed = await self.brought_to(store, TurnState.FAILED)
        clock.advance(1)
        await answered(store, a_question("1726000001.1"), "resp_later")
        clock.advance(1)
        again = await store.try_again(failed.id)
        assert again is not None
        assert again.turn is not None
        await store.finish_turn(again.turn, an_answer("resp_again"))

        assert again.turn.previous_response_id == "resp_later"
        follow_up = await started(store, a_question("1726000002.1"))
        assert follow_up.previous_response_id == "resp_again"


async def end(turn: Turn, *stores: TurnStore) -> None:
    """End a turn by whoever owns it."""
    for store in stores:
        with contextlib.suppress(TurnLost):
            await store.finish_turn(turn, an_answer())


class TestTakingOver:
    async def test_what_a_dead_process_left_is_given_to_one_other(
        self, store: TurnStore, database: Database
    ) -> None:
        left = await started(store, a_question())
        await store.note_response(left, "resp_begun")
        found = await a_store(database).recover([])

        assert found == [replace(left, epoch=2, attempt=2, response_id="resp_begun")]

    async def test_who_has_lost_a_turn_records_nothing_more_of_it(
        self, store: TurnStore, database: Database
    ) -> None:
        left = await started(store, a_question())
        await a_store(database).recover([])
        before = await row_of(database, left.id)
        steps = [
            store.note_response(left, "resp_2"),
            store.finish_turn(left, an_answer()),
            store.fail_turn(left, TimeoutError()),
            store.stop_turn(left),
            store.hand_over(left),
        ]
        ends = await asyncio.gather(*steps, return_exceptions=True)

        assert [type(end) for end in ends] == [TurnLost] * 5
        assert await row_of(database, left.id) == before

    async def test_what_waits_in_the_thread_of_a_dead_process_is_not_started_beside_it(
        self, store: TurnStore, database: Database
    ) -> None:
        await started(store, a_question("1.1"))
        await taken(store, a_question("2.1"))
        heir = a_store(database)
        [turn] = await heir.recover([])

        assert turn.question.ts == "1.1"
        assert await heir.stranded() == []
        assert await heir.start_next(THREAD) is None

    async def test_a_thread_in_which_nothing_runs_and_something_waits_is_found(
        self, store: TurnStore
    ) -> None:
        first = await started(store, a_question("1.1"))
        await taken(store, a_question("2.1"))
        await store.finish_turn(first, an_answer())

        assert await store.stranded() == [THREAD]

    async def test_what_is_worked_on_is_not_recovered_and_what_was_forgotten_is(
        self, store: TurnStore, clock: Clock
    ) -> None:
        turn = await started(store, a_question())
        at_once = await store.recover([])
        clock.advance(11)
        while_running = await store.recover([turn.id])
        forgotten = await store.recover([])

        assert (at_once, while_running) == ([], [])
        assert forgotten == [replace(turn, epoch=2, attempt=2)]

    async def test_what_is_handed_over_is_no_failed_attempt(self, store: TurnStore) -> None:
        turn = await started(store, a_question())
        await store.hand_over(turn)
        [again] = await store.recover([])

        assert again == replace(turn, epoch=2, attempt=1)

    async def test_a_commands_question_without_a_thread_is_taken_over_as_well(
        self, store: TurnStore, database: Database
    ) -> None:
        asked = a_question("/abc", thread=replace(THREAD, thread_ts=""))
        turn = await store.take_to_place(asked)
        [again] = await a_store(database).recover([])

        assert turn is not None
        assert (again.id, again.question, again.attempt) == (turn.id, asked, 2)

    async def test_to_place_a_commands_question_and_to_answer_it_is_one_attempt(
        self, store: TurnStore, database: Database
    ) -> None:
        await store.take_to_place(a_question("/abc", thread=replace(THREAD, thread_ts="")))
        other = a_store(database)
        [again] = await other.recover([])
        placed = await other.place(again, a_question())

        assert placed.turn is not None
        assert (again.attempt, placed.turn.attempt) == (2, 2)

    async def test_a_lapsed_tenure_records_nothing(self, database: Database) -> None:
        now = [0.0]
        tenure = Tenure(lambda: now[0])
        store = TurnStore(database, tenure, Clock())
        tenure.renew(6.0)
        turn = await started(store, a_question())
        now[0] = 6.0

        with pytest.raises(TurnLost):
            await store.finish_turn(turn, an_answer())

    async def test_what_was_begun_before_the_tenure_ended_is_lost(
        self, store: TurnStore, database: Database
    ) -> None:
        tenure = Tenure(lambda: 0.0)
        store = TurnStore(database, tenure, Clock())
        turn = await started(store, a_question())
        tenure.end()

        with pytest.raises(TurnLost):
            await store.finish_turn(turn, an_answer())


class TestRecording:
    async def test_a_taken_question_is_kept_whole(
        self, store: TurnStore, database: Database
    ) -> None:
        turn = await started(store, a_question(text="Why?"))
        row = await row_of(database, turn.id)

        assert row.pop("owner")
        assert row == {
            "id": turn.id,
            "state": TurnState.RUNNING,
            "team": "T1",
            "channel": "C1",
            "thread_ts": "1726000000.000100",
            "ts": "1726000000.000100",
            "ts_order": 1726000000000100,
            "user": "U1",
            "user_team": "T1",
            "text": "Why?",
            "kind": "answer",
            "epoch": 1,
            "attempt": 1,
            "started_at": NOON,
            "ended_at": None,
            "answer": None,
            "previous_response_id": None,
            "response_id": None,
            "model": None,
            "request_id": None,
            "input_tokens": None,
            "output_tokens": None,
            "cached_tokens": None,
            "reasoning_tokens": None,
            "cache_write_tokens": None,
            "searches": None,
            "usd": None,
            "seconds": None,
            "error": None,
            "created_at": NOON,
            "updated_at": NOON,
        }

    async def test_an_answer_is_kept_with_what_it_cost(
        self, store: TurnStore, database: Database, clock: Clock
    ) -> None:
        turn = await started(store, a_question())
        before = await row_of(database, turn.id)
        clock.advance(seconds=4)

        await store.finish_turn(turn, an_answer("resp_1", usage=Usage(100, 50, 20, 30, 7)))

        assert await row_of(database, turn.id) == before | {
            "state": TurnState.ANSWERED,
            "answer": "Because.",
            "response_id": "resp_1",
            "model": "gpt-6.1-sol",
            "request_id": "req_1",
            "input_tokens": 100,
            "output_tokens": 50,
            "cached_tokens": 20,
            "reasoning_tokens": 30,
            "cache_write_tokens": 7,
            "searches": 2,
            "seconds": 3.25,
            "ended_at": NOON + timedelta(seconds=4),
            "updated_at": NOON + timedelta(seconds=4),
        }

    async def test_tokens_the_server_did_not_tell_are_unknown_and_not_zero(
        self, store: TurnStore, database: Database
    ) -> None:
        turn = await started(store, a_question())
        await store.finish_turn(turn, an_answer(usage=None))

        assert (await row_of(database, turn.id))["input_tokens"] is None

    async def test_the_response_is_known_while_the_turn_runs(
        self, store: TurnStore, database: Database
    ) -> None:
        turn = await started(store, a_question())
        await store.note_response(turn, "resp_early")

        row = await row_of(database, turn.id)
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
        self, store: TurnStore, database: Database, error: Exception, kept: dict[str, object]
    ) -> None:
        turn = await started(store, a_question())
        before = await row_of(database, turn.id)

        await store.fail_turn(turn, error)

        after = await row_of(database, turn.id)
        assert after == before | {"state": TurnState.FAILED, "ended_at": NOON, **kept}

    async def test_times_are_kept_in_utc(
        self, store: TurnStore, database: Database, clock: Clock
    ) -> None:
        clock.now = datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
        turn = await started(store, a_question())

        created_at = (await row_of(database, turn.id))["created_at"]
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

    async def test_a_digest_is_no_question_and_no_answer_of_its_thread_until_somebody_asks(
        self, store: TurnStore
    ) -> None:
        await answered(store, replace(a_question(), kind="digest"), "resp_1")

        assert not await store.has_asked(THREAD, "U1")
        assert not await store.has_answered(THREAD)
        await answered(store, replace(a_question("100.9"), kind="about_digest"), "resp_2")
        assert await store.has_asked(THREAD, "U1")
        assert await store.has_answered(THREAD)

    async def test_a_digest_that_is_not_finished_is_in_no_other_thread(
        self, store: TurnStore
    ) -> None:
        turn = await started(store, replace(a_question(), kind="digest"))
        shared = replace(THREAD, channel="C9", thread_ts="900.000100")
        assert not await store.is_answered(turn.id)
        await store.keep_shared(turn.id, shared)
        assert not await store.has_digest(shared)

        await store.finish_turn(turn, an_answer())
        assert await store.is_answered(turn.id)
        await store.keep_shared(turn.id, shared)
        assert await store.has_digest(shared)

    async def test_a_digest_that_is_shared_is_one_of_the_thread_it_is_shared_in(
        self, store: TurnStore
    ) -> None:
        turn = await answered(store, replace(a_question(), kind="digest"), "resp_1")
        shared = replace(THREAD, channel="C9", thread_ts="900.000100")
        for _ in range(2):
            await store.keep_shared(turn.id, shared)
        asked = replace(a_question("900.000200"), thread=shared, kind="about_digest")
        [past] = await store.past(await started(store, asked))

        assert await store.has_digest(shared)
        assert await store.question(turn.id) == turn.question
        assert await store.shared_in(turn.id, "C9") == shared.thread_ts
        assert await store.shared_in(turn.id, "C8") is None
        assert (past.question.text, past.question.ts) == (turn.question.text, "900.000100")
        assert past.answer == (await store.past(turn))[0].answer

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


class TestPast:
    async def test_what_was_answered_in_the_thread_is_told_in_its_order(
        self, store: TurnStore, clock: Clock
    ) -> None:
        for ts in ("1.1", "2.1"):
            await answered(store, a_question(ts, text=f"Question {ts}?"), f"resp_{ts}")
            clock.advance(1)
        await store.finish_turn(await started(store, a_question("3.1", text="help")), None)
        await store.fail_turn(await started(store, a_question("4.1")), TimeoutError())
        await answered(store, a_question("5.1", thread=replace(THREAD, channel="C2")), "resp_5")
        turn = await started(store, a_question("6.1"))

        assert [(past.question.text, past.answer) for past in await store.past(turn)] == [
            ("Question 1.1?", "Because."),
            ("Question 2.1?", "Because."),
        ]

    @pytest.mark.parametrize(("days", "parent"), [(28, "resp_1"), (30, None)])
    async def test_a_parent_that_the_server_may_have_dropped_is_not_named(
        self, store: TurnStore, clock: Clock, days: int, parent: str | None
    ) -> None:
        await answered(store, a_question("1.1"), "resp_1")
        clock.advance(days * 24 * 3600)
        turn = await started(store, a_question("2.1"))

        assert turn.previous_response_id == parent
        assert len(await store.past(turn)) == 1

    async def test_after_an_answer_that_was_not_kept_no_older_one_is_named(
        self, store: TurnStore, clock: Clock
    ) -> None:
        await answered(store, a_question("1.1"), "resp_1")
        clock.advance(1)
        unkept = an_answer("resp_2")
        unkept = replace(unkept, finished=replace(unkept.finished, stored=False))
        await store.finish_turn(await started(store, a_question("2.1")), unkept)

        assert (await started(store, a_question("3.1"))).previous_response_id is None

    async def test_a_turn_that_is_begun_anew_has_the_messages_that_it_has_by_now(
        self, store: TurnStore, database: Database
    ) -> None:
        await answered(store, a_question("1.1"), "resp_1")
        turn = await started(store, a_question("2.1"))
        steps = MessageStore(database, store._tenure, Clock())  # noqa: SLF001 - the same process
        await steps.intend(turn, 1, streamed=True)
        await steps.confirm(turn, 1, "2.2")

        assert await store.begun_anew(turn) == replace(
            turn, previous_response_id=None, sent=(Sent(1, "2.2", streamed=True, intended_at=NOON),)
        )


class TestOddValues:
    async def test_whatever_length_a_server_gives_its_ids_they_are_kept_whole(
        self, store: TurnStore, database: Database
    ) -> None:
        long = "x" * 2_000
        place = replace(THREAD, channel=long)
        turn = await started(store, a_question("1.1", thread=place, user=long))
        usage = Usage(*[2**40] * 4)
        await store.note_response(turn, long)
        await store.finish_turn(turn, an_answer(long, usage=usage))
        following = await started(store, a_question("2.1", thread=place))

        assert following.previous_response_id == long
        assert (await row_of(database, turn.id))["reasoning_tokens"] == 2**40


class TestRestart:
    async def test_nothing_is_lost_when_the_process_is_another_one(
        self, store: TurnStore, other: Database
    ) -> None:
        await answered(store, a_question("1.1"), "resp_1")
        running = await started(store, a_question("2.1", text="Running?"))
        waiting = await taken(store, a_question("3.1", text="Waiting?"))
        await store.hand_over(running)

        heir = a_store(other)
        [found] = await heir.recover([])
        await heir.finish_turn(found, None)
        following = await heir.start_next(THREAD)

        assert found == replace(running, epoch=2)
        assert following is not None
        assert (following.id, following.question.text) == (waiting.turn_id, "Waiting?")

    async def test_what_was_left_is_gone_on_with_in_the_order_it_was_asked(
        self, store: TurnStore
    ) -> None:
        for ts in ("10.2", "9.1", "10.1"):
            turn = await started(store, a_question(ts, thread=replace(THREAD, thread_ts=ts)))
            await store.hand_over(turn)

        assert [turn.question.ts for turn in await store.recover([])] == ["9.1", "10.1", "10.2"]


def test_a_moment_that_a_server_gives_in_another_zone_is_told_in_utc() -> None:
    given = NOON.astimezone(timezone(timedelta(hours=-5)))

    told = UtcDateTime().process_result_value(given, DefaultDialect())

    assert str(told) == "2026-03-01 12:00:00+00:00"
