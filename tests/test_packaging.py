from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from packaging.requirements import Requirement

from bot.settings import HTTP_PORT, Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"([a-z0-9][a-z0-9._-]*)==([a-z0-9.!+]+)( ; [^\\]+)?")
HASH = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}")

run_time_part, _, development_part = (
    (ROOT / "constraints.txt").read_text().partition("# development\n")
)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def pins(part: str) -> dict[str, str]:
    """Return names and versions."""
    return {found[1]: found[2] for found in map(PIN.match, part.splitlines()) if found}


def project() -> dict[str, list[str]]:
    """Return what pyproject.toml requires, for each part."""
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {
        "run-time": metadata["dependencies"],
        "development": metadata["optional-dependencies"]["dev"],
    }


@pytest.mark.parametrize(
    ("name", "part"), [("run-time", run_time_part), ("development", development_part)]
)
def test_what_is_required_is_pinned_in_its_part_within_its_range(name: str, part: str) -> None:
    pinned = pins(part)
    for line in project()[name]:
        requirement = Requirement(line)

        assert pinned[requirement.name] in requirement.specifier, line


def test_constraints_hold_names_versions_and_hashes_and_nothing_else() -> None:
    entries = (run_time_part + development_part).replace(" \\\n", "\n").splitlines()
    odd = [line for line in entries if not (PIN.fullmatch(line) or HASH.fullmatch(line))]

    assert odd == []


def test_every_pinned_version_has_a_hash() -> None:
    for part in (run_time_part, development_part):
        entries = re.split(r"\n(?=\S)", part.strip())

        assert len(entries) == len(pins(part))
        assert [entry.split()[0] for entry in entries if not HASH.search(entry)] == []


def test_nothing_is_pinned_in_both_parts() -> None:
    assert pins(run_time_part).keys() & pins(development_part).keys() == set()


def test_what_is_pinned_is_all_that_is_needed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_the_run_time_install_stays_small() -> None:
    assert len(pins(run_time_part)) <= 45


DOCKERFILE = (ROOT / "Dockerfile").read_text()
INSTRUCTIONS = DOCKERFILE.replace("\\\n", "").splitlines()


def instructions(name: str) -> list[str]:
    """Return what stands behind an instruction of the Dockerfile, each time."""
    return [line.partition(" ")[2].strip() for line in INSTRUCTIONS if line.startswith(f"{name} ")]


