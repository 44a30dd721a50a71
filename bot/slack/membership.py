"""What a person is in a channel, asked of Slack each time: what was so an hour ago may leak now."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.digests.audience import Person, Place
from bot.errors import SlackError, SlackRefused
from bot.slack.caller import Caller, next_cursor

if TYPE_CHECKING:
    from bot.digests.audience import PersonKind, PlaceKind
    from bot.slack.pacing import Pacing
    from bot.slack.web import SlackWeb

    Json = dict[str, Any]

log = logging.getLogger(__name__)

PAGE = 1_000
# How Slack says that the bot cannot see a channel, or is not in it (method pages).
NOT_IN = {"channel_not_found", "not_in_channel"}


@dataclass(frozen=True, slots=True)
class Membership:
    """Looks up people and channels of one workspace."""

    web: SlackWeb
    pacing: Pacing

    async def facts(self, team: str, channel: str, user: str) -> tuple[Person, Place]:
        """Return what a person is in a channel, and what that is, as of now.

        Raises nothing: what cannot be found out is unknown, and so forbids.
        """
        caller, place = self._caller(team), await self.place(team, channel)
        kind = await _kind(caller, user, team)
        is_channel = place.kind in {"public", "private"} and place.is_readable
        is_in = await _is_in(caller, channel, user) if is_channel else None
        return Person(id=user, kind=kind, is_in_source=is_in), place

    async def place(self, team: str, channel: str) -> Place:
        """Return what a channel or a direct message is, as of now; raises nothing."""
        return await _place(self._caller(team), channel)

    async def is_gone(self, team: str, user: str) -> bool:
        """Whether somebody has left the workspace; False where that is not known."""
        return await _kind(self._caller(team), user, team) == "gone"

    def _caller(self, team: str) -> Caller:
        return Caller(self.web, self.pacing, team)


async def _place(caller: Caller, channel: str) -> Place:
    try:
        answer = await caller.until_heard("conversations.info", channel=channel)
    except SlackError as error:
        log.info("a channel is not known", extra={"code": error.code})
        is_hidden = isinstance(error, SlackRefused) and error.code in NOT_IN
        return Place(id=channel, kind="unknown", is_shared=None, is_readable=not is_hidden)
    said = answer.get("channel")
    said = said if isinstance(said, dict) else {}
    kind = _kind_of_place(said)
    return Place(
        id=channel,
        kind=kind,
        is_shared=_is_shared(said, kind),
        is_archived=bool(said.get("is_archived")),
        of_user=str(said.get("user") or "") if kind == "direct" else "",
        is_readable=kind in {"direct", "group"} or said.get("is_member") is True,
    )


def _is_shared(said: Json, kind: PlaceKind) -> bool | None:
    """Tell whether others than this workspace read it; None where Slack does not say.

    A direct message has one reader, whatever workspaces of an organisation it is in.
    """
    shared = ["is_ext_shared", "is_pending_ext_shared"]
    if kind != "direct":
        shared += ["is_org_shared", "is_shared"]
    if any(said.get(name) for name in shared):
        return True
    return False if kind == "direct" or said.get("is_ext_shared") is False else None


def _kind_of_place(said: Json) -> PlaceKind:
    """Tell by the flags: ids change when a channel is shared, and say nothing for sure."""
    if said.get("is_im"):
        return "direct"
    if said.get("is_mpim"):
        return "group"
    is_private = said.get("is_private")
    if not isinstance(is_private, bool):
        return "unknown"
    return "private" if is_private else "public"


async def _kind(caller: Caller, user: str, team: str) -> PersonKind:
    try:
        answer = await caller.until_heard("users.info", user=user)
    except SlackError as error:
        log.info("a person is not known", extra={"code": error.code})
        return "gone" if error.code == "user_not_found" else "unknown"
    said = answer.get("user")
    if not isinstance(said, dict):
        return "unknown"
    if said.get("deleted"):
        return "gone"
    if said.get("is_stranger") or said.get("team_id") not in {team, None}:
        return "external"
    if said.get("is_restricted") or said.get("is_ultra_restricted"):
        return "guest"
    # Slack says of every person whether they are a guest.
    is_known = said.get("is_restricted") is False and not said.get("is_bot")
    return "member" if is_known else "unknown"


async def _is_in(caller: Caller, channel: str, user: str) -> bool | None:
    cursor: str | None = None
    while True:
        try:
            answer = await caller.until_heard(
                "conversations.members", channel=channel, limit=PAGE, cursor=cursor
            )
        except SlackError as error:
            log.info("who is in a channel is not known", extra={"code": error.code})
            return None
        if user in (answer.get("members") or ()):
            return True
        cursor = next_cursor(answer)
        if cursor is None:
            return False
