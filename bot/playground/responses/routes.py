"""The endpoints of the Responses API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.responses.answering import plan_answer, task_of
from bot.playground.responses.context import context_of
from bot.playground.responses.errors import ApiError
from bot.playground.responses.guard import BODY, KEY, Guard, sign
from bot.playground.responses.items import output_of
from bot.playground.responses.links import in_dialect
from bot.playground.responses.listing import input_page, model_list, one_model
from bot.playground.responses.request import checked_count, checked_create
from bot.playground.responses.response import (
    begun,
    failed,
    finished,
    input_tokens,
    seen_by,
    shown,
    usage,
)
from bot.playground.responses.scripts import Played
from bot.playground.responses.sending import Delivery, send_events, send_played
from bot.playground.responses.store import RUNNING, STREAM_SECONDS, Stored
from bot.playground.responses.stream import events_of, random_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bot.playground.responses.answering import Task
    from bot.playground.responses.context import Context
    from bot.playground.responses.library import Library
    from bot.playground.responses.plan import Plan
    from bot.playground.responses.request import Create
    from bot.playground.responses.scripts import Disturbance, Orders
    from bot.playground.responses.server import LocalResponses
    from bot.playground.responses.store import Store
    from bot.playground.responses.stream import Event


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, whose it is, and what it follows."""

    create: Create
    key: str
    parent: Stored | None
    items: tuple[dict[str, Any], ...]  # the whole chain's, this request's included
    context: Context  # what of them is read


