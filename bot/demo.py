"""The bot between a local Slack and a local Responses server, to be seen and talked to."""

from __future__ import annotations

import os
import re
import tempfile
import textwrap
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.app import open_bot, until_stopped
from bot.clock import CLOCK
from bot.playground.responses import LocalResponses
from bot.playground.slack import LocalSlack
from bot.playground.slack.generated import Plan, fill
from bot.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.playground.slack.workspace import Message

QUESTION = "How do I ask a question in a channel, and who sees the answer?"
ANSWER_SECONDS = 600.0  # a real model may think for minutes
WIDTH = 88
BUSY = "private"  # the channel that there is something to sum up in
WORK = Plan(messages=60, threads=8, people=8, days=7)

Json = dict[str, Any]


async def demo(*, once: str | None, port: int) -> None:
    """Ask one question and print its thread; then, unless `once`, serve the page."""
    with tempfile.TemporaryDirectory(prefix="footnote-") as folder:
        async with LocalSlack.start(port=port) as slack, _responses() as responses:
            given = {
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_API_URL": slack.api_url,
                "DATABASE_URL": f"sqlite+aiosqlite:///{Path(folder) / 'footnote.db'}",
                "PORT": "",  # which the environment may set for another
                **responses,
            }
            async with open_bot(load_settings(None, **given)):
                await _ask(slack, once or QUESTION)
                if once is None:
                    fill(slack.workspace, slack.channels[BUSY], WORK, CLOCK.now())
                    click.echo(f"\nGo on in your browser: {slack.page_url}  (Ctrl-C ends it)")
                    click.echo(f"In the channel {BUSY} people have been at work: type /digest 7d")
                    await until_stopped()


@asynccontextmanager
async def _responses() -> AsyncIterator[dict[str, str]]:
    """Name the Responses server to ask: the one the environment names, else a local one."""
    if os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL"):
        yield {}
        return
    async with LocalResponses.start() as responses:
        yield {
            "OPENAI_BASE_URL": responses.base_url,
            "OPENAI_API_KEY": responses.api_key,
            "OPENAI_MODEL": "local-stand-in",
        }


async def _ask(slack: LocalSlack, question: str) -> None:
    await slack.until_connected()
    channel = slack.channels["general"]
    typed = question.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    root = await slack.say(slack.users["you"], channel, f"<@{slack.bot_user}> {typed}")
    await slack.until(lambda _: _is_answered(slack.thread(channel, root)), ANSWER_SECONDS)
    for message in slack.thread(channel, root):
        click.echo(_printed(slack, message))


def _is_answered(thread: list[Message]) -> bool:
    """Whether the footer is there: the last thing that a reply is given."""
    last = thread[-1]
    below = last.final_blocks or last.blocks
    return len(thread) > 1 and any(block["type"] == "context" for block in below)


def _printed(slack: LocalSlack, message: Message) -> str:
    name = slack.workspace.users[message.user].name
    lines = [click.style(f"\n{name}", bold=True)]
    if message.plan_title:
        lines.append(f"  ▾ {message.plan_title}")
    lines += [f"    ✓ {task.title}" for task in message.tasks.values()]
    lines += _wrapped(message.markdown or _named(slack, message.text))
    for block in message.final_blocks or message.blocks:
        if block["type"] != "actions":  # there is nothing to press here
            lines += _wrapped(_block_text(block))
    return "\n".join(lines)


def _block_text(block: Json) -> str:
    parts = [block.get("text"), *block.get("elements", ())]
    texts = [part if isinstance(part, str) else part["text"] for part in parts if part]
    text = re.sub(r"<([^|>]+)\|([^>]+)>", r"\2 <\1>", "\n".join(texts))
    return "\n" + text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _named(slack: LocalSlack, text: str) -> str:
    users = slack.workspace.users
    named = re.sub(r"<@(\w+)>", lambda m: f"@{users[m[1]].name}" if m[1] in users else m[0], text)
    return named.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _wrapped(text: str) -> list[str]:
    return [
        line
        for paragraph in text.splitlines()
        for line in textwrap.wrap(
            paragraph, WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    ]  # fmt: skip
