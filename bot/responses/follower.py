"""Follows a run in the background: its stream as long as there is one, then by looking at it."""

from __future__ import annotations

import logging
import re
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from bot.errors import ModelApiMissing, ModelCutOff, ModelRunLost, ModelThreadLost
from bot.responses.frames import read_events
from bot.responses.patience import advised_seconds
from bot.responses.reading import refused, request_id, run_out

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from bot.responses.run import Run
    from bot.turns.research import Step

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 15.0  # seconds between two looks; the first is the guide's own
LONGER = 1.5  # a pause, by each
SHORTEST_ADVISED, LONGEST_ADVISED = 1.0, 600.0  # seconds, of the pauses that a server asks for
NEW_SECONDS = 10.0  # in which a response may be created and not found yet
LOOK_SECONDS = 30.0  # for one look
CANCEL_ATTEMPTS, CANCEL_PAUSE, CANCEL_SECONDS = 3, 1.0, 10.0

LOST = (httpx.HTTPError, ModelCutOff, ModelApiMissing)  # how a stream ends that may be resumed
GONE = {404, 410}
BUSY = {408, 409, 425, 429}  # besides all from 500 on: to be asked again later


class _Pauses:
    """Seconds between attempts, each longer than the one before."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE

    def reset(self) -> None:
        self._next = FIRST_PAUSE

    def take(self) -> float:
        seconds, self._next = self._next, min(self._next * LONGER, LONGEST_PAUSE)
        return seconds


class Follower:
    """Follows runs at a server, and stops them."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        included: Callable[[], dict[str, str]],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Take the query with which responses are to be told."""
        self._http = http
        self._included = included
        self._clock = clock
        self._sleep = sleep

    async def follow(self, run: Run) -> AsyncGenerator[Step]:
        """Follow a run to its end, over as many connections as it takes."""
        pauses = _Pauses()
        while not run.has_ended():
            if run.streams:
                place = run.place
                async with aclosing(self._resume(run)) as steps:
                    async for step in steps:
                        yield step
                if run.has_ended() or run.place != place:
                    pauses.reset()
                    continue
            seconds = await self._look(run, pauses)
            if not run.has_ended():
                await self._sleep(seconds)

    async def _resume(self, run: Run) -> AsyncGenerator[Step]:
        run.resume()
        params = self._included() | {"stream": "true"}
        if run.place is not None:
            params["starting_after"] = str(run.place)
        try:
            async with self._http.stream("GET", _path(run.response_id), params=params) as response:
                if not response.is_success:
                    await self._refuse_stream(run, response)
                    return
                async with aclosing(self.read(response, run)) as steps:
                    async for step in steps:
                        yield step
        except LOST as error:
            _log_lost(run, error)

    async def read(self, response: httpx.Response, run: Run) -> AsyncGenerator[Step]:
        """Read a stream of the run, or the object of a server that does not stream."""
        run.request_id = request_id(response)
        async with aclosing(read_events(response.aiter_bytes())) as events:
            async for event in events:
                for step in run.feed(event):
                    yield step
                if run.end is not None or run.told_end is not None:
                    await run_out(events)
                    return

    async def cancel(self, response_id: str) -> object:
        """Have a run stopped, and return the response as it is then, as far as it is told.

        One that has ended or is gone needs no stopping.
        """
        facts: dict[str, object] = {"response_id": response_id}
        for attempt in range(CANCEL_ATTEMPTS):
            if attempt:
                await self._sleep(CANCEL_PAUSE)
            try:
                response = await self._http.post(
                    f"{_path(response_id)}/cancel", timeout=CANCEL_SECONDS
                )
            except httpx.HTTPError as error:
                facts["error"] = type(error).__name__
                continue
            facts |= {"status": response.status_code, "request_id": request_id(response)}
            if response.is_success or response.status_code in {400, *GONE}:
                log.info("the run is cancelled, or was over", extra=facts)
                return _object(response) if response.is_success else None
            if not _is_busy(response):
                break
        log.warning("the run could not be cancelled", extra=facts)
        return None

    async def _refuse_stream(self, run: Run, response: httpx.Response) -> None:
        error = await refused(response)
        facts = {"response_id": run.response_id, "request_id": request_id(response)}
        facts["detail"] = str(error)
        log.info("the stream of the run is not to be had", extra=facts)
        if _is_busy(response):
            await self._sleep(_advised(response))
        elif response.status_code not in GONE:
            run.streams = False

    async def _look(self, run: Run, pauses: _Pauses) -> float:
        """See how the run stands; return after how many seconds to look again."""
        try:
            response = await self._http.get(
                _path(run.response_id), params=self._included(), timeout=LOOK_SECONDS
            )
        except httpx.HTTPError as error:
            _log_lost(run, error)
            return pauses.take()
        if not response.is_success:
            await self._check(run, response)
            return max(pauses.take(), _advised(response))
        run.request_id = request_id(response)
        run.look(_object(response))
        return _poll_after(response) or pauses.take()

    async def _check(self, run: Run, response: httpx.Response) -> None:
        """Raise what a look was refused with, unless that may change."""
        if _is_busy(response):
            return
        if run.told_end is not None:
            run.end = run.told_end
            return
        if response.status_code in GONE and self._clock() - run.since < NEW_SECONDS:
            return
        error = await refused(response)
        if response.status_code in GONE or isinstance(error, ModelThreadLost):
            error = ModelRunLost(str(error))
        error.request_id = request_id(response)
        raise error


def _path(response_id: str) -> str:
    return f"responses/{quote(response_id, safe='')}"


def _is_busy(response: httpx.Response) -> bool:
    return response.status_code in BUSY or not 400 <= response.status_code < 500  # noqa: PLR2004 - 4xx


def _advised(response: httpx.Response) -> float:
    return min(advised_seconds(response.headers, datetime.now(UTC)), LONGEST_ADVISED)


def _poll_after(response: httpx.Response) -> float | None:
    said = response.headers.get("openai-poll-after-ms", "")
    if not re.fullmatch(r"\d{1,9}", said, re.ASCII):
        return None
    return min(max(int(said) / 1_000, SHORTEST_ADVISED), LONGEST_ADVISED)


def _object(response: httpx.Response) -> object:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def _log_lost(run: Run, error: Exception) -> None:
    facts = {"response_id": run.response_id, "request_id": run.request_id}
    log.info("the run is followed again after %s", type(error).__name__, extra=facts)
