"""What happens to every request: it is noted, its key is checked, refusals are worded."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.responses.errors import ApiError, invalid_api_key
from bot.playground.responses.profile import ENDPOINTS
from bot.playground.responses.sending import hang_up
from bot.playground.responses.wording import PAGE_NOT_FOUND, worded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.typedefs import Handler

    from bot.playground.responses.scripts import Fault, Orders
    from bot.playground.responses.server import LocalResponses

BODY = web.RequestKey[Any]("body", object)
KEY = web.RequestKey[str]("key", str)
NOT_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using "
    "your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was "
    "not valid JSON.)"
)


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came in."""

    method: str
    path: str  # with its query
    headers: Mapping[str, str]  # names in lower case
    body: Any  # JSON; None where there was none or it could not be read


class Guard:
    """Stands before the endpoints."""

    def __init__(self, server: LocalResponses, orders: Orders) -> None:
        self._server = server
        self._orders = orders

    @web.middleware
    async def guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note the request, check its key, let an ordered fault strike, and word refusals."""
        try:
            request[BODY] = await self._noted(request)
            request[KEY] = self._checked_key(request)
            fault = self._orders.fault(request.match_info.route.name or "")
            if fault is not None:
                return await self._fail(request, fault)
            self._check_endpoint(request)
            return await handler(request)
        except ApiError as error:
            return self._refused(error)
        except web.HTTPException as error:
            return self._nowhere(request, error.status)
        except ConnectionError:
            self._server.hung_up += 1
            return web.Response()  # nobody is there to read it
        except asyncio.CancelledError:
            self._server.hung_up += 1
            raise
        finally:
            self._server.note()

    def _checked_key(self, request: web.Request) -> str:
        if self._server.profile.key_header == "api-key":
            key = request.headers.get("api-key", "")
        else:
            scheme, _, key = request.headers.get("Authorization", "").partition(" ")
            key = key if scheme == "Bearer" else ""
        if key not in self._server.api_keys:
            raise invalid_api_key()
        return key

    def _check_endpoint(self, request: web.Request) -> None:
        name = request.match_info.route.name
        if name in ENDPOINTS and name not in self._server.profile.endpoints:
            raise web.HTTPNotFound

    def _refused(self, error: ApiError) -> web.Response:
        status, body = worded(error, self._server.profile.errors)
        return web.json_response(body, status=status)

    def _nowhere(self, request: web.Request, status: int) -> web.Response:
        if self._server.profile.html_not_found:
            return web.Response(status=status, text=PAGE_NOT_FOUND, content_type="text/html")
        return self._refused(ApiError(status, f"Invalid URL ({request.method} {request.path})"))

    async def _noted(self, request: web.Request) -> object:
        raw = await request.read()
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        headers = {name.lower(): value for name, value in request.headers.items()}
        self._server.note(Received(request.method, request.path_qs, headers, body))
        if request.match_info.route.name == "create":
            self._server.creates.append(body if isinstance(body, dict) else {})
        if body is None and (raw or request.match_info.route.name == "create"):
            raise ApiError(400, NOT_JSON)
        return body

    async def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.status is None:
            await self._server.closed()
            hang_up(request)
            return web.Response()
        if isinstance(fault.body, str):
            headers = {"Content-Type": "text/html"} | dict(fault.headers)
            return web.Response(status=fault.status, body=fault.body.encode(), headers=headers)
        headers = {"Content-Type": "application/json"} | dict(fault.headers)
        body = json.dumps(fault.body).encode()
        return web.Response(status=fault.status, body=body, headers=headers)


async def sign(_request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on that every answer of OpenAI's carries."""
    response.headers.setdefault("x-request-id", f"req_{secrets.token_hex(16)}")
    response.headers.setdefault("openai-version", "2020-10-01")
    response.headers.setdefault("openai-processing-ms", "1")
