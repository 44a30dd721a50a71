"""A local Responses server and a client for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.playground.responses import LocalResponses, Profile
from tests.playground.responses.wire import open_http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_795_435_200.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def responses(clock: Clock) -> AsyncIterator[LocalResponses]:
    async with LocalResponses.start(profile=Profile(delta_seconds=0), clock=clock) as server:
        yield server


@pytest.fixture
async def http(responses: LocalResponses) -> AsyncIterator[httpx.AsyncClient]:
    async with open_http(responses) as client:
        yield client
