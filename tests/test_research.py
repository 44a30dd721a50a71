"""Research from the command to the report, between the local servers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.playground.responses import LocalResponses, Profile, Scripted
from bot.playground.slack import LocalSlack
from tests.stage import FAST, Stage, open_bot_between, open_stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.playground.slack.workspace import Message

QUICK = Profile(delta_seconds=0, queued_seconds=0.05, working_seconds=0.1)
READY = "your report is ready."
ASKED = "How do I read the sources of an answer?"


def bots(stage: Stage, root: str) -> list[Message]:
    return [m for m in stage.slack.thread(stage.general, root) if m.bot_id and m.ts != root]


def shown(message: Message) -> str:
    return json.dumps([message.blocks, message.final_blocks], ensure_ascii=False)


async def reported(stage: Stage, root: str) -> list[Message]:
    """Wait for the report, and return the bot's messages."""
    await stage.slack.until(lambda _: READY in "".join(map(shown, bots(stage, root))))
    return bots(stage, root)


def background(responses: LocalResponses) -> list[dict[str, Any]]:
    return [create for create in responses.creates if create.get("background")]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path, profile=QUICK) as stage:
        yield stage


async def test_a_mention_that_wants_research_gets_a_plan_a_report_and_one_word_that_it_is_there(
    stage: Stage,
) -> None:
    root = await stage.mention(f"research: {ASKED}")
    plan, report = await reported(stage, root)

    assert "Researched in" in shown(plan)
    assert "stop_research" not in shown(plan)
    assert "show_trail" in shown(plan)
    assert f"<@{stage.you}> {READY}" in shown(report)
    assert "[1](https://footnote.example/handbook/" in shown(report)
    assert "Sources" in shown(report)
    assert f"<@{stage.you}>" not in shown(plan)
    [create] = background(stage.responses)
    assert create["store"] is create["stream"] is True
    assert create["max_tool_calls"] == 60
    assert ASKED in str(create["input"])
    assert "research:" not in str(create["input"])


async def test_the_command_posts_what_is_researched(stage: Stage) -> None:
    await stage.slack.command(stage.you, stage.general, "/research", ASKED)
    await stage.slack.until(lambda s: len(s.calls_of("chat.postMessage")) > 1)
    channel = stage.slack.workspace.channels[stage.general]
    root = next(m.ts for m in channel.messages.values() if "asked:" in m.text)

    assert len(await reported(stage, root)) == 2


async def test_an_answer_can_be_gone_into_deeper_once(stage: Stage) -> None:
    root = await stage.mention(ASKED)
    [answer] = await stage.answers(stage.general, root)
    for _ in range(2):
        await stage.slack.press(stage.you, stage.general, answer.ts, "go_deeper")

    assert len(await reported(stage, root)) == 3
    [create] = background(stage.responses)
    assert [item["role"] for item in create["input"]] == ["user", "assistant", "user"]


async def test_a_follow_up_is_chained_to_the_report(stage: Stage) -> None:
    root = await stage.mention(f"research: {ASKED}")
    await reported(stage, root)
    await stage.mention("And the searches?", root)
    await stage.slack.until(lambda _: len(bots(stage, root)) == 3)
    await stage.slack.until(lambda _: bool(bots(stage, root)[-1].final_blocks))

    assert stage.responses.creates[-1]["previous_response_id"] in stage.responses.stored


@pytest.mark.parametrize("way", ["button", "word", "deletion", "slack's own"])
async def test_a_run_can_be_stopped(tmp_path: Path, way: str) -> None:
    async with open_stage(tmp_path, profile=QUICK) as stage:
        stage.responses.stall_after(4, background=True)
        root = await stage.mention(f"research: {ASKED}")
        await stage.slack.until(lambda _: "stop_research" in "".join(map(shown, bots(stage, root))))
        await stage.responses.until(lambda: background(stage.responses))
        [plan] = bots(stage, root)
        match way:
            case "button":
                await stage.slack.press(stage.you, stage.general, plan.ts, "stop_research")
            case "word":
                await stage.slack.say(stage.you, stage.general, "Stop!", root)
            case "deletion":
                await stage.slack.delete(stage.general, root)
            case _:
                await stage.slack.stop(stage.you, stage.general, plan.ts)
        await stage.slack.until(lambda _: "*Stopped after" in shown(plan))

        assert "stop_research" not in shown(plan)
        assert bots(stage, root) == [plan]
        assert any("/cancel" in received.path for received in stage.responses.requests)


async def test_only_who_asked_or_an_administrator_stops_a_run(tmp_path: Path) -> None:
    async with open_stage(tmp_path, profile=QUICK) as stage:
        stage.responses.stall_after(4, background=True)
        root = await stage.mention(f"research: {ASKED}")
        await stage.slack.until(lambda _: "stop_research" in "".join(map(shown, bots(stage, root))))
        [plan] = bots(stage, root)
        other = stage.slack.users["colleague"]
        await stage.slack.press(other, stage.general, plan.ts, "stop_research")
        await stage.slack.until(lambda s: s.calls_of("chat.postEphemeral"))

        assert "stop_research" in shown(plan)


