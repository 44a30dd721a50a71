"""What was said in a thread before a question, as it was recorded or as Slack has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.turns.question import OFF_THE_WEB, Exchange
from bot.turns.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.turns.question import Asked, Question
    from bot.turns.transcript import Past
    from bot.turns.turn import Turn


class People(Protocol):
    """Who is meant by what was written."""

    async def read(self, question: Question) -> Asked:
        """Say the question in plain words, with names instead of ids."""
        ...


class History(Protocol):
    """What was said in a thread, where it is shown."""

    async def read(self, question: Question) -> Transcript:
        """Return what the bot was asked and answered before the question; raises nothing."""
        ...


class Store(Protocol):
    """What the bot remembers of a thread."""

    async def past(self, turn: Turn) -> Sequence[Past]:
        """Return what was answered in the thread before, the first one first."""
        ...


@dataclass(frozen=True, slots=True)
class Memory:
    """Says questions, and what came before them, in plain words."""

    people: People
    history: History
    store: Store

    async def read(self, question: Question) -> Asked:
        """Say the question in plain words."""
        return await self.people.read(question)

    async def said_before(self, turn: Turn) -> Transcript:
        """Return what was asked and answered in the thread before, the first one first.

        Research is told only what the same person asked: what others wrote stays out of a run that
        searches the web by itself for an hour. Of a digest's thread, whose text was read in Slack,
        nothing is told that could be from there.
        """
        past = await self.store.past(turn)
        if any(each.question.kind in OFF_THE_WEB for each in past):
            own = [each for each in past if each.question.kind not in OFF_THE_WEB]
            past = [each for each in own if each.question.user == turn.question.user]
            return Transcript(await self._told(past), is_whole=True)
        if turn.question.kind == "research":
            own = [each for each in past if each.question.user == turn.question.user]
            return Transcript(await self._told(own), is_whole=True)
        if not past or any(each.answer is None for each in past):
            read = await self.history.read(turn.question)
            if read.exchanges or not past:
                return read
        return Transcript(await self._told(past), is_whole=True)

    async def _told(self, past: Sequence[Past]) -> tuple[Exchange, ...]:
        exchanges = []
        for each in past:
            asked = await self.people.read(each.question)
            exchanges.append(Exchange(asked.text, asked.name, each.answer or ""))
        return tuple(exchanges)
