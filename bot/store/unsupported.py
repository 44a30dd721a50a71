"""What a model's server was seen not to support, in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from bot.store.messages import INSERTS
from bot.store.tables import unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.store.database import Database


class UnsupportedStore:
    """The notes on one server and model. Raises StoreUnreachable."""

    def __init__(self, database: Database, server: str, model: str) -> None:
        """Take the server's base URL, which holds no password."""
        self._database = database
        self._key = {"server": server, "model": model}

    async def noted(self) -> Mapping[str, datetime]:
        """Return what was not supported, with the time it was last seen."""
        mine = [unsupported.c[name] == value for name, value in self._key.items()]
        statement = select(unsupported.c.name, unsupported.c.noted_at).where(*mine)
        rows = await self._database.run(lambda connection: connection.execute(statement).all())
        return {row.name: row.noted_at for row in rows}

    async def note_unsupported(self, name: str, at: datetime) -> None:
        """Write down that this is not supported, or that it still is not."""
        statement = (
            INSERTS[self._database.dialect](unsupported)
            .values(**self._key, name=name, noted_at=at)
            .on_conflict_do_update(
                index_elements=["server", "model", "name"], set_={"noted_at": at}
            )
        )
        await self._database.run(lambda connection: connection.execute(statement))
