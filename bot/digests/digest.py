"""What a digest is made from, and what it says: every line names the messages it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from datetime import datetime


ClaimKind = Literal["summary", "decision", "open_question", "action_item"]
KINDS: tuple[ClaimKind, ...] = get_args(ClaimKind)  #: in the order in which they are shown


@dataclass(frozen=True, slots=True)
class Period:
    """The time that a digest is about: from `since` on, before `until`, both in UTC."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message of a channel, as the model reads it. It is kept for no longer than that takes."""

    ts: str
    thread_ts: str  #: of the thread's root; its own ts where it is no reply
    user: str  #: "U…"
    name: str  #: of who wrote it, for the reader
    text: str  #: plain words: mentions by name, links as URLs
    files: tuple[str, ...] = ()  #: titles of what is attached
    is_before: bool = False  #: the root of an older thread, told for its new replies

    @property
    def is_reply(self) -> bool:
        """Whether it stands in another's thread."""
        return self.ts != self.thread_ts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read of a channel's period."""

    messages: tuple[Message, ...]  #: by thread, in the order of their beginnings, and then by ts
    unread: tuple[str, ...] = ()  #: what could not be read, each as a phrase for the reader
    unseen: tuple[str, ...] = ()  #: where nobody looked, likewise: there may be nothing
    by_apps: int = 0  #: messages of the period by other apps, which are left out
    unnamed: tuple[str, ...] = ()  #: the first of these users is "person 1" in it, and so on

    @property
    def new(self) -> tuple[Message, ...]:
        """The messages of the period itself."""
        return tuple(message for message in self.messages if not message.is_before)

    @property
    def threads(self) -> int:
        """How many threads have a reply in the period."""
        return len({message.thread_ts for message in self.new if message.is_reply})

    @property
    def people(self) -> int:
        """How many people wrote in the period."""
        return len({message.user for message in self.new})


@dataclass(frozen=True, slots=True)
class Claim:
    """A line of a digest. No line is without a message that it rests on."""

    text: str  #: plain words, one or two sentences
    rests_on: tuple[str, ...]  #: the ts of messages that were read, each once, the earliest first
    kind: ClaimKind = "summary"
    owner: str = ""  #: of an action: the name of who is to do it; "" where nobody was named


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that was talked about."""

    title: str
    claims: tuple[Claim, ...]  #: in any order

    def of(self, kind: ClaimKind) -> tuple[Claim, ...]:
        """Return its lines of a kind."""
        return tuple(claim for claim in self.claims if claim.kind == kind)

    @property
    def weight(self) -> int:
        """How many messages it rests on."""
        return len({ts for claim in self.claims for ts in claim.rests_on})


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What is said of a period, the weightiest topic first."""

    topics: tuple[Topic, ...]
    dropped_messages: int = 0  #: references to messages that were not in the input
    dropped_claims: int = 0  #: lines that rested on nothing
