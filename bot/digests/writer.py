"""A model writes a digest: at once, or of each part of a large channel and then of all of them.

How much a model takes at once is not known beforehand. A part that is too long for it is cut anew.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar
from zoneinfo import ZoneInfo

from bot.digests.digest import Digest, Reading
from bot.digests.output import UnreadableDigest, joined, read_digest
from bot.digests.prompt import numbered, parts, told, told_again
from bot.errors import ModelError, ModelInputTooLong, ModelTooSmall
from bot.turns.prices import NOTHING_SPENT, Spent
from bot.turns.question import Asked
from bot.turns.transcript import BUDGETS, BYTES_PER_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.digests.digest import Message
    from bot.digests.request import DigestRequest
    from bot.turns.answer import Written
    from bot.turns.prices import Prices
    from bot.turns.turn import Turn

    Found = tuple["WrittenDigest", ...]

log = logging.getLogger(__name__)

ATTEMPTS = 2  # at a text that can be read
Whole = TypeVar("Whole")


class Writer(Protocol):
    """What writes a text at once, and has no tool to do it with."""

    async def write(self, asked: Asked, turn: Turn) -> Written:
        """Return the whole text. Raises a ModelError where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class WrittenDigest:
    """A digest, and what it took."""

    digest: Digest
    spent: Spent
    model: str = ""
    is_cut: bool = False  #: whether the model broke off, so that something may be missing


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What all that is written for a digest is written for."""

    known: Mapping[str, Message]
    request: DigestRequest
    turn: Turn


@dataclass(frozen=True, slots=True)
class DigestWriter:
    """Has digests written. Nothing that is told here is told to anything but the model."""

    writing: Writer
    joining: Writer
    prices: Prices
    check: Callable[[], None]  #: raises where a model may not be told what was read in Slack
    budgets: tuple[int, ...] = BUDGETS  #: tokens of messages in one request; less if too much

    async def write(self, reading: Reading, request: DigestRequest, turn: Turn) -> WrittenDigest:
        """Write the digest of what was read.

        Raises a ModelError where the model cannot be asked, ModelTooSmall where it has no room for
        even a little of it, UnreadableDigest where what it writes is none.
        """
        wanted = _Wanted(numbered(reading.messages), request, turn)
        first, *smaller = self.budgets
        found: Found = ()
        for part in parts(reading, first):
            found += await self._written(part, tuple(smaller), wanted)
        return await self._joined(found, self.budgets, wanted)

    async def _written(
        self, part: tuple[Message, ...], smaller: tuple[int, ...], wanted: _Wanted
    ) -> Found:
        """Write of a part, or of smaller ones where it is too long for the model."""
        text = told(part, wanted.known, ZoneInfo(wanted.request.zone))
        try:
            return (await self._ask(self.writing, text, wanted),)
        except ModelInputTooLong as error:
            log.info("a part of a digest is cut anew", extra={"turn": wanted.turn.id})
            pieces, smaller = _cut(part, lambda size: parts(Reading(messages=part), size), smaller)
            if not pieces:
                raise ModelTooSmall from error
        found: Found = ()
        for piece in pieces:
            found += await self._written(piece, smaller, wanted)
        return found

    async def _joined(
        self, found: Found, smaller: tuple[int, ...], wanted: _Wanted
    ) -> WrittenDigest:
        """Make one digest of those of the parts, or of some where all are too long for the model.

        What the model does not join stays side by side.
        """
        together = _side_by_side(found)
        text = told_again((each.digest for each in found), wanted.known)
        if len(found) < 2 or not text:  # noqa: PLR2004 - there is something to join
            return together
        try:
            last = await self._ask(self.joining, text, wanted)
        except ModelInputTooLong:
            log.info("a few parts of a digest are joined at once", extra={"turn": wanted.turn.id})
            groups, smaller = _cut(found, lambda size: _grouped(found, wanted.known, size), smaller)
            few = [await self._joined(group, smaller, wanted) for group in groups]
            return _side_by_side(tuple(few)) if few else together
        except (ModelError, UnreadableDigest) as error:
            log.warning(
                "the parts of a digest stay side by side",
                extra={"turn": wanted.turn.id, "error": type(error).__name__},
            )
            return together
        return _after(together, last)

    async def _ask(self, writer: Writer, text: str, wanted: _Wanted) -> WrittenDigest:
        turn, spent = wanted.turn, NOTHING_SPENT
        asked = Asked(_said(wanted.request, text), None)
        for attempt in range(ATTEMPTS):
            written = await writer.write(asked, turn)
            finished = written.finished
            spent += Spent(finished.usage, self.prices.of(finished, 0))
            try:
                digest = read_digest(written.text, wanted.known)
            except UnreadableDigest:
                log.warning("a digest cannot be read", extra={"turn": turn.id, "attempt": attempt})
            else:
                is_cut = finished.ending != "completed"
                return WrittenDigest(digest, spent, finished.model, is_cut)
        raise UnreadableDigest


def _cut(
    whole: Whole, cut: Callable[[int], list[Whole]], budgets: tuple[int, ...]
) -> tuple[list[Whole], tuple[int, ...]]:
    """Cut with the first of these budgets that makes it any smaller, and return those after it.

    There are no pieces where none of them does.
    """
    for number, tokens in enumerate(budgets, 1):
        pieces = cut(tokens)
        if pieces != [whole]:
            return pieces, budgets[number:]
    return [], ()


def _grouped(found: Found, known: Mapping[str, Message], tokens: int) -> list[Found]:
    """Put digests of parts that follow each other together, as far as they fit."""
    room = int(tokens * BYTES_PER_TOKEN)
    groups: list[Found] = []
    left = -1
    for each in found:
        size = len(told_again([each.digest], known).encode())
        left -= size
        if left < 0:
            groups.append(())
            left = room - size
        groups[-1] += (each,)
    return groups


def _side_by_side(found: Found) -> WrittenDigest:
    if len(found) == 1:
        return found[0]
    return WrittenDigest(
        joined(each.digest for each in found),
        sum((each.spent for each in found), NOTHING_SPENT),
        found[0].model if found else "",
        any(each.is_cut for each in found),
    )


def _after(together: WrittenDigest, last: WrittenDigest) -> WrittenDigest:
    """Return what was joined, with all that it took and all that was dropped on the way."""
    first = together.digest
    digest = replace(
        last.digest,
        dropped_messages=last.digest.dropped_messages + first.dropped_messages,
        dropped_claims=last.digest.dropped_claims + first.dropped_claims,
    )
    spent, is_cut = together.spent + last.spent, together.is_cut or last.is_cut
    return WrittenDigest(digest, spent, last.model, is_cut)


def _said(request: DigestRequest, text: str) -> str:
    about = f"The reader wants to know about: {request.about}\n\n" if request.about else ""
    return f"{about}Messages, one JSON object on each line:\n{text}"
