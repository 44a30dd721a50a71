"""People who ask, edit, delete and press; and what Slack delivers of that."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from bot.playground.slack import people
from bot.playground.slack.workspace import BOT_USER, TEAM, Message
from tests.crash.verdict import is_given_up

if TYPE_CHECKING:
    from bot.playground.slack import LocalSlack
    from bot.playground.slack.workspace import Channel

Json = dict[str, Any]
USER = "U0YOU"
CHANNEL = "C0GENERAL"


@dataclass
class Delivery:
    """Something for the bot, which Slack delivers until it is acknowledged."""

    kind: Literal["event", "command", "press"]
    body: Json
    is_acknowledged: bool = False


@dataclass
class Question:
    """A question that a person has asked."""

    number: int
    ts: str | None  #: of a command there is none yet
    root: str | None

    @property
    def text(self) -> str:
        """The question without the mention."""
        return f"Q{self.number}?"


@dataclass
class People:
    """Everybody in one channel."""

    slack: LocalSlack
    questions: list[Question] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def channel(self) -> Channel:
        """Where they all are."""
        return self.slack.workspace.channels[CHANNEL]

    def roots(self) -> list[str]:
        """Return the threads in which one could ask on."""
        return [m.ts for m in self.channel.messages.values() if m.thread_ts is None]

    def ask(self, root: str | None) -> list[Delivery]:
        """Mention the bot; return the two events of it."""
        number, ts = next(self._numbers), self.slack.workspace.next_ts()
        question = Question(number, ts, root)
        self.questions.append(question)
        message = Message(ts, USER, f"<@{BOT_USER}> {question.text}", thread_ts=root)
        self.slack.workspace.put(self.channel, message)
        twins = people.events_of_message(self.slack, self.channel, message)
        return [self._event(twin) for twin in twins]

    def command(self) -> Delivery:
        """Type `/ask`."""
        number = next(self._numbers)
        question = Question(number, None, None)
        self.questions.append(question)
        body = {
            "channel_id": CHANNEL,
            "user_id": USER,
            "team_id": TEAM,
            "command": "/ask",
            "text": question.text,
            "trigger_id": f"trigger {number}",
            "response_url": "",
        }
        return self._noted(Delivery("command", body))

    def edit(self, question: Question) -> Delivery:
        """Change what was asked."""
        message = self.channel.messages[str(question.ts)]
        previous, message.text = message.text, f"{message.text} Please."
        return self._event(people.edited_event(self.channel, message, previous))

    def delete(self, question: Question) -> Delivery:
        """Take a question back."""
        message = self.channel.messages.pop(str(question.ts))
        return self._event(people.deleted_event(self.channel, message))

    def can_change(self) -> list[Question]:
        """Return the questions that can be edited or deleted; a root would leave a tombstone."""
        there = self.channel.messages
        return [q for q in self.questions if q.root is not None and q.ts in there]

    def press(self, turn_id: int) -> Delivery:
        """Press "Try again"."""
        return self._noted(Delivery("press", {"value": str(turn_id)}))

    def failures(self) -> list[Message]:
        """Return the messages with that button."""
        return [m for m in self.channel.messages.values() if is_given_up(m)]

    def _event(self, event: Json) -> Delivery:
        return self._noted(Delivery("event", people.event_envelope(self.slack, event).payload))

    def _noted(self, delivery: Delivery) -> Delivery:
        self.deliveries.append(delivery)
        return delivery
