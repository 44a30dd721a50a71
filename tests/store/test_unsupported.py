"""What a server was seen not to support outlives the process."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.store.unsupported import UnsupportedStore
from tests.store.examples import NOON

if TYPE_CHECKING:
    from bot.store.database import Database

SERVER = "https://gateway.example/v1"


async def test_what_was_noted_is_there_with_its_last_time(
    database: Database, other: Database
) -> None:
    notes = UnsupportedStore(database, SERVER, "gpt-test")
    await notes.note_unsupported("include", NOON)
    await notes.note_unsupported("stream_options", NOON)
    await notes.note_unsupported("include", NOON + timedelta(days=2))

    assert await UnsupportedStore(other, SERVER, "gpt-test").noted() == {
        "include": NOON + timedelta(days=2),
        "stream_options": NOON,
    }


async def test_each_server_and_model_has_its_own(database: Database) -> None:
    await UnsupportedStore(database, SERVER, "gpt-test").note_unsupported("include", NOON)

    assert not await UnsupportedStore(database, SERVER, "another").noted()
    assert not await UnsupportedStore(database, "https://b.example/v1", "gpt-test").noted()
