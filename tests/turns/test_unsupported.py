"""What a server does not support is done without for a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.errors import StoreUnreachable
from bot.turns.unsupported import TRIED_AGAIN_AFTER
from tests.fakes import FakeNotes

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def test_what_was_noted_is_done_without_for_a_day() -> None:
    notes = FakeNotes(NOON)
    unsupported = notes.unsupported()
    before = "include" in unsupported
    await unsupported.note("include")
    notes.now = NOON + TRIED_AGAIN_AFTER - timedelta(seconds=1)
    within = "include" in unsupported
    notes.now = NOON + TRIED_AGAIN_AFTER

    assert (before, within, "include" in unsupported) == (False, True, False)


async def test_a_day_has_24_hours() -> None:
    unsupported = FakeNotes(NOON, {"include": NOON - timedelta(hours=24)}).unsupported()

    assert "include" not in unsupported


async def test_it_is_written_down_with_its_own_time() -> None:
    notes = FakeNotes(NOON, {"store": NOON - timedelta(hours=1)})
    await notes.unsupported().note("include")

    assert notes.noted == {"store": NOON - timedelta(hours=1), "include": NOON}


async def test_it_can_be_listed() -> None:
    unsupported = FakeNotes(NOON, {"old": NOON - 2 * TRIED_AGAIN_AFTER}).unsupported()
    await unsupported.note("store")
    await unsupported.note("include")

    assert list(unsupported) == ["include", "store"]


async def test_where_it_cannot_be_kept_it_is_done_without_all_the_same() -> None:
    notes = FakeNotes(NOON, failing=StoreUnreachable())
    unsupported = notes.unsupported()

    await unsupported.note("include")

    assert "include" in unsupported
