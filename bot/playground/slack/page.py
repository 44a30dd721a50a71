"""The page's server side: its files, its state, its live feed, and what a person does on it.

Only this machine's own browser may use it: the name it was asked for is a loopback one (a page of
another site cannot then point its own name here), and what changes something comes from the page
itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web

from bot.playground.slack.files import FILES
from bot.playground.slack.render_state import SHORTCUTS, Look, NotHere
from bot.playground.slack.render_typed import typed

if TYPE_CHECKING:
    from bot.playground.slack.server import LocalSlack

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
TEXT_LIMIT = 40_000  # characters; Slack cuts longer messages
BEAT_SECONDS = 15.0  # statuses lapse without a change; sending also shows that a page is gone
RECONNECT = b"retry: 1000\n"  # milliseconds; browsers would wait three seconds or more

_FILES = {
    "/": ("index.html", "text/html"),
    "/page/app.js": ("app.js", "text/javascript"),
    "/page/style.css": ("style.css", "text/css"),
    "/page/icon.svg": ("icon.svg", "image/svg+xml"),
    "/favicon.ico": ("icon.svg", "image/svg+xml"),  # what a browser asks for beside a file's text
}


class BadInput(Exception):
    """The page sent something that cannot be done; the message says what."""


def add_routes(app: web.Application, slack: LocalSlack) -> None:
    """Serve the page from an application."""
    page = Page(slack)
    for path, (name, kind) in _FILES.items():
        app.router.add_get(path, _guarded(_file(name, kind)))
    app.router.add_get("/page/state", _guarded(page.state))
    app.router.add_get("/page/events", _guarded(page.events))
    app.router.add_get("/archives/{channel}/p{digits:[0-9]+}", _guarded(page.permalink))
    app.router.add_get(f"{FILES}{{id}}/{{name}}", _guarded(page.file))
    actions = (page.say, page.command, page.press, page.stop, page.open)
    for action in (*actions, page.shortcut, page.home, page.press_at_home):
        app.router.add_post(f"/page/{action.__name__}", _guarded(_action(action)))
    app.on_shutdown.append(page.close)


@dataclass
class Page:
    """What the page asks for and what it does, on one local Slack."""

    slack: LocalSlack
    _feeds: set[asyncio.Task[None]] = field(default_factory=set)

    async def state(self, request: web.Request) -> web.Response:
        """Return everything that one person sees."""
        return web.json_response(self._look(request.query.get("user")).state())

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Send everything that one person sees, and then what changes of it, as it changes."""
        look = self._look(request.query.get("user"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **HEADERS})
        await response.prepare(request)
        feed = asyncio.create_task(_feed(look, response))
        self._feeds.add(feed)
        try:
            await asyncio.wait({feed})
        finally:
            feed.cancel()
            self._feeds.discard(feed)
        with suppress(asyncio.CancelledError, ConnectionError):  # the server stops, the page left
            feed.result()
        return response

    async def file(self, request: web.Request) -> web.Response:
        """Show the text of a file, or have the browser keep it."""
        file = self.slack.files.stored.get(request.match_info["id"])
        if file is None or file.data is None:
            raise NotHere("There is no such file here.")
        kept = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
        way = kept if "download" in request.query else "inline"
        return web.Response(
            body=file.data,
            content_type="text/plain",  # whatever it is, the browser only shows it
            charset="utf-8",
            headers={"Content-Disposition": way},
        )

    async def permalink(self, request: web.Request) -> web.Response:
        """Lead to the thread of a message, as its address in Slack does."""
        digits, name = request.match_info["digits"], request.match_info["channel"]
        channel = self.slack.workspace.channels.get(name)
        message = channel and channel.messages.get(f"{digits[:-6]}.{digits[-6:]}")
        if not channel or not message:
            raise NotHere("There is no such message here.")
        thread = message.thread_ts or message.ts
        return web.Response(status=302, headers={"Location": f"/#{channel.id}/{thread}"})

    async def close(self, _app: web.Application) -> None:
        """End the feeds: the server waits for open requests when it stops."""
        for feed in self._feeds:
            feed.cancel()

    async def say(self, body: Json) -> Json:
        """Post what a person typed."""
        look = self._look(_words(body, "user"))
        channel, text = look.channel(_words(body, "channel")), _words(body, "text")
        thread = body.get("thread_ts")
        if thread is not None and not look.has(channel, str(thread)):
            raise NotHere("This thread is gone.")
        text = typed(_bounded(text), look.names)
        ts = await self.slack.say(look.viewer, channel, text, thread_ts=thread)
        return {"ts": ts, "mentions_bot": f"<@{self.slack.bot_user}>" in text}

    async def command(self, body: Json) -> Json:
        """Run a slash command; what it shows to the person arrives in the feed."""
        look = self._look(_words(body, "user"))
        channel, name = look.channel(_words(body, "channel")), _words(body, "command")
        text = typed(_bounded(str(body.get("text") or "")), look.names)
        await self.slack.command(look.viewer, channel, name, text)
        return {}

    async def press(self, body: Json) -> Json:
        """Press a button of a message."""
        look = self._look(_words(body, "user"))
        channel, ts = self._message(look, body)
        name, value = _words(body, "action_id"), body.get("value")
        try:
            value = value if isinstance(value, str) and value else None
            await self.slack.press(look.viewer, channel, ts, name, value)
        except KeyError:
            raise NotHere("This button is gone.") from None
        return {}

    async def shortcut(self, body: Json) -> Json:
        """Choose a shortcut of the bot's in the menu of a message."""
        look = self._look(_words(body, "user"))
        channel, ts = self._message(look, body)
        name = _words(body, "callback_id")
        if name not in SHORTCUTS:
            raise NotHere("There is no such shortcut.")
        await self.slack.shortcut(look.viewer, channel, ts, name)
        return {}

    async def home(self, body: Json) -> Json:
        """Open the Home of the bot's app; what the bot shows there arrives in the feed."""
        await self.slack.open_home(self._look(_words(body, "user")).viewer)
        return {}

    async def press_at_home(self, body: Json) -> Json:
        """Press a button in the Home."""
        look = self._look(_words(body, "user"))
        name, value = _words(body, "action_id"), str(body.get("value") or "") or None
        try:
            await self.slack.press_at_home(look.viewer, name, value)
        except KeyError:
            raise NotHere("This button is gone.") from None
        return {}

    async def stop(self, body: Json) -> Json:
        """Stop a message that is being streamed."""
        look = self._look(_words(body, "user"))
        await self.slack.stop(look.viewer, *self._message(look, body))
        return {}

    async def open(self, body: Json) -> Json:
        """Open the bot's direct message, of which Slack tells the bot."""
        look = self._look(_words(body, "user"))
        look.channel(_words(body, "channel"))
        await self.slack.open_messages_tab(look.viewer)
        return {}

    def _look(self, user: str | None) -> Look:
        return Look.of(self.slack, user)

    def _message(self, look: Look, body: Json) -> tuple[str, str]:
        channel, ts = look.channel(_words(body, "channel")), _words(body, "ts")
        if not look.has(channel, ts):
            raise NotHere("This message is gone.")
        return channel, ts


