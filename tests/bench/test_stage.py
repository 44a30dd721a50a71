from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.bench.processes import BenchError, cpu_seconds, resident_kb, start_process
from tests.bench.stage import FLOOR, Stage, open_servers

if TYPE_CHECKING:
    from collections.abc import Callable


async def never() -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


async def test_program_that_ends_ends_the_wait_with_its_last_words(tmp_path: Path) -> None:
    async with (
        open_servers(None) as servers,
        start_process("odd", ["-c", "raise SystemExit('no luck')"], tmp_path) as started,
    ):
        stage = Stage(servers.slack, servers.responses, started)

        with pytest.raises(BenchError, match=r"odd ended\.\nno luck"):
            await stage.has(never())


async def test_what_takes_too_long_is_said_with_how_far_it_came() -> None:
    async with open_servers(None) as servers, servers.run(FLOOR.name, FLOOR.plain) as stage:
        words = "after 0.1 s there are 0 of 1; refused: nothing"

        with pytest.raises(BenchError, match=words):
            await stage.slack.tell("answered", 0.1, count=1)


async def test_nothing_of_a_run_is_left() -> None:
    async with open_servers(None) as servers, servers.run(FLOOR.name, FLOOR.plain) as stage:
        pid, folder = stage.program.pid, servers.folder
        there = folder.exists()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert (there, folder.exists()) == (True, False)


async def test_process_that_heeds_no_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.processes.END_SECONDS", 0.1)
    stubborn = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True)\n"
        "time.sleep(60)"
    )
    async with start_process("stubborn", ["-c", stubborn], tmp_path, talks=True) as started:
        assert started.process.stdout is not None
        await started.process.stdout.readline()

    assert started.process.returncode == -9


def test_cpu_and_memory_of_a_process_are_read() -> None:
    assert cpu_seconds(os.getpid()) > 0
    assert resident_kb(os.getpid()) > 1_000


@pytest.mark.parametrize("look", [cpu_seconds, resident_kb])
def test_process_that_has_ended_is_said_to_have(look: Callable[[int], float]) -> None:
    beyond = int(Path("/proc/sys/kernel/pid_max").read_text(encoding="utf-8"))

    with pytest.raises(BenchError, match=f"process {beyond} has ended"):
        look(beyond)
