"""Deliveries of every kind, through the real Bolt app, over both transports."""

from __future__ import annotations

import os
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.slack.delivery import Envelope, signature
from bot.slack.agent import Agent
from bot.slack.command import Commands
from bot.slack.connection import BOLT_READS, PROXIES, build_app, open_client
from bot.slack.events import Bot
from bot.slack.hints import Hints
from bot.slack.listeners import Listeners, add_listeners
from bot.slack.research_controls import ResearchControls
from bot.slack.unreadable import UNREADABLE
from bot.slack.web import SlackWeb
from tests.fakes import FakeRuns
from tests.slack.digest_ways import digest_ways
from tests.slack.test_events import JSON, REPLY
from tests.slack.test_listeners import Entrance, FakeInbox, FakeTurns, entrance

EVENT = {"type": "event_callback", "team_id": "T1"}
PERSON = {"user": {"id": "U1", "team_id": "T1"}, "team": {"id": "T1"}}

STRANGE_EVENTS = [
    pytest.param({}, id="nothing"),
    pytest.param({"type": "app_rate_limited", "team_id": "T1"}, id="not an event"),
    pytest.param(EVENT, id="no event"),
    pytest.param(EVENT | {"event": []}, id="a list for an event"),
    pytest.param(EVENT | {"event": "secret"}, id="a string for an event"),
    pytest.param(EVENT | {"event": {"type": 5, "text": "secret"}}, id="a number for a type"),
    pytest.param(EVENT | {"event": REPLY | {"channel": {"id": 5}}}, id="wrong channel"),
    pytest.param(EVENT | {"event": REPLY | {"text": ["secret"]}}, id="a list for a text"),
    pytest.param(EVENT | {"event": REPLY, "authorizations": {"a": 1}}, id="wrong authorizations"),
]
STRANGE_CLICKS = [
    pytest.param({"type": "view_submission", "view": {"callback_id": "secret"}}, id="a form"),
    pytest.param({"type": "shortcut", "callback_id": "x"}, id="a shortcut"),
    pytest.param({"type": "block_suggestion", "action_id": "x", "value": "secret"}, id="options"),
    pytest.param({"type": "block_actions", "actions": []}, id="no action"),
    pytest.param({"type": "block_actions", "actions": [{"action_id": 5}]}, id="a number as id"),
    pytest.param({"type": "block_actions", "actions": [{"action_id": "x"}]}, id="a button"),
    pytest.param({"type": "something_new"}, id="something new"),
]


async def deliver(door: Entrance, kind: str, payload: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Deliver as Slack does and return the bot's answer, once it is acknowledged."""
    answer = await door.slack.delivery.send(Envelope(kind, payload, accepts_response=True))
    assert door.slack.delivery.lost == []
    assert door.slack.redelivered == []
    return answer


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
@pytest.mark.parametrize("payload", STRANGE_EVENTS)
async def test_an_event_of_a_shape_never_seen_is_acknowledged_logged_and_skipped(
    payload: Any,  # noqa: ANN401 - anything
    caplog: pytest.LogCaptureFixture,
    *,
    http: bool,
) -> None:
    async with entrance(http=http) as door:
        await deliver(door, "events_api", payload)

    assert "skipped" in caplog.text
    assert "secret" not in caplog.text
    assert door.inbox.taken == []


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
@pytest.mark.parametrize("payload", STRANGE_CLICKS)
async def test_what_nothing_takes_is_acknowledged_and_its_values_are_not_logged(
    payload: dict[str, Any], caplog: pytest.LogCaptureFixture, *, http: bool
) -> None:
    async with entrance(http=http) as door:
        await deliver(door, "interactive", payload | PERSON)

    assert "secret" not in caplog.text


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
async def test_a_command_that_is_not_the_bots_is_told_so(*, http: bool) -> None:
    async with entrance(http=http) as door:
        command = {"command": "/other", "text": "x", "user_id": "U1", "team_id": "T1"}
        answer = await deliver(door, "slash_commands", command)

    assert "do not know this command" in answer["text"]


@pytest.mark.parametrize(
    ("api_url", "kept"),
    [
        ("https://slack.example/api/", True),
        ("http://127.0.0.1:1/api/", False),
        ("http://[::1]:1/api/", False),
        ("http://localhost:1/api/", False),
    ],
)
async def test_only_a_slack_on_this_machine_is_reached_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch, api_url: str, *, kept: bool
) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with open_client("xoxb-test", api_url):
        found = [name in os.environ for name in PROXIES]

    assert found == [kept] * len(PROXIES)


