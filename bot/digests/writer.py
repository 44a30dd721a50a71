"""A model writes a digest: at once, or of each part of a large channel and then of all of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from bot.digests.digest import Digest
from bot.digests.output import UnreadableDigest, joined, read_digest
from bot.digests.prompt import numbered, parts, told, told_again
from bot.errors import ModelError
from bot.turns.prices import NOTHING_SPENT, Spent
from bot.turns.question import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.digests.digest import Message, Reading
    from bot.digests.request import DigestRequest
    from bot.turns.answer import Written
    from bot.turns.prices import Prices
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

PART_TOKENS = 60_000  # of messages, in one request
ATTEMPTS = 2  # at a text that can be read


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
class DigestWriter:
    """Has digests written. Nothing that is told here is told to anything but the model."""

    writing: Writer
    joining: Writer
    prices: Prices
    check: Callable[[], None]  #: raises where a model may not be told what was read in Slack
    part_tokens: int = PART_TOKENS

    async def write(self, reading: Reading, request: DigestRequest, turn: Turn) -> WrittenDigest:
        """Write the digest of what was read.

        Raises a ModelError where the model cannot be asked, UnreadableDigest where what it writes
        is none.
        """
        known, zone = numbered(reading.messages), ZoneInfo(request.zone)
        found: list[WrittenDigest] = []
        for part in parts(reading, self.part_tokens):
            text = told(part, known, zone)
            found.append(await self._ask(self.writing, text, known, request, turn))
        if len(found) < 2:  # noqa: PLR2004 - there is something to join
            return found[0] if found else WrittenDigest(Digest(topics=()), NOTHING_SPENT)
        return await self._joined(found, known, request, turn)

    async def _joined(
        self,
        found: list[WrittenDigest],
        known: Mapping[str, Message],
        request: DigestRequest,
        turn: Turn,
    ) -> WrittenDigest:
        digests = [each.digest for each in found]
        spent = sum((each.spent for each in found), NOTHING_SPENT)
        is_cut = any(each.is_cut for each in found)
        together = WrittenDigest(joined(digests), spent, found[0].model, is_cut)
        text = told_again(digests, known)
        if not text:
            return together
        try:
            last = await self._ask(self.joining, text, known, request, turn)
        except (ModelError, UnreadableDigest) as error:
            log.warning(
                "the parts of a digest stay side by side",
                extra={"turn": turn.id, "error": type(error).__name__},
            )
            return together
        digest = replace(
            last.digest,
            dropped_messages=last.digest.dropped_messages + together.digest.dropped_messages,
            dropped_claims=last.digest.dropped_claims + together.digest.dropped_claims,
        )
        return WrittenDigest(digest, spent + last.spent, last.model, is_cut or last.is_cut)

    async def _ask(
        self,
        writer: Writer,
        text: str,
        known: Mapping[str, Message],
        request: DigestRequest,
        turn: Turn,
    ) -> WrittenDigest:
        asked, spent = Asked(_wanted(request, text), None), NOTHING_SPENT
        for attempt in range(ATTEMPTS):
            written = await writer.write(asked, turn)
            finished = written.finished
            spent += Spent(finished.usage, self.prices.of(finished, 0))
            try:
                digest = read_digest(written.text, known)
            except UnreadableDigest:
                log.warning("a digest cannot be read", extra={"turn": turn.id, "attempt": attempt})
            else:
                is_cut = finished.ending != "completed"
                return WrittenDigest(digest, spent, finished.model, is_cut)
        raise UnreadableDigest


def _wanted(request: DigestRequest, text: str) -> str:
    about = f"The reader wants to know about: {request.about}\n\n" if request.about else ""
    return f"{about}Messages, one JSON object on each line:\n{text}"
