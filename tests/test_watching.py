"""The whole bot, watched from outside: by its port, its log and the status with which it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.app import run
from bot.errors import ConnectionLost
from bot.playground.responses import LocalResponses, Profile
from bot.playground.slack import LocalSlack
from bot.playground.slack.delivery import signature
from bot.settings import load_settings
from bot.slack.socket import Patience
from bot.store.database import open_file
from bot.store.migrate import downgrade
from tests.stage import Stage, open_stage
from tests.test_metrics import read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[1]
SHORT = Patience(ping=60, look=0.01, silent=0.1, connect=0.1, rescue=0.2, goodbye=0.05)


@pytest.fixture(params=["socket", "http"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    http = request.param == "http"
    async with open_stage(tmp_path, http=http, HOST="127.0.0.1", PORT=0) as stage:
        yield stage


async def get(stage: Stage, path: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{stage.bot.port}{path}") as response,
    ):
        is_json = response.content_type == "application/json"
        return response.status, await (response.json() if is_json else response.text())


async def test_a_bot_that_runs_lives_and_is_ready(stage: Stage) -> None:
    lives = await get(stage, "/healthz")
    status, said = await get(stage, "/readyz")
    heard = said.pop("heard_seconds_ago")

    assert lives == (200, "ok")
    assert (status, said) == (
        200,
        {"ready": True, "database": "ok", "migrations": "ok", "slack": "ok"},
    )
    assert heard is None if stage.slack.events_url else 0 <= heard < 5


async def test_a_bot_whose_tables_another_version_took_away_is_not_ready(
    stage: Stage, tmp_path: Path
) -> None:
    async with open_file(f"{tmp_path / 'footnote.db'}") as database:
        await downgrade(database)
    status, said = await get(stage, "/readyz")

    assert (status, said["ready"], said["database"]) == (503, False, "ok")
    assert said["migrations"].startswith("at nothing, and ")


async def test_the_metrics_say_nothing_of_who_asked_what(stage: Stage) -> None:
    root = await stage.mention("What is a citation?")
    await stage.answers(stage.general, root)
    status, text = await get(stage, "/metrics")
    found = read(text)

    assert status == 200
    assert ("footnote_socket_heard_seconds_ago" in found) is (stage.slack.events_url is None)
    assert found["process_start_time_seconds"]["process_start_time_seconds{}"] > 1.7e9
    for private in ("citation", stage.you, stage.general, root, stage.slack.team):
        assert private not in text


async def test_what_slack_delivers_once_more_is_counted(tmp_path: Path) -> None:
    body = b'{"type":"event_callback","team_id":"T1","event":{"type":"team_join"}}'
    async with open_stage(tmp_path, http=True) as stage, aiohttp.ClientSession() as session:
        headers = {"Content-Type": "application/json", "x-slack-retry-num": "1"}
        headers |= signature(stage.slack.signing_secret, body)
        async with session.post(str(stage.slack.events_url), data=body, headers=headers) as answer:
            assert answer.status == 200
        _, text = await get(stage, "/metrics")

    assert "\nfootnote_redelivered_total 1\n" in text


async def test_a_turn_runs_until_it_has_ended(tmp_path: Path) -> None:
    profile = Profile(delta_seconds=0.005)
    async with open_stage(tmp_path, profile=profile) as stage:
        root = await stage.mention("What is a citation?")
        await stage.slack.until(lambda slack: len(slack.thread(stage.general, root)) > 1)
        running = stage.bot.metrics.running.count
        await stage.answers(stage.general, root)

    assert (running, stage.bot.metrics.running.count) == (1, 0)


async def test_in_socket_mode_a_bot_without_a_port_listens_on_none(tmp_path: Path) -> None:
    async with open_stage(tmp_path, PORT="") as stage:
        assert stage.bot.port is None


@asynccontextmanager
async def between(folder: Path) -> AsyncIterator[tuple[LocalSlack, dict[str, str]]]:
    """Start the local servers; give what a bot between them is set to."""
    async with (
        LocalSlack.start() as slack,
        LocalResponses.start(profile=Profile(delta_seconds=0)) as responses,
    ):
        yield (
            slack,
            {
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_API_URL": slack.api_url,
                "OPENAI_BASE_URL": responses.base_url,
                "OPENAI_API_KEY": responses.api_key,
                "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'footnote.db'}",
                "PORT": "",
            },
        )


async def test_a_bot_that_slack_is_lost_to_says_so_and_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with between(tmp_path) as (slack, settings):
        running = asyncio.create_task(run(load_settings(None, **settings), SHORT))
        await slack.until_connected()
        slack.go_deaf(new_too=True)
        async with asyncio.timeout(2):
            with pytest.raises(ConnectionLost):
                await running

    assert [r.message for r in caplog.records if r.levelname == "CRITICAL"] == [
        "slack is heard no more; ending, to be started anew"
    ]


async def test_a_bot_that_is_told_to_stop_ends_well(tmp_path: Path) -> None:
    async with between(tmp_path) as (_slack, settings):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", "run"),
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **settings},
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        async with asyncio.timeout(30):  # it starts from nothing
            while not (await process.stderr.readline()).endswith(b"bot.app: ready\n"):
                pass
            process.terminate()
            _, rest = await process.communicate()

    assert process.returncode == 0
    assert b"stopping" in rest
