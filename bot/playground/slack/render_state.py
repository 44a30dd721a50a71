"""The workspace as one person sees it: what the page is told, at first and with each change."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.playground.slack.render import render_home, render_message
from bot.playground.slack.render_text import Names

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from bot.playground.slack.server import LocalSlack
    from bot.playground.slack.workspace import Change, Channel, Message

Json = dict[str, Any]

WORKSPACE = "Local Slack"
COMMANDS = ["ask", "research", "digest"]  # what the composer offers; any other is sent as well
SHORTCUTS = {"digest_thread": "Digest this thread"}  # in the menu of each message
PEOPLE = ("you", "colleague", "guest")

_SIGNS = {"channel": "#", "private": "\N{LOCK}\N{VARIATION SELECTOR-15}", "direct": "@"}
_NOTES = {"channel": "", "private": "private channel", "direct": "direct message"}


class NotHere(Exception):
    """The page named something that is not there; the message says what."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one person sees of the workspace."""

    slack: LocalSlack
    viewer: str
    names: Names

    @classmethod
    def of(cls, slack: LocalSlack, user: str | None) -> Look:
        """Look with a person's eyes; with those of "You" if none is named."""
        viewer = user or slack.users["you"]
        if viewer not in [slack.users[name] for name in PEOPLE]:
            raise NotHere("There is no such person here.")
        slack.dm(viewer)
        users = {one.id: one.name for one in slack.workspace.users.values()}
        channels = {one.id: one.name for one in slack.workspace.channels.values() if not one.is_im}
        return cls(slack, viewer, Names(users, channels, viewer))

    def sees(self, channel: str) -> bool:
        """Say whether the person is in a channel."""
        found = self.slack.workspace.channels.get(channel)
        return found is not None and self.viewer in found.members

    def channel(self, channel: str) -> str:
        """Return the id of a channel, if the person sees it."""
        if not self.sees(channel):
            raise NotHere("There is no such channel here.")
        return channel

    def has(self, channel: str, ts: str) -> bool:
        """Say whether a message is there, for everybody or for who looks."""
        is_mine = any(message.ts == ts for message in self._ephemerals(channel))
        return is_mine or ts in self.slack.workspace.channels[channel].messages

    def state(self) -> Json:
        """Return everything."""
        return {
            "workspace": WORKSPACE,
            "viewer": self.viewer,
            "bot": {"id": self.slack.bot_user, "name": self._bot_name},
            "commands": COMMANDS,
            "shortcuts": [{"id": name, "title": title} for name, title in SHORTCUTS.items()],
            "users": [self._user(self.slack.users[name]) for name in PEOPLE],
            "channels": [self._channel(one) for one in self._channels()],
            "messages": list(self._messages()),
            "statuses": self.statuses(),
            "prompts": self.prompts(),
            "home": self.home(),
        }

    def prompts(self) -> list[Json]:
        """Return the questions that the person is offered."""
        return self.slack.prompts(self.viewer)

    def home(self) -> Json:
        """Return the Home of the bot's app; its html is "" where the bot has shown none."""
        view = self.slack.views.get(self.viewer)
        return {"html": render_home(view, self.names) if view else ""}

    def statuses(self) -> list[Json]:
        """Return the lines that say what the bot does."""
        return [
            {"channel": channel, "thread": thread, "text": text}
            for (channel, thread), text in self.slack.statuses().items()
            if self.sees(channel)
        ]

    async def changes(self) -> AsyncGenerator[tuple[str, Json | list[Json]]]:
        """Give each change that the person sees, as the page is told of it."""
        async with aclosing(self.slack.workspace.changes()) as changes:
            async for change in changes:
                told = self._told(change) if self.sees(change.channel) else None
                if told is not None:
                    yield told

    def _told(self, change: Change) -> tuple[str, Json | list[Json]] | None:
        parts: dict[str, tuple[str, Callable[[], Json | list[Json]]]] = {
            "status": ("statuses", self.statuses),
            "prompts": ("prompts", self.prompts),
            "home": ("home", self.home),
        }
        if change.kind in parts:
            name, part = parts[change.kind]
            return name, part()
        match change.kind, change.message:
            case "deleted", message if message is not None:
                return "message", {"channel": change.channel, "ts": message.ts, "gone": True}
            case "message", message if message is not None:
                return "message", self._message(change.channel, message, ephemeral=False)
            case "ephemeral", message if message is not None:
                mine = any(message is one for one in self._ephemerals(change.channel))
                drawn = self._message(change.channel, message, ephemeral=True)
                return ("message", drawn) if mine else None
        return None

    @property
    def _bot_name(self) -> str:
        return self.names.users[self.slack.bot_user]

    def _user(self, user: str) -> Json:
        guest = self.slack.workspace.users[user].is_restricted
        return {"id": user, "name": self.names.users[user], "guest": guest}

    def _channels(self) -> Iterator[Channel]:
        for channel in self.slack.workspace.channels.values():
            if self.viewer in channel.members:
                yield channel

    def _channel(self, channel: Channel) -> Json:
        kind = "direct" if channel.is_im else "private" if channel.is_private else "channel"
        has_bot = self.slack.bot_user in channel.members
        return {
            "id": channel.id,
            "name": self._bot_name if channel.is_im else channel.name,
            "kind": kind,
            "sign": _SIGNS[kind],
            "note": _NOTES[kind] if has_bot else f"{self._bot_name} is not in this channel",
            "bot": has_bot,
        }

    def _messages(self) -> Iterator[Json]:
        for channel in self._channels():
            for message in channel.messages.values():
                yield self._message(channel.id, message, ephemeral=False)
            for message in self._ephemerals(channel.id):
                yield self._message(channel.id, message, ephemeral=True)

    def _ephemerals(self, channel: str) -> list[Message]:
        return self.slack.ephemerals(channel, self.viewer)

    def _message(self, channel: str, message: Message, *, ephemeral: bool) -> Json:
        return {
            "channel": channel,
            "ts": message.ts,
            "thread": message.thread_ts,
            "author": message.user,
            "app": bool(message.bot_id),
            "ephemeral": ephemeral,
            "html": render_message(message, self.names, ephemeral=ephemeral),
        }
