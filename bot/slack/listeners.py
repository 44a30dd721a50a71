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

from bot.digests.command import ScheduleAction
from bot.slack.blocks import GO_DEEPER, TRY_AGAIN
from bot.slack.digest_blocks import SHARE_DIGEST
from bot.slack.events import Bot, Candidate, read_deletion, read_event, shape_of
from bot.slack.manifest import DIGEST_THREAD
from bot.slack.research_blocks import SHOW_BRIEF, SHOW_TRAIL, START_NOW, STOP_RESEARCH
from bot.slack.research_controls import number_of, wanted
from bot.slack.schedule_blocks import (
    DELETE_SCHEDULE,
    PAUSE_SCHEDULE,
    RESUME_SCHEDULE,
    SAVE_SCHEDULE,
)
from bot.slack.words import RESEARCH_HELP, UNKNOWN_COMMAND, help_words
from bot.turns.question import Thread

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.digests.command import Action
    from bot.slack.agent import Agent
    from bot.slack.command import Commands
    from bot.slack.digest_controls import DigestControls
    from bot.slack.research_controls import ResearchControls
    from bot.slack.sharing import Sharing
    from bot.turns.question import Question

log = logging.getLogger(__name__)

CHANGES: Mapping[str, Action] = {
    PAUSE_SCHEDULE: "pause",
    RESUME_SCHEDULE: "resume",
    DELETE_SCHEDULE: "delete",
}
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

    async def start_now(self, turn_id: int) -> bool:
        """Go on with a research that has asked something; False if that is answered by now."""
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
    research: ResearchControls
    digests: DigestControls
    sharing: Sharing
    follow_ups: FollowUps

    async def on_message(self, body: Json) -> None:
        """Take a mention, a direct message or a follow-up."""
        try:
            if (deleted := read_deletion(body, self.bot)) is not None:
                await self.inbox.withdraw(*deleted)
                await self.research.stop_deleted(*deleted)
                return
            candidate = read_event(body, self.bot)
        except ValueError as error:
            facts = {"field": str(error), "shape": shape_of(body)}
            log.warning("an event of unknown shape is skipped", extra=facts)
            return
        if candidate is None or await self.research.stop_said(candidate.question):
            return
        answer = await self._answer(candidate)
        if answer is not None or await self._is_for_us(candidate):
            await self.inbox.take(answer or await self.digests.routed(wanted(candidate.question)))

    async def on_ask(self, ack: AsyncAck, command: Json) -> None:
        """Take a slash command."""
        if str(command.get("text") or "").strip().lower() in {"", "help"}:
            await ack(help_words(self.bot.user, str(command.get("command"))))
            return
        await self.commands.ask(command)
        await ack()

    async def on_research(self, ack: AsyncAck, command: Json) -> None:
        """Take a slash command that wants research."""
        if not str(command.get("text") or "").strip():
            await ack(RESEARCH_HELP)
            return
        await self.commands.ask(command, "research")
        await ack()

    async def on_digest(self, ack: AsyncAck, command: Json) -> None:
        """Take a slash command that wants a digest."""
        said = await self.digests.command(command)
        await ack(text=said.words, blocks=list(said.blocks) or None)

    async def on_save_schedule(self, ack: AsyncAck, body: Json, action: Json) -> None:
        """Keep a schedule that was shown."""
        self.inbox.own(self.digests.schedules.save(body, str(action.get("value"))))
        await ack()

    async def on_change_schedule(self, ack: AsyncAck, body: Json, action: Json) -> None:
        """Pause, resume or delete a schedule."""
        number, name = number_of(action), str(action.get("action_id"))
        if number is not None and name in CHANGES:
            wanted = ScheduleAction(CHANGES[name], number)
            self.inbox.own(self.digests.schedules.pressed(body, wanted))
        await ack()

    async def on_digest_thread(self, ack: AsyncAck, body: Json) -> None:
        """Take a message whose thread is to be summed up."""
        await self.digests.shortcut(body)
        self.inbox.own(self.digests.tell_of_shortcut(body))
        await ack()

    async def on_share_digest(self, ack: AsyncAck, body: Json, action: Json) -> None:
        """Share a digest in its channel."""
        if (turn_id := number_of(action)) is not None:
            self.inbox.own(self.sharing.share(body, turn_id))
        await ack()

    async def on_stop_research(self, ack: AsyncAck, body: Json, action: Json) -> None:
        """Stop a run, if who pressed the button may."""
        if (turn_id := number_of(action)) is not None:
            await self.research.stop_pressed(body, turn_id)
        await ack()

    async def on_go_deeper(self, ack: AsyncAck, body: Json, action: Json) -> None:
        """Have an answered question researched."""
        turn_id = number_of(action)
        question = None if turn_id is None else await self.research.deeper(body, turn_id)
        if question is not None:
            await self.inbox.take(question)
        await ack()

    async def on_start_now(self, ack: AsyncAck, body: Json, action: Json) -> None:
        """Begin a research that has asked something, without an answer."""
        turn_id = number_of(action)
        if turn_id is not None and await self.research.may_start(body, turn_id):
            await self.inbox.start_now(turn_id)
        await ack()

    async def on_show_brief(self, ack: AsyncAck, body: Json, action: Json) -> None:
        """Show what is researched."""
        if (turn_id := number_of(action)) is not None:
            self.inbox.own(self.research.show_brief(body, turn_id))
        await ack()

    async def on_show_trail(self, ack: AsyncAck, body: Json, action: Json) -> None:
        """Show what was searched."""
        if (turn_id := number_of(action)) is not None:
            self.inbox.own(self.research.show_trail(body, turn_id))
        await ack()

    async def on_session_stopped(self, event: Json) -> None:
        """Take Slack's own Stop; it stops streams by itself, and a run has none."""
        channel, thread_ts = event.get("channel"), event.get("thread_ts")
        if isinstance(channel, str) and isinstance(thread_ts, str):
            thread = Thread(team=self.bot.team, channel=channel, thread_ts=thread_ts)
            await self.research.stop_session(thread)

    async def on_try_again(self, ack: AsyncAck, action: Json) -> None:
        """Answer once more what had failed. To press twice is to press once."""
        if (turn_id := number_of(action)) is not None:
            await self.inbox.try_again(turn_id)
        await ack()

    async def on_home_opened(self, event: Json) -> None:
        """Offer prompts to somebody who opens the bot's messages, and show them their Home."""
        if event.get("tab") == "home" and isinstance(event.get("user"), str):
            self.inbox.own(self.digests.schedules.show_home(event["user"]))
        if event.get("tab") == "messages" and isinstance(event.get("channel"), str):
            self.inbox.own(self.agent.prompts(event["channel"]))

    async def _answer(self, candidate: Candidate) -> Question | None:
        """Return a message as the question of a research that had asked something before."""
        if candidate.addresses_other:
            return None
        question = await self.research.as_answer(candidate.question)
        return question if question.kind == "research" else None

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
    app.event("agent_session_stopped")(listeners.on_session_stopped)
    app.command(re.compile(r"/.*ask$"))(listeners.on_ask)
    app.command(re.compile(r"/.*research$"))(listeners.on_research)
    app.command(re.compile(r"/.*digest$"))(listeners.on_digest)
    app.shortcut(DIGEST_THREAD)(listeners.on_digest_thread)
    app.event(re.compile(".*"))(_nothing)
    app.action(TRY_AGAIN)(listeners.on_try_again)
    app.action(STOP_RESEARCH)(listeners.on_stop_research)
    app.action(GO_DEEPER)(listeners.on_go_deeper)
    app.action(SHARE_DIGEST)(listeners.on_share_digest)
    app.action(SAVE_SCHEDULE)(listeners.on_save_schedule)
    app.action(re.compile("|".join(CHANGES)))(listeners.on_change_schedule)
    app.action(START_NOW)(listeners.on_start_now)
    app.action(SHOW_BRIEF)(listeners.on_show_brief)
    app.action(SHOW_TRAIL)(listeners.on_show_trail)
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
