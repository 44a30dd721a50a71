"""Short texts, written at once and without a search: what prepares an answer, or sums one up."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import ModelCutOff
from bot.turns.answer import Finished, TextDelta, Written

if TYPE_CHECKING:
    from bot.turns.question import Asked
    from bot.turns.run import Model
    from bot.turns.turn import Turn


class WritingModel:
    """A model that is waited for until it has written everything."""

    def __init__(self, model: Model) -> None:
        """Take a model whose options name no tool: what is told here stays off the web."""
        self._model = model

    async def write(self, asked: Asked, turn: Turn) -> Written:
        """Return the whole text. Chained to nothing. Raises a ModelError where there is none."""
        texts: list[str] = []
        alone = replace(turn, previous_response_id=None)
        async with aclosing(self._model.respond(asked, alone)) as parts:
            async for part in parts:
                match part:
                    case TextDelta(text):
                        texts.append(text)
                    case Finished():
                        return Written("".join(texts), part)
        raise ModelCutOff
