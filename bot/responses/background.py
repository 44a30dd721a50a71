"""Research as a response in the background, which goes on whatever becomes of the connection.

POST ─► stream ─lost─► GET, the rest of the stream ─refused─► GET, how it stands ─► the end
                        ▲ lost, or nothing new of it               │ not ended yet
                        └──────────────────── pause ◄──────────────┘
"""

from __future__ import annotations

import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

import httpx

from bot.errors import (
    ModelError,
    ModelRequestRefused,
    ModelThreadLost,
    ModelUnsupported,
)
from bot.responses.client import ResponsesClient
from bot.responses.failures import network_error
from bot.responses.fields import mapping, words
from bot.responses.follower import LOST, Follower
from bot.responses.items import usage_of
from bot.responses.patience import PATIENCE_SECONDS, PatientModel, pause_after
from bot.responses.reading import end_facts, finish, refused, request_id
from bot.responses.request import (
    expected_parent,
    fetched_with,
    left_out,
    refuses_search,
    request_body,
)
from bot.responses.run import Run, Told
from bot.turns.answer import Finished, Foreground
from bot.turns.research import Step

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.responses.patience import Pace
    from bot.responses.request import RequestOptions
    from bot.turns.question import Asked
    from bot.turns.turn import Turn
    from bot.turns.unsupported import Unsupported

log = logging.getLogger(__name__)

BACKGROUND = "background"  # the parameter
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)  # and so never read


class _NoBackground(Exception):
    """The server does not work in the background, or may not."""


