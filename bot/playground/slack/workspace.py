"""The state of the local Slack: people, channels, messages, and who is told of a change."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

Json = dict[str, Any]

TEAM = "T0LOCAL"
OTHER_TEAM = "T0OTHER"
BOT_USER = "U0FOOTNOTE"
BOT_ID = "B0FOOTNOTE"
APP_ID = "A0FOOTNOTE"


@dataclass(frozen=True, slots=True)
class User:
    """A person, or the bot."""

    id: str
    name: str  #: display name
    team: str = TEAM
    is_restricted: bool = False
    is_bot: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False
    tz: str = "Etc/UTC"


@dataclass
class Task:
    """A card of a streamed message."""

    title: str
    status: str
    details: str = ""
    output: str = ""
    sources: list[Json] = field(default_factory=list)


@dataclass
class Message:
    """A message as Slack keeps it."""

    ts: str
    user: str
    text: str = ""
    thread_ts: str | None = None
    bot_id: str | None = None
    blocks: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    unfurl: bool = False
    edited: bool = False
    streaming_state: Literal["in_progress", "completed", "errored"] | None = None
    task_display_mode: str = "timeline"
    markdown: str = ""  #: what was streamed, as Slack shows it
    tasks: dict[str, Task] = field(default_factory=dict)
    plan_title: str = ""
    final_blocks: list[Json] = field(default_factory=list)
    stream_bytes: int = 0
    stream_closes_at: float = 0.0
    stopped_by_user: bool = False
    files: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)  #: of links, what Slack shows of them
    subtype: str | None = None

    @property
    def is_in_channel(self) -> bool:
        """Whether it stands in the channel itself: it is no reply, or one that is told to all."""
        return self.thread_ts in (None, self.ts) or self.subtype == "thread_broadcast"


@dataclass
class Channel:
    """A channel or a direct message."""

    id: str
    name: str
    members: set[str]
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    def thread(self, root: str) -> list[Message]:
        """Return a thread, its root first."""
        return [m for m in self.messages.values() if root in (m.ts, m.thread_ts)]


@dataclass(frozen=True, slots=True)
class Change:
    """Something a page would draw anew."""

    kind: Literal["message", "deleted", "ephemeral", "status", "prompts", "home"]
    channel: str
    message: Message | None = None


class Workspace:
    """Everything in one Slack workspace."""

    def __init__(self) -> None:
        self.users = {user.id: user for user in _people()}
        self.channels = {channel.id: channel for channel in _channels()}
        self.version = 0
        self.now: Callable[[], float] = time.time  # seconds, by which messages get their ts
        self._last_ts = 0
        self._changed = asyncio.Condition()
        self._feeds: set[asyncio.Queue[Change]] = set()

    def next_ts(self) -> str:
        """Return a ts later than all before it."""
        self._last_ts = max(self._last_ts + 1, int(self.now() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def dm(self, user: str) -> Channel:
        """Return the bot's direct message with a user, a new one if there is none yet."""
        channel = f"D{user[1:]}"
        return self.channels.setdefault(channel, Channel(channel, "", {user, BOT_USER}, is_im=True))

    def put(self, channel: Channel, message: Message) -> Message:
        """Add a message to a channel."""
        channel.messages[message.ts] = message
        self.tell(Change("message", channel.id, message))
        return message

    def tell(self, change: Change) -> None:
        """Tell everybody who listens that something changed."""
        self.version += 1
        for feed in self._feeds:
            feed.put_nowait(change)

    async def changes(self) -> AsyncGenerator[Change]:
        """Yield the changes from now on."""
        feed: asyncio.Queue[Change] = asyncio.Queue()
        self._feeds.add(feed)
        try:
            while True:
                yield await feed.get()
        finally:
            self._feeds.discard(feed)


def _people() -> tuple[User, ...]:
    return (
        User("U0YOU", "You"),
        User("U0COLLEAGUE", "Colleague"),
        User("U0GUEST", "Guest", is_restricted=True),
        User("U0STRANGER", "Stranger", team=OTHER_TEAM),
        User(BOT_USER, "Footnote", is_bot=True),
    )


def _channels() -> tuple[Channel, ...]:
    everybody = {"U0YOU", "U0COLLEAGUE", "U0GUEST", "U0STRANGER"}
    return (
        Channel("C0GENERAL", "general", everybody | {BOT_USER}),
        Channel("C0RANDOM", "random", everybody - {"U0STRANGER"}),
        Channel("G0PRIVATE", "private", {"U0YOU", "U0COLLEAGUE", BOT_USER}, is_private=True),
    )
