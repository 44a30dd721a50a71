"""A process of its own that takes questions as fast as it can, for test_turns.py."""

from __future__ import annotations

import asyncio
import sys

from bot.store.database import open_database, open_file
from bot.store.migrate import upgrade
from tests.store.examples import a_question, a_store


async def main(url: str, count: int) -> None:
    """Open the database, wait for the word on standard input, say how many were won."""
    file = url.removeprefix("sqlite+aiosqlite:///")
    # Without the lock that keeps a second bot from a file.
    opened = open_database(url) if file == url else open_file(file)
    async with opened as database:
        await upgrade(database)
        print("ready", flush=True)  # noqa: T201 - read by the test
        sys.stdin.readline()
        store = a_store(database)
        takes = [await store.take(a_question(f"{1000 + n}.000100")) for n in range(count)]
    print(sum(taken is not None for taken in takes), flush=True)  # noqa: T201 - likewise


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
