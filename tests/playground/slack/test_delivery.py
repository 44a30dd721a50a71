"""How the local Slack delivers: to whom, how often, and what people see of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from bot.playground.slack import Limits, LocalSlack
from bot.playground.slack.delivery import CONNECTIONS, signature

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Json = dict[str, Any]
FAST = Limits(retry_delays=(0.0, 0.01, 0.02), ack_seconds=0.1)
SHORT_GOODBYE = aiohttp.ClientWSTimeout(ws_close=0.1)  # a deaf socket gives no answer to it
GENERAL, YOU = "C0GENERAL", "U0YOU"


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack.start(limits=FAST) as slack:
        yield slack


@asynccontextmanager
async def socket_of(slack: LocalSlack) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    headers = {"Authorization": f"Bearer {slack.app_token}"}
    async with aiohttp.ClientSession() as session:
        url = f"{slack.api_url}apps.connections.open"
        async with session.post(url, headers=headers) as response:
            answer = await response.json()
        async with session.ws_connect(answer["url"], timeout=SHORT_GOODBYE) as socket:
            hello = await socket.receive_json()
            assert hello["type"] == "hello"
            yield socket


async def acknowledged(socket: aiohttp.ClientWebSocketResponse) -> Json:
    envelope: Json = await socket.receive_json()
    await socket.send_json({"envelope_id": envelope["envelope_id"]})
    return envelope


@pytest.mark.parametrize("first", ["app_mention", "message"])
async def test_a_mention_comes_as_twins_in_the_order_that_is_set(
    slack: LocalSlack, first: str
) -> None:
    slack.twin_order = f"{first}_first"
    async with socket_of(slack) as socket:
        ts = await slack.say(YOU, GENERAL, f"<@{slack.bot_user}> hello")
        bodies = [(await acknowledged(socket))["payload"] for _ in range(2)]

    assert next(body["event"]["type"] for body in bodies) == first
    assert {body["event"]["type"] for body in bodies} == {"app_mention", "message"}
    assert {body["event"]["ts"] for body in bodies} == {ts}
    assert len({body["event_id"] for body in bodies}) == 2
    assert {body["team_id"] for body in bodies} == {slack.team}


async def test_an_event_waits_for_a_socket_and_is_not_lost_meanwhile(slack: LocalSlack) -> None:
    await slack.say(YOU, slack.dm(YOU), "early")
    async with socket_of(slack) as socket:
        envelope = await acknowledged(socket)
        await slack.delivery.until_idle()

    assert envelope["payload"]["event"]["text"] == "early"
    assert envelope["payload"]["event"]["channel_type"] == "im"


async def test_what_is_not_acknowledged_comes_three_times_more_and_is_then_lost(
    slack: LocalSlack,
) -> None:
    async with socket_of(slack) as socket:
        await slack.say(YOU, slack.dm(YOU), "hello")
        envelopes = [await socket.receive_json() for _ in range(4)]
        await slack.delivery.until_idle()

    assert [e["retry_attempt"] for e in envelopes] == [0, 1, 2, 3]
    assert [e["retry_reason"] for e in envelopes] == ["", "timeout", "timeout", "timeout"]
    assert len({e["payload"]["event_id"] for e in envelopes}) == 1
    assert [again.attempt for again in slack.redelivered] == [1, 2, 3]
    assert len(slack.delivery.lost) == 1


async def test_each_event_goes_to_one_of_the_sockets_in_turn(slack: LocalSlack) -> None:
    async with socket_of(slack) as one, socket_of(slack) as other:
        await slack.say(YOU, slack.dm(YOU), "first")
        first = await acknowledged(one)
        await slack.say(YOU, slack.dm(YOU), "second")
        second = await acknowledged(other)

    texts = [e["payload"]["event"]["text"] for e in (first, second)]
    assert texts == ["first", "second"]


async def test_a_socket_is_told_to_connect_anew_and_closed(slack: LocalSlack) -> None:
    async with socket_of(slack) as socket:
        await slack.disconnect("warning")
        frame = await socket.receive_json()
        closed = await socket.receive()

    assert (frame["type"], frame["reason"]) == ("disconnect", "warning")
    assert closed.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


async def test_a_socket_that_goes_deaf_stays_open_and_answers_not_even_a_ping(
    slack: LocalSlack,
) -> None:
    async with aiohttp.ClientSession() as session:
        url = slack.url.replace("http", "ws") + "/link"
        async with session.ws_connect(url, autoping=False) as socket:
            assert (await socket.receive_json())["type"] == "hello"
            await socket.ping(b"1")
            answer = await socket.receive(timeout=2)
            slack.go_deaf()
            await socket.ping(b"2")
            with pytest.raises(TimeoutError):
                await socket.receive(timeout=0.1)

    assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"1")


async def test_an_event_is_not_lost_on_a_deaf_socket_but_waits_for_another(
    slack: LocalSlack,
) -> None:
    async with socket_of(slack), aiohttp.ClientSession() as session:
        slack.go_deaf(new_too=True)
        url = slack.url.replace("http", "ws") + "/link"
        async with session.ws_connect(url, timeout=SHORT_GOODBYE) as socket:
            with pytest.raises(TimeoutError):
                await socket.receive(timeout=0.1)
        await slack.say(YOU, slack.dm(YOU), "hello")
        slack.hear_again()
        async with socket_of(slack) as hearing:
            envelope = await acknowledged(hearing)

    assert envelope["payload"]["event"]["text"] == "hello"
    assert envelope["retry_attempt"] == 0


async def test_an_app_has_ten_sockets_at_the_most(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session:
        url = slack.url.replace("http", "ws") + "/link"
        sockets = [await session.ws_connect(url) for _ in range(CONNECTIONS)]
        with pytest.raises(aiohttp.WSServerHandshakeError, match="429"):
            await session.ws_connect(url)
        for socket in sockets:
            await socket.close()


async def test_nonsense_from_a_socket_is_ignored(slack: LocalSlack) -> None:
    async with socket_of(slack) as socket:
        await socket.send_str("{")
        await socket.send_str('{"envelope_id": "none"}')
        await slack.say(YOU, slack.dm(YOU), "hello")

        assert (await acknowledged(socket))["type"] == "events_api"


@dataclass
class Receiver:
    """A bot's HTTP server that remembers what was posted to it."""

    statuses: list[int] = field(default_factory=list)
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.posts.append((dict(request.headers), await request.read()))
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, text=self.answer, content_type="application/json")


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[LocalSlack, Receiver]]:
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/slack/events", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        async with LocalSlack.start(limits=FAST, events_url=url) as slack:
            yield slack, receiver
    finally:
        await runner.cleanup()


