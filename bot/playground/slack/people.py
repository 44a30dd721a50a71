"""What people do in the local Slack, and the events that the bot gets of it."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.playground.slack.blocks import check_blocks
from bot.playground.slack.delivery import Envelope
from bot.playground.slack.workspace import (
    APP_ID,
    BOT_USER,
    TEAM,
    Change,
    Channel,
    Message,
)

if TYPE_CHECKING:
    from bot.playground.slack.server import LocalSlack

Json = dict[str, Any]

RESPONSE_URL_USES = 5


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a person saw at once after a slash command."""

    text: str  #: "" if nothing
    acknowledged: bool
    response_url: str


@dataclass
class ResponseUrl:
    """An address at which the bot may answer a command a few times."""

    channel: str
    user: str
    message: Message | None = None  #: shown to one person, whose button was pressed
    uses_left: int = RESPONSE_URL_USES
    posts: list[Json] = field(default_factory=list)


def events_of_message(slack: LocalSlack, channel: Channel, message: Message) -> list[Json]:
    """Return the events of a new message: one, or the twins of a mention."""
    user = slack.workspace.users[message.user]
    event: Json = {
        "type": "message",
        "channel": channel.id,
        "channel_type": "im" if channel.is_im else "group" if channel.is_private else "channel",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "event_ts": message.ts,
        "team": user.team,
        "client_msg_id": str(uuid.uuid4()),
    }
    if message.thread_ts and message.thread_ts != message.ts:
        event |= {"thread_ts": message.thread_ts}
    if user.team != TEAM:
        event |= {"user_team": user.team, "source_team": user.team}
    if channel.is_im or not _mentions_bot(message.text):
        return [event] if BOT_USER in channel.members else []
    mention = {k: v for k, v in event.items() if k != "channel_type"} | {"type": "app_mention"}
    if BOT_USER not in channel.members:
        return []
    twins = [mention, event]
    return twins if slack.twin_order == "app_mention_first" else twins[::-1]


def event_envelope(slack: LocalSlack, event: Json) -> Envelope:
    """Wrap an event as the Events API does."""
    external = "user_team" in event
    payload = {
        "token": "local",
        "team_id": TEAM,
        "context_team_id": TEAM,
        "context_enterprise_id": None,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{uuid.uuid4().hex[:10].upper()}",
        "event_time": int(float(str(event.get("event_ts", "0")))),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": external,
        "event_context": "local",
    }
    del slack
    return Envelope("events_api", payload)


def edited_event(channel: Channel, message: Message, previous: str) -> Json:
    """Return the event of a changed message."""
    now = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts}
    edited = {"edited": {"user": message.user, "ts": message.ts}}
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "channel": channel.id,
        "channel_type": "im" if channel.is_im else "channel",
        "message": now | edited,
        "previous_message": now | {"text": previous},
        "ts": message.ts,
        "event_ts": message.ts,
    }


def deleted_event(channel: Channel, message: Message) -> Json:
    """Return the event of a deleted message."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "channel": channel.id,
        "deleted_ts": message.ts,
        "ts": message.ts,
        "event_ts": message.ts,
    }


def command_envelope(slack: LocalSlack, user: str, channel: str, said: tuple[str, str]) -> Envelope:
    """Wrap a slash command; `said` is the command and its text."""
    person = slack.workspace.users[user]
    command, text = said
    payload = {
        "token": "local",
        "team_id": TEAM,
        "team_domain": "local",
        "channel_id": channel,
        "channel_name": slack.workspace.channels[channel].name or "directmessage",
        "user_id": user,
        "user_name": person.name.lower(),
        "command": command,
        "text": _escaped(slack, text),
        "response_url": slack.new_response_url(channel, user),
        "trigger_id": slack.new_trigger(),
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
    }
    return Envelope("slash_commands", payload, accepts_response=True)


def action_envelope(slack: LocalSlack, user: str, channel: Channel, pressed: Json) -> Envelope:
    """Wrap the press of a button; `pressed` has the message and the action."""
    message: Message = pressed["message"]
    action = {k: v for k, v in pressed["action"].items() if k in ("action_id", "type", "value")}
    payload = {
        "type": "block_actions",
        "user": {"id": user, "team_id": slack.workspace.users[user].team},
        "team": {"id": TEAM, "domain": "local"},
        "api_app_id": APP_ID,
        "token": "local",
        "container": {"type": "message", "message_ts": message.ts, "channel_id": channel.id},
        "channel": {"id": channel.id, "name": channel.name},
        "message": {"ts": message.ts, "thread_ts": message.thread_ts, "text": message.text},
        "trigger_id": slack.new_trigger(),
        "response_url": slack.new_response_url(channel.id, user, pressed.get("shown")),
        "actions": [action | {"action_ts": message.ts}],
    }
    return Envelope("interactive", payload, accepts_response=False)


def home_action_envelope(
    slack: LocalSlack, user: str, action_id: str, value: str | None
) -> Envelope:
    """Wrap the press of a button in the app's Home."""
    view = slack.views[user]
    home = Message("", BOT_USER, blocks=view["blocks"])
    found = find_action(home, action_id, value)
    action = {k: v for k, v in found.items() if k in ("action_id", "type", "value")}
    payload = {
        "type": "block_actions",
        "user": {"id": user, "team_id": slack.workspace.users[user].team},
        "team": {"id": TEAM, "domain": "local"},
        "api_app_id": APP_ID,
        "token": "local",
        "container": {"type": "view", "view_id": "V1"},
        "view": {"id": "V1", "type": "home"},
        "trigger_id": slack.new_trigger(),
        "actions": [action],
    }
    return Envelope("interactive", payload, accepts_response=False)


