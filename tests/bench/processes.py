"""The processes of a run: started, looked into through /proc, and ended, each by its own id."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
END_SECONDS = 10.0  # between SIGTERM and SIGKILL
LINE_BYTES = 256 * 1024 * 1024
LAST_WORDS = 2_000  # characters of a log
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")


class BenchError(Exception):
    """Ends the run with these words."""


@dataclass(frozen=True, slots=True)
class Started:
    """A process that runs."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    at: float  #: when it was started

    @property
    def pid(self) -> int:
        """Its id."""
        return self.process.pid

    def last_words(self) -> str:
        """Return the end of what it logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-LAST_WORDS:]


@asynccontextmanager
async def start_process(
    name: str,
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    talks: bool = False,
) -> AsyncIterator[Started]:
    """Run Python with these arguments until the block ends; what it logs goes into the folder."""
    log = folder / f"{name}.log"
    inherited = {key: os.environ[key] for key in INHERITED if key in os.environ}
    with log.open("wb") as sink:
        at = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=ROOT,
            env=inherited | dict(environment or {}),
            stdin=asyncio.subprocess.PIPE if talks else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if talks else sink,
            stderr=sink,
            limit=LINE_BYTES,
            start_new_session=True,  # Ctrl-C is for the driver, which ends them in their order
        )
    try:
        yield Started(name, process, log, at)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        process.terminate()
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.communicate()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, all its threads together."""
    try:
        # What clock_getcpuclockid(3) names: nanoseconds, where /proc counts in hundredths.
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        fields = _proc(pid, "stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kb(pid: int) -> int:
    """Return the resident memory of a process."""
    for line in _proc(pid, "status").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise BenchError(f"process {pid} has ended")  # a zombie has no memory


def _proc(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        raise BenchError(f"process {pid} has ended") from None
