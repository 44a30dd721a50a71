"""Messages that are streamed: start, append, stop, and all that ends a stream early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.slack.arguments import Refusal
from bot.playground.slack.blocks import characters, check_blocks
from bot.playground.slack.messages import check_metadata, own_message, shown, writable
from bot.playground.slack.workspace import BOT_ID, BOT_USER, Change, Channel, Message, Task

if TYPE_CHECKING:
    from bot.playground.slack.arguments import Arguments
    from bot.playground.slack.server import LocalSlack

Json = dict[str, Any]

STATUSES = {"pending", "in_progress", "complete", "error"}
DISPLAY_MODES = {"timeline", "plan"}
SESSION_STATUSES = {"active", "processing", "suspended", "closed"}
TASK_ROWS = 50


async def start_stream(slack: LocalSlack, args: Arguments) -> Json:
    """Begin a streamed message in a thread."""
    channel = writable(slack, args)
    root = args.optional("thread_ts")
    if root is None or root not in channel.messages:
        raise Refusal("invalid_thread_ts")
    _check_recipient(slack, channel, args)
    mode = args.text("task_display_mode", "timeline")
    if mode not in DISPLAY_MODES:
        raise Refusal("invalid_arguments")
    message = Message(
        slack.workspace.next_ts(),
        BOT_USER,
        thread_ts=channel.messages[root].thread_ts or root,
        bot_id=BOT_ID,
        streaming_state="in_progress",
        task_display_mode=mode,
        stream_closes_at=slack.limits.clock() + slack.limits.stream_age_seconds,
    )
    _grow(slack, message, _chunks(slack, args))
    slack.workspace.put(channel, message)
    slack.cleared_status(channel.id, message.thread_ts or root)
    slack.set_session(channel.id, message.thread_ts or root, "processing")
    return {"channel": channel.id, "ts": message.ts}


async def append_stream(slack: LocalSlack, args: Arguments) -> Json:
    """Add to a streamed message."""
    channel = writable(slack, args)
    message = _streaming(slack, channel, args)
    chunks = _chunks(slack, args)
    if not chunks:
        raise Refusal("no_text")
    _grow(slack, message, chunks)
    slack.workspace.tell(Change("message", channel.id, message))
    return {"channel": channel.id, "ts": message.ts}


async def stop_stream(slack: LocalSlack, args: Arguments) -> Json:
    """End a streamed message, with blocks below its text."""
    channel = writable(slack, args)
    message = _streaming(slack, channel, args)
    blocks = args.items("blocks", "invalid_blocks_format")
    check_blocks(blocks, slack.limits)
    metadata = check_metadata(args)
    status = args.text("session_status", "active")
    if status not in SESSION_STATUSES:
        raise Refusal("invalid_arguments")
    chunks = _chunks(slack, args)
    if len(message.markdown) + characters(blocks) > slack.limits.blocks_characters:
        raise Refusal("msg_blocks_too_long")
    _grow(slack, message, chunks)
    message.final_blocks, message.metadata = blocks, metadata
    message.streaming_state = "completed"
    slack.set_session(channel.id, message.thread_ts or message.ts, status)
    slack.workspace.tell(Change("message", channel.id, message))
    return {"channel": channel.id, "ts": message.ts, "message": shown(message)}


def _check_recipient(slack: LocalSlack, channel: Channel, args: Arguments) -> None:
    user, team = args.optional("recipient_user_id"), args.optional("recipient_team_id")
    if not channel.is_im:
        if user is None:
            raise Refusal("missing_recipient_user_id")
        if team is None:
            raise Refusal("missing_recipient_team_id")
    if user is not None and user not in slack.workspace.users:
        raise Refusal("user_not_found")
    if user is not None and team is not None and slack.workspace.users[user].team != team:
        raise Refusal("team_not_found")


def _streaming(slack: LocalSlack, channel: Channel, args: Arguments) -> Message:
    message = own_message(channel, args.text("ts"))
    if message.stopped_by_user:
        raise Refusal("stopped_by_user")
    if message.streaming_state == "in_progress":
        if slack.limits.clock() < message.stream_closes_at:
            return message
        message.streaming_state = "errored"
        slack.workspace.tell(Change("message", channel.id, message))
    raise Refusal("message_not_in_streaming_state")


def _chunks(slack: LocalSlack, args: Arguments) -> list[Json]:
    text, chunks = args.optional("markdown_text"), args.items("chunks", "invalid_chunks")
    if text is not None and chunks:
        raise Refusal("invalid_arguments")
    if text is not None:
        chunks = [{"type": "markdown_text", "text": text}]
    for chunk in chunks:
        _check_chunk(slack, chunk)
    return chunks


def _check_chunk(slack: LocalSlack, chunk: Json) -> None:
    limit = slack.limits.task_characters
    match chunk.get("type"):
        case "markdown_text":
            good = isinstance(chunk.get("text"), str)
            if good and len(chunk["text"]) > slack.limits.markdown_text_characters:
                raise Refusal("msg_too_long")
        case "plan_update":
            good = isinstance(chunk.get("title"), str) and len(chunk["title"]) <= limit
        case "task_update":
            good = _is_task(chunk, limit)
        case "blocks":
            check_blocks(chunk.get("blocks") or [], slack.limits)
            good = True
        case _:
            good = False
    if not good:
        raise Refusal("invalid_chunks")


def _is_task(chunk: Json, limit: int) -> bool:
    if not all(isinstance(chunk.get(name), str) for name in ("id", "title", "status")):
        return False
    texts = [chunk["title"], chunk.get("details", ""), chunk.get("output", "")]
    sources = chunk.get("sources", [])
    return (
        chunk["status"] in STATUSES
        and bool(chunk["id"] and chunk["title"])
        and all(isinstance(text, str) and len(text) <= limit for text in texts)
        and all(s.get("type") == "url" and s.get("url") and s.get("text") for s in sources)
    )


def _grow(slack: LocalSlack, message: Message, chunks: list[Json]) -> None:
    size = sum(_size(chunk) for chunk in chunks)
    tasks = {chunk["id"] for chunk in chunks if chunk["type"] == "task_update"}
    if message.stream_bytes + size > slack.limits.stream_bytes:
        raise Refusal("msg_too_long")
    if len(tasks | message.tasks.keys()) > TASK_ROWS:
        raise Refusal("msg_too_long")
    message.stream_bytes += size
    for chunk in chunks:
        _add(message, chunk)


def _size(chunk: Json) -> int:
    texts = (chunk.get(name, "") for name in ("text", "title", "details", "output"))
    sources = (source["url"] + source["text"] for source in chunk.get("sources", []))
    return sum(len(text.encode()) for text in (*texts, *sources))


def _add(message: Message, chunk: Json) -> None:
    match chunk["type"]:
        case "markdown_text":
            # Blanks where a chunk begins have been seen to vanish.
            text = chunk["text"]
            message.markdown += text.lstrip() if message.markdown else text
        case "plan_update":
            message.plan_title = chunk["title"]
        case "task_update":
            task = message.tasks.setdefault(chunk["id"], Task(chunk["title"], chunk["status"]))
            task.title, task.status = chunk["title"], chunk["status"]
            task.details += chunk.get("details", "")  # details are added to, the others replaced
            task.output = chunk.get("output", task.output)
            task.sources += chunk.get("sources", [])
        case "blocks":
            message.final_blocks += chunk["blocks"]
