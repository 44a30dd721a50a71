"""Nothing is asked of a model that would take what it is told to the web."""

from __future__ import annotations

import pytest

from bot.errors import ModelSearchesByItself
from bot.responses.discretion import DiscreetModel
from bot.responses.writing import WritingModel
from bot.turns.answer import Finished, TextDelta
from tests.fakes import FakeModel
from tests.responses.examples import ASKED, a_turn, ended


async def test_a_model_that_searches_by_itself_is_asked_nothing() -> None:
    model = FakeModel([TextDelta("No."), ended()])
    discreet = DiscreetModel(model, searches_by_itself=True)

    with pytest.raises(ModelSearchesByItself):
        discreet.check()
    with pytest.raises(ModelSearchesByItself):
        await WritingModel(discreet).write(ASKED, a_turn())
    with pytest.raises(ModelSearchesByItself):
        await discreet.count_tokens(ASKED, a_turn())
    assert (model.asked, model.counted) == ([], [])


async def test_any_other_is_asked_as_it_is() -> None:
    model = FakeModel([TextDelta("Yes."), ended()], counts=lambda _: 7)
    discreet = DiscreetModel(model, searches_by_itself=False)

    discreet.check()
    parts = [part async for part in discreet.respond(ASKED, a_turn())]
    assert [type(part) for part in parts] == [TextDelta, Finished]
    assert await discreet.count_tokens(ASKED, a_turn()) == 7