def shortcut_envelope(
    slack: LocalSlack, user: str, channel: Channel, message: Message, callback_id: str
) -> Envelope:
    """Wrap the choice of a message shortcut."""
    thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    payload = {
        "type": "message_action",
        "callback_id": callback_id,
        "user": {"id": user, "team_id": slack.workspace.users[user].team},
        "team": {"id": TEAM, "domain": "local"},
        "token": "local",
        "channel": {"id": channel.id, "name": channel.name},
        "message_ts": message.ts,
        "message": {"user": message.user, "ts": message.ts, "text": message.text, **thread},
        "action_ts": message.ts,
        "trigger_id": slack.new_trigger(),
        "response_url": slack.new_response_url(channel.id, user),
    }
    return Envelope("interactive", payload, accepts_response=False)


def find_action(message: Message, action_id: str, value: str | None = None) -> Json:
    """Return the element of a message's blocks that has this action_id. Raises KeyError.

    Of several with that, the one with this value.
    """
    todo: list[Any] = [message.blocks, message.final_blocks]
    while todo:
        found = todo.pop()
        if isinstance(found, dict):
            if found.get("action_id") == action_id and value in {None, found.get("value")}:
                return found
            found = list(found.values())
        if isinstance(found, list):
            todo += found
    raise KeyError(action_id)


def stopped_event(channel: Channel, message: Message, user: str) -> Json:
    """Return the event of a pressed Stop."""
    return {
        "type": "agent_session_stopped",
        "user": user,
        "channel": channel.id,
        "thread_ts": message.thread_ts,
        "streaming_message_ts": [message.ts],
        "event_ts": message.ts,
    }


def show_response(slack: LocalSlack, url: ResponseUrl, body: Json) -> None:
    """Show what the bot posted to a response_url; raises Refusal where Slack would refuse it."""
    url.uses_left -= 1
    url.posts.append(body)
    text, blocks = str(body.get("text", "")), body.get("blocks") or []
    check_blocks(blocks, slack.limits)
    channel = slack.workspace.channels[url.channel]
    if body.get("response_type") == "in_channel":
        message = Message(slack.workspace.next_ts(), BOT_USER, text, blocks=blocks, bot_id="B0")
        slack.workspace.put(channel, message)
    elif body.get("replace_original") and url.message is not None:
        slack.replace_ephemeral(channel.id, url.message, text, blocks)
    else:
        slack.show_ephemeral(url.channel, url.user, text, blocks)


def tell_edit(slack: LocalSlack, channel: Channel, message: Message) -> None:
    """Tell the page of a changed message."""
    slack.workspace.tell(Change("message", channel.id, message))


def _mentions_bot(text: str) -> bool:
    return re.search(rf"<@{BOT_USER}(\|[^>]*)?>", text) is not None


def _escaped(slack: LocalSlack, text: str) -> str:
    """Write mentions as a command with `should_escape` has them: `<@U1|name>`."""

    def named(match: re.Match[str]) -> str:
        user = slack.workspace.users.get(match[1])
        return f"<@{match[1]}|{user.name.lower()}>" if user else match[0]

    return re.sub(r"<@([UW][A-Z0-9]+)>", named, text)
