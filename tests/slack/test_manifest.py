from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.errors import SettingsError
from bot.slack.manifest import build_manifest

SCHEMA = json.loads((Path(__file__).parent / "manifest.schema.json").read_text(encoding="utf-8"))
NEEDED = {  # the scope without which Slack does not send an event
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "agent_session_stopped": "chat:write",
    "app_home_opened": None,
}


@pytest.mark.parametrize("url", [None, "https://bot.example", "https://bot.example/"])
@pytest.mark.parametrize("prefix", ["", "team-", "x" * 23])
def test_the_manifest_keeps_slacks_published_rules(url: str | None, prefix: str) -> None:
    jsonschema.validate(build_manifest(url=url, command_prefix=prefix), SCHEMA)


def test_the_schema_refuses_what_slack_refuses() -> None:
    manifest = build_manifest(url=None)
    manifest["features"]["surprise"] = {}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, SCHEMA)


def test_every_event_has_the_scope_it_needs() -> None:
    manifest = build_manifest(url=None)
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    events = manifest["settings"]["event_subscriptions"]["bot_events"]

    assert set(events) == set(NEEDED)
    assert {NEEDED[event] for event in events} - {None} <= set(scopes)


def test_without_an_address_it_is_for_socket_mode() -> None:
    settings = build_manifest(url=None)["settings"]

    assert settings["socket_mode_enabled"] is True
    assert "request_url" not in settings["event_subscriptions"]


def test_with_an_address_everything_is_posted_there() -> None:
    manifest: dict[str, Any] = build_manifest(url="https://bot.example/", command_prefix="team-")
    settings = manifest["settings"]
    commands = manifest["features"]["slash_commands"]
    url = "https://bot.example/slack/events"

    assert settings["socket_mode_enabled"] is False
    assert settings["event_subscriptions"]["request_url"] == url
    assert settings["interactivity"]["request_url"] == url
    assert [(command["command"], command["url"]) for command in commands] == [
        ("/team-ask", url),
        ("/team-research", url),
        ("/team-digest", url),
    ]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("http://bot.example", "https only", id="not encrypted"),
        pytest.param("bot.example", "https only", id="no scheme"),
        pytest.param("https://", "https only", id="no host"),
        pytest.param("", "https only", id="nothing"),
        pytest.param("https://bot.example/bot", "address alone", id="a path"),
        pytest.param("https://bot.example/slack/events", "address alone", id="the whole path"),
        pytest.param("https://bot.example?a=1", "address alone", id="a query"),
        pytest.param("https://bot.example/#a", "address alone", id="a fragment"),
        pytest.param("https://[bot.example", "cannot be read", id="half a bracket"),
    ],
)
def test_an_address_that_slack_would_not_post_to_is_refused(url: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        build_manifest(url=url)


@pytest.mark.parametrize("prefix", ["Team-", "a b", "/", "team-\n", "é", "x" * 24])
def test_a_prefix_that_slack_would_not_take_is_refused(prefix: str) -> None:
    with pytest.raises(SettingsError, match="23 small letters"):
        build_manifest(url=None, command_prefix=prefix)
