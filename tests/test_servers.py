"""A thread is remembered on every server that the bot may meet, by address and model alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.playground.responses import SERVERS, LocalResponses, Profile
from bot.playground.slack import LocalSlack
from bot.store.database import open_database
from bot.store.migrate import upgrade
from bot.turns.question import Thread
from tests.stage import FAST, below, open_bot_between, open_stage
from tests.store.examples import Clock, a_question, a_store, an_answer, started

if TYPE_CHECKING:
    from pathlib import Path

# On this machine no address tells whose server it is.
DIALECTS = ("azure", "openrouter", "xai", "perplexity", "parallel")
FIRST, SECOND = "How do I ask in a channel?", "And then?"


def told(responses: LocalResponses) -> str:
    """Return what the model was told with the last request, be it by a chain."""
    last = responses.creates[-1]
    parent = last.get("previous_response_id")
    chain = responses.stored[parent].chain if parent else ()
    return f"{chain} {last['input']}"


@pytest.mark.parametrize("loss", ["deleted", "expired", "another key"])
async def test_it_knows_it_where_the_first_can_no_longer_be_followed(
    tmp_path: Path, loss: str
) -> None:
    async with (
        LocalSlack.start(limits=FAST) as slack,
        LocalResponses.start(profile=Profile(delta_seconds=0)) as responses,
    ):
        async with open_bot_between(tmp_path, slack, responses) as stage:
            root = await stage.mention(FIRST)
            await stage.answers(stage.general, root)
        (parent,) = responses.stored
        key = responses.api_key
        match loss:
            case "deleted":
                responses.forget(parent)
            case "expired":
                responses.expire(parent)
            case _:
                key = "sk-another"
                responses.accept_key(key)
        async with open_bot_between(tmp_path, slack, responses, OPENAI_API_KEY=key) as stage:
            await stage.mention(SECOND, root)
            _, second = await stage.answers(stage.general, root, count=2)

    _, named, told_again = responses.creates
    assert named["previous_response_id"] == parent
    assert FIRST in told(responses)
    assert "previous_response_id" not in told_again
    assert ":warning:" not in below(second)


async def test_of_a_chain_of_200_turns_that_exceeds_the_window_the_newest_are_told(
    tmp_path: Path,
) -> None:
    profile = Profile(delta_seconds=0, context_window=30_000)
    async with LocalSlack.start(limits=FAST) as slack:
        general = slack.channels["general"]
        root = await slack.say(slack.users["you"], general, "the root")
        await talk(tmp_path, Thread(team=slack.team, channel=general, thread_ts=root), turns=200)
        async with (
            LocalResponses.start(profile=profile) as responses,
            open_bot_between(tmp_path, slack, responses) as stage,
        ):
            await stage.mention("What is citation number 200?", root)
            (answer,) = await stage.answers(stage.general, root)

    assert "Question 199?" in told(responses)
    assert "Question 0?" not in told(responses)
    assert "the beginning of the thread was left out" in below(answer)
    assert ":warning:" not in below(answer)
    sizes = [len(create["input"]) for create in responses.creates]
    assert sizes[0] == 1  # the chain, which is gone
    assert sizes[1] > sizes[-1] > 2  # all that the budget has room for, and less


async def talk(folder: Path, thread: Thread, turns: int) -> None:
    """Write the database of a long thread, whose responses no server has any more."""
    clock = Clock(datetime.now(UTC))
    async with open_database(f"sqlite+aiosqlite:///{folder / 'footnote.db'}") as database:
        await upgrade(database)
        store = a_store(database, clock)
        for n in range(turns):
            question = a_question(f"{n}.1", thread=thread, text=f"Question {n}?")
            turn = await started(store, question)
            text = f"Answer {n}. " + "A sentence of some length about it. " * 60
            await store.finish_turn(turn, replace(an_answer(f"resp_{n}"), text=text))


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
