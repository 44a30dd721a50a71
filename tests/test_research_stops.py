"""Research is stopped in each of four ways, wherever it stands, and nothing comes of it after."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, text

from bot.playground.responses import Profile, Scripted
from tests.stage import Stage, open_stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.playground.slack.workspace import Message

WAYS = ("button", "word", "deletion", "slack's own")
# By phase, after how many events the run's stream is held back, and what the plan says then.
PHASES = {
    "queued": (2, "Waiting for the model"),
    "searching": (10, "1 search"),
    "writing": (24, "Writing the report"),
}
ASKED = "How do I read the sources of an answer?"


def shown(message: Message) -> str:
    return json.dumps([message.blocks, message.final_blocks], ensure_ascii=False)


def bots(stage: Stage, root: str) -> list[Message]:
    return [m for m in stage.slack.thread(stage.general, root) if m.bot_id and m.ts != root]


async def stop(stage: Stage, way: str, root: str, asking: str) -> None:
    match way:
        case "button":
            [plan] = bots(stage, root)
            await stage.slack.press(stage.you, stage.general, plan.ts, "stop_research")
        case "word":
            await stage.slack.say(stage.you, stage.general, "stop", root)
        case "deletion":
            await stage.slack.delete(stage.general, asking)
        case _:
            ts = next((m.ts for m in bots(stage, root)), asking)
            await stage.slack.stop(stage.you, stage.general, ts)


def stored(folder: Path) -> list[dict[str, Any]]:
    """Read the turns as they are in the file."""
    engine = create_engine(f"sqlite:///{folder / 'footnote.db'}")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM turns ORDER BY id")).mappings().all()
    engine.dispose()
    return [dict(row) for row in rows]


@asynccontextmanager
async def researching(folder: Path, phase: str) -> AsyncIterator[tuple[Stage, str]]:
    """Ask for research, and hold it where it is."""
    events, words = PHASES[phase]
    async with open_stage(folder, profile=Profile(delta_seconds=0)) as stage:
        stage.responses.stall_after(events, background=True)
        root = await stage.mention(f"research: {ASKED}")
        await stage.slack.until(lambda _: words in "".join(map(shown, bots(stage, root))))
        yield stage, root


@pytest.mark.parametrize(("way", "phase"), list(product(WAYS, PHASES)))
async def test_a_run_is_stopped_at_the_provider_and_nothing_is_posted_after(
    tmp_path: Path, way: str, phase: str
) -> None:
    async with researching(tmp_path, phase) as (stage, root):
        await stop(stage, way, root, root)
        [plan] = bots(stage, root)
        await stage.slack.until(lambda _: "*Stopped after" in shown(plan))
        await stage.bot.inbox.close(10)  # which lets it come to its end
        calls = len(stage.slack.calls_of("chat.update"))
        other = await stage.mention(ASKED)  # in another thread: what else was to come, has come
        await stage.answers(stage.general, other)

        assert any("/cancel" in received.path for received in stage.responses.requests)
        assert bots(stage, root) == [plan]
        assert len(stage.slack.calls_of("chat.update")) == calls
        assert "stop_research" not in shown(plan)
        if phase != "queued":
            assert "*Searched*" in shown(plan)
        session = stage.slack.session(stage.general, root)
        assert session is not None
        assert session.status == "active"
        turn = stored(tmp_path)[0]

    assert turn["state"] == "stopped"
    assert turn["input_tokens"] > 0  # of what prepared it, at least
    assert turn["searches"] == {"queued": 0, "searching": 1, "writing": 3}[phase]


@pytest.mark.parametrize("way", ["word", "deletion", "slack's own"])
async def test_research_that_waits_behind_an_answer_is_taken_back(tmp_path: Path, way: str) -> None:
    async with open_stage(tmp_path, profile=Profile(delta_seconds=0)) as stage:
        stage.responses.stall_after(4)
        root = await stage.mention(ASKED)
        await stage.responses.until(lambda: stage.responses.creates)
        asking = await stage.mention(f"research: {ASKED}", root)
        await stage.slack.until(lambda s: s.status(stage.general, root))
        if way == "slack's own":
            event = {"type": "agent_session_stopped", "channel": stage.general, "thread_ts": root}
            await stage.slack.deliver(event | {"user": stage.you, "streaming_message_ts": []})
        else:
            await stop(stage, way, root, asking)
        stage.responses.resume()
        await stage.answers(stage.general, root)
        await stage.bot.inbox.close(10)

    assert [turn["state"] for turn in stored(tmp_path)] == ["answered", "stopped"]
    assert not [create for create in stage.responses.creates if create.get("background")]


async def test_a_research_can_be_stopped_while_it_is_prepared(tmp_path: Path) -> None:
    async with open_stage(tmp_path, profile=Profile(delta_seconds=0)) as stage:
        stage.responses.script(Scripted('{"questions": []}'))
        stage.responses.stall_after(3)
        root = await stage.mention(f"research: {ASKED}")
        await stage.slack.until(lambda _: "Preparing" in "".join(map(shown, bots(stage, root))))
        await stop(stage, "button", root, root)
        [plan] = bots(stage, root)
        await stage.slack.until(lambda _: "*Stopped after" in shown(plan))
        await stage.bot.inbox.close(10)
        stage.responses.resume()

    assert stored(tmp_path)[0]["state"] == "stopped"
    assert not [create for create in stage.responses.creates if create.get("background")]
