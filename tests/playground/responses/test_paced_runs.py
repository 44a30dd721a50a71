"""A run in the background may take all of its time, whoever listens."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import pytest

from bot.playground.responses import LocalResponses, Profile
from tests.playground.responses.wire import events, open_http, stream

PACED = Profile(delta_seconds=0, queued_seconds=10.0, working_seconds=100.0, paced_runs=True)


@dataclass
class Time:
    """A time that goes on by sleeping only."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_its_events_come_over_the_time_that_it_takes() -> None:
    time = Time()
    async with (
        LocalResponses.start(profile=PACED, clock=time, sleep=time.sleep) as responses,
        open_http(responses) as http,
    ):
        told = await stream(http, background=True, store=True)

    assert told[-1]["type"] == "response.completed"
    assert time.now == 1_000.0 + 110.0


async def test_what_was_missed_comes_at_once_and_the_rest_when_it_is_due() -> None:
    time = Time()
    async with LocalResponses.start(profile=PACED, clock=time, sleep=time.sleep) as responses:
        responses.cut_after(5, background=True)
        async with open_http(responses) as http:
            with pytest.raises(httpx.HTTPError):
                await stream(http, background=True, store=True)
            [response_id] = responses.stored
            time.now = 1_000.0 + 60.0
            path = f"/responses/{response_id}?stream=true&starting_after=4"
            rest = events((await http.get(path)).text)

    assert rest[0]["sequence_number"] == 5
    assert rest[-1]["type"] == "response.completed"
    assert time.now == 1_000.0 + 110.0
