"""A slash command becomes a question, whose thread is posted later on: see bot.slack.roots."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bot.slack.asker import field, typed_by
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
        asker = typed_by(command)
        question = Question(
            thread=Thread(team=self.team, channel=asker.channel, thread_ts=""),
            ts=command_key(command),
            user=asker.user,
            user_team=asker.team or self.team,
            text=field(command, "text"),
            kind=kind,
        )
        self.hints.remember(question, asker.response_url)
        await self.inbox.take_to_place(question)


def command_key(command: Json) -> str:
    """Return what identifies a command until its question has a ts: Slack's trigger_id is unique.

    Hashed, since it is a credential for a few seconds, and longer than any ts.
    """
    trigger = str(command.get("trigger_id") or command.get("response_url"))
    return "/" + hashlib.sha256(whole_characters(trigger).encode()).hexdigest()[:KEY_CHARACTERS]
