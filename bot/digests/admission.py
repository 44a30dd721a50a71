"""Whether somebody may have a digest in a place, asked of Slack each time anew."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.digests.audience import may_post
from bot.errors import FootnoteError

if TYPE_CHECKING:
    from bot.digests.audience import Person, Place, Refusal

log = logging.getLogger(__name__)


class NotAdmitted(FootnoteError):
    """Somebody may not have a digest, or not there."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
        self.public = refusal.words
        self.may_do_better = not refusal.is_lasting


class Members(Protocol):
    """Who is in which channel. Raises nothing: what cannot be found out is unknown."""

    async def facts(self, team: str, channel: str, user: str) -> tuple[Person, Place]:
        """Return what a person is in a channel, and what that is, as of now."""
        ...

    async def place(self, team: str, channel: str) -> Place:
        """Return what a channel or a direct message is, as of now."""
        ...

    async def is_gone(self, team: str, user: str) -> bool:
        """Whether somebody has left the workspace."""
        ...


@dataclass(frozen=True, slots=True)
class Admission:
    """Asks who may have a digest and where it may be posted."""

    members: Members

    async def check(self, team: str, user: str, source: str, target: str) -> None:
        """Raise NotAdmitted unless a digest of one place may be posted for somebody in another."""
        person, place = await self.members.facts(team, source, user)
        there = place if target == source else await self.members.place(team, target)
        refusal = may_post(place, there, person)
        if refusal is not None:
            log.info("no digest for this person here", extra={"code": refusal.code})
            raise NotAdmitted(refusal)

    async def is_gone(self, team: str, user: str) -> bool:
        """Whether somebody has left the workspace."""
        return await self.members.is_gone(team, user)
