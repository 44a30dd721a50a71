from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from bot.slack.pacing import CALLS_A_MINUTE, REFUSED_SECONDS, SLOW_SECONDS, Pacing


class Clock:
    """A clock that goes on when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pacing(clock: Clock) -> Pacing:
    return Pacing(clock=clock, sleep=clock.sleep)


async def test_a_burst_is_let_through_and_then_the_minutes_allowance_holds(
    pacing: Pacing, clock: Clock
) -> None:
    for _ in range(10):
        await pacing.turn("T1", "chat.startStream")
    assert clock.now == 1_000.0
    for _ in range(20):
        await pacing.turn("T1", "chat.startStream")

    assert clock.now == pytest.approx(1_060.0)


async def test_workspaces_and_methods_have_allowances_of_their_own(pacing: Pacing) -> None:
    for _ in range(10):
        await pacing.turn("T1", "chat.startStream")

    assert not pacing.may_call("T1", "chat.startStream")
    assert pacing.may_call("T2", "chat.startStream")
    assert pacing.may_call("T1", "chat.appendStream")


async def test_a_429_is_heeded_by_everybody(pacing: Pacing, clock: Clock) -> None:
    pacing.rest("T1", "chat.appendStream", 30.0)

    assert not pacing.may_call("T1", "chat.appendStream")
    await pacing.turn("T1", "chat.appendStream")
    assert clock.now == pytest.approx(1_030.0)


def test_a_refused_place_is_not_streamed_to_for_a_while(pacing: Pacing, clock: Clock) -> None:
    pacing.streaming_refused("C1")

    assert not pacing.may_stream("T1", "C1")
    assert pacing.may_stream("T1", "C2")
    clock.now += REFUSED_SECONDS + 1
    assert pacing.may_stream("T1", "C1")


def test_each_live_reply_makes_the_others_write_less_often(pacing: Pacing) -> None:
    assert (pacing.seconds_between(streamed=True), pacing.seconds_between(streamed=False)) == (
        1.0,
        3.0,
    )
    with pacing.live_reply(), pacing.live_reply(), pacing.live_reply():
        assert pacing.seconds_between(streamed=True) == pytest.approx(2.1)
    assert pacing.seconds_between(streamed=True) == 1.0


def test_hundred_replies_together_stay_within_the_appends_of_a_minute(pacing: Pacing) -> None:
    with pacing.live_reply():
        alone = 60 / pacing.seconds_between(streamed=True)

    assert alone <= CALLS_A_MINUTE["chat.appendStream"]


async def test_a_run_is_updated_less_often_once_it_is_a_minute_old_and_where_many_run(
    pacing: Pacing,
) -> None:
    assert pacing.seconds_between_updates(10) == 3.0
    assert pacing.seconds_between_updates(60) == 15.0
    with ExitStack() as live:
        for _ in range(25):
            live.enter_context(pacing.live_run())
        assert pacing.seconds_between_updates(10) == 60.0
    assert pacing.seconds_between_updates(10) == 3.0


async def test_an_event_is_waited_for_but_not_for_longer(pacing: Pacing, clock: Clock) -> None:
    event = asyncio.Event()
    assert not await pacing.set_within(event, 5.0)
    assert clock.now == 1_005.0
    event.set()
    assert await pacing.set_within(event, 5.0)


async def test_a_method_that_slack_slows_down_keeps_that_pace_for_an_hour(
    pacing: Pacing, clock: Clock
) -> None:
    pacing.slow_down("T1", "conversations.history", 1)
    called = []
    for _ in range(3):
        await pacing.turn("T1", "conversations.history")
        called.append(clock.now)
    may_others = pacing.may_call("T2", "conversations.history")
    clock.now += SLOW_SECONDS
    await pacing.turn("T1", "conversations.history")
    await pacing.turn("T1", "conversations.history")

    assert called == pytest.approx([1_000.0, 1_060.0, 1_120.0])
    assert may_others
    assert clock.now == pytest.approx(1_120.0 + SLOW_SECONDS)


async def test_a_wait_ends_on_a_clock_that_does_not_tell_the_shortest_times(
    pacing: Pacing, clock: Clock
) -> None:
    clock.now = began = 1.7e9
    for _ in range(500):
        await pacing.turn("T1", "conversations.replies")

    assert clock.now - began == pytest.approx(475 * 1.2, abs=0.1)