async def _feed(look: Look, response: web.StreamResponse) -> None:
    async with aclosing(look.changes()) as changes:
        pending = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)  # from here on no change is missed
        try:
            await response.write(RECONNECT)
            await _send(response, "state", look.state())
            while True:
                done, _ = await asyncio.wait({pending}, timeout=BEAT_SECONDS)
                if done:
                    await _send(response, *pending.result())
                    pending = asyncio.ensure_future(anext(changes))
                else:
                    await _send(response, "statuses", look.statuses())
        finally:
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)


async def _send(response: web.StreamResponse, kind: str, data: object) -> None:
    await response.write(f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode())


def _file(name: str, kind: str) -> Handler:
    async def serve(_request: web.Request) -> web.Response:
        text = (files("bot.playground") / "page" / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=kind, charset="utf-8")

    return serve


def _action(act: Callable[[Json], Awaitable[Json]]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        _check_origin(request)
        return web.json_response(await act(await _body(request)))

    return handle


def _guarded(handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            _check_host(request)
            response = await handler(request)
        except (BadInput, NotHere) as error:
            response = web.json_response({"error": str(error)}, status=400)
        except web.HTTPForbidden as error:
            response = web.json_response({"error": error.text}, status=403)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    return handle


def _check_host(request: web.Request) -> None:
    if request.url.host not in LOOPBACK:
        raise web.HTTPForbidden(text="The local Slack answers only to a loopback name.")


def _check_origin(request: web.Request) -> None:
    origin = request.headers.get("Origin", str(request.url.origin()))
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if origin != str(request.url.origin()) or site != "same-origin":
        raise web.HTTPForbidden(text="Only the page itself may do this.")


async def _body(request: web.Request) -> Json:
    if request.content_type != "application/json":  # another site may send only simple types
        raise BadInput("The body has to be JSON.")
    try:
        body = json.loads(await request.text())
    except ValueError:
        raise BadInput("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise BadInput("The body has to be a JSON object.")
    return body


def _words(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"'{name}' is missing.")
    return value


def _bounded(text: str) -> str:
    if len(text) > TEXT_LIMIT:
        raise BadInput(f"A message has at most {TEXT_LIMIT:,} characters.")
    return text
