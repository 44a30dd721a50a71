"""How Slack reaches the bot: over Socket Mode, or by signed posts of the Events API."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SettingsError
from bot.slack.events import is_readable
from bot.slack.socket import open_socket
from bot.slack.unreadable import UNREADABLE, log_skipped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from slack_bolt.request.async_request import AsyncBoltRequest

    from bot.slack.events import Bot
    from bot.slack.socket import Patience, Socket

log = logging.getLogger(__name__)

EVENTS_PATH = "/slack/events"
RETRY_NUMBER = "x-slack-retry-num"  # a header; Bolt makes one of Socket Mode's field
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
# Bolt takes these by itself. The first two make an OAuth app of it, which drops its token without a
# word; of the third it warns that there are two tokens.
BOLT_READS = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN")


@asynccontextmanager
async def open_client(token: str, api_url: str) -> AsyncIterator[AsyncWebClient]:
    """Open a client of the Web API whose connections are kept and shared."""
    if _is_loopback(api_url):
        # slack_sdk takes these even for a loopback address and knows no NO_PROXY. Bolt builds a
        # client for every request, which reads them anew: so they have to go.
        for name in PROXIES:
            os.environ.pop(name, None)
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(token=token, base_url=api_url, session=session)


def build_app(
    client: AsyncWebClient,
    bot: Bot,
    signing_secret: str | None,
    on_redelivered: Callable[[], None] = lambda: None,
) -> AsyncApp:
    """Build the Bolt app, which acknowledges when a listener has returned.

    `on_redelivered` is called for everything that Slack delivers once more.
    """

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None,
            team_id=bot.team,
            bot_user_id=bot.user,
            bot_id=bot.bot_id,
            bot_token=client.token,
        )

    with _without(BOLT_READS):
        return AsyncApp(
            # Without the token: it comes with each authorization, and Bolt warns of two.
            client=AsyncWebClient(base_url=client.base_url, session=client.session),
            authorize=authorize,
            before_authorize=_Door(on_redelivered),
            signing_secret=signing_secret or "",
            process_before_response=True,
            # What nothing takes comes to the error listener; Bolt's own warning quotes values.
            raise_error_for_unhandled_request=True,
            attaching_conversation_kwargs_enabled=False,
        )


class _Door(AsyncMiddleware):
    """Sees all that comes in, once its signature is known to be good.

    It tells of what is delivered once more, and acknowledges what Bolt would raise on.
    """

    def __init__(self, on_redelivered: Callable[[], None]) -> None:
        self._on_redelivered = on_redelivered

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt's signature
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - Bolt's signature
    ) -> BoltResponse:
        """Let everything else pass."""
        if req.headers.get(RETRY_NUMBER, ["0"])[0] != "0":
            self._on_redelivered()
        if is_readable(req.body):
            return await next()
        log_skipped("unreadable", req.body)
        return BoltResponse(status=200)


@contextlib.contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    """Take variables out of the environment for a while."""
    taken = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(taken)


@dataclass(frozen=True, slots=True)
class WayIn:
    """How Slack reaches the bot."""

    socket: Socket | None  #: in Socket Mode
    routes: tuple[web.RouteDef, ...]  #: to be served, for Slack's posts, without it

    def heard_seconds_ago(self) -> float | None:
        """Return the seconds since Slack's last sign of life; None where Slack posts."""
        return self.socket.heard_seconds_ago() if self.socket else None

    async def check(self) -> str:
        """Return "ok", or what is wrong. Of posts nobody can say that they do not come."""
        return await self.socket.check() if self.socket else "ok"

    async def lost(self) -> None:
        """Wait until Slack is heard no more and everything was tried; for ever where it posts."""
        await (self.socket.lost() if self.socket else asyncio.Event().wait())


@asynccontextmanager
async def open_way_in(
    app: AsyncApp,
    app_token: str | None,
    signing_secret: str | None,
    patience: Patience | None = None,
) -> AsyncIterator[WayIn]:
    """Let Slack in: over Socket Mode if there is an app token, else by posts.

    Raises SettingsError where the settings do not let it.
    """
    if app_token is None:
        yield WayIn(None, tuple(event_routes(app, signing_secret)))
        return
    async with open_socket(app, app_token, patience) as socket:
        yield WayIn(socket, ())


def event_routes(app: AsyncApp, signing_secret: str | None) -> list[web.RouteDef]:
    """Return the route for signed posts of events. Bolt answers 401 to a bad signature.

    Raises SettingsError where there is no secret to check them by.
    """
    if not signing_secret:
        raise SettingsError("SLACK_SIGNING_SECRET is missing: without it anybody could post events")

    async def on_event(request: web.Request) -> web.Response:
        try:
            bolt_request = await to_bolt_request(request)
            return await to_aiohttp_response(await app.async_dispatch(bolt_request))
        except UNREADABLE as error:
            log_skipped(type(error).__name__, None)
            return web.Response()

    return [web.post(EVENTS_PATH, on_event)]


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
