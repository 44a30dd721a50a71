"""What an event means: a question, something that may be one, or nothing for the bot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from bot.turns.characters import whole_characters
from bot.turns.question import Question, Thread

Json = dict[str, Any]

# Slack's page on the message event lists the subtypes; all others tell of something else.
ASKING_SUBTYPES = (None, "", "file_share", "thread_broadcast")
_TS = re.compile(r"\d{1,12}\.\d{1,9}")
_SOMEBODY = re.compile(r"\s*<(?:@[UW]|!subteam\^|!here|!channel|!everyone)")


@dataclass(frozen=True, slots=True)
class Bot:
    """Who the bot is in its workspace."""

    user: str
    bot_id: str
    team: str
    workspace: str = ""  #: its address, with which those of messages begin

    @property
    def installation(self) -> str:
        """What tells this bot from all others, in whichever workspace."""
        return f"{self.team} {self.bot_id}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that may ask the bot something."""

    question: Question
    kind: Literal["direct", "mention", "reply"]  #: a reply has no mention of the bot
    addresses_other: bool  #: begins by naming somebody else


def read_event(body: Json, bot: Bot) -> Candidate | None:
    """Read a message or a mention; None for what asks nothing.

    A mention in a channel comes as `app_mention` and as `message`, in any order and with different
    ids; both are read to the same question. Raises ValueError where a shape is not Slack's.
    """
    event = body.get("event")
    if not isinstance(event, dict):
        raise ValueError("event")  # noqa: TRY004 - any wrong shape is one error
    if not _is_from_a_person(event, bot):
        return None
    text, mentioned = _without_mention(_string(event, "text", ""), bot)
    thread = _thread(body, event, bot)
    question = Question(
        thread=thread,
        ts=_ts(event, "ts"),
        user=_string(event, "user"),
        user_team=_user_team(event) or thread.team,
        text=text.strip(),
    )
    kind = _kind(event, question, mentioned=mentioned)
    return Candidate(question, kind, bool(_SOMEBODY.match(text))) if kind else None


def read_deletion(body: Json, bot: Bot) -> tuple[str, str, str] | None:
    """Read which message was deleted: team, channel and ts; None for any other event."""
    event = body.get("event")
    if not isinstance(event, dict) or event.get("subtype") != "message_deleted":
        return None
    team = _installed_team(body) or bot.team
    return team, _string(event, "channel"), _ts(event, "deleted_ts")


def is_readable(body: object) -> bool:
    """Whether a delivery has the shape that Bolt counts on; it raises on any other."""
    if not isinstance(body, dict):
        return False
    event, actions = body.get("event"), body.get("actions")
    if ("event" in body or body.get("type") == "event_callback") and not _has(event, "type"):
        return False
    if "actions" in body or body.get("type") == "block_actions":
        return isinstance(actions, list) and bool(actions) and _has(actions[0], "action_id")
    return True


def shape_of(body: object) -> str:
    """Describe a payload for the log, without any of its texts."""
    if not isinstance(body, dict):
        return type(body).__name__
    event = body.get("event")
    keys = sorted(str(key) for key in event) if isinstance(event, dict) else type(event).__name__
    return f"{body.get('type')!s:.40} {keys}"


def _is_from_a_person(event: Json, bot: Bot) -> bool:
    return (
        event.get("subtype") in ASKING_SUBTYPES
        and not event.get("bot_id")
        and not event.get("hidden")
        and bool(event.get("user"))
        and event.get("user") != bot.user
    )


def _kind(
    event: Json, question: Question, *, mentioned: bool
) -> Literal["direct", "mention", "reply"] | None:
    if event.get("channel_type") == "im" or question.thread.channel.startswith("D"):
        return "direct"
    if mentioned or event.get("type") == "app_mention":
        return "mention"
    # A reply of nothing but a file asks nothing, and not for help either.
    return "reply" if question.text and not question.is_root else None


def _thread(body: Json, event: Json, bot: Bot) -> Thread:
    root = _ts(event, "thread_ts") if event.get("thread_ts") else _ts(event, "ts")
    return Thread(
        team=_installed_team(body) or bot.team,
        channel=_string(event, "channel"),
        thread_ts=root,
    )


def _has(value: object, name: str) -> bool:
    return isinstance(value, dict) and isinstance(value.get(name), str)


def _installed_team(body: Json) -> str | None:
    # In a shared channel `team_id` may be the other workspace, so Bolt's source reads it last too.
    authorizations = body.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else None
    for place in (first, body):
        team = place.get("team_id") if isinstance(place, dict) else None
        if isinstance(team, str) and team:
            return whole_characters(team)
    return None


def _user_team(event: Json) -> str | None:
    for name in ("user_team", "source_team", "team"):
        if isinstance(event.get(name), str) and event[name]:
            return whole_characters(event[name])
    return None


def _without_mention(text: str, bot: Bot) -> tuple[str, bool]:
    """Take the bot's own mention out, once; another one is part of what is said."""
    without, count = re.subn(rf"<@{re.escape(bot.user)}(?:\|[^<>]*)?>[ \t]*", "", text, count=1)
    return without, bool(count)


def _string(event: Json, name: str, default: str | None = None) -> str:
    value = event.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or (not value and default is None):
        raise ValueError(name)
    return whole_characters(value)


def _ts(event: Json, name: str) -> str:
    ts = _string(event, name)
    if not _TS.fullmatch(ts):
        raise ValueError(name)
    return ts
