"""The local Slack as a server, and what tests and the page do with it."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.slack import (
    agents,
    files,
    messages,
    page,
    people,
    reading,
    streaming,
)
from bot.playground.slack.arguments import Arguments, Refusal, read_arguments
from bot.playground.slack.blocks import check_blocks
from bot.playground.slack.delivery import Delivery, Redelivery
from bot.playground.slack.faults import Fault, Faults
from bot.playground.slack.limits import Limits, Rates
from bot.playground.slack.workspace import (
    APP_ID,
    BOT_ID,
    BOT_USER,
    TEAM,
    Change,
    Message,
    Workspace,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from bot.playground.slack.workspace import Channel

Json = dict[str, Any]
Method = Callable[["LocalSlack", Arguments], "Awaitable[Json]"]

SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "users:read",
)
STATUS_SECONDS = 120.0
BODY_LIMIT = 4 * 1024 * 1024

METHODS: dict[str, Method] = {
    "auth.test": reading.auth_test,
    "chat.startStream": streaming.start_stream,
    "chat.appendStream": streaming.append_stream,
    "chat.stopStream": streaming.stop_stream,
    "chat.postMessage": messages.post_message,
    "chat.update": messages.update,
    "chat.delete": messages.delete,
    "chat.postEphemeral": messages.post_ephemeral,
    "chat.getPermalink": messages.get_permalink,
    "conversations.history": reading.history,
    "conversations.replies": reading.replies,
    "conversations.info": reading.info,
    "conversations.members": reading.members,
    "conversations.list": reading.conversations_list,
    "conversations.open": reading.open_dm,
    "conversations.join": reading.join,
    "users.conversations": reading.users_conversations,
    "users.info": reading.users_info,
    "bots.info": reading.bots_info,
    "assistant.threads.setStatus": agents.set_status,
    "assistant.threads.setTitle": agents.set_title,
    "assistant.threads.setSuggestedPrompts": agents.set_suggested_prompts,
    "agents.sessions.setStatus": agents.session_status,
    "agents.sessions.rename": agents.rename_session,
    "files.getUploadURLExternal": files.get_upload_url,
    "files.completeUploadExternal": files.complete_upload,
    "views.publish": agents.publish_view,
    "views.open": agents.open_view,
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the Web API that was answered."""

    method: str
    params: Json
    error: str | None
    status: int
    at: float


@dataclass
class Session:
    """An agent session: what a thread does, and how it is called."""

    status: str = "active"
    title: str = ""