async def test_over_http_events_are_signed_and_posted_again_with_the_reason() -> None:
    async with receiver() as (slack, bot):
        bot.statuses = [500, 404]
        await slack.say(YOU, slack.dm(YOU), "hello")
        await slack.delivery.until_idle()

    for headers, body in bot.posts:
        at = float(headers["X-Slack-Request-Timestamp"])
        signed = signature(slack.signing_secret, body, at=at)
        assert headers["X-Slack-Signature"] == signed["X-Slack-Signature"]
    retries = [(h.get("x-slack-retry-num"), h.get("x-slack-retry-reason")) for h, _ in bot.posts]
    assert retries == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert slack.delivery.lost == []


async def test_a_command_is_a_form_and_its_answer_is_shown_to_the_person() -> None:
    async with receiver() as (slack, bot):
        bot.answer = json.dumps({"text": "On it"})
        result = await slack.command(YOU, GENERAL, "/ask", "what of <@U0COLLEAGUE>?")
        headers, body = bot.posts[0]

    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert b"text=what+of+%3C%40U0COLLEAGUE%7Ccolleague%3E%3F" in body
    assert (result.text, result.acknowledged) == ("On it", True)
    assert [m.text for m in slack.ephemerals(GENERAL, YOU)] == ["On it"]


async def test_a_command_that_nobody_takes_fails_before_the_person(slack: LocalSlack) -> None:
    async with socket_of(slack):
        result = await slack.command(YOU, GENERAL, "/ask", "x")

    assert not result.acknowledged
    assert slack.redelivered == []
    assert slack.ephemerals(GENERAL, YOU)[0].text == "/ask failed: operation_timeout"


async def test_a_response_url_takes_five_answers(slack: LocalSlack) -> None:
    url = slack.new_response_url(GENERAL, YOU)
    statuses = []
    async with aiohttp.ClientSession() as session:
        for number in range(6):
            body = {"text": str(number), "response_type": "in_channel" if number else "ephemeral"}
            async with session.post(url, json=body) as response:
                statuses.append(response.status)
        async with session.post(slack.new_response_url(GENERAL, YOU), data=b"{") as response:
            statuses.append(response.status)

    assert statuses == [200] * 5 + [404, 400]
    assert [m.text for m in slack.ephemerals(GENERAL, YOU)] == ["0"]
    assert len(slack.workspace.channels[GENERAL].messages) == 4


async def test_what_people_do_arrives_as_events(slack: LocalSlack) -> None:
    async with socket_of(slack) as socket:
        ts = await slack.say("U0STRANGER", GENERAL, "hello")
        said = (await acknowledged(socket))["payload"]
        await slack.edit(GENERAL, ts, "hello!")
        edited = (await acknowledged(socket))["payload"]["event"]
        await slack.join(YOU, "C0RANDOM")
        joined = (await acknowledged(socket))["payload"]["event"]
        await slack.delete(GENERAL, ts)
        deleted = (await acknowledged(socket))["payload"]["event"]
        await slack.open_messages_tab(YOU)
        opened = (await acknowledged(socket))["payload"]["event"]

    assert (said["event"]["user_team"], said["is_ext_shared_channel"]) == ("T0OTHER", True)
    assert edited["previous_message"]["text"] == "hello"
    assert edited["message"]["text"] == "hello!"
    assert joined["subtype"] == "channel_join"
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", ts)
    assert (opened["type"], opened["tab"]) == ("app_home_opened", "messages")


async def test_a_button_that_is_pressed_arrives_with_its_value(slack: LocalSlack) -> None:
    button = {"type": "button", "action_id": "again", "value": "7"}
    ts = await slack.say(YOU, GENERAL, "hello")
    slack.thread(GENERAL, ts)[0].blocks = [{"type": "actions", "elements": [button]}]
    async with socket_of(slack) as socket:
        await acknowledged(socket)
        pressing = slack.press(YOU, GENERAL, ts, "again")
        task = asyncio.ensure_future(pressing)
        payload = (await acknowledged(socket))["payload"]
        await task

    assert payload["type"] == "block_actions"
    assert (payload["actions"][0]["action_id"], payload["actions"][0]["value"]) == ("again", "7")
    with pytest.raises(KeyError):
        await slack.press(YOU, GENERAL, ts, "no such button")


async def test_where_the_bot_is_no_member_nothing_is_delivered(slack: LocalSlack) -> None:
    async with socket_of(slack) as socket:
        await slack.say(YOU, "C0RANDOM", f"<@{slack.bot_user}> hello")
        await slack.say(YOU, slack.dm(YOU), "here")

        assert (await acknowledged(socket))["payload"]["event"]["text"] == "here"
