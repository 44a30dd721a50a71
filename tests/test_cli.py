from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from bot.cli import Commands, main
from bot.errors import ConnectionLost, SettingsError, StoreUnreachable
from bot.settings import Settings
from bot.store.database import open_file
from bot.store.migrate import upgrade
from bot.store.sqlite import locked
from tests.store.examples import a_question, a_store

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
COMMANDS = ["demo", "doctor", "manifest", "migrate", "move", "run"]
NEEDS_MORE_THAN_HELP = ("slack_bolt", "slack_sdk", "sqlalchemy", "httpx", "aiohttp", "pydantic")


def bot(
    *arguments: str, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python -m bot` as it is run in a folder, with nothing else set."""
    needed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env={**needed, "PYTHONPATH": str(ROOT), **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def test_a_start_without_settings_ends_with_one_message_and_status_2(tmp_path: Path) -> None:
    ended = bot("run", folder=tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("3 settings are missing or wrong:\n  SLACK_BOT_TOKEN: not set")
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) == 5


def test_a_start_with_a_wrong_setting_says_so_and_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SLACK_BOT_TOKEN=xapp-tellnobody\nSLACK_APP_TOKEN=xapp-1-2-3\n")
    ended = bot("run", folder=tmp_path, environment={"PORT": "x", "OPENAI_API_KEY": "sk-1"})

    assert ended.returncode == 2
    assert [line.split()[0] for line in ended.stderr.splitlines()] == [
        "2",
        "SLACK_BOT_TOKEN:",
        "PORT",
        "They",
    ]
    assert "tellnobody" not in ended.stderr


def test_a_database_that_cannot_be_opened_ends_with_one_message_and_status_2(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    url = f"sqlite+aiosqlite:///{tmp_path}/file/footnote.db"
    ended = bot("migrate", folder=tmp_path, environment={"DATABASE_URL": url})

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("The database ")
    assert "Traceback" not in ended.stderr


def test_migrate_brings_a_database_up_and_down_without_any_token(tmp_path: Path) -> None:
    up = bot("migrate", folder=tmp_path)
    again = bot("migrate", folder=tmp_path)
    down = bot("migrate", "--down", "base", folder=tmp_path)
    third = bot("migrate", folder=tmp_path)

    assert (tmp_path / "footnote.db").exists()
    assert up.stdout.startswith("Applied: 0001")
    assert again.stdout == "There is nothing to apply.\n"
    assert down.stdout == "Taken back to base.\n"
    assert third.stdout == up.stdout
    assert [run.stderr for run in (up, again, down, third)] == [""] * 4


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """A file with a question, of a name that an address has to spell out."""
    file = tmp_path / "what?%20now.db"

    async def ask() -> None:
        async with open_file(str(file)) as database:
            await upgrade(database)
            await a_store(database).take(a_question())

    asyncio.run(ask())
    return file


def test_move_needs_no_more_than_a_file_and_an_empty_postgresql(
    tmp_path: Path, asked: Path, empty_postgres_url: str
) -> None:
    there = {"DATABASE_URL": empty_postgres_url.replace("postgresql+asyncpg", "postgres")}
    moved = bot("move", str(asked), folder=tmp_path, environment=there)
    again = bot("move", str(asked), folder=tmp_path, environment=there)

    assert (moved.returncode, moved.stderr) == (0, "")
    assert moved.stdout == (
        "Moved 0 schedules and 1 turns and 0 messages and 0 runs. The file is as it was; "
        "start the bot with this DATABASE_URL.\n"
    )
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == "The database of DATABASE_URL has 1 turns already: name an empty one.\n"
    assert {path.name for path in tmp_path.glob("*.db")} == {asked.name}


def test_move_refuses_the_file_of_a_bot_that_is_running(
    tmp_path: Path, asked: Path, empty_postgres_url: str
) -> None:
    with locked(str(asked)):
        there = {"DATABASE_URL": empty_postgres_url}
        ended = bot("move", asked.name, folder=tmp_path, environment=there)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Another bot is running with the database")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("", "DATABASE_URL names an SQLite file: set it to the PostgreSQL", id="none"),
        pytest.param(
            "postgresql://u:tellnobody@127.0.0.1:1/d",
            "The PostgreSQL database d at 127.0.0.1:1 cannot be used: no connection",
            id="not there",
        ),
    ],
)
def test_move_refuses_a_target_that_cannot_be_moved_to(
    tmp_path: Path, asked: Path, url: str, words: str
) -> None:
    ended = bot("move", str(asked), folder=tmp_path, environment={"DATABASE_URL": url})

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(words)
    assert "tellnobody" not in ended.stderr


@pytest.mark.parametrize(
    ("file", "words"), [("none.db", "does not exist"), (".", "is a directory"), (".env", "not a")]
)
def test_move_refuses_what_is_no_database_and_makes_none(
    tmp_path: Path, empty_postgres_url: str, file: str, words: str
) -> None:
    (tmp_path / ".env").write_text(f"DATABASE_URL={empty_postgres_url}\n" + "#\n" * 1_000)
    ended = bot("move", file, folder=tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert {path.name for path in tmp_path.iterdir()} <= {".env", ".env.lock"}


def test_the_version_is_that_of_the_source_tree(tmp_path: Path) -> None:
    ended = bot("--version", folder=tmp_path)

    assert (ended.returncode, ended.stdout) == (0, "footnote 0.1.0\n")


def test_help_imports_nothing_that_only_a_command_needs(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom bot.cli import main\nmain(['--help'], standalone_mode=False)\n"
        f"print([name for name in {NEEDS_MORE_THAN_HELP!r} if name in sys.modules])"
    )
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    *help_lines, imported = ended.stdout.splitlines()

    assert imported == "[]"
    assert [line.split()[0] for line in help_lines[-6:]] == COMMANDS


def test_ctrl_c_ends_a_command_quietly_with_status_130(runner: CliRunner) -> None:
    result = runner.invoke(commands(KeyboardInterrupt()), ["act"])

    assert (result.exit_code, result.output) == (130, "")


def test_a_connection_that_is_lost_ends_a_command_with_status_1(runner: CliRunner) -> None:
    result = runner.invoke(commands(ConnectionLost()), ["act"])

    assert (result.exit_code, result.output) == (1, "")


def test_a_database_that_stops_answering_ends_a_command_with_status_1(runner: CliRunner) -> None:
    result = runner.invoke(commands(StoreUnreachable("TimeoutError")), ["act"])

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "The database does not answer: TimeoutError. Try again.\n"


def test_settings_that_do_not_do_end_a_command_with_their_message(runner: CliRunner) -> None:
    result = runner.invoke(commands(SettingsError("DATABASE_URL: not today")), ["act"])

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "DATABASE_URL: not today\n"


def test_an_error_nobody_foresaw_is_not_hidden(runner: CliRunner) -> None:
    result = runner.invoke(commands(RuntimeError("odd")), ["act"])

    assert isinstance(result.exception, RuntimeError)


def commands(error: BaseException) -> click.Group:
    """Make a command line whose one command fails."""

    @click.command()
    def act() -> None:
        raise error

    return Commands("bot", commands={"act": act})


def slash_command(output: str) -> str:
    command = json.loads(output)["features"]["slash_commands"][0]["command"]
    assert isinstance(command, str)
    return command


def test_the_manifest_is_printed_without_any_setting(runner: CliRunner) -> None:
    result = runner.invoke(main, ["manifest"])
    document = json.loads(result.stdout)

    assert result.exit_code == 0
    assert document["settings"]["socket_mode_enabled"] is True
    assert slash_command(result.stdout) == "/ask"


def test_the_manifest_for_http_has_the_bots_address(runner: CliRunner) -> None:
    result = runner.invoke(main, ["manifest", "--url", "https://bot.example/"])
    document = json.loads(result.stdout)

    assert document["settings"]["socket_mode_enabled"] is False
    assert document["settings"]["event_subscriptions"]["request_url"].startswith(
        "https://bot.example/slack"
    )


def test_the_manifests_command_has_the_prefix_of_the_option_or_else_of_the_settings(
    runner: CliRunner,
) -> None:
    given = runner.invoke(main, ["manifest", "--command-prefix", "team-"])
    Path(".env").write_text("COMMAND_PREFIX=set-\n")
    found = runner.invoke(main, ["manifest"])
    both = runner.invoke(main, ["manifest", "--command-prefix", ""])

    assert slash_command(given.stdout) == "/team-ask"
    assert slash_command(found.stdout) == "/set-ask"
    assert slash_command(both.stdout) == "/ask"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["manifest", "--url", "bot.example"], "write a whole address"),
        (["manifest", "--command-prefix", "Team "], "use at most 23 small letters"),
        (["demo", "--once", "  "], "there is no question in it"),
        (["demo", "--port", "70000"], "70000 is not in the range"),
        (["demonstrate"], "No such command"),
    ],
)
def test_a_wrong_argument_is_named_and_ends_with_status_2(
    runner: CliRunner, arguments: list[str], words: str
) -> None:
    result = runner.invoke(main, arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
