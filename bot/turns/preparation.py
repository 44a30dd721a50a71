"""What comes before a research: what is open is asked, and what is to be done is written down.

question ─► at most three questions ─► the person answers, or starts it ─► brief ─► run
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from bot.turns.form import form_of, read_object
from bot.turns.prices import Spent

if TYPE_CHECKING:
    from bot.turns.answer import Written
    from bot.turns.prices import Prices
    from bot.turns.question import Asked
    from bot.turns.turn import Turn

QUESTIONS = 3
QUESTION_CHARACTERS = 300
BRIEF_CHARACTERS = 3_000
FORM = form_of("clarifying", questions={"type": "array", "items": {"type": "string"}})


class Writer(Protocol):
    """What writes a text at once."""

    async def write(self, asked: Asked, turn: Turn) -> Written:
        """Return the whole text. Raises a ModelError where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Clarified:
    """What is to be asked before a research; nothing, where the question is clear."""

    questions: tuple[str, ...]
    spent: Spent


@dataclass(frozen=True, slots=True)
class Briefed:
    """What is to be researched, in plain words; "" where the question says it all."""

    brief: str
    spent: Spent


@dataclass(frozen=True, slots=True)
class Preparation:
    """Prepares research with two small requests to the model that answers."""

    clarifying: Writer
    briefing: Writer
    prices: Prices
    asks: bool = True  #: whether anything is asked at all

    async def clarify(self, asked: Asked, turn: Turn) -> Clarified:
        """Find out what is open. Raises a ModelError where the model cannot be asked."""
        written = await self.clarifying.write(asked, turn)
        return Clarified(read_questions(written.text), self._spent(written))

    async def brief(self, asked: Asked, turn: Turn) -> Briefed:
        """Have the brief written. Raises a ModelError where the model cannot be asked."""
        written = await self.briefing.write(asked, turn)
        return Briefed(written.text.strip()[:BRIEF_CHARACTERS], self._spent(written))

    def _spent(self, written: Written) -> Spent:
        return Spent(written.finished.usage, self.prices.of(written.finished, 0))


def read_questions(text: str) -> tuple[str, ...]:
    """Read what the model wants to know; what is no question in the form asked for is nothing."""
    said = (read_object(text) or {}).get("questions")
    listed = said if isinstance(said, list) else []
    questions = [" ".join(each.split()) for each in listed if isinstance(each, str)]
    return tuple(each[:QUESTION_CHARACTERS] for each in questions if each)[:QUESTIONS]


def with_brief(asked: Asked, brief: str) -> Asked:
    """Say a question with its brief."""
    return replace(asked, text=f"{asked.text}\n\nBrief:\n{brief}") if brief else asked
