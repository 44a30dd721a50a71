"""A process of its own that takes questions as fast as it can, for test_turns.py."""

from __future__ import annotations

import asyncio
import sys

from bot.store.engine import open_engine
from bot.store.migrate import upgrade
from bot.store.turns import TurnStore
from tests.store.examples import Clock, a_question


async def main(url: str, count: int) -> None:
    """Open the database, wait for the word on standard input, say how many were won."""
    async with open_engine(url) as engine:
        await upgrade(engine)
        print("ready", flush=True)  # noqa: T201 - read by the test
        sys.stdin.readline()
        store = TurnStore(engine, Clock())
        takes = [await store.take(a_question(f"{1000 + n}.000100")) for n in range(count)]
    print(sum(turn_id is not None for turn_id in takes), flush=True)  # noqa: T201 - likewise


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
