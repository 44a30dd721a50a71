"""The call itself: one question to the Responses API, streamed."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from bot.errors import ModelError, ModelUnsupported, SettingsError
from bot.responses.failures import network_error
from bot.responses.frames import read_events
from bot.responses.reading import end_facts, finish, refused, request_id, run_out
from bot.responses.request import (
    expected_parent,
    fetched_with,
    left_out,
    refuses_search,
    request_body,
)
from bot.responses.stream import StreamReader
from bot.turns.answer import Finished

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from bot.responses.dialect import Server
    from bot.responses.request import RequestOptions
    from bot.turns.answer import Part
    from bot.turns.question import Asked
    from bot.turns.turn import Turn
    from bot.turns.unsupported import Unsupported

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0  # a server that is there answers in under one, across the world
WRITE_SECONDS = 30.0  # a request is a few kilobytes; the line may be slow, not dead
POOL_SECONDS = 10.0  # connections are not limited, so none is ever waited for long
SILENCE_SECONDS = 180.0  # a long reasoning says nothing; OpenAI sends `keepalive` every 30 s or so

POLL_SECONDS = 2.0  # the guide's own pace for background responses

COUNTING = "input_tokens"  # the endpoint, and what it takes of a request
COUNTED = ("model", "input", "instructions", "tools", "reasoning", "text")
COUNTING_SECONDS = 10.0
BUSY = {401, 403, 408, 409, 413, 429}  # which say nothing about whether there is such an endpoint


def open_http(
    base_url: str,
    api_key: str | None,
    server: Server = "openai",
    *,
    silence_seconds: float = SILENCE_SECONDS,
) -> httpx.AsyncClient:
    """Open connections to the Responses API below this address.

    Raises SettingsError if the address or the key cannot be used. The caller closes the client.
    """
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        raise SettingsError("OPENAI_BASE_URL is no URL.") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise SettingsError("OPENAI_BASE_URL must begin with http:// or https:// and a host.")
    return httpx.AsyncClient(
        base_url=url,
        headers=_headers(api_key, server),
        timeout=httpx.Timeout(
            connect=CONNECT_SECONDS, write=WRITE_SECONDS, pool=POOL_SECONDS, read=silence_seconds
        ),
        # How many turns run at once is decided elsewhere; an answer holds its connection.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        # A proxy named in the environment is on the way to the world, not to this machine.
        trust_env=not _is_loopback(url.host),
    )


class ResponsesClient:
    """A model behind a Responses API."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        options: RequestOptions,
        unsupported: Unsupported,
        heed: Callable[[Mapping[str, str]], None] = lambda _: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take who heeds the headers of answers, which say what is left of a limit."""
        self._http = http
        self._options = options
        self._unsupported = unsupported
        self._heed = heed
        self._sleep = sleep

    async def respond(self, asked: Asked, turn: Turn) -> AsyncGenerator[Part]:
        """Yield the answer's parts as they come; the last one is `Finished`.

        What an earlier attempt was given is not asked again where the server has it whole. Raises a
        ModelError when there is no answer. Closing the generator hangs up.
        """
        if kept := await self._kept(turn):
            log.info("the earlier response is complete", extra={"turn": turn.id})
            for part in kept:
                yield part
            return
        try:
            async with aclosing(self._parts(asked, turn)) as parts:
                async for part in parts:
                    if isinstance(part, Finished):
                        log.info("the model has answered", extra=end_facts(part, turn))
                    yield part
        except ModelError as error:
            facts = {"turn": turn.id, "request_id": error.request_id, "detail": str(error)}
            log.warning("no answer from the model: %s", type(error).__name__, extra=facts)
            raise

    async def count_tokens(self, asked: Asked, turn: Turn) -> int | None:
        """Return how many tokens the question has for the model; None where that is not to be had.

        Most compatible servers lack the endpoint.
        """
        without = frozenset(self._unsupported)
        if COUNTING in without:
            return None
        body = request_body(self._options, asked, turn, without)
        counted = {name: body[name] for name in COUNTED if name in body}
        try:
            response = await self._http.post(
                f"responses/{COUNTING}", json=counted, timeout=COUNTING_SECONDS
            )
            tokens = response.json()["input_tokens"] if response.is_success else None
        except (httpx.HTTPError, ValueError, TypeError, LookupError, RecursionError) as error:
            log.info("the tokens are not counted", extra={"error": type(error).__name__})
            return None
        if response.is_client_error and response.status_code not in BUSY:
            await self._unsupported.note(COUNTING)
        return tokens if isinstance(tokens, int) and tokens > 0 else None

    async def _parts(self, asked: Asked, turn: Turn) -> AsyncGenerator[Part]:
        """Ask, and once more without what the server does not support."""
        while True:
            heard, without = False, frozenset(self._unsupported)
            try:
                async with aclosing(self._attempt(asked, turn, without)) as parts:
                    async for part in parts:
                        heard = True
                        yield part
            except ModelUnsupported as error:
                name = left_out(self._options, error.name, without)
                if heard or name is None:
                    raise
                await self._unsupported.note(name)
            else:
                return

    async def _attempt(
        self, asked: Asked, turn: Turn, without: frozenset[str]
    ) -> AsyncGenerator[Part]:
        response: httpx.Response | None = None
        try:
            async with (
                self._post(asked, turn, without) as response,
                aclosing(self._read(response, turn)) as parts,
            ):
                self._heed(response.headers)
                async for part in parts:
                    if isinstance(part, Finished):
                        is_refused = refuses_search(self._options, without)
                        yield replace(part, search_refused=is_refused)
                    else:
                        yield part
        except httpx.HTTPError as error:
            heard = response is not None
            raise network_error(error, answered=heard, request_id=request_id(response)) from error
        except ModelError as error:
            error.request_id = error.request_id or request_id(response)
            raise

    async def _kept(self, turn: Turn) -> list[Part]:
        """Return the parts of a response that an earlier attempt was given, if it is complete.

        A background response is waited for. Whether one whose connection was dropped can be had is
        written nowhere: where it cannot, nothing is returned, and the question is asked again.
        """
        if turn.response_id is None:
            return []
        path = f"responses/{quote(turn.response_id, safe='')}"
        params = fetched_with(self._options, self._unsupported)
        try:
            while True:
                response = await self._http.get(path, params=params)
                said = response.json() if response.is_success else None
                if not _still_runs(said):
                    reader = StreamReader(
                        model=self._options.model, parent=expected_parent(self._options, turn)
                    )
                    return reader.feed(said) if _is_complete(said) else []
                await self._sleep(POLL_SECONDS)
        except (httpx.HTTPError, ModelError, ValueError, RecursionError) as error:
            log.info("the earlier response is not to be had", extra={"error": type(error).__name__})
            return []

    def _post(
        self, asked: Asked, turn: Turn, without: frozenset[str]
    ) -> AbstractAsyncContextManager[httpx.Response]:
        return self._http.stream(
            "POST",
            "responses",
            json=request_body(self._options, asked, turn, without),
            headers={"X-Client-Request-Id": f"turn-{turn.id}"},
        )

    async def _read(self, response: httpx.Response, turn: Turn) -> AsyncGenerator[Part]:
        if not response.is_success:
            raise await refused(response, chained=turn.previous_response_id is not None)
        reader = StreamReader(
            model=self._options.model,
            request_id=request_id(response),
            parent=expected_parent(self._options, turn),
        )
        async with aclosing(read_events(response.aiter_bytes())) as events:
            async for event in events:
                parts = reader.feed(event)
                if reader.ended:
                    await run_out(events)
                for part in parts:
                    yield part
                if reader.ended:
                    return
        finish(reader, response)


def _still_runs(said: object) -> bool:
    if not isinstance(said, dict) or said.get("background") is not True:
        return False
    return said.get("status") in {"queued", "in_progress"}


def _is_complete(said: object) -> bool:
    return isinstance(said, dict) and said.get("status") == "completed"


def _headers(api_key: str | None, server: Server) -> dict[str, str]:
    headers = {
        # Some gateways stream only to who asks for it here as well as in the body.
        "Accept": "text/event-stream, application/json;q=0.9",
        "Accept-Encoding": "identity",  # compression holds events back until a block is full
        "User-Agent": "footnote",
    }
    if not api_key:  # a model server on one's own machine needs none
        return headers
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise SettingsError("OPENAI_API_KEY has characters that no key has; copy it once more.")
    if server == "azure":  # a key is named differently there; Bearer is for Entra's tokens
        return headers | {"api-key": api_key}
    return headers | {"Authorization": f"Bearer {api_key}"}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
