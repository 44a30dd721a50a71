"""A message drawn as HTML, as the page shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any
from zlib import crc32

from bot.playground.slack.render_blocks import blocks, sources
from bot.playground.slack.render_clean import clean_message
from bot.playground.slack.render_files import files
from bot.playground.slack.render_markdown import markdown
from bot.playground.slack.render_tasks import Card, plan, timeline
from bot.playground.slack.render_text import Names, mrkdwn, plain

if TYPE_CHECKING:
    from bot.playground.slack.workspace import Message, Task

Json = dict[str, Any]

HUES = 6  # colours of avatars that the style sheet has

_WAITING = (
    '<div class="waiting"><span class="icon spinner" aria-hidden="true"></span>Writing…</div>'
)
_BROKEN = '<div class="waiting">This message was never finished: its stream timed out.</div>'
_STOP = '<button type="button" class="button stop" data-stop="" data-key="stop">Stop</button>'


def render_message(message: Message, names: Names, *, ephemeral: bool = False) -> str:
    """Draw a message."""
    streaming = message.streaming_state == "in_progress"
    looks = f"message{' streaming' * streaming}{' ephemeral' * ephemeral}"
    name = names.users.get(message.user, message.user)
    return clean_message(
        f'<article class="{looks}" data-ts="{escape(message.ts)}"'
        f' aria-busy="{str(streaming).lower()}">{_avatar(name)}<div class="body">'
        f"{_who(message, name, ephemeral=ephemeral)}{_content(message, names)}"
        f"{files(message.files)}"
        f"{_STOP * streaming}</div></article>"
    )


def render_home(view: Json, names: Names) -> str:
    """Draw the Home of the bot's app."""
    return clean_message(f'<div class="blocks">{blocks(view.get("blocks"), names)}</div>')


def _avatar(name: str) -> str:
    hue = crc32(name.encode()) % HUES + 1
    return f'<div class="avatar hue-{hue}" aria-hidden="true">{plain(name[:1].upper())}</div>'


def _who(message: Message, name: str, *, ephemeral: bool) -> str:
    app = '<span class="badge">APP</span>' if message.bot_id else ""
    note = '<span class="note">Only visible to you</span>' if ephemeral else ""
    moment = datetime.fromtimestamp(float(message.ts), tz=UTC).astimezone()
    return (
        f'<header class="who"><span class="name">{plain(name)}</span>{app}'
        f'<time datetime="{moment.isoformat()}" title="{moment:%A, %d %B %Y, %H:%M:%S}">'
        f"{moment:%H:%M}</time>{note}</header>"
    )


def _content(message: Message, names: Names) -> str:
    edited = '<span class="edited">(edited)</span>' * message.edited
    if message.streaming_state is not None:
        return _streamed(message, names) + edited
    if message.blocks:
        return f'<div class="blocks">{blocks(message.blocks, names)}</div>{edited}'
    if message.files and not message.text:
        return edited
    return f'<div class="text">{mrkdwn(message.text, names)} {edited}</div>'


def _streamed(message: Message, names: Names) -> str:
    tasks = _tasks(message)
    text = f'<div class="markdown">{markdown(message.markdown, names)}</div>'
    below = blocks(message.final_blocks, names)
    if not tasks and not message.markdown and message.streaming_state == "in_progress":
        return _WAITING
    broken = _BROKEN * (message.streaming_state == "errored")
    return f'{tasks}{text * bool(message.markdown)}<section class="below">{below}</section>{broken}'


def _tasks(message: Message) -> str:
    cards = [_card(task) for task in message.tasks.values()]
    if message.plan_title or (cards and message.task_display_mode == "plan"):
        return plan(message.plan_title, cards, f"plan {message.ts}")
    return timeline(cards) if cards else ""


def _card(task: Task) -> Card:
    return Card(
        title=task.title,
        status=task.status,
        details=plain(task.details),
        output=plain(task.output),
        sources=sources(task.sources),
    )
