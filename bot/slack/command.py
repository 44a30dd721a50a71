"""A slash command becomes a question, whose thread is posted later on: see bot.slack.roots."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bot.turns.characters import whole_characters
from bot.turns.question import Question, Thread

if TYPE_CHECKING:
    from bot.slack.hints import Hints
    from bot.turns.question import Kind

Json = dict[str, Any]

KEY_CHARACTERS = 24


class Inbox(Protocol):
    """Takes questions."""

    async def take_to_place(self, question: Question) -> bool:
        """Take in a question whose thread is still to be posted; False when it was taken before."""
        ...


@dataclass(frozen=True, slots=True)
class Commands:
    """Runs `/ask` and `/research`."""

    inbox: Inbox
    hints: Hints
    team: str

    async def ask(self, command: Json, kind: Kind = "answer") -> None:
        """Take in the question, stored when this returns."""
        question = Question(
            thread=Thread(team=self.team, channel=field(command, "channel_id"), thread_ts=""),
            ts=command_key(command),
            user=field(command, "user_id"),
            user_team=field(command, "team_id") or self.team,
            text=field(command, "text"),
            kind=kind,
        )
        self.hints.remember(question, str(command.get("response_url")))
        await self.inbox.take_to_place(question)


def field(command: Json, name: str) -> str:
    """Return a field of what Slack sent for a command; "" where it has none."""
    return whole_characters(str(command.get(name) or ""))


def command_key(command: Json) -> str:
    """Return what identifies a command until its question has a ts: Slack's trigger_id is unique.

    Hashed, since it is a credential for a few seconds, and longer than any ts.
    """
    trigger = str(command.get("trigger_id") or command.get("response_url"))
    return "/" + hashlib.sha256(whole_characters(trigger).encode()).hexdigest()[:KEY_CHARACTERS]
