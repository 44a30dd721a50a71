"""The whole bot between the local servers, over real sockets and a real file."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.app import open_bot
from bot.clock import CLOCK
from bot.playground.responses import LocalResponses, Profile
from bot.playground.slack import Limits, LocalSlack
from bot.settings import load_settings
from bot.slack.pacing import Pacing
from tests.responses.server import byte_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.app import Running
    from bot.clock import Clock
    from bot.playground.slack.workspace import Message
    from tests.responses.server import ByteServer

FAST = Limits(retry_delays=(0.0, 0.05, 0.1), ack_seconds=2.0)


def below(message: Message) -> str:
    """Return what stands below an answer."""
    texts = []
    for block in message.final_blocks:
        parts = [block.get("text"), *block.get("elements", ())]
        texts += [str(part["text"]) for part in parts if part]
    return "\n".join(texts)


@dataclass
class Stage:
    """What a test sees of everything."""

    slack: LocalSlack
    responses: LocalResponses
    bot: Running

    @property
    def you(self) -> str:
        return self.slack.users["you"]

    @property
    def general(self) -> str:
        return self.slack.channels["general"]

    async def mention(self, text: str, thread_ts: str | None = None, user: str = "you") -> str:
        asked = f"<@{self.slack.bot_user}> {text}"
        return await self.slack.say(self.slack.users[user], self.general, asked, thread_ts)

    async def answers(self, channel: str, root: str, count: int = 1) -> list[Message]:
        """Wait for so many finished answers in a thread, and return them."""

        def finished() -> list[Message]:
            bot = [m for m in self.slack.thread(channel, root)[1:] if m.bot_id]
            return [m for m in bot if m.final_blocks or (m.blocks and m.edited)]

        await self.slack.until(lambda _: len(finished()) >= count)
        return finished()

    def unrest(self, channel: str, root: str) -> list[str]:
        """Say what in a thread still looks as if somebody were at work."""
        messages = [m for m in self.slack.thread(channel, root) if m.bot_id]
        open_ones = [m.ts for m in messages if m.streaming_state == "in_progress"]
        cards = [task for m in messages for task in m.tasks.values()]
        running = [task.title for task in cards if task.status == "in_progress"]
        status = self.slack.status(channel, root)
        return [*open_ones, *running, *([status] if status else [])]


@asynccontextmanager
async def open_stage(
    folder: Path,
    *,
    http: bool = False,
    profile: Profile | None = None,
    limits: Limits = FAST,
    clock: Clock = CLOCK,
    **settings: object,
) -> AsyncIterator[Stage]:
    """Start everything; `settings` stand above what the stage sets."""
    async with (
        LocalSlack.start(limits=limits) as slack,
        LocalResponses.start(profile=profile or Profile(delta_seconds=0)) as responses,
        open_bot_between(folder, slack, responses, http=http, clock=clock, **settings) as stage,
    ):
        yield stage


@asynccontextmanager
async def open_stage_before_bytes(
    folder: Path, **settings: object
) -> AsyncIterator[tuple[Stage, ByteServer]]:
    """Start everything, with a model server that plays the bytes it is told to."""
    async with (
        LocalSlack.start(limits=FAST) as slack,
        byte_server() as server,
        open_bot_before_bytes(folder, slack, server, **settings) as stage,
    ):
        yield stage, server


@asynccontextmanager
async def open_bot_before_bytes(
    folder: Path, slack: LocalSlack, server: ByteServer, **settings: object
) -> AsyncIterator[Stage]:
    """Start the bot between a Slack and a model server that plays the bytes it is told to."""
    address = {"OPENAI_BASE_URL": server.base_url}
    async with (
        LocalResponses.start() as unasked,
        open_bot_between(
            folder, slack, unasked, http=False, clock=CLOCK, **(address | settings)
        ) as stage,
    ):
        yield stage


@asynccontextmanager
async def open_bot_between(
    folder: Path,
    slack: LocalSlack,
    responses: LocalResponses,
    *,
    http: bool = False,
    clock: Clock = CLOCK,
    **settings: object,
) -> AsyncIterator[Stage]:
    """Start the bot between servers that are there."""
    given: dict[str, object] = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
        "OPENAI_BASE_URL": responses.base_url,
        "OPENAI_API_KEY": responses.api_key,
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'footnote.db'}",
    }
    over_http = {
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "HOST": "127.0.0.1",
        "PORT": 0,
    }
    given |= over_http if http else {"SLACK_APP_TOKEN": slack.app_token}
    pacing = Pacing(
        flush_seconds=0.01, update_seconds=0.01, clock=clock.monotonic, sleep=clock.sleep
    )
    async with open_bot(load_settings(None, **(given | settings)), pacing, clock=clock) as bot:
        if http:
            slack.events_url = f"http://127.0.0.1:{bot.port}/slack/events"
        await slack.until_connected()
        yield Stage(slack, responses, bot)


def notes_below(message: Message) -> list[str]:
    """Return what stands in small letters below an answer."""
    blocks = [block for block in message.final_blocks if block["type"] == "context"]
    return [element["text"] for block in blocks for element in block["elements"]]


def buttons_below(message: Message) -> list[str]:
    blocks = [block for block in message.final_blocks if block["type"] == "actions"]
    return [element["text"]["text"] for block in blocks for element in block["elements"]]