class BackgroundModel:
    """A model behind a Responses API that works in the background, or else in the foreground."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        options: RequestOptions,
        unsupported: Unsupported,
        pace: Pace,
    ) -> None:
        """Ask at the pace of all that is asked of this server."""
        self._http = http
        self._options = options
        self._unsupported = unsupported
        self._pace = pace
        self._follower = Follower(http, self._included, pace.clock, pace.sleep)
        client = ResponsesClient(http, options, unsupported, pace.heed)
        self._foreground = PatientModel(client, pace)

    async def research(self, asked: Asked, turn: Turn, after: int | None) -> AsyncGenerator[Step]:
        """Yield the steps of a new run, or of the turn's own from a place in its stream.

        A new run begins with `Started`, or with `Foreground` where nothing of it can be resumed.
        Then come searches, each of them once, and `Writing` while there is more of the text; at
        last the whole text with its citations, and `Finished`. Raises a ModelError where nothing
        comes of it. Closing the generator leaves a run in the background alone.
        """
        if turn.response_id or self._may_have_background:
            try:
                async with aclosing(self._run(asked, turn, after)) as steps:
                    async for step in steps:
                        yield step
            except _NoBackground:
                log.info("asked in the foreground", extra={"turn": turn.id})
            else:
                return
        async with aclosing(self._in_foreground(asked, turn)) as steps:
            async for step in steps:
                yield step

    async def cancel(self, response_id: str) -> Finished:
        """Have a run stopped, and return what it used, which the server may not say.

        One that has ended or is gone needs no stopping. Nothing can be chained to it.
        """
        response = mapping(await self._follower.cancel(response_id))
        model = words(response.get("model")) or self._options.model
        tier = words(response.get("service_tier"))
        usage = usage_of(response.get("usage"))
        return Finished("", model, "too_late", usage, service_tier=tier)

    @property
    def _may_have_background(self) -> bool:
        return BACKGROUND not in self._unsupported and BACKGROUND not in self._options.never_sent

    async def _run(self, asked: Asked, turn: Turn, after: int | None) -> AsyncGenerator[Step]:
        parent = expected_parent(self._options, turn)
        run = Run(self._options.model, parent, turn.response_id, after)
        run.since = self._pace.clock()
        try:
            if turn.response_id is None:
                async with aclosing(self._begin(asked, turn, run)) as steps:
                    async for step in steps:
                        yield step
            async with aclosing(self._follower.follow(run)) as steps:
                async for step in steps:
                    yield step
            refuses = refuses_search(self._options, frozenset(self._unsupported))
            for step in run.ending(search_refused=refuses):
                if isinstance(step.part, Finished):
                    log.info("the run has ended", extra=end_facts(step.part, turn))
                yield step
        except ModelError as error:
            await self._give_up(run, turn, error)
            raise

    async def _give_up(self, run: Run, turn: Turn, error: ModelError) -> None:
        error.request_id = error.request_id or run.request_id
        facts = {"turn": turn.id, "response_id": run.response_id, "request_id": error.request_id}
        facts["detail"] = str(error)
        log.warning("nothing comes of the run: %s", type(error).__name__, extra=facts)
        if isinstance(error, ModelThreadLost) and run.is_kept and run.end is None:
            await self.cancel(run.response_id)  # it goes on, about a question without its thread

    async def _in_foreground(self, asked: Asked, turn: Turn) -> AsyncGenerator[Step]:
        yield Step(Foreground())
        told = Told()
        async with aclosing(self._foreground.respond(asked, turn)) as parts:
            async for part in parts:
                if isinstance(part, Finished):
                    for written in told.written:
                        yield Step(written)
                    yield Step(part)
                for sign in told.signs([part]):
                    yield Step(sign)

    async def _begin(self, asked: Asked, turn: Turn, run: Run) -> AsyncGenerator[Step]:
        """Ask, and again where the server did nothing with it; read until the stream is lost."""
        began, attempt = self._pace.clock(), 0
        while True:
            sent_at, without = await self._pace.turn(), frozenset(self._unsupported)
            try:
                async with aclosing(self._post(asked, turn, run, without)) as steps:
                    async for step in steps:
                        yield step
            except ModelError as error:
                if run.is_kept is not None:
                    raise
                self._pace.refuse(error, sent_at)
                await self._prepare(error, without, attempt, self._pace.clock() - began)
            else:
                return
            attempt += 1

    async def _prepare(
        self, error: ModelError, without: frozenset[str], attempt: int, waited: float
    ) -> None:
        """Make ready for another attempt; raise what went wrong where there is to be none."""
        if type(error) is ModelRequestRefused:  # it may be the background: OpenRouter does not say
            raise _NoBackground from error
        if not isinstance(error, ModelUnsupported):
            pause = pause_after(error, attempt)
            if waited + pause > PATIENCE_SECONDS:
                raise error
            await self._pace.sleep(pause)
            return
        if error.name == BACKGROUND:
            await self._unsupported.note(BACKGROUND)
            raise _NoBackground from error
        name = left_out(self._options, error.name, without)
        if name is None:
            raise error
        await self._unsupported.note(name)

    async def _post(
        self, asked: Asked, turn: Turn, run: Run, without: frozenset[str]
    ) -> AsyncGenerator[Step]:
        body = request_body(self._options, asked, turn, without, background=True)
        headers = {"X-Client-Request-Id": f"turn-{turn.id}"}
        response: httpx.Response | None = None
        try:
            async with self._http.stream(
                "POST", "responses", json=body, headers=headers
            ) as response:
                self._pace.heed(response.headers)
                if not response.is_success:
                    chained = turn.previous_response_id is not None
                    raise await refused(response, chained=chained, background=True)
                self._pace.answered()
                run.since = self._pace.clock()
                async with aclosing(self._follower.read(response, run)) as steps:
                    async for step in steps:
                        yield step
                if run.end is None and not run.is_kept:
                    finish(run.live, response)
        except ModelError as error:
            error.request_id = error.request_id or request_id(response)
            if not (run.is_kept and isinstance(error, LOST)):
                raise
        except httpx.HTTPError as error:
            if not run.is_kept:
                raise _unanswered(error, response) from error

    def _included(self) -> dict[str, str]:
        return fetched_with(self._options, self._unsupported)


def _unanswered(error: httpx.HTTPError, response: httpx.Response | None) -> ModelError:
    """Say what a request came to; one that a server may be working on is not to be made again."""
    answered = response is not None
    failed = network_error(error, answered=answered, request_id=request_id(response))
    if not isinstance(error, UNSENT):
        failed.repeat_after = None
    return failed
