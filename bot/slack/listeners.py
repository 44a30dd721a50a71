"""The ways in: an event or a command becomes a question for the inbox; nothing else happens here.

The app acknowledges after a listener has returned, so a listener only decides and hands over: the
question is in the database before Slack is told that it arrived, and nothing else is waited for.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot.slack.blocks import TRY_AGAIN
from bot.slack.events import Bot, Candidate, read_deletion, read_event, shape_of
from bot.slack.words import UNKNOWN_COMMAND, help_words

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.slack.agent import Agent
    from bot.slack.command import Commands
    from bot.turns.question import Question, Thread

log = logging.getLogger(__name__)

ID_DIGITS = 10  # from here on, no database has such an id

FollowUps = Literal["asker", "anyone", "mention"]
Json = dict[str, Any]


class Inbox(Protocol):
    """Takes questions."""

    async def take(self, question: Question) -> bool:
        """Take a question in, stored when this returns; False when it was taken before."""
        ...

    async def try_again(self, turn_id: int) -> bool:
        """Answer a question whose turn has failed; False when it has not, or not any more."""
        ...

    async def withdraw(self, team: str, channel: str, ts: str) -> None:
        """Forget a question that was deleted, unless it is being answered."""
        ...

    def own(self, work: Coroutine[None, None, None]) -> None:
        """Run something after the acknowledgement."""
        ...


class Turns(Protocol):
    """What is known of a thread."""

    async def has_asked(self, thread: Thread, user: str) -> bool:
        """Whether this person has asked there before."""
        ...

    async def has_answered(self, thread: Thread) -> bool:
        """Whether the bot has answered there."""
        ...


@dataclass(frozen=True, slots=True)
class Listeners:
    """Decides what is a question."""

    bot: Bot
    inbox: Inbox
    turns: Turns
    agent: Agent
    commands: Commands
    follow_ups: FollowUps

    async def on_message(self, body: Json) -> None:
        """Take a mention, a direct message or a follow-up."""
        try:
            if (deleted := read_deletion(body, self.bot)) is not None:
                await self.inbox.withdraw(*deleted)
                return
            candidate = read_event(body, self.bot)
        except ValueError as error:
            facts = {"field": str(error), "shape": shape_of(body)}
            log.warning("an event of unknown shape is skipped", extra=facts)
            return
        if candidate is not None and await self._is_for_us(candidate):
            await self.inbox.take(candidate.question)

    async def on_ask(self, ack: AsyncAck, command: Json) -> None:
        """Take a slash command."""
        if str(command.get("text") or "").strip().lower() in {"", "help"}:
            await ack(help_words(self.bot.user, str(command.get("command"))))
            return
        await self.commands.ask(command)
        await ack()

    async def on_try_again(self, ack: AsyncAck, action: Json) -> None:
        """Answer once more what had failed. To press twice is to press once."""
        value = str(action.get("value"))
        if value.isdecimal() and len(value) < ID_DIGITS:
            await self.inbox.try_again(int(value))
        await ack()

    async def on_home_opened(self, event: Json) -> None:
        """Offer prompts to somebody who opens the bot's messages."""
        if event.get("tab") == "messages" and isinstance(event.get("channel"), str):
            self.inbox.own(self.agent.prompts(event["channel"]))

    async def _is_for_us(self, candidate: Candidate) -> bool:
        question = candidate.question
        if candidate.kind != "reply":
            return True
        if candidate.addresses_other or self.follow_ups == "mention":
            return False
        if self.follow_ups == "anyone":
            return await self.turns.has_answered(question.thread)
        return await self.turns.has_asked(question.thread, question.user)


def add_listeners(app: AsyncApp, listeners: Listeners) -> None:
    """Register the listeners, and last of all those that take everything else.

    Bolt acknowledges only what a listener took, and Slack delivers the rest three times more.
    """
    app.event("app_mention")(listeners.on_message)
    app.event("message")(listeners.on_message)
    app.event("app_home_opened")(listeners.on_home_opened)
    app.command(re.compile(r"/.*ask$"))(listeners.on_ask)
    app.event(re.compile(".*"))(_nothing)
    app.action(TRY_AGAIN)(listeners.on_try_again)
    app.action(re.compile(".*"))(_acknowledged)
    app.error(_failed)


async def _nothing() -> None:
    """Take an event that asks nothing."""


async def _acknowledged(ack: AsyncAck) -> None:
    await ack()


async def _failed(error: Exception, body: Json) -> BoltResponse | None:
    shape = {"shape": shape_of(body)}
    if isinstance(error, BoltUnhandledRequestError):
        log.warning("a delivery that nothing takes is skipped", extra=shape)
        return BoltResponse(status=200, body=UNKNOWN_COMMAND if "command" in body else "")
    # Without an acknowledgement Slack delivers it again, which is what should happen.
    log.error("a delivery could not be taken in", exc_info=error, extra=shape)
    return None
