"""A busy server is asked again, by all together, and nobody is asked twice for one answer."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.errors import (
    ModelCutOff,
    ModelError,
    ModelOverloaded,
    ModelQuotaUsedUp,
    ModelRateLimited,
    ModelRequestRefused,
    ModelUnreachable,
)
from bot.responses.patience import (
    FIRST_GAP,
    PATIENCE_SECONDS,
    TOLD_SECONDS,
    Pace,
    PatientModel,
    repeat_after,
)
from bot.turns.answer import Finished, Part, Started, TextDelta, Waiting
from tests.responses.examples import ASKED, a_turn

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from bot.turns.question import Asked
    from bot.turns.turn import Turn

Headers = dict[str, str]

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANSWER = (Started("resp_1"), TextDelta("Yes."), Finished("resp_1", "m", "completed"))


def again(error: ModelError, after: float = 0.0) -> ModelError:
    error.repeat_after = after
    return error


@dataclass
class Time:
    """Time that passes only where somebody sleeps, for all at once."""

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        self.slept.append(seconds)
        await asyncio.sleep(0)
        self.now = max(self.now, until)


@dataclass
class Busy:
    """A model that refuses before it answers."""

    refusals: list[ModelError]
    said: Sequence[Part | ModelError] = ANSWER
    asked: int = 0

    async def respond(self, asked: Asked, turn: Turn) -> AsyncGenerator[Part]:
        del asked, turn
        self.asked += 1
        if self.refusals:
            raise self.refusals.pop(0)
        for part in self.said:
            if isinstance(part, ModelError):
                raise part
            yield part

    async def count_tokens(self, asked: Asked, turn: Turn) -> int | None:
        del asked, turn
        return 7


async def ask(
    model: Busy, time: Time | None = None, chance: float = 0.0
) -> list[Part | ModelError]:
    time = time or Time()
    patient = PatientModel(model, Pace(time, time.sleep), lambda: chance)
    parts: list[Part | ModelError] = []
    try:
        async for part in patient.respond(ASKED, a_turn()):
            parts.append(part)  # noqa: PERF401 - what came before an error is kept
    except ModelError as error:
        parts.append(error)
    return parts


@pytest.mark.parametrize("error", [ModelRateLimited, ModelOverloaded, ModelUnreachable])
async def test_who_was_only_busy_is_asked_again(error: type[ModelError]) -> None:
    model = Busy([again(error()), again(error())])

    assert await ask(model) == list(ANSWER)
    assert model.asked == 3


@pytest.mark.parametrize("error", [ModelQuotaUsedUp(), ModelRequestRefused(), ModelRateLimited()])
async def test_who_says_no_for_good_is_not_asked_again(error: ModelError) -> None:
    model = Busy([error])

    assert await ask(model) == [error]
    assert model.asked == 1


async def test_an_answer_that_broke_off_is_not_asked_for_again() -> None:
    broken = again(ModelCutOff())
    model = Busy([], said=[Started("resp_1"), broken])

    assert await ask(model) == [Started("resp_1"), broken]
    assert model.asked == 1


async def test_the_servers_own_pause_is_heeded() -> None:
    time = Time()
    await ask(Busy([again(ModelRateLimited(), 3.0)]), time)

    assert time.now == pytest.approx(1_003.0, abs=0.1)


async def test_pauses_grow_where_the_server_asks_for_none() -> None:
    time = Time()
    await ask(Busy([again(ModelUnreachable()) for _ in range(3)]), time)

    assert [seconds for seconds in time.slept if seconds] == [0.5, 1.0, 2.0]


async def test_pauses_stop_growing_at_eight_seconds() -> None:
    time = Time()
    await ask(Busy([again(ModelOverloaded()) for _ in range(7)]), time)

    pauses = [seconds for seconds in time.slept if seconds >= 0.5]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


async def test_pauses_differ_by_a_quarter_at_most() -> None:
    time = Time()
    await ask(Busy([again(ModelRateLimited(), 4.0)]), time, chance=1.0)

    assert time.now == pytest.approx(1_005.0)


async def test_a_server_that_is_not_there_is_asked_four_times() -> None:
    model = Busy([again(ModelUnreachable()) for _ in range(9)])

    assert isinstance((await ask(model))[-1], ModelUnreachable)
    assert model.asked == 4


async def test_a_pause_that_takes_all_the_patience_is_waited_for() -> None:
    time = Time()

    assert await ask(Busy([again(ModelRateLimited(), 120.0)]), time) == [Waiting(), *ANSWER]
    assert time.now == 1_120.0


async def test_the_person_is_told_before_the_pause_that_makes_five_seconds() -> None:
    time = Time()
    pace = Pace(time, time.sleep)
    busy = Busy([again(ModelOverloaded()) for _ in range(4)])
    told_at = [
        time.now - 1_000.0
        async for part in PatientModel(busy, pace, lambda: 0.0).respond(ASKED, a_turn())
        if isinstance(part, Waiting)
    ]

    assert told_at == [pytest.approx(3.5)]  # before the pause of four seconds


async def test_the_person_is_told_once_when_the_wait_gets_long() -> None:
    refusals = [again(ModelRateLimited(), TOLD_SECONDS / 2) for _ in range(4)]

    assert await ask(Busy(refusals)) == [Waiting(), *ANSWER]


@pytest.mark.parametrize(
    ("error", "after"), [(ModelRateLimited, 40.0), (ModelOverloaded, 0.0), (ModelUnreachable, 0.0)]
)
async def test_patience_has_an_end(error: type[ModelError], after: float) -> None:
    time = Time()
    parts = await ask(Busy([again(error(), after) for _ in range(99)]), time)

    assert isinstance(parts[-1], error)
    assert time.now - 1_000.0 <= PATIENCE_SECONDS


async def test_in_a_storm_all_are_answered_and_the_server_is_not_stormed() -> None:
    time = Time()
    pace = Pace(time, time.sleep)
    asked_at: list[float] = []

    class Limited(Busy):
        async def respond(self, asked: Asked, turn: Turn) -> AsyncGenerator[Part]:
            asked_at.append(time.now)
            recent = [at for at in asked_at if at > time.now - 1.0]
            if len(recent) > 20:
                raise again(ModelRateLimited(), 1.0)
            async for part in super().respond(asked, turn):
                yield part

    async def one() -> int:
        patient = PatientModel(Limited([]), pace, lambda: 0.5)
        return len([p async for p in patient.respond(ASKED, a_turn()) if isinstance(p, Finished)])

    answered = await asyncio.gather(*(one() for _ in range(200)))
    first_window = [at for at in asked_at if at < asked_at[0] + 1.0]
    later = [at for at in asked_at if at >= asked_at[0] + 1.0]
    fullest = max(sum(at <= other < at + 1.0 for other in later) for at in later)

    assert answered == [1] * 200
    assert len(first_window) <= 200
    assert fullest <= 40


def left(requests: object, of: int = 100, reset: str = "10s", kind: str = "requests") -> Headers:
    return {
        f"x-ratelimit-limit-{kind}": str(of),
        f"x-ratelimit-remaining-{kind}": str(requests),
        f"x-ratelimit-reset-{kind}": reset,
    }


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({}, [0.0, 0.0]),
        (left(21), [0.0, 0.0]),
        (left(20), [0.0, 0.5]),
        (left(2), [0.0, 2.0]),  # the largest gap
        (left(0, reset="3s"), [3.0, 0.0]),
        (left(20_000, of=1_000_000, reset="1s", kind="tokens"), [0.0, 0.5]),
        (left(9_000, of=1_000_000, reset="1s", kind="tokens"), [1.0, 0.0]),
        (left(10_000, of=1_000_000, reset="1s", kind="tokens"), [0.0, 1.0]),  # enough for one
        (left("many"), [0.0, 0.0]),
        (left(5, reset="soon"), [0.0, 0.0]),
        (left(0, reset="99d"), [PATIENCE_SECONDS, 0.0]),
    ],
)
async def test_what_is_left_of_a_limit_is_spread_before_it_is_used_up(
    headers: Headers, waits: list[float]
) -> None:
    time = Time()
    pace = Pace(time, time.sleep)
    pace.heed(headers)

    sent_at = [1_000.0, await pace.turn(), await pace.turn()]

    assert [later - at for at, later in itertools.pairwise(sent_at)] == pytest.approx(waits)


async def test_who_waits_long_behind_others_is_told_before() -> None:
    time = Time()
    pace = Pace(time, time.sleep)
    pace.refused(time.now, TOLD_SECONDS)
    patient = PatientModel(Busy([]), pace)

    assert [part async for part in patient.respond(ASKED, a_turn())] == [Waiting(), *ANSWER]


async def test_who_comes_after_a_hundred_others_is_told_at_once() -> None:
    time = Time()
    pace = Pace(time, time.sleep)
    pace.refused(time.now, 1.0)
    alone = pace.seconds_ahead
    others = [asyncio.create_task(pace.turn()) for _ in range(100)]
    await asyncio.sleep(0)
    behind = pace.seconds_ahead
    await asyncio.gather(*others)

    assert [alone, behind, pace.seconds_ahead] == pytest.approx([1.0, 3.0, FIRST_GAP])


async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    time = Time()
    pace = Pace(time, time.sleep)
    pace.refused(time.now, 30.0)
    pace.refused(time.now, 1.0)
    after_refusals = pace.seconds_ahead
    pace.heed(left(0, reset="2s"))

    assert (after_refusals, pace.seconds_ahead) == (30.0, 30.0)


async def test_a_refusal_widens_the_gap_more_than_an_answer_narrows_it() -> None:
    time = Time()
    pace = Pace(time, time.sleep)
    gaps = []
    for _ in range(2):
        pace.refused(await pace.turn(), 0.0)
        gaps.append(await _gap(pace))
    pace.answered()
    gaps.append(await _gap(pace))

    assert gaps == pytest.approx([0.02, 0.024, 0.0228])


async def test_an_answer_narrows_the_gap_once_however_many_parts_it_has() -> None:
    time = Time()
    pace = Pace(time, time.sleep)
    pace.refused(time.now, 0.0)
    patient = PatientModel(Busy([]), pace)
    parts = [part async for part in patient.respond(ASKED, a_turn())]

    assert parts == list(ANSWER)
    assert await _gap(pace) == pytest.approx(0.019)


async def test_after_enough_answers_there_is_no_gap_any_more() -> None:
    time = Time()
    pace = Pace(time, time.sleep)
    pace.refused(time.now, 0.0)
    for _ in range(60):
        pace.answered()

    assert await _gap(pace) == 0.0


async def test_refusals_of_requests_that_were_on_their_way_together_count_as_one() -> None:
    time = Time()
    pace = Pace(time, time.sleep)
    together = [await pace.turn() for _ in range(50)]
    for sent_at in together:
        pace.refused(sent_at, 0.0)

    first, second = await pace.turn(), await pace.turn()
    assert second - first == pytest.approx(FIRST_GAP)


async def test_tokens_are_counted_by_the_model() -> None:
    time = Time()

    assert await PatientModel(Busy([]), Pace(time, time.sleep)).count_tokens(ASKED, a_turn()) == 7


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Mon, 23 Nov 2026 13:00:30 +0100"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:30 -0000"}, 30.0),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "999999999999"}, 0.0),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": "121"}, None),
        ({"x-should-retry": "false"}, None),
        ({"x-should-retry": "False"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m0.5s"}, 60.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, 0.12),
        ({"x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "6m0s"}, 0.0),
        (left(0, reset="2s") | left(0, reset="9s", kind="tokens"), 9.0),
    ],
    ids=str,
)
def test_what_a_refusal_says_about_another_attempt(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert repeat_after(ModelRateLimited(), headers, NOW) == seconds


@pytest.mark.parametrize("error", [ModelQuotaUsedUp(), ModelRequestRefused()])
def test_what_no_repeat_would_help_is_not_repeated_whatever_is_said(error: ModelError) -> None:
    assert repeat_after(error, {"x-should-retry": "true", "retry-after": "1"}, NOW) is None


async def _gap(pace: Pace) -> float:
    """Return the time between two requests as it is now."""
    first, second = await pace.turn(), await pace.turn()
    return second - first