class Routes:
    """What is answered to each request."""

    def __init__(
        self, server: LocalResponses, store: Store, orders: Orders, library: Library
    ) -> None:
        self._server = server
        self._store = store
        self._orders = orders
        self._library = library

    def application(self, largest_body: int) -> web.Application:
        """Return the endpoints, each under the name that faults are ordered for."""
        app = web.Application(
            middlewares=[Guard(self._server, self._orders).guarded], client_max_size=largest_body
        )
        app.on_response_prepare.append(sign)
        path = self._server.profile.path
        app.router.add_post(f"{path}/responses", self.create, name="create")
        app.router.add_post(f"{path}/responses/input_tokens", self.count, name="input_tokens")
        one = f"{path}/responses/{{id}}"
        app.router.add_get(one, self.retrieve, name="retrieve", allow_head=False)
        app.router.add_delete(one, self.delete, name="delete")
        app.router.add_post(f"{one}/cancel", self.cancel, name="cancel")
        app.router.add_get(f"{one}/input_items", self.items, name="input_items", allow_head=False)
        app.router.add_get(f"{path}/models", self.models, name="models", allow_head=False)
        app.router.add_get(f"{path}/models/{{id}}", self.model, name="model", allow_head=False)
        return app

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/responses."""
        create = checked_create(request[BODY], self._server.profile)
        try:
            asked = self._asked(request, create)
        except ApiError as error:
            if not self._server.profile.failed_runs:
                raise
            return await self._failed(request, create, error)
        task = task_of(create, asked.context.items)
        order = self._orders.answer(task.questions[-1])
        if isinstance(order, Played):
            return await self._play(request, order, asked)
        stored = self._stored(asked, order.plan(create.searches) if order else self._plan(task))
        if create.asks("background"):
            return await self._in_background(request, create, stored)
        if not create.asks("stream"):
            self._keep(stored)
            return self._answer(stored.response, create.includes)
        return await self._stream(request, stored)

    def _asked(self, request: web.Request, create: Create) -> Asked:
        """Return a request with what it follows, or raise that it cannot."""
        key = request[KEY]
        parent = self._store.parent(create, key, self._server.now())
        history = parent.chain if parent else ()
        context = context_of(create, history, self._server.profile)
        return Asked(create, key, parent, (*history, *create.items), context)

    def _plan(self, task: Task) -> Plan:
        return in_dialect(plan_answer(task, self._library), self._server.profile.search)

    async def _failed(
        self, request: web.Request, create: Create, error: ApiError
    ) -> web.StreamResponse:
        profile = self._server.profile
        response = failed(begun(create, profile, self._server.now()), error)
        if not create.asks("stream"):
            return self._answer(response)
        events = events_of(response, (), profile, obfuscated=False)
        return await self._sent(request, events, self._orders.disturbance())

    def _answer(self, response: dict[str, Any], includes: Sequence[str] = ()) -> web.Response:
        return web.json_response(shown(seen_by(response, includes), self._server.profile))

    def _stored(self, asked: Asked, plan: Plan) -> Stored:
        profile, now, create = self._server.profile, self._server.now(), asked.create
        start = begun(create, profile, now)
        read = input_tokens(create, asked.context.items, plan.read)
        bill = usage(read, plan, asked.parent, profile)
        made = [asked.context.compaction] if asked.context.compaction else []
        output = [*made, *output_of(create, plan, profile)]
        response = finished(start, output, plan, bill, profile)
        stored = Stored(response, asked.items, now, asked.key)
        if create.asks("background"):
            stored.queued_seconds = profile.queued_seconds
            stored.working_seconds = profile.working_seconds
        if create.asks("stream"):
            told = seen_by(response, create.includes)
            pieces = plan.pieces or random_pieces(plan.text, len(self._server.creates))
            stored.events = events_of(told, pieces, profile, obfuscated=create.obfuscated)
        return stored

    def _keep(self, stored: Stored) -> None:
        streamed = bool(stored.events) and not self._server.profile.keeps_streamed
        if not streamed and (stored.response["store"] or stored.response["background"]):
            self._store.add(stored)

    async def _stream(self, request: web.Request, stored: Stored) -> web.StreamResponse:
        disturbance = self._orders.disturbance()
        if disturbance.kept:
            self._keep(stored)
        events = _before_last(stored.events, lambda: self._keep(stored))
        return await self._sent(request, events, disturbance)

    async def _in_background(
        self, request: web.Request, create: Create, stored: Stored
    ) -> web.StreamResponse:
        self._keep(stored)
        if not create.asks("stream"):
            return self._answer(stored.seen(self._server.now()))
        events = _before_last(stored.events, stored.deliver)
        return await self._sent_run(request, stored, events)

    async def _sent(
        self,
        request: web.Request,
        events: Iterable[Event],
        disturbance: Disturbance,
    ) -> web.StreamResponse:
        delivery = Delivery(self._server.profile, disturbance, self._server.resumed)
        return await send_events(request, events, delivery)

    async def _sent_run(
        self, request: web.Request, stored: Stored, events: Iterable[Event]
    ) -> web.StreamResponse:
        """Send the stream of a run in the background, which may be cancelled meanwhile."""

        async def until_due(event: Event) -> None:
            await self._server.sleep(max(0.0, stored.due(event) - self._server.now()))

        delivery = Delivery(
            self._server.profile,
            self._orders.disturbance(background=True),
            self._server.resumed,
            lambda: stored.ended == "cancelled",
            until_due if self._server.profile.paced_runs else None,
        )
        return await send_events(request, events, delivery)

    async def _play(self, request: web.Request, played: Played, asked: Asked) -> web.StreamResponse:
        response = played.response()
        if response is not None and response.get("store"):
            self._store.add(Stored(response, asked.items, self._server.now(), asked.key))
        return await send_played(request, played)

    async def count(self, request: web.Request) -> web.Response:
        """POST /v1/responses/input_tokens."""
        create = checked_count(request[BODY], self._server.profile)
        asked = self._asked(request, create)
        counted = input_tokens(create, asked.context.items)
        return web.json_response({"object": "response.input_tokens", "input_tokens": counted})

    def _found(self, request: web.Request) -> Stored:
        return self._store.get(request.match_info["id"], request[KEY], self._server.now())

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/responses/{id}, whole or as the rest of its stream."""
        now, stored = self._server.now(), self._found(request)
        if request.query.get("stream") != "true":
            include = request.query.getall("include[]", request.query.getall("include", []))
            return self._answer(stored.seen(now), include)
        events = _resumed(stored, request.query.get("starting_after", "-1"), now)
        rest = _before_last(events, stored.deliver)
        return await self._sent_run(request, stored, rest)

    async def cancel(self, request: web.Request) -> web.Response:
        """POST /v1/responses/{id}/cancel."""
        now, stored = self._server.now(), self._found(request)
        if not stored.response["background"]:
            raise ApiError(400, "Cannot cancel a synchronous response.")
        if stored.status(now) in RUNNING:
            stored.ended = "cancelled"
        return self._answer(stored.seen(now))

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE /v1/responses/{id}."""
        response_id = self._found(request).response["id"]
        self._store.forget(response_id)
        return web.json_response({"id": response_id, "object": "response", "deleted": True})

    async def items(self, request: web.Request) -> web.Response:
        """GET /v1/responses/{id}/input_items."""
        return web.json_response(input_page(self._found(request).items, request.query))

    async def models(self, _request: web.Request) -> web.Response:
        """GET /v1/models."""
        return web.json_response(model_list(self._server.profile))

    async def model(self, request: web.Request) -> web.Response:
        """GET /v1/models/{id}."""
        return web.json_response(one_model(request.match_info["id"], self._server.profile))


def _before_last(events: list[Event], act: Callable[[], None]) -> Iterable[Event]:
    # Who reads the last event may fetch or follow the response at once, so it is kept before.
    for event in events:
        if event is events[-1]:
            act()
        yield event


def _resumed(stored: Stored, after: str, now: float) -> list[Event]:
    if not stored.response["background"] or not stored.events:
        raise ApiError(400, "This response was not created with background and stream.")
    if now - stored.started > STREAM_SECONDS:
        message = "This response can no longer be streamed because it is more than 5 minutes old"
        raise ApiError(400, message)
    try:
        number = int(after)
    except ValueError:
        message = "Invalid type for 'starting_after': expected an integer."
        raise ApiError(400, message, param="starting_after", code="invalid_type") from None
    rest = [event for event in stored.events if event["sequence_number"] > number]
    return [event for event in rest if event["type"] != "keepalive"]
