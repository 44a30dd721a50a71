"""Makes a request again that the server could not take, and slows down for all together.

Only what did no work yet is repeated: never after a byte of an answer, and never where the money is
used up. The Responses API has no key by which a server would know a request again, so one that it
may be working on is not sent twice (OpenAI's own library sends none: `_base_client.py`).
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import re
import time
from contextlib import aclosing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from bot.errors import ModelError, ModelOverloaded, ModelRateLimited
from bot.turns.answer import Waiting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from bot.turns.answer import Part
    from bot.turns.question import Asked
    from bot.turns.run import Model
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

UNHEARD_REPEATS = 3  # of a request to a server that is not there
PATIENCE_SECONDS = 120.0  # for all waits of a question together
TOLD_SECONDS = 5.0  # of waiting, after which the person is told
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds, where the server asks for none
BUSY = (ModelRateLimited, ModelOverloaded)
JITTER = 0.25  # of a pause
FIRST_GAP, LARGEST_GAP = 0.02, 2.0  # seconds between two requests while the server is busy
NO_GAP = 0.001  # below this there is none
SLOWER, FASTER = 1.2, 0.95  # a gap by each refusal and answer; one in five does not widen it
LOW = 0.2  # of a limit, from which what is left of it is spread over the time until it is whole
LIMITED = {
    "requests": 1,
    "tokens": 10_000,
}  # what a request uses; a search adds thousands of tokens
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")  # of "6m0s" and the like
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


class Pace:
    """When the next request may go to a server; shared by all turns that ask it.

    After a refusal all wait, and then go one by one: refusals make the gap between two larger,
    answers make it smaller. So a hundred that wait do not come back at one moment.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.clock = clock
        self.sleep = sleep
        self._first = asyncio.Lock()  # held by who goes next
        self._waiting = 0
        self._gap = self._spread = 0.0
        self._sent_at = self._refused_at = float("-inf")
        self._closed_until = self._spread_until = float("-inf")

    async def turn(self) -> float:
        """Wait until a request may go, behind those that wait already; returns when that is."""
        self._waiting += 1
        try:
            async with self._first:
                while (seconds := self._seconds_left()) > 0:
                    await self.sleep(seconds)
                self._sent_at = self.clock()
                return self._sent_at
        finally:
            self._waiting -= 1

    @property
    def seconds_ahead(self) -> float:
        """How long who comes now will wait, by the pace as it is."""
        return self._seconds_left() + self._waiting * self._gap_now()

    def _seconds_left(self) -> float:
        return max(self._sent_at + self._gap_now(), self._closed_until) - self.clock()

    def _gap_now(self) -> float:
        return max(self._gap, self._spread if self.clock() < self._spread_until else 0.0)

    def refuse(self, error: ModelError, sent_at: float) -> None:
        """Take that a request was refused; only one for which there was no room says something."""
        if error.repeat_after is not None and isinstance(error, BUSY):
            self.refused(sent_at, error.repeat_after)

    def refused(self, sent_at: float, seconds: float) -> None:
        """Send nothing for so long, and less from then on.

        Requests that were on their way when another was refused say nothing new.
        """
        if sent_at > self._refused_at:
            self._gap = min(LARGEST_GAP, max(FIRST_GAP, self._gap * SLOWER))
            self._refused_at = self.clock()
        self._closed_until = max(self._closed_until, self.clock() + seconds)

    def heed(self, headers: Mapping[str, str]) -> None:
        """Spread what is left of a limit that is nearly used up, before the server refuses."""
        for kind, cost in LIMITED.items():
            limit, left = (_count(headers, name, kind) for name in ("limit", "remaining"))
            if not limit or left is None or left > limit * LOW:
                continue
            seconds = min(_until_reset(headers, kind), PATIENCE_SECONDS)
            if left < cost:
                self._closed_until = max(self._closed_until, self.clock() + seconds)
            self._spread = min(LARGEST_GAP, seconds / max(1, left // cost))
            self._spread_until = self.clock() + seconds

    def answered(self) -> None:
        """Send a little more from now on."""
        self._gap = self._gap * FASTER if self._gap > NO_GAP else 0.0


class PatientModel:
    """A model that is asked again where its server was only busy."""

    def __init__(
        self, model: Model, pace: Pace, chance: Callable[[], float] = random.random
    ) -> None:
        """Take a source of numbers from 0 to 1, for pauses that differ from each other."""
        self._model = model
        self._pace = pace
        self._chance = chance

    async def respond(self, asked: Asked, turn: Turn) -> AsyncGenerator[Part]:
        """Yield the answer's parts, and `Waiting` where the wait gets long.

        Raises a ModelError where there is no answer, be it in time.
        """
        began, pause, attempt, told = self._pace.clock(), 0.0, 0, False
        while True:
            waited = self._pace.clock() - began
            if not told and waited + pause + self._pace.seconds_ahead >= TOLD_SECONDS:
                told = True
                yield Waiting()
            await self._pace.sleep(pause)
            sent_at, heard = await self._pace.turn(), False
            try:
                async with aclosing(self._model.respond(asked, turn)) as parts:
                    async for part in parts:
                        if not heard:
                            heard = True
                            self._pace.answered()
                        yield part
            except ModelError as error:
                left = PATIENCE_SECONDS - (self._pace.clock() - began)
                self._pace.refuse(error, sent_at)
                pause = pause_after(error, attempt) * (1 + JITTER * self._chance())
                if heard or pause > left:
                    raise
            else:
                return
            attempt += 1
            log.info("the model is asked again", extra={"turn": turn.id, "s": round(pause, 1)})

    async def count_tokens(self, asked: Asked, turn: Turn) -> int | None:
        """Return how many tokens a question has; None where nobody can say, be it by now."""
        return await self._model.count_tokens(asked, turn)


def pause_after(error: ModelError, attempt: int) -> float:
    """Say how long to wait after an attempt, from 0: for ever where there is to be no other."""
    if error.repeat_after is None or not (isinstance(error, BUSY) or attempt < UNHEARD_REPEATS):
        return math.inf
    return error.repeat_after or min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE)


def repeat_after(error: ModelError, headers: Mapping[str, str], now: datetime) -> float | None:
    """Say whether and when a refused request may be made again, as `ModelError.repeat_after`."""
    worth = isinstance(error, BUSY)
    said = headers.get("x-should-retry", "").lower()
    if not worth or said == "false":
        return None
    advised = advised_seconds(headers, now)
    return advised if advised <= PATIENCE_SECONDS else None


def advised_seconds(headers: Mapping[str, str], now: datetime) -> float:
    """Return how long a server asks to wait; 0 where it says nothing."""
    milliseconds = headers.get("retry-after-ms", "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", milliseconds, re.ASCII):
        return float(milliseconds) / 1_000
    said = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", said, re.ASCII):
        return float(said)
    if said:
        try:
            at = parsedate_to_datetime(said)
        except ValueError:
            return 0.0
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, (at - now).total_seconds())
    used_up = [kind for kind in LIMITED if _count(headers, "remaining", kind) == 0]
    return max((_until_reset(headers, kind) for kind in used_up), default=0.0)


def _count(headers: Mapping[str, str], name: str, kind: str) -> int | None:
    said = headers.get(f"x-ratelimit-{name}-{kind}", "")
    return int(said) if re.fullmatch(r"\d{1,12}", said, re.ASCII) else None


def _until_reset(headers: Mapping[str, str], kind: str) -> float:
    """Return the seconds until a limit is whole again, written like "6m0s"."""
    parts = _LENGTH.findall(headers.get(f"x-ratelimit-reset-{kind}", ""))
    return sum((float(number) * _SECONDS[unit] for number, unit in parts), 0.0)
