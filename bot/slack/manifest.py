"""The app manifest: what Slack is told of the bot when its app is created."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from bot.errors import SettingsError
from bot.slack.agent import PROMPTS
from bot.slack.connection import EVENTS_PATH

Json = dict[str, Any]

# As the setting COMMAND_PREFIX has it; a command has at most 32 characters (published schema).
PREFIX = re.compile(r"[a-z0-9_-]{0,23}")
NAME = "Footnote"
DESCRIPTION = "Researches your question on the web and answers with numbered sources."
LONG_DESCRIPTION = (
    "Mention Footnote in a channel, write to it directly or type /ask: it researches your question "
    "on the web and answers in a thread, with numbered sources and the searches it ran. Go on in "
    "the same thread and it remembers what was said. Answers are written by a language model and "
    "can be wrong: check the sources."
)
# With what each is for; nothing is asked for in advance.
SCOPES = {
    "app_mentions:read": "mentions",
    "assistant:write": "suggested prompts",
    "channels:history": "follow-ups without a mention, in public channels; digests of them",
    "channels:read": "who is in a public channel that is summed up",
    "chat:write": "answers, statuses and titles",
    "commands": "the slash commands",
    "files:write": "long reports, as a file in the thread",
    "groups:history": "follow-ups in private channels; digests of them",
    "groups:read": "who is in a private channel that is summed up",
    "im:history": "direct messages",
    "im:read": "whose direct message a digest goes to",
    "im:write": "the direct message for digests, and where /ask answers where it may not post",
    "mpim:history": "follow-ups in group messages",
    "users:read": "names instead of ids, time zones, and who is a guest",
}
COMMANDS = {
    "ask": "Ask a question; the answer comes in a thread",
    "research": "Have something researched for up to an hour; the report comes in a thread",
    "digest": "Sum a channel up, with a link to the message behind every line",
}
HINTS = {"digest": "[7d | since Monday | schedule weekdays 9:00 | help]"}
DIGEST_THREAD = "digest_thread"
SHORTCUTS = [
    {
        "name": "Digest this thread",
        "type": "message",
        "callback_id": DIGEST_THREAD,
        "description": "Sum up the thread of this message, for you alone",
    }
]
EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
)


def build_manifest(*, url: str | None, command_prefix: str = "") -> Json:
    """Return the manifest: for HTTP if the bot's address is given, else for Socket Mode.

    Raises SettingsError for an address that Slack would not post to and a prefix it would not take.
    """
    request_url = None if url is None else f"{_checked(url)}{EVENTS_PATH}"
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": NAME,
            "description": DESCRIPTION,
            "long_description": LONG_DESCRIPTION,
            "background_color": "#4a154b",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": NAME, "always_online": True},
            "agent_view": {
                "agent_description": DESCRIPTION,
                "suggested_prompts": [
                    {"title": title, "message": message} for title, message in PROMPTS
                ],
            },
            "shortcuts": SHORTCUTS,
            "slash_commands": [
                _command(_name(command_prefix, name), words, HINTS.get(name, "[question]"))
                | ({"url": request_url} if request_url else {})
                for name, words in COMMANDS.items()
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": _settings(request_url),
    }


def _command(name: str, words: str, hint: str) -> Json:
    return {"command": name, "description": words, "usage_hint": hint, "should_escape": True}


def _settings(request_url: str | None) -> Json:
    where = {"request_url": request_url} if request_url else {}
    return {
        "event_subscriptions": {**where, "bot_events": list(EVENTS)},
        "interactivity": {"is_enabled": True, **where},
        "org_deploy_enabled": False,
        "socket_mode_enabled": request_url is None,
        "token_rotation_enabled": False,
    }


def _name(prefix: str, name: str) -> str:
    if not PREFIX.fullmatch(prefix):
        raise SettingsError(
            "The command's prefix may have 23 small letters, digits, - and _ at most, like team-"
        )
    return f"/{prefix}{name}"


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SettingsError(
            "The address cannot be read: write it like https://bot.example"
        ) from None
    if parts.scheme != "https" or not parts.hostname:
        raise SettingsError("Slack posts to https only: give the bot's address with https://")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise SettingsError(
            f"Give the address alone, like https://bot.example: {EVENTS_PATH} is put behind it"
        )
    return f"https://{parts.netloc}"