def test_the_image_installs_the_run_time_part_of_the_constraints() -> None:
    (install,) = (line for line in instructions("RUN") if "pip install" in line)
    (cut,) = (step for step in install.split("&&") if "sed" in step)
    done = subprocess.run(  # noqa: S602 - our own line, as Docker's shell runs it
        cut.replace("> run-time.txt", ""),
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == run_time_part
    assert "--no-deps --require-hashes -r run-time.txt" in install


def test_the_image_copies_what_is_there_and_what_docker_is_shown() -> None:
    shown = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [
        source
        for line in instructions("COPY")
        if not line.startswith("--from")
        for source in line.split()[:-1]
    ]

    assert set(copied) >= {"constraints.txt", "pyproject.toml", "bot", "migrations"}
    for source in copied:
        assert (ROOT / source).exists()
        assert f"!{source}" in shown
    assert shown[1] == "*"
    assert {line for line in shown if line.startswith("!")} == {f"!{name}" for name in copied}


def test_the_image_runs_the_bot_as_nobody_special_with_its_database_on_a_volume() -> None:
    (database,) = re.findall(r"DATABASE_URL=(\S+)", DOCKERFILE)
    settings = load_settings(
        None,
        slack_bot_token="xoxb-1",
        slack_app_token="xapp-1",
        openai_api_key="sk-1",
        database_url=database,
    )

    assert settings.database_url.startswith(f"sqlite+aiosqlite:///{instructions('VOLUME')[0]}/")
    assert instructions("USER") == ["footnote"]
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    assert json.loads(instructions("CMD")[0]) == ["python", "-m", "bot", "run"]
    assert len(instructions("FROM")) == 2
    assert instructions("EXPOSE") == re.findall(r" PORT=(\d+)", DOCKERFILE) == [str(HTTP_PORT)]


@asynccontextmanager
async def served(status: int) -> AsyncIterator[str]:
    """Answer /healthz so; give the port."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/healthz", answer)
    server = web.AppRunner(app)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    try:
        yield str(server.addresses[0][1])
    finally:
        await server.cleanup()


async def is_healthy(**environment: str) -> bool:
    """Run the image's health check as Docker does."""
    (line,) = instructions("HEALTHCHECK")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    check = await asyncio.create_subprocess_shell(
        line.partition("CMD ")[2],
        env={"PATH": path, **environment},
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(30):
        return await check.wait() == 0


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
@pytest.mark.parametrize("mode", [{}, {"SLACK_APP_TOKEN": "xapp-1"}], ids=["http", "socket"])
async def test_a_bot_with_a_port_is_asked_whether_it_is_well(
    mode: dict[str, str], status: int, healthy: bool
) -> None:
    async with served(status) as port:
        assert await is_healthy(PORT=port, **mode) is healthy


@pytest.mark.parametrize("mode", [{}, {"SLACK_APP_TOKEN": "xapp-1"}], ids=["http", "socket"])
async def test_a_bot_that_does_not_listen_on_its_port_is_not_well(mode: dict[str, str]) -> None:
    async with served(200) as port:
        pass

    assert await is_healthy(PORT=port, **mode) is False


async def test_in_socket_mode_a_bot_without_a_port_is_well_while_it_runs() -> None:
    assert await is_healthy(PORT="", SLACK_APP_TOKEN="xapp-1") is True


EXAMPLE = (ROOT / ".env.example").read_text()
EXAMPLES = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def as_text(value: object) -> str:
    """Write a setting's value as it stands in a file of settings."""
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_the_example_names_every_setting_with_its_default() -> None:
    defaults = {
        name.upper(): "" if field.is_required() else as_text(field.default)
        for name, field in Settings.model_fields.items()
    }

    assert defaults == EXAMPLES


def test_every_line_of_the_example_is_explained_by_the_line_above() -> None:
    lines = EXAMPLE.splitlines()
    settings = [number for number, line in enumerate(lines) if re.match(r"#?[A-Z_]+=", line)]

    assert len(settings) == len(EXAMPLES)
    assert [lines[n] for n in settings if not lines[n - 1].startswith("# ")] == []


def test_the_example_with_three_lines_filled_in_starts_with_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", EXAMPLE, flags=re.MULTILINE))
    filled = {"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1", "openai_api_key": "sk-1"}

    assert load_settings(file, **filled) == load_settings(None, **filled)


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make on a copy of the Makefile, where Python only says its arguments."""
    for name in ("Makefile", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    python = folder / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\n")
    python.chmod(0o755)
    if "VENV=venv" in arguments:
        (folder / "venv/installed").touch()
    return subprocess.run(  # noqa: S603 - our own Makefile
        ["make", "--no-print-directory", *arguments],  # noqa: S607 - whichever is there
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@needs_make
@pytest.mark.parametrize(
    "question",
    [
        'What\'s new in "3.14"?',
        "costs $5, ${HOME}, $HOME, $$ and $(shell echo no) `id`",
        "half open $(foo",
        "a  b\\ #c; d=e & f",
        "--help",
        "two\nlines",
    ],
)
def test_a_question_reaches_the_demo_as_it_was_typed(tmp_path: Path, question: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    typed = make(tmp_path / "a", "VENV=venv", "demo", f"ONCE={question}")
    exported = make(tmp_path / "b", "VENV=venv", "demo", ONCE=question)

    assert typed.stdout == f"<-m><bot><demo><--once><{question}>", typed.stderr
    assert exported.stdout == typed.stdout


@needs_make
def test_the_demo_asks_a_question_of_its_own_when_given_none(tmp_path: Path) -> None:
    assert make(tmp_path, "VENV=venv", "demo").stdout == "<-m><bot><demo>"


@needs_make
def test_a_python_that_is_too_old_is_told(tmp_path: Path) -> None:
    done = make(tmp_path, "run", "PYTHON=false", "VENV=other")

    assert done.returncode == 2
    assert "needs CPython 3.11 or newer; name one: make PYTHON=python3.12" in done.stderr
    assert not (tmp_path / "other").exists()


def test_the_script_of_the_checks_can_be_run() -> None:
    script = ROOT / ".ci/run"
    subprocess.run(["bash", "-n", str(script)], check=True)  # noqa: S603, S607 - our own script

    assert os.access(script, os.X_OK)