async def test_the_trail_is_shown_to_who_wants_to_see_it(stage: Stage) -> None:
    root = await stage.mention(f"research: {ASKED}")
    plan, *_ = await reported(stage, root)
    await stage.slack.press(stage.slack.users["colleague"], stage.general, plan.ts, "show_trail")
    await stage.slack.until(lambda s: s.calls_of("chat.postEphemeral"))

    [call] = stage.slack.calls_of("chat.postEphemeral")
    assert "read footnote.example" in str(call)


async def test_a_run_goes_on_in_the_next_process(tmp_path: Path) -> None:
    profile = Profile(delta_seconds=0, queued_seconds=0.05, working_seconds=2.0)
    async with (
        LocalSlack.start(limits=FAST) as slack,
        LocalResponses.start(profile=profile) as model,
    ):
        async with open_bot_between(tmp_path, slack, model, GRACE_SECONDS=0) as stage:
            root = await stage.mention(f"research: {ASKED}")
            await model.until(lambda: background(model))
            await slack.until(lambda _: "stop_research" in "".join(map(shown, bots(stage, root))))
        async with open_bot_between(tmp_path, slack, model) as stage:
            messages = await reported(stage, root)

    assert len(messages) == 2
    assert len(background(model)) == 1


async def test_a_server_without_a_background_researches_in_the_foreground(tmp_path: Path) -> None:
    profile = Profile(delta_seconds=0, refused_parameters=("background",))
    async with open_stage(tmp_path, profile=profile) as stage:
        root = await stage.mention(f"research: {ASKED}")

        assert len(await reported(stage, root)) == 2


async def test_what_fails_is_said_and_can_be_researched_again(stage: Stage) -> None:
    stage.responses.fail(401, '{"error": {"code": "invalid_api_key"}}')
    root = await stage.mention(f"research: {ASKED}")
    await stage.slack.until(lambda _: "try_again" in "".join(map(shown, bots(stage, root))))
    [plan] = bots(stage, root)
    assert "did not accept my API key" in shown(plan)
    await stage.slack.press(stage.you, stage.general, plan.ts, "try_again")

    assert len(await reported(stage, root)) == 2


OPEN = Scripted('{"questions": ["Which answer?", "Of which year?"]}')


async def asked_back(stage: Stage) -> tuple[str, Message]:
    """Ask for research of which something is open; return the thread and what is asked back."""
    stage.responses.script(OPEN)
    root = await stage.mention(f"research: {ASKED}")
    await stage.slack.until(lambda _: "start_now" in "".join(map(shown, bots(stage, root))))
    [message] = bots(stage, root)
    return root, message


async def test_what_is_open_is_asked_and_the_reply_is_researched(stage: Stage) -> None:
    root, message = await asked_back(stage)
    assert "1. Which answer?" in shown(message)
    assert "2. Of which year?" in shown(message)
    await stage.slack.say(stage.you, stage.general, "Any, of this year.", root)

    messages = await reported(stage, root)
    assert messages[0] is message
    assert len(messages) == 3
    [create] = background(stage.responses)
    told = [str(item["content"]) for item in create["input"]]
    assert ASKED in told[0]
    assert "Which answer?" in told[1]
    assert "Any, of this year." in told[2]


async def test_a_research_is_started_without_an_answer_once(stage: Stage) -> None:
    root, message = await asked_back(stage)
    colleague = stage.slack.users["colleague"]
    await stage.slack.press(colleague, stage.general, message.ts, "start_now")
    for _ in range(2):
        await stage.slack.press(stage.you, stage.general, message.ts, "start_now")

    messages = await reported(stage, root)
    assert messages[0] is message  # which is the plan by now
    assert len(messages) == 2
    assert len(background(stage.responses)) == 1


async def test_who_was_asked_something_can_leave_it(stage: Stage) -> None:
    root, message = await asked_back(stage)
    await stage.slack.say(stage.you, stage.general, "stop", root)
    await stage.slack.until(lambda s: s.calls_of("chat.postEphemeral"))
    await stage.slack.press(stage.you, stage.general, message.ts, "start_now")

    assert bots(stage, root) == [message]
    assert not background(stage.responses)


async def test_nothing_is_asked_where_that_is_not_wanted(tmp_path: Path) -> None:
    async with open_stage(tmp_path, profile=QUICK, RESEARCH_ASKS_BACK=False) as stage:
        root = await stage.mention(f"research: {ASKED}")
        await reported(stage, root)

    assert [bool(create.get("background")) for create in stage.responses.creates] == [False, True]


async def test_what_prepares_a_research_reaches_no_tool_and_is_not_kept(stage: Stage) -> None:
    root = await stage.mention(f"research: {ASKED}")
    plan, _ = await reported(stage, root)

    clarifying, briefing, run = stage.responses.creates
    for create in (clarifying, briefing):
        assert "tools" not in create
        assert create["store"] is False
    assert clarifying["text"]["format"]["name"] == "clarifying"
    assert "Brief:" in str(run["input"])
    assert "show_brief" in shown(plan)
    await stage.slack.press(stage.slack.users["colleague"], stage.general, plan.ts, "show_brief")
    await stage.slack.until(lambda s: s.calls_of("chat.postEphemeral"))