def test_the_app_is_built_from_nothing_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in BOLT_READS:
        monkeypatch.setenv(name, "another")
    app = build_app(AsyncWebClient(token="xoxb-test"), Bot("UBOT", "BBOT", "T1"), "s")

    assert app.oauth_flow is None
    assert caplog.records == []
    assert [os.environ[name] for name in BOLT_READS] == ["another"] * len(BOLT_READS)


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
async def test_what_slack_delivers_once_more_is_counted_and_nothing_else(*, http: bool) -> None:
    async with entrance(http=http) as door:
        await door.slack.say(door.you, door.slack.dm(door.you), "taken at once")
        await door.inbox.until(1)
        before = door.redelivered.count
        door.inbox.failures = 1
        await door.slack.say(door.you, door.slack.dm(door.you), "taken in the end")
        await door.inbox.until(2)
        await door.idle()

    assert (before, door.redelivered.count) == (0, 1)
    assert [again.attempt for again in door.slack.redelivered] == [1]


async def test_a_socket_that_slack_closes_is_opened_again() -> None:
    async with entrance() as door:
        await door.slack.disconnect("refresh_requested")
        await door.slack.until_connected()
        await door.slack.say(door.you, door.slack.dm(door.you), "still there?")
        await door.inbox.until(1)

    assert [question.text for question in door.inbox.taken] == ["still there?"]


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[1]", b'"x"', b"null"])
async def test_a_post_that_is_no_json_object_does_not_come_again(body: bytes) -> None:
    async with entrance(http=True) as door, aiohttp.ClientSession() as session:
        assert door.slack.events_url is not None
        headers = {"Content-Type": "application/json"}
        headers |= signature(door.slack.signing_secret, body)
        async with session.post(door.slack.events_url, data=body, headers=headers) as response:
            assert (response.status, await response.text()) == (200, "")


async def test_slacks_check_of_the_address_is_answered() -> None:
    async with entrance(http=True) as door:
        answer = await deliver(
            door, "events_api", {"type": "url_verification", "challenge": "a-challenge"}
        )

    assert answer == {"challenge": "a-challenge"}


BODIES: list[dict[str, Any]] = [
    EVENT | {"event": REPLY, "authorizations": [{"team_id": "T1"}], "is_ext_shared_channel": True},
    PERSON | {"type": "block_actions", "actions": [{"action_id": "a"}], "message": {"ts": "1.1"}},
    PERSON | {"type": "message_action", "callback_id": "x", "message": {"ts": "1.1"}},
]
WRONG = st.sampled_from(BODIES).flatmap(
    lambda body: st.fixed_dictionaries({}, optional=dict.fromkeys(body, JSON)).map(body.__or__)
)


@given(WRONG)
async def test_no_wrong_field_keeps_a_delivery_from_being_acknowledged(
    body: dict[str, Any],
) -> None:
    client = AsyncWebClient(token="xoxb-test")
    bot, web, inbox = Bot("UBOT", "BBOT", "T1"), SlackWeb(client), FakeInbox()
    app = build_app(client, bot, None)
    commands, agent = Commands(inbox, Hints(), "T1"), Agent(web, lambda: 0.0)
    controls = ResearchControls(web, FakeRuns())
    digests = digest_ways(web, bot, inbox, FakeTurns())
    add_listeners(
        app, Listeners(bot, inbox, FakeTurns(), agent, commands, controls, *digests, "anyone")
    )
    try:
        response = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
    except UNREADABLE:
        return  # both transports acknowledge these

    assert response.status == 200
