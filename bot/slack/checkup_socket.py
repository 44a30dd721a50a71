"""Looks whether Slack reaches the bot: over a socket that hears, of the same app as its token."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import WSMsgType

from bot.errors import SlackError
from bot.findings import Finding, failed, unchecked, warning, well
from bot.slack.checkup import NETWORK, refused

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.findings import Looked
    from bot.slack.web import SlackWeb

Json = dict[str, Any]

APP_TOKEN, SOCKET, ONE_APP, POSTS = "app token", "socket", "one app", "posts"

CONNECTIONS = 10  # of one app at the same time, says Slack's page on Socket Mode
HEAR_SECONDS = 10.0  # for Slack's hello and its pong, which take a tenth of one
CLOSE = aiohttp.ClientWSTimeout(ws_close=1.0)
CLOSED = {  # by the reason that Slack gives for closing a socket
    "link_disabled": "Switch Socket Mode on in the app's settings, or set up HTTP mode instead.",
    "too_many_websockets": "End processes that run with this app: it has its ten connections.",
}


@dataclass(frozen=True, slots=True)
class Greeting:
    """What Slack says first on a socket."""

    app_id: str
    connections: int  #: of the app, this one included


async def check_app_token(web: SlackWeb) -> Looked[str]:
    """Ask Slack for the address of a socket."""
    try:
        said = await web.call("apps.connections.open")
    except SlackError as error:
        return refused(APP_TOKEN, "SLACK_APP_TOKEN", error), None
    return well(APP_TOKEN, "Slack opens sockets with it."), str(said.get("url"))


async def check_socket(
    client: AsyncWebClient, url: str, seconds: float = HEAR_SECONDS
) -> Looked[Greeting]:
    """Connect, wait for Slack's hello, and ping: a socket may be open and deaf.

    What Slack sends in this moment is not acknowledged. An event it sends again, to a connection of
    the bot's; of a command the person is told that it failed.
    """
    try:
        async with asyncio.timeout(seconds):
            hello, is_answered = await _greeted(client, url)
    except TimeoutError:
        found = f"Slack opens a socket and is not heard on it for {seconds:g} seconds."
        return failed(SOCKET, found, f"Something on the way holds it back. {NETWORK}"), None
    except (aiohttp.ClientError, OSError) as error:
        found = f"The socket that Slack offers does not open ({type(error).__name__})."
        return failed(SOCKET, found, NETWORK), None
    if hello.get("type") != "hello":
        reason = str(hello.get("reason"))
        found = f"Slack closes the socket at once ({reason})."
        return failed(SOCKET, found, CLOSED.get(reason, "Try again in a minute.")), None
    if not is_answered:
        found = "Slack says hello on a socket and then closes it."
        return failed(SOCKET, found, "Try again in a minute."), None
    info = hello.get("connection_info") or {}
    greeting = Greeting(str(info.get("app_id", "")), int(hello.get("num_connections", 1)))
    return _heard(greeting), greeting


async def check_one_app(web: SlackWeb, bot_id: str, greeting: Greeting) -> Finding:
    """Compare the app of the bot's token with that of the socket: events come to the latter's."""
    try:
        said = await web.call("bots.info", bot=bot_id)
    except SlackError as error:
        return unchecked(ONE_APP, f"Slack does not say whose the bot token is ({error.code}).")
    app_id = (said.get("bot") or {}).get("app_id")
    if not app_id or not greeting.app_id:
        return unchecked(ONE_APP, "Slack does not say of which apps the two tokens are.")
    if app_id == greeting.app_id:
        return well(ONE_APP, f"Both tokens are of the app {app_id}.")
    return failed(
        ONE_APP,
        f"The bot token is of the app {app_id}, and the app token of {greeting.app_id}.",
        "Copy both from the same app: else the bot hears nothing of what it is asked.",
    )


def look_at_posts() -> Finding:
    """Say where to look whether Slack's posts arrive, where there is no socket."""
    return unchecked(
        POSTS,
        "Whether Slack's posts reach the bot cannot be tried from here.",
        "“Event Subscriptions” must call its Request URL verified while the bot runs. If it does "
        "not, the address does not lead to the bot, or SLACK_SIGNING_SECRET is another app's.",
    )


async def _greeted(client: AsyncWebClient, url: str) -> tuple[Json, bool]:
    """Return Slack's first words on a socket, and whether it answered a ping after them."""
    assert client.session is not None  # noqa: S101 - `open_client` gives it one
    async with client.session.ws_connect(
        url, proxy=client.proxy, autoping=False, timeout=CLOSE
    ) as socket:
        hello = await _words(socket)
        if hello.get("type") != "hello":
            return hello, False
        await socket.ping(b"well?")
        return hello, await _is_answered(socket)


async def _words(socket: ClientWebSocketResponse[Any]) -> Json:
    async for message in socket:
        if message.type == WSMsgType.PING:
            await socket.pong(message.data)
        if message.type == WSMsgType.TEXT:
            said = json.loads(message.data)
            if isinstance(said, dict) and said.get("type") in {"hello", "disconnect"}:
                return said
    return {"type": "disconnect", "reason": "without a reason"}


async def _is_answered(socket: ClientWebSocketResponse[Any]) -> bool:
    async for message in socket:
        if message.type == WSMsgType.PING:
            await socket.pong(message.data)
        if message.type == WSMsgType.PONG:
            return True
    return False


def _heard(greeting: Greeting) -> Finding:
    others = greeting.connections - 1
    counted = {0: "no other connection", 1: "one other connection"}
    found = (
        "Slack says hello and answers a ping; the app has "
        f"{counted.get(others, f'{others} other connections')}."
    )
    if greeting.connections < CONNECTIONS:
        return well(SOCKET, found)
    fix = f"Slack allows {CONNECTIONS}: end a process that uses this app before another is started."
    return warning(SOCKET, found, fix)
