"""What was read in Slack is told only to a model that takes it nowhere else."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import ModelSearchesByItself

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.turns.answer import Part
    from bot.turns.question import Asked
    from bot.turns.run import Model
    from bot.turns.turn import Turn


@dataclass(frozen=True, slots=True)
class DiscreetModel:
    """A model that is asked nothing where it would search the web by itself."""

    model: Model  #: whose options name no tool
    searches_by_itself: bool

    def check(self) -> None:
        """Raise ModelSearchesByItself where it does; to be asked before anything is read."""
        if self.searches_by_itself:
            raise ModelSearchesByItself

    async def respond(self, asked: Asked, turn: Turn) -> AsyncGenerator[Part]:
        """Yield the answer's parts. Raises ModelSearchesByItself before anything is sent."""
        self.check()
        async with aclosing(self.model.respond(asked, turn)) as parts:
            async for part in parts:
                yield part

    async def count_tokens(self, asked: Asked, turn: Turn) -> int | None:
        """Return how many tokens a question has; None where nobody can say."""
        self.check()
        return await self.model.count_tokens(asked, turn)