class LocalSlack:
    """A workspace with people, channels and one app: the bot."""

    team, bot_user, bot_id = TEAM, BOT_USER, BOT_ID
    bot_token, app_token = "xoxb-local", "xapp-local"
    signing_secret = "local-signing-secret"  # noqa: S105 - likewise

    def __init__(self, limits: Limits, events_url: str | None) -> None:
        self.limits = limits
        self.workspace = Workspace()
        self.delivery = Delivery(limits, self.signing_secret, events_url)
        self.files = files.Files()
        self.twin_order = "app_mention_first"
        self.scopes: tuple[str, ...] = SCOPES  # that were granted
        self.clock_ahead = 0.0  # seconds, as the headers of answers tell the time
        self.app_of_bot_token = APP_ID
        self.calls: list[Call] = []
        self.views: dict[str, Json] = {}
        self.url = ""
        self._faults = Faults()
        self._rates = Rates(limits)
        self._ephemerals: dict[tuple[str, str], list[Message]] = {}
        self._statuses: dict[tuple[str, str], tuple[str, float]] = {}
        self._sessions: dict[tuple[str, str], Session] = {}
        self._prompts: dict[str, list[Json]] = {}
        self._response_urls: dict[str, people.ResponseUrl] = {}
        self._triggers: set[str] = set()
        self._ids = itertools.count(1)
        self._watchers: set[asyncio.Event] = set()

    @classmethod
    @asynccontextmanager
    async def start(
        cls, *, port: int = 0, limits: Limits | None = None, events_url: str | None = None
    ) -> AsyncIterator[LocalSlack]:
        """Serve a new workspace on this machine's loopback address."""
        slack = cls(limits or Limits(), events_url)
        runner = web.AppRunner(slack._app(), shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
            slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield slack
        finally:
            await slack.delivery.close()
            await runner.cleanup()

    @property
    def api_url(self) -> str:
        """Where the Web API is."""
        return f"{self.url}/api/"

    @property
    def page_url(self) -> str:
        """Where the page is."""
        return f"{self.url}/"

    @property
    def users(self) -> dict[str, str]:
        """The people's ids by name."""
        return {user.name.lower(): user.id for user in self.workspace.users.values()}

    @property
    def channels(self) -> dict[str, str]:
        """The channels' ids by name."""
        return {c.name: c.id for c in self.workspace.channels.values() if c.name}

    @property
    def events_url(self) -> str | None:
        """Where events are posted to; None where they go over sockets."""
        return self.delivery.events_url

    @events_url.setter
    def events_url(self, url: str | None) -> None:
        self.delivery.events_url = url

    @property
    def redelivered(self) -> list[Redelivery]:
        """What was delivered more than once."""
        return self.delivery.redelivered

    async def until_connected(self) -> None:
        """Wait until the bot has a socket."""
        await self.delivery.until_connected()

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Make the bot connect anew."""
        await self.delivery.disconnect(reason)

    def go_deaf(self, *, new_too: bool = False) -> None:
        """Hear nothing more on the sockets that are open; with `new_too`, nor on new ones."""
        self.delivery.go_deaf(new_too=new_too)

    def hear_again(self) -> None:
        """Hear the sockets that are opened from now on."""
        self.delivery.hear_again()

    # What people do.

    async def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Post a message as a person; return its ts."""
        place = self.workspace.channels[channel]
        root = place.messages[thread_ts].thread_ts or thread_ts if thread_ts else None
        message = Message(self.workspace.next_ts(), user, text, thread_ts=root)
        self.workspace.put(place, message)
        self._changed()
        for event in people.events_of_message(self, place, message):
            await self.deliver(event)
        return message.ts

    async def deliver(self, event: Json) -> None:
        """Deliver an event in the background."""
        self.delivery.send(people.event_envelope(self, event))

    async def edit(self, channel: str, ts: str, text: str) -> None:
        """Change a person's message."""
        place = self.workspace.channels[channel]
        message = place.messages[ts]
        previous, message.text, message.edited = message.text, text, True
        self.workspace.tell(Change("message", channel, message))
        await self.deliver(people.edited_event(place, message, previous))

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a person's message; a root with replies leaves a tombstone."""
        place = self.workspace.channels[channel]
        message = place.messages[ts]
        if any(m.thread_ts == ts != m.ts for m in place.messages.values()):
            gone = Message(ts, "USLACKBOT", "This message was deleted.", subtype="tombstone")
            place.messages[ts] = gone
            self.workspace.tell(Change("message", channel, gone))
        else:
            del place.messages[ts]
            self.workspace.tell(Change("deleted", channel, message))
        await self.deliver(people.deleted_event(place, message))

    async def join(self, user: str, channel: str) -> None:
        """Let a person join a channel."""
        self.workspace.channels[channel].members.add(user)
        ts = self.workspace.next_ts()
        event = {"type": "message", "subtype": "channel_join", "user": user, "channel": channel}
        await self.deliver(event | {"ts": ts, "event_ts": ts, "text": f"<@{user}> has joined"})

    async def command(self, user: str, channel: str, name: str, text: str) -> people.CommandResult:
        """Run a slash command; return what the person sees at once."""
        envelope = people.command_envelope(self, user, channel, (name, text))
        task = self.delivery.send(envelope)
        answer = await task
        shown = str(answer.get("text", ""))
        blocks = answer.get("blocks") or []
        try:
            check_blocks(blocks, self.limits)
        except Refusal as refusal:
            shown, blocks = f"{name} failed: {refusal.code}", []
        if shown or blocks:
            self.show_ephemeral(channel, user, shown, blocks)
        lost = envelope in self.delivery.lost
        if lost:
            self.show_ephemeral(channel, user, f"{name} failed: operation_timeout", [])
        return people.CommandResult(shown, not lost, envelope.payload["response_url"])

    async def press(
        self, user: str, channel: str, ts: str, action_id: str, value: str | None = None
    ) -> None:
        """Press a button, also one that only this person sees."""
        place = self.workspace.channels[channel]
        mine = {message.ts: message for message in self.ephemerals(channel, user)}
        message = place.messages.get(ts) or mine[ts]
        action = people.find_action(message, action_id, value)
        pressed = {"message": message, "action": action, "shown": mine.get(ts)}
        await self.delivery.send(people.action_envelope(self, user, place, pressed))

    async def shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> None:
        """Choose a shortcut of the bot's in the menu of a message."""
        place = self.workspace.channels[channel]
        envelope = people.shortcut_envelope(self, user, place, place.messages[ts], callback_id)
        await self.delivery.send(envelope)

    async def stop(self, user: str, channel: str, ts: str) -> None:
        """Press Slack's own Stop on a message that is being streamed."""
        place = self.workspace.channels[channel]
        message = place.messages[ts]
        if message.streaming_state == "in_progress":
            message.streaming_state, message.stopped_by_user = "completed", True
            self.workspace.tell(Change("message", channel, message))
            self._changed()
        await self.deliver(people.stopped_event(place, message, user))

    async def open_messages_tab(self, user: str) -> None:
        """Open the bot's direct message."""
        ts = self.workspace.next_ts()
        event = {"type": "app_home_opened", "user": user, "channel": self.dm(user)}
        await self.deliver(event | {"tab": "messages", "event_ts": ts})

    async def open_home(self, user: str) -> None:
        """Open the Home of the bot's app."""
        event = {"type": "app_home_opened", "user": user, "channel": self.dm(user), "tab": "home"}
        await self.deliver(event | {"event_ts": self.workspace.next_ts()})

    async def press_at_home(self, user: str, action_id: str, value: str | None = None) -> None:
        """Press a button in the Home of the bot's app. Raises KeyError where there is none."""
        await self.delivery.send(people.home_action_envelope(self, user, action_id, value))

    # What there is to see.

    def dm(self, user: str) -> str:
        """Return the bot's direct message with a person."""
        return self.workspace.dm(user).id

    def thread(self, channel: str, thread_ts: str) -> list[Message]:
        """Return a thread, its root first."""
        return self.workspace.channels[channel].thread(thread_ts)

    def ephemerals(self, channel: str, user: str) -> list[Message]:
        """Return what only this person sees in a channel."""
        return self._ephemerals.get((channel, user), [])

    def calls_of(self, method: str) -> list[Call]:
        """Return the calls of one method."""
        return [call for call in self.calls if call.method == method]

    def status(self, channel: str, thread_ts: str) -> str | None:
        """Return the line below a thread; it goes away after two minutes."""
        status, until = self._statuses.get((channel, thread_ts), ("", 0.0))
        return status if status and self.limits.clock() < until else None

    def session(self, channel: str, thread_ts: str) -> Session | None:
        """Return a thread's session."""
        return self._sessions.get((channel, thread_ts))

    def prompts(self, user: str) -> list[Json]:
        """Return the questions that a person is offered."""
        return self._prompts.get(self.dm(user), [])

    async def until(self, predicate: Callable[[LocalSlack], object], seconds: float = 10.0) -> None:
        """Wait until something is so. Raises TimeoutError with what there is instead."""
        woken = asyncio.Event()
        self._watchers.add(woken)
        try:
            async with asyncio.timeout(seconds):
                while not predicate(self):
                    woken.clear()
                    await woken.wait()
        except TimeoutError:
            raise TimeoutError(f"it did not come to be so; there is\n{self._shown()}") from None
        finally:
            self._watchers.discard(woken)

    def fail(self, method: str, **how: Any) -> None:  # noqa: ANN401 - the fields of a Fault
        """Make the next calls of a method fail."""
        self._faults.order(method, Fault(**how))

    def mend(self, method: str) -> None:
        """Have the calls of a method be good again."""
        self._faults.forget(method)

    # What the methods of the Web API change.

    def show_home(self, user: str, view: Json) -> None:
        """Show a person's Home of the bot's app."""
        self.views[user] = view
        self.workspace.tell(Change("home", self.dm(user)))
        self._changed()

    def show_ephemeral(self, channel: str, user: str, text: str, blocks: list[Json]) -> Message:
        """Show a message to one person."""
        ts = self.workspace.next_ts()
        message = Message(ts, BOT_USER, text, bot_id=BOT_ID, blocks=blocks)
        self._ephemerals.setdefault((channel, user), []).append(message)
        self.workspace.tell(Change("ephemeral", channel, message))
        self._changed()
        return message

    def replace_ephemeral(
        self, channel: str, message: Message, text: str, blocks: list[Json]
    ) -> None:
        """Show something else in the place of what one person sees."""
        message.text, message.blocks = text, blocks
        self.workspace.tell(Change("ephemeral", channel, message))
        self._changed()

    def show_file(self, channel: Channel, message: Message) -> None:
        """Show the message that shares a file, which comes by and by."""
        self.workspace.put(channel, message)
        self.cleared_status(channel.id, message.thread_ts or message.ts)
        self._changed()

    def set_status(self, channel: str, thread_ts: str, status: str) -> None:
        """Set the line below a thread."""
        self._statuses[channel, thread_ts] = (status, self.limits.clock() + STATUS_SECONDS)
        self.workspace.tell(Change("status", channel))

    def cleared_status(self, channel: str, thread_ts: str) -> None:
        """Take the line away: the app has posted."""
        if self._statuses.pop((channel, thread_ts), None):
            self.workspace.tell(Change("status", channel))

    def statuses(self) -> dict[tuple[str, str], str]:
        """Return the lines below threads."""
        places = {place: self.status(*place) for place in self._statuses}
        return {place: status for place, status in places.items() if status}

    def set_session(
        self, channel: str, thread_ts: str, status: str | None = None, title: str | None = None
    ) -> None:
        """Change a thread's session."""
        session = self._sessions.setdefault((channel, thread_ts), Session())
        session.status = status or session.status
        session.title = title or session.title

    def set_prompts(self, channel: str, prompts: list[Json]) -> None:
        """Offer questions in a direct message."""
        self._prompts[channel] = prompts
        self.workspace.tell(Change("prompts", channel))

    def new_trigger(self) -> str:
        """Return an id with which one modal can be opened."""
        trigger = f"trigger-{next(self._ids)}"
        self._triggers.add(trigger)
        return trigger

    def use_trigger(self, trigger: str) -> bool:
        """Use a trigger; False if it was used before."""
        known = trigger in self._triggers
        self._triggers.discard(trigger)
        return known

    def new_response_url(self, channel: str, user: str, message: Message | None = None) -> str:
        """Return an address at which the bot may answer, or replace what only one person sees."""
        path = f"/response/{next(self._ids)}"
        self._response_urls[path] = people.ResponseUrl(channel, user, message)
        return self.url + path

    # The server.

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_post("/api/{method}", self._handle)
        app.router.add_get("/api/{method}", self._handle)
        app.router.add_get("/link", self._link)
        app.router.add_post("/response/{number}", self._respond)
        app.router.add_post(f"{files.UPLOADS}{{ticket}}", self._receive)
        page.add_routes(app, self)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fault = self._faults.next_of(method)
        if fault is not None and fault.drop:
            return self._drop(request)
        args = Arguments({})
        try:
            args = await read_arguments(request)
            answer = await self._answer(request, method, args, fault)
        except Refusal as refusal:
            answer = web.json_response({"ok": False, "error": refusal.code, **refusal.more})
            self._record(method, args, refusal.code, 200)
        self._changed()
        return self._drop(request) if fault is not None and fault.after else answer

    async def _answer(
        self, request: web.Request, method: str, args: Arguments, fault: Fault | None
    ) -> web.Response:
        if fault is not None and not fault.after:
            return self._failed(method, args, fault)
        self._check_token(request, method, args)
        if method == "apps.connections.open":
            result: Json = {"url": f"{self.url.replace('http', 'ws', 1)}/link?ticket=1"}
        elif method in METHODS:
            wait = self._rates.take(method, str(args.values.get("channel")))
            if wait:
                slow = Fault("ratelimited", 429, wait)
                return self._failed(method, args, slow)
            result = await METHODS[method](self, args)
        else:
            raise Refusal("unknown_method", req_method=method)
        self._record(method, args, None, 200)
        headers = {
            "x-oauth-scopes": ",".join(self.scopes),
            "Date": formatdate(time.time() + self.clock_ahead, usegmt=True),
        }
        return web.json_response({"ok": True, **result}, headers=headers)

    def _failed(self, method: str, args: Arguments, fault: Fault) -> web.Response:
        error = fault.error or ("ratelimited" if fault.status == 429 else "internal_error")  # noqa: PLR2004
        self._record(method, args, error, fault.status)
        headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        if fault.status >= 500:  # noqa: PLR2004 - a server's error has no JSON
            return web.Response(status=fault.status, text="<html>Server Error</html>")
        body = {"ok": False, "error": error}
        return web.json_response(body, status=fault.status, headers=headers)

    def _check_token(self, request: web.Request, method: str, args: Arguments) -> None:
        header = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = header or str(args.values.get("token", ""))
        if not token:
            raise Refusal("not_authed")
        wanted = self.app_token if method == "apps.connections.open" else self.bot_token
        if token != wanted:
            both = {self.app_token, self.bot_token}
            raise Refusal("not_allowed_token_type" if token in both else "invalid_auth")

    def _record(self, method: str, args: Arguments, error: str | None, status: int) -> None:
        self.calls.append(Call(method, args.values, error, status, self.limits.clock()))

    def _drop(self, request: web.Request) -> web.StreamResponse:
        self._changed()
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _link(self, request: web.Request) -> web.StreamResponse:
        if self.delivery.is_full:
            return web.Response(status=429)
        return await self.delivery.serve(request)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        """Take the bytes of a file. Faults of "upload_url" are ordered like those of a method."""
        fault = self._faults.next_of(files.UPLOAD)
        if fault is not None and fault.drop:
            return self._drop(request)
        args = Arguments({"bytes": request.content_length})
        if fault is not None and not fault.after:
            return self._failed(files.UPLOAD, args, fault)
        answer = self.files.take(request.match_info["ticket"], await request.read())
        error = None if answer.status == 200 else answer.text  # noqa: PLR2004 - OK
        self._record(files.UPLOAD, args, error, answer.status)
        self._changed()
        return self._drop(request) if fault is not None else answer

    async def _respond(self, request: web.Request) -> web.Response:
        url = self._response_urls.get(request.path)
        if url is None or url.uses_left <= 0:
            return web.Response(status=404, text="used_url")
        try:
            body = json.loads(await request.text())
        except ValueError:
            return web.Response(status=400, text="invalid_payload")
        try:
            people.show_response(self, url, body)
        except Refusal as refusal:
            return web.Response(status=400, text=refusal.code)
        return web.Response(text="ok")

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher.set()

    def _shown(self) -> str:
        lines = [_line(c, m) for c in self.workspace.channels.values() for m in c.messages.values()]
        refused = [f"{call.method}: {call.error}" for call in self.calls if call.error]
        return "\n".join([*lines, *refused])


def _line(channel: Channel, message: Message) -> str:
    text = (message.text or message.markdown)[:200]
    state = message.streaming_state or "posted"
    return f"{channel.name or channel.id} {message.ts} {message.user} {state}: {text}"
