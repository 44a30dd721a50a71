"""`make bench`: the bot between local servers, measured beside the least that could do its work.

DB=postgres runs a PostgreSQL of its own, or uses that of TEST_DATABASE_URL. QUICK=1 takes smaller
samples.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import resource
import signal
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from tests.bench.figures import compared, table
from tests.bench.install import bot_install, floor_install
from tests.bench.measures import latencies, rest, streams, turns
from tests.bench.processes import BenchError
from tests.bench.sizes import FULL, QUICK, Sizes
from tests.bench.stage import BOT, FLOOR
from tests.postgres import new_database, open_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.figures import Figures
    from tests.bench.measures import Measure
    from tests.bench.stage import Contestant

MEASURES = (rest, latencies, streams, turns)
NOTES = """\
Floor: the same socket and calls with no rules and no database (tests/bench/floor.py).
Added: bot minus floor. Ratio: bot divided by floor. All processes of a run share this machine.
Slack's limits are lifted for both; with them, a workspace has 20 answers a minute.
Where fewer than 50 turns a second are possible, the waits at 50 a second grow with the run.
Of a delta its first word is timed: the bot keeps the last word back until the next one comes.
Install: what constraints.txt pins for the run time, as it stands in the running environment.
What only tests need is hidden from the measured programs.\
"""


async def measure(sizes: Sizes, database: str | None) -> tuple[Figures, Figures]:
    """Measure the floor and the bot, one after the other in each measure."""
    floor, bot = floor_install(), bot_install()
    for take in MEASURES:
        floor |= await _timed(take, FLOOR, sizes, database)
        bot |= await _timed(take, BOT, sizes, database)
    return floor, bot


async def _timed(
    take: Measure, contestant: Contestant, sizes: Sizes, database: str | None
) -> Figures:
    began = time.monotonic()
    figures = await take(contestant, sizes, database)
    took = time.monotonic() - began
    sys.stderr.write(f"{take.__name__} of the {contestant.name} took {took:.0f} s\n")
    return figures


def report(sizes: Sizes, database: str | None, floor: Figures, bot: Figures) -> str:
    """Say everything: the table to be read, and one line to be computed with."""
    facts = {
        "database": "postgres" if database else "sqlite",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "sizes": asdict(sizes),
    }
    line = json.dumps({**facts, **compared(floor, bot)})
    return f"{table(floor, bot)}\n\n{NOTES}\n\n{line}\n"


@contextmanager
def open_database(environment: Mapping[str, str]) -> Iterator[str | None]:
    """Yield the URL of the database to use; None for an SQLite file of the run's own."""
    kind = environment.get("DB") or "sqlite"
    if kind not in {"sqlite", "postgres"}:
        raise BenchError(f"DB is {kind!r}: choose sqlite or postgres")
    if kind == "sqlite":
        yield None
        return
    given = environment.get("TEST_DATABASE_URL")
    with ExitStack() as stack:
        server = given or stack.enter_context(open_postgres(durable=True)).url
        yield stack.enter_context(new_database(server))


async def run(environment: Mapping[str, str], database: str | None) -> str:
    """Measure what the environment asks for; everything is ended when this is."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):  # Ctrl-C does so by itself
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    sizes = QUICK if environment.get("QUICK") not in {None, "", "0"} else FULL
    return report(sizes, database, *await measure(sizes, database))


def main() -> int:
    """Print the report; a failure is one message and exit status 1."""
    # A thousand answers hold more connections than many systems let a process have by default.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        with open_database(os.environ) as database:
            sys.stdout.write(asyncio.run(run(os.environ, database)))
    except BenchError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("bench: interrupted\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
