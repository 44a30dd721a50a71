"""What the bot can look up: messages, channels, people, itself."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from bot.playground.slack.arguments import Refusal
from bot.playground.slack.messages import readable, shown
from bot.playground.slack.workspace import BOT_ID, BOT_USER, TEAM, Channel, Message

if TYPE_CHECKING:
    from bot.playground.slack.arguments import Arguments
    from bot.playground.slack.server import LocalSlack

Json = dict[str, Any]

MOST_MEMBERS = 1_000  # on a page
MOST_REPLY_USERS = 5  # that a root names


async def auth_test(slack: LocalSlack, _args: Arguments) -> Json:
    """Say whose token it is."""
    return {
        "url": f"{slack.url}/",
        "team": "Local Slack",
        "team_id": TEAM,
        "user": "footnote",
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


async def history(slack: LocalSlack, args: Arguments) -> Json:
    """Return a channel's roots and broadcasts, the newest first."""
    channel = _joined(slack, args)
    shown_there = [m for m in channel.messages.values() if m.is_in_channel]
    return _page(slack, args, channel, _within(args, shown_there)[::-1])


async def replies(slack: LocalSlack, args: Arguments) -> Json:
    """Return a thread, the oldest first and its root before all, which stands on each page."""
    channel = _joined(slack, args)
    message = channel.messages.get(args.text("ts"))
    if message is None:
        raise Refusal("thread_not_found")
    root, *others = channel.thread(message.thread_ts or message.ts)
    return _page(slack, args, channel, _within(args, others), root)


async def info(slack: LocalSlack, args: Arguments) -> Json:
    """Describe a channel."""
    return {"channel": _described(readable(slack, args))}


async def members(slack: LocalSlack, args: Arguments) -> Json:
    """Return who is in a channel."""
    found = sorted(readable(slack, args).members)
    begin = _decoded(args.optional("cursor"))
    end = begin + max(1, min(args.number("limit", 100), MOST_MEMBERS))
    cursor = _encoded(end) if end < len(found) else ""
    return {"members": found[begin:end], "response_metadata": {"next_cursor": cursor}}


async def users_conversations(slack: LocalSlack, _args: Arguments) -> Json:
    """Return the channels that the bot is in."""
    channels = [c for c in slack.workspace.channels.values() if BOT_USER in c.members]
    return {"channels": [_described(c) for c in channels], "response_metadata": _end()}


async def conversations_list(slack: LocalSlack, _args: Arguments) -> Json:
    """Return the channels that the bot can see."""
    channels = [
        c
        for c in slack.workspace.channels.values()
        if not c.is_im and (not c.is_private or BOT_USER in c.members)
    ]
    return {"channels": [_described(c) for c in channels], "response_metadata": _end()}


async def open_dm(slack: LocalSlack, args: Arguments) -> Json:
    """Open the direct message with a person."""
    user = args.text("users")
    if user not in slack.workspace.users:
        raise Refusal("user_not_found")
    if slack.workspace.users[user].deleted:
        raise Refusal("user_disabled")
    return {"channel": {"id": slack.workspace.dm(user).id}}


async def join(slack: LocalSlack, args: Arguments) -> Json:
    """Join a public channel."""
    channel = readable(slack, args)
    if channel.is_private or channel.is_im:
        raise Refusal("method_not_supported_for_channel_type")
    channel.members.add(BOT_USER)
    return {"channel": _described(channel)}


async def users_info(slack: LocalSlack, args: Arguments) -> Json:
    """Describe a person."""
    user = slack.workspace.users.get(args.text("user"))
    if user is None:
        raise Refusal("user_not_found")
    names = {"display_name": user.name, "real_name": user.name}
    return {
        "user": {
            "id": user.id,
            "team_id": user.team,
            "name": user.name.lower(),
            "real_name": user.name,
            "profile": names,
            "is_bot": user.is_bot,
            "is_restricted": user.is_restricted,
            "is_ultra_restricted": user.is_ultra_restricted,
            "is_stranger": user.team != TEAM,
            "deleted": user.deleted,
            "tz": user.tz,
        }
    }


async def bots_info(slack: LocalSlack, args: Arguments) -> Json:
    """Describe a bot."""
    if args.text("bot") != BOT_ID:
        raise Refusal("bot_not_found")
    app_id = slack.app_of_bot_token
    return {"bot": {"id": BOT_ID, "app_id": app_id, "name": "Footnote", "user_id": BOT_USER}}


def _joined(slack: LocalSlack, args: Arguments) -> Channel:
    channel = readable(slack, args)
    if BOT_USER not in channel.members:
        raise Refusal("not_in_channel")
    return channel


def _within(args: Arguments, messages: list[Message]) -> list[Message]:
    oldest, latest = args.text("oldest", "0"), args.text("latest", "9" * 12)
    try:
        low, high = float(oldest or 0), float(latest or "9" * 12)
    except ValueError:
        raise Refusal("invalid_ts_oldest") from None
    inclusive = args.flag("inclusive")
    return [
        m
        for m in messages
        if low < float(m.ts) < high or (inclusive and float(m.ts) in (low, high))
    ]


def _page(
    slack: LocalSlack,
    args: Arguments,
    channel: Channel,
    messages: list[Message],
    root: Message | None = None,
) -> Json:
    """Return the page that a cursor points to; a root comes first, and is one of its objects."""
    most = slack.limits.history_objects if root is None else slack.limits.replies_objects
    limit = max(1, min(args.number("limit", 100), most))
    if root is not None:
        limit = max(1, limit - 1)
    begin = _decoded(args.optional("cursor"))
    page = messages[begin : begin + limit]
    more = begin + limit < len(messages)
    with_metadata = args.flag("include_all_metadata")
    threads = _threads(channel)
    all_shown = [*([] if root is None else [root]), *page]
    return {
        "messages": [_counted(threads, shown(m, metadata=with_metadata)) for m in all_shown],
        "has_more": more,
        "response_metadata": {"next_cursor": _encoded(begin + limit) if more else ""},
    }


def _threads(channel: Channel) -> dict[str, list[Message]]:
    """Return the replies of each thread, by its root."""
    threads: dict[str, list[Message]] = {}
    for message in channel.messages.values():
        if message.thread_ts is not None and message.thread_ts != message.ts:
            threads.setdefault(message.thread_ts, []).append(message)
    return threads


def _counted(threads: dict[str, list[Message]], message: Json) -> Json:
    found = threads.get(message["ts"])
    if not found:
        return message
    users = list(dict.fromkeys(reply.user for reply in found))
    return message | {
        "thread_ts": message["ts"],
        "latest_reply": found[-1].ts,
        "reply_count": len(found),
        "reply_users": users[:MOST_REPLY_USERS],
        "reply_users_count": len(users),
    }


def _encoded(position: int) -> str:
    return base64.b64encode(f"next:{position}".encode()).decode()


def _decoded(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor).decode().removeprefix("next:"))
    except ValueError:
        raise Refusal("invalid_cursor") from None


def _described(channel: Channel) -> Json:
    others = sorted(channel.members - {BOT_USER})
    return {
        **({"user": others[0]} if channel.is_im and others else {}),
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.is_private and not channel.is_im,
        "is_private": channel.is_private,
        "is_im": channel.is_im,
        "is_mpim": False,
        "is_archived": channel.is_archived,
        "is_member": BOT_USER in channel.members,
        "is_ext_shared": "U0STRANGER" in channel.members,
        "num_members": len(channel.members),
    }


def _end() -> Json:
    return {"next_cursor": ""}
