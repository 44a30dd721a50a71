from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.store.engine import open_engine
from bot.store.migrate import upgrade
from bot.store.turns import TurnStore
from tests.store.examples import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a file that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path}/footnote.db"


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    async with open_engine(url) as engine:
        await upgrade(engine)
        yield engine


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(engine: AsyncEngine, clock: Clock) -> TurnStore:
    return TurnStore(engine, clock)
