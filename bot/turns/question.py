"""What a person asked, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# A research takes up to an hour, and goes on whatever happens: see bot.turns.research. A digest
# sums a channel up, and what is asked on in its thread stays off the web: see bot.digests.run.
Kind = Literal["answer", "research", "digest", "about_digest"]
OFF_THE_WEB: frozenset[Kind] = frozenset({"digest", "about_digest"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A Slack thread: the place of a question and of its answer."""

    team: str  #: the workspace the bot is installed in, "T…"
    channel: str  #: "C…", "G…" or "D…"
    thread_ts: str  #: the root message's ts, a string as Slack gives it; "" until there is one


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person asked, once: team, channel and ts identify it however often it comes."""

    thread: Thread
    ts: str  #: the asking message's own ts; of a command, what identifies it until there is one
    user: str  #: the asker, "U…" or "W…"
    user_team: str  #: the asker's own workspace; another than the thread's under Slack Connect
    text: str  #: Slack's mrkdwn as written, the bot's own mention taken out; "" asks for help
    kind: Kind = "answer"  #: what is wanted

    @property
    def has_thread(self) -> bool:
        """Whether its thread is there; of a question that came by a command it is posted first."""
        return bool(self.thread.thread_ts)

    @property
    def is_root(self) -> bool:
        """Whether the question begins its thread."""
        return self.ts == self.thread.thread_ts

    @property
    def wants_help(self) -> bool:
        """Whether nothing was asked but how to ask."""
        return self.text.strip().lower() in {"", "help"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier question of a thread with its answer, as the model is told of them."""

    text: str  #: of the question, like that of `Asked`
    name: str | None  #: of who asked it
    answer: str  #: "" where it is not known


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the model reads it."""

    text: str  #: plain words: mentions by name, links as URLs, entities decoded
    name: str | None  #: the asker's display name, None where it is not to be passed on
    earlier: tuple[Exchange, ...] = ()  #: what the model is told again, the first one first
