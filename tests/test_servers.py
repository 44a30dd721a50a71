"""A thread is remembered on every server that the bot may meet, by address and model alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.playground.responses import SERVERS
from tests.stage import below, open_stage

if TYPE_CHECKING:
    from pathlib import Path

    from bot.playground.responses import LocalResponses

# On this machine no address tells whose server it is.
DIALECTS = ("azure", "openrouter", "xai", "perplexity", "parallel")
FIRST, SECOND = "How do I ask in a channel?", "And then?"


def told(responses: LocalResponses) -> str:
    """Return what the model was told with the last request, be it by a chain."""
    last = responses.creates[-1]
    parent = last.get("previous_response_id")
    chain = responses.stored[parent].chain if parent else ()
    return f"{chain} {last['input']}"


@pytest.mark.parametrize("name", SERVERS)
async def test_the_second_answer_knows_the_first(tmp_path: Path, name: str) -> None:
    profile = replace(SERVERS[name], delta_seconds=0)
    dialect = next((each for each in DIALECTS if name.startswith(each)), "auto")
    model = profile.models[0] if profile.models else "gpt-6.1-sol"
    async with open_stage(
        tmp_path, profile=profile, OPENAI_MODEL=model, OPENAI_DIALECT=dialect
    ) as stage:
        root = await stage.mention(FIRST)
        await stage.answers(stage.general, root)
        await stage.mention(SECOND, root)
        first, second = await stage.answers(stage.general, root, count=2)

        assert FIRST in told(stage.responses)
        assert SECOND in told(stage.responses)
    for answer in (first, second):
        assert answer.markdown
        assert ":warning:" not in below(answer)
