"""Who may have a digest, and where it may be posted: never to a wider audience than its source's.

A digest is readable by whoever reads the place that it is posted in. So it goes back to the channel
that it was read in, or to one person alone who is in that channel. Another channel is never taken,
be it a public one: guests may be in it, who can read no public channel but those they are in, and
nobody can say for how long it stays as it is. What is not known counts as forbidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

PersonKind = Literal["member", "guest", "external", "gone", "unknown"]
PlaceKind = Literal["public", "private", "direct", "group", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who wants a digest, as Slack has them now."""

    id: str
    kind: PersonKind
    is_in_source: bool | None  #: whether they are in the channel that is read; None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A channel or a direct message with the bot, as Slack has it now."""

    id: str
    kind: PlaceKind
    is_shared: bool | None  #: with another workspace, or about to be; None: not known
    is_readable: bool  #: whether the bot is in it
    is_archived: bool = False
    of_user: str = ""  #: of a direct message, whose it is


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: a code for the log, and words for the person."""

    code: str
    words: str  #: for who asked
    of_owner: str  #: for who reads a scheduled digest: why its owner may not have it, as a phrase
    is_known: bool = True  #: False where it could not be found out, and may be found out soon
    is_lasting: bool = False  #: whether nobody can change it by joining or inviting


GUEST = Refusal(
    "guest",
    "Guests of this workspace cannot have digests. Ask a member for one.",
    "the person who scheduled it is a guest in this workspace",
    is_lasting=True,
)
EXTERNAL = Refusal(
    "external",
    "Digests are only for members of this workspace, and you are from another one.",
    "the person who scheduled it is not from this workspace",
    is_lasting=True,
)
GONE = Refusal(
    "gone",
    "The person who asked for this digest has left this workspace.",
    "the person who scheduled it has left this workspace",
    is_lasting=True,
)
UNKNOWN_PERSON = Refusal(
    "unknown_person",
    "I could not find out who you are in this workspace, so I am not sending the digest. "
    "Try again.",
    "I could not find out about the person who scheduled it",
    is_known=False,
)
NOT_THERE = Refusal(
    "not_a_member",
    "You are not in that channel, so I cannot sum it up for you. Join it first.",
    "the person who scheduled it is not in the channel",
)
UNKNOWN_MEMBER = Refusal(
    "unknown_member",
    "I could not find out whether you are in that channel, so I am not sending the digest. "
    "Try again.",
    "I could not find out whether the person who scheduled it is in the channel",
    is_known=False,
)
UNREADABLE = Refusal(
    "unreadable",
    "I am not in that channel. Invite me there (type /invite), then ask again.",
    "I am not in the channel",
)
# The same words in either case: who is not in a private channel learns nothing of it, not even that
# the bot is there.
NOT_VISIBLE = Refusal(
    "not_visible",
    "You or I are not in that channel, so I cannot sum it up for you. If you are, invite me there "
    "(type /invite), then ask again.",
    "the person who scheduled it, or I, cannot read the channel",
)
NO_SOURCE = Refusal(
    "no_channel",
    "I can sum up channels, but not direct messages. Name a channel, like #general.",
    "it is not about a channel",
    is_lasting=True,
)
UNKNOWN_PLACE = Refusal(
    "unknown_channel",
    "I could not find out who reads that channel, so I am not sending the digest. Try again.",
    "I could not find out who reads the channel",
    is_known=False,
)
WIDER = Refusal(
    "wider_audience",
    "Not everybody who reads this place can read that channel, so its digest may not be posted "
    "here. It can go to that channel itself, or to your direct message with me.",
    "not everybody who reads this place can read the channel",
)
ARCHIVED = Refusal(
    "archived",
    "That channel is archived, so nothing can be posted there.",
    "the channel is archived",
)
NOT_YOURS = Refusal(
    "not_theirs",
    "I send a digest only to the person who asked for it.",
    "this is not the direct message of the person who scheduled it",
)
OF_PERSON: Mapping[PersonKind, Refusal] = {
    "guest": GUEST,
    "external": EXTERNAL,
    "gone": GONE,
    "unknown": UNKNOWN_PERSON,
}


def may_ask(person: Person, source: Place) -> Refusal | None:
    """Return why a person may not have a digest of a channel; None where they may.

    An archived channel may be summed up: its members can still read it.
    """
    if source.kind in {"direct", "group"}:
        return NO_SOURCE
    if person.kind != "member":
        return OF_PERSON[person.kind]
    return _may_read(person, source)


def _may_read(person: Person, source: Place) -> Refusal | None:
    if not source.is_readable:
        return UNREADABLE if source.kind == "public" else NOT_VISIBLE
    if source.kind == "unknown" or source.is_shared is None:
        return UNKNOWN_PLACE
    if person.is_in_source is None:
        return UNKNOWN_MEMBER
    if person.is_in_source:
        return None
    return NOT_THERE if source.kind == "public" else NOT_VISIBLE


def may_post(source: Place, target: Place, person: Person) -> Refusal | None:
    """Return why a digest of one place may not be posted in another for a person; None if it may.

    Every post of a digest passes here. In a channel that is shared with another workspace, a digest
    of that very channel shows nobody anything that they could not read before.
    """
    refusal = may_ask(person, source)
    if refusal is not None:
        return refusal
    if target.kind == "direct":
        return None if target.of_user == person.id and not target.is_shared else NOT_YOURS
    if target.kind == "unknown" or target.is_shared is None:
        return UNKNOWN_PLACE
    if target.id != source.id:
        return WIDER
    return ARCHIVED if target.is_archived else None
