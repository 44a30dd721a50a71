"""Who does something in Slack, by command, button or shortcut, and what they alone are told."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import SlackError
from bot.turns.characters import whole_characters

if TYPE_CHECKING:
    from bot.slack.web import SlackWeb
    from bot.turns.question import Thread

Json = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who does something, and where. What Slack does not say is ""."""

    user: str
    team: str
    channel: str
    response_url: str  #: where they can be told something


def typed_by(command: Json) -> Asker:
    """Read who typed a command."""
    return Asker(
        user=field(command, "user_id"),
        team=field(command, "team_id"),
        channel=field(command, "channel_id"),
        response_url=field(command, "response_url"),
    )


def chosen_by(body: Json) -> Asker:
    """Read who pressed a button, or chose a shortcut."""
    user, channel = (_within(body, name) for name in ("user", "channel"))
    return Asker(
        user=field(user, "id"),
        team=field(user, "team_id"),
        channel=field(channel, "id"),
        response_url=field(body, "response_url"),
    )


def field(said: Json, name: str) -> str:
    """Return a field of what Slack sent; "" where it has none."""
    return whole_characters(str(said.get(name) or ""))


async def whisper(web: SlackWeb, thread: Thread, user: str, **content: object) -> None:
    """Show something in a thread to one person alone, if Slack lets that be."""
    try:
        await web.call(
            "chat.postEphemeral",
            channel=thread.channel,
            thread_ts=thread.thread_ts,
            user=user,
            **content,
        )
    except SlackError as error:
        log.info("a person could not be told", extra={"code": error.code})


def _within(body: Json, name: str) -> Json:
    part = body.get(name)
    return part if isinstance(part, dict) else {}
