"""Messages that are posted, changed, deleted, or shown to one person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.slack.arguments import Refusal
from bot.playground.slack.blocks import check_blocks
from bot.playground.slack.workspace import BOT_ID, BOT_USER, Change, Channel, Message

if TYPE_CHECKING:
    from bot.playground.slack.arguments import Arguments
    from bot.playground.slack.server import LocalSlack

Json = dict[str, Any]

METADATA_NAMES = {"event_type", "event_payload"}


async def post_message(slack: LocalSlack, args: Arguments) -> Json:
    """Post a message into a channel or a thread."""
    channel = writable(slack, args)
    root = args.optional("thread_ts")
    if root is not None and root not in channel.messages:
        raise Refusal("thread_not_found")
    text, blocks = _content(slack, args)
    message = Message(
        slack.workspace.next_ts(),
        BOT_USER,
        text[: slack.limits.text_characters],
        thread_ts=root and (channel.messages[root].thread_ts or root),
        bot_id=BOT_ID,
        blocks=blocks,
        metadata=check_metadata(args),
        # Pictures are unfurled unless that is switched off; text pages only where asked for.
        unfurl=args.flag("unfurl_media", default=True) or args.flag("unfurl_links"),
    )
    slack.workspace.put(channel, message)
    slack.cleared_status(channel.id, message.thread_ts or message.ts)
    return {"channel": channel.id, "ts": message.ts, "message": shown(message)}


async def update(slack: LocalSlack, args: Arguments) -> Json:
    """Replace a message; of a streamed one, cards and text go."""
    channel = writable(slack, args)
    message = own_message(channel, args.text("ts"), "cant_update_message")
    if message.streaming_state == "in_progress":
        raise Refusal("streaming_state_conflict")
    text, blocks = _content(slack, args)
    if len(text) > slack.limits.update_text_characters:
        raise Refusal("msg_too_long")
    message.text, message.blocks, message.edited = text, blocks, True
    if "metadata" in args.values:
        message.metadata = check_metadata(args)
    message.streaming_state, message.markdown, message.plan_title = None, "", ""
    message.tasks, message.final_blocks = {}, []
    slack.workspace.tell(Change("message", channel.id, message))
    return {"channel": channel.id, "ts": message.ts, "text": text, "message": shown(message)}


async def delete(slack: LocalSlack, args: Arguments) -> Json:
    """Delete one of the bot's messages."""
    channel = writable(slack, args)
    message = own_message(channel, args.text("ts"), "cant_delete_message")
    if message.streaming_state == "in_progress":
        raise Refusal("cant_delete_message")
    del channel.messages[message.ts]
    slack.workspace.tell(Change("deleted", channel.id, message))
    return {"channel": channel.id, "ts": message.ts}


async def post_ephemeral(slack: LocalSlack, args: Arguments) -> Json:
    """Show a message to one member of a channel."""
    channel = writable(slack, args)
    user = args.text("user")
    if user not in channel.members:
        raise Refusal("user_not_in_channel")
    text, blocks = _content(slack, args)
    return {"message_ts": slack.show_ephemeral(channel.id, user, text, blocks).ts}


async def get_permalink(slack: LocalSlack, args: Arguments) -> Json:
    """Return the address of a message."""
    channel, ts = readable(slack, args), args.text("message_ts")
    if ts not in channel.messages:
        raise Refusal("message_not_found")
    link = f"{slack.url}/archives/{channel.id}/p{ts.replace('.', '')}"
    root = channel.messages[ts].thread_ts
    if root not in (None, ts):
        link += f"?thread_ts={root}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def readable(slack: LocalSlack, args: Arguments, name: str = "channel") -> Channel:
    """Return the channel of a call, if the bot can see it."""
    channel = slack.workspace.channels.get(args.text(name))
    if channel is None or (channel.is_private and BOT_USER not in channel.members):
        raise Refusal("channel_not_found")
    return channel


def writable(slack: LocalSlack, args: Arguments, name: str = "channel") -> Channel:
    """Return the channel of a call, if the bot may write there."""
    channel = readable(slack, args, name)
    if BOT_USER not in channel.members:
        raise Refusal("not_in_channel")
    if channel.is_archived:
        raise Refusal("is_archived")
    return channel


def own_message(channel: Channel, ts: str, code: str = "message_not_owned_by_app") -> Message:
    """Return a message of the bot."""
    message = channel.messages.get(ts)
    if message is None:
        raise Refusal("message_not_found")
    if message.bot_id != BOT_ID:
        raise Refusal(code)
    return message


def check_metadata(args: Arguments) -> Json | None:
    """Return a message's metadata, if Slack would take it."""
    metadata = args.mapping("metadata", "invalid_metadata_format")
    if not metadata:
        return None
    if set(metadata) != METADATA_NAMES or not isinstance(metadata["event_payload"], dict):
        raise Refusal("invalid_metadata_schema")
    return metadata


def shown(message: Message, *, metadata: bool = False) -> Json:
    """Return a message as Slack's reading methods do."""
    content: Json = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text or message.markdown,
        "blocks": message.blocks or message.final_blocks,
    }
    optional: Json = {
        "thread_ts": message.thread_ts,
        "bot_id": message.bot_id,
        "streaming_state": message.streaming_state,
        "metadata": message.metadata if metadata else None,
        "edited": {"user": message.user, "ts": message.ts} if message.edited else None,
        "subtype": message.subtype or ("file_share" if message.files else None),
        "files": message.files or None,
        "attachments": message.attachments or None,
    }
    return content | {name: value for name, value in optional.items() if value is not None}


def _content(slack: LocalSlack, args: Arguments) -> tuple[str, list[Json]]:
    text, blocks = args.text("text", ""), args.items("blocks", "invalid_blocks_format")
    markdown = args.optional("markdown_text")
    if markdown is not None:
        if text or blocks:
            raise Refusal("markdown_text_conflict")
        if len(markdown) > slack.limits.markdown_text_characters:
            raise Refusal("msg_too_long")
        blocks = [{"type": "markdown", "text": markdown}]
    if not text and not blocks:
        raise Refusal("no_text")
    check_blocks(blocks, slack.limits)
    return text, blocks
