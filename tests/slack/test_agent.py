from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.slack.agent import REFUSED_SECONDS, TITLE_CHARACTERS, Agent
from bot.turns.question import Thread
from tests.slack.servers import slack_web
from tests.slack.test_identity import Clock

if TYPE_CHECKING:
    import pytest

THREAD = Thread(team="T1", channel="D1", thread_ts="1.1")


async def test_prompts_and_title_are_what_slack_calls_them() -> None:
    async with slack_web() as (web, answers):
        agent = Agent(web, Clock())
        await agent.prompts("D1")
        await agent.title(THREAD, "word " * 40)

    (prompts, offered), (title, named) = answers.calls
    assert prompts == "assistant.threads.setSuggestedPrompts"
    assert "thread_ts" not in offered
    assert all(set(prompt) == {"title", "message"} for prompt in offered["prompts"])
    assert len(offered["prompts"]) <= 4
    assert title == "agents.sessions.rename"
    assert named["title"].endswith("word…")
    assert len(named["title"]) <= TITLE_CHARACTERS + 1


async def test_what_a_session_does_is_what_slack_calls_it() -> None:
    async with slack_web() as (web, answers):
        await Agent(web, Clock()).status(THREAD, "processing")

    assert answers.calls == [
        (
            "agents.sessions.setStatus",
            {"channel_id": "D1", "thread_ts": "1.1", "status": "processing"},
        )
    ]


async def test_a_workspace_without_agents_is_not_asked_again_for_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with slack_web() as (web, answers):
        clock = Clock()
        agent = Agent(web, clock)
        answers.next = [{"json": {"ok": False, "error": "not_agent_app"}}]
        await agent.prompts("D1")
        await agent.prompts("D1")
        await agent.title(THREAD, "another method is not meant")
        clock.now += REFUSED_SECONDS + 1
        await agent.prompts("D1")

    assert [method.rpartition(".")[2] for method, _ in answers.calls] == [
        "setSuggestedPrompts",
        "rename",
        "setSuggestedPrompts",
    ]
    assert "cosmetic call refused" in caplog.text


async def test_a_failure_that_may_pass_is_swallowed_and_tried_again() -> None:
    async with slack_web() as (web, answers):
        agent = Agent(web, Clock())
        answers.next = [{"drop": True}, {"json": {"ok": False, "error": "invalid_thread_ts"}}]
        for _ in range(3):
            await agent.title(THREAD, "hm")

    assert len(answers.calls) == 3
