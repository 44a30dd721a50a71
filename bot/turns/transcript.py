"""What a thread has said so far, told again to a model that does not remember it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.turns.question import Exchange, Question

BYTES_PER_TOKEN = 3.0  # of UTF-8, or fewer: English has four, Chinese has three
# What is told again at most; less where the model says that it is too much.
BUDGETS = (60_000, 15_000, 4_000)  # tokens
SHORTEST = 200  # bytes of an answer that are still worth telling
CUT = " […]"


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier question of the thread, and what was answered."""

    question: Question
    answer: str | None  #: None where an older version did not keep it


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is told again."""

    exchanges: tuple[Exchange, ...]
    is_whole: bool  #: whether nothing was left out

    def within(self, tokens: int, bytes_per_token: float = BYTES_PER_TOKEN) -> Transcript:
        """Choose what of it is told again."""
        return transcript(self.exchanges, tokens, bytes_per_token)


def transcript(
    exchanges: Sequence[Exchange], tokens: int, bytes_per_token: float = BYTES_PER_TOKEN
) -> Transcript:
    """Choose what is told again: the newest whole, the oldest shortened first, then left out."""
    left = int(tokens * bytes_per_token)
    kept: list[Exchange] = []
    for exchange in reversed(exchanges):
        left -= _size(exchange.text) + _size(exchange.name or "")
        room = min(left, _size(exchange.answer))
        if left < 0 or room < min(SHORTEST, _size(exchange.answer)):
            return Transcript(tuple(reversed(kept)), is_whole=False)
        kept.append(replace(exchange, answer=_shortened(exchange.answer, room)))
        left -= room
    kept.reverse()
    return Transcript(tuple(kept), is_whole=kept == list(exchanges))


def bytes_per_token(told: Transcript, tokens: int) -> float:
    """Say how long a token is, where what is told was counted, with all that goes with it."""
    return max(BYTES_PER_TOKEN, size_of(told.exchanges) / max(tokens, 1))


def size_of(exchanges: Iterable[Exchange]) -> int:
    """Return the bytes of what is told."""
    return sum(_size(e.text) + _size(e.name or "") + _size(e.answer) for e in exchanges)


def _size(text: str) -> int:
    return len(text.encode())


def _shortened(text: str, size: int) -> str:
    whole = text.encode()
    if len(whole) <= size:
        return text
    return whole[: size - _size(CUT)].decode(errors="ignore") + CUT
