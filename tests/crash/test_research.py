"""A bot that is killed between any two steps of a research reports once all the same."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from bot.playground.responses import LocalResponses, Profile
from bot.playground.slack import LocalSlack
from tests.crash.lives import open_lives
from tests.crash.people import LIMITS

if TYPE_CHECKING:
    from pathlib import Path

    from bot.playground.slack.workspace import Message

READY = "your report is ready."
# So many steps each of them lives. Over the first three nothing may be known of a run, so a fourth
# that comes no further is the last; afterwards the run goes on at the server.
LIVES = ((3, 25), (48, 10, 20, 25, 30, 35, 40), (54, 24, 28, 32, 36, 40, 44, 48))


@pytest.mark.parametrize("lives", LIVES, ids=["short", "longer", "long"])
async def test_one_plan_one_report_and_one_mention_come_of_it(
    tmp_path: Path, lives: tuple[int, ...]
) -> None:
    profile = Profile(delta_seconds=0.002, queued_seconds=0.05)
    async with (
        LocalSlack.start(limits=LIMITS) as slack,
        LocalResponses.start(profile=profile) as responses,
    ):
        general, log = slack.channels["general"], tmp_path / "log"
        log.touch()
        async with open_lives(environment(slack, responses, tmp_path), log) as server:
            asked = f"<@{slack.bot_user}> research: How do I read the sources of an answer?"
            root = await slack.say(slack.users["you"], general, asked)

            def said() -> list[Message]:
                return [m for m in slack.thread(general, root) if m.bot_id]

            killed = 0
            for borders in lives:
                life = await server.begin(borders)
                await life.end_within(4)
                life.kill()  # which had nothing left to do, or waited
                await life.ended.wait()
                killed += life.status == -signal.SIGKILL
            last = await server.begin()
            await slack.until(lambda _: READY in shown(said()), 20)
            await slack.until(lambda _: "stop_research" not in shown(said()))
            last.kill(signal.SIGTERM)
            await last.ended.wait()

    plan, report = said()
    assert killed >= 2
    assert "Researched in" in shown([plan])
    assert shown([plan, report]).count(READY) == 1
    assert shown([plan, report]).count(f"<@{slack.users['you']}>") == 1
    assert len([create for create in responses.creates if create.get("background")]) <= 2


def shown(messages: list[Message]) -> str:
    return json.dumps([m.blocks for m in messages])


def environment(slack: LocalSlack, responses: LocalResponses, folder: Path) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "OPENAI_BASE_URL": responses.base_url,
        "OPENAI_API_KEY": responses.api_key,
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/footnote.db",
        "LOG_FORMAT": "json",
    }
