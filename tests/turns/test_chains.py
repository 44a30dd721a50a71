"""A server that keeps no threads is found out, and tried again after a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.turns.chains import PARAMETER, Chaining, Chains
from bot.turns.unsupported import TRIED_AGAIN_AFTER
from tests.fakes import FakeNotes

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("chaining", "may"),
    [("auto", (True, True)), ("previous_response_id", (True, False)), ("replay", (False, True))],
)
def test_what_is_wanted_is_done(chaining: Chaining, may: tuple[bool, bool]) -> None:
    chains = Chains(chaining, FakeNotes().unsupported())

    assert (chains.may_name, chains.may_tell_again) == may


async def test_one_thread_that_is_gone_says_nothing_about_the_others() -> None:
    chains = Chains("auto", FakeNotes().unsupported())
    for _ in range(5):
        await chains.lost()
        chains.kept()

    assert chains.may_name


async def test_who_forgets_two_in_a_row_is_told_all_again_for_a_day_and_then_tried_once() -> None:
    notes = FakeNotes(NOON)
    chains = Chains("auto", notes.unsupported())
    await chains.lost()
    after_one = chains.may_name
    await chains.lost()
    after_two = chains.may_name
    notes.now = NOON + TRIED_AGAIN_AFTER
    a_day_later = chains.may_name
    await chains.lost()

    assert (after_one, after_two, a_day_later) == (True, False, True)
    assert not chains.may_name


async def test_who_says_that_it_keeps_none_is_believed_at_once() -> None:
    chains = Chains("auto", FakeNotes().unsupported())
    await chains.lost(keeps_none=True)

    assert not chains.may_name


async def test_what_was_found_out_is_known_to_the_next_process() -> None:
    notes = FakeNotes(NOON)
    chains = Chains("auto", notes.unsupported())
    await chains.lost()
    await chains.lost()
    notes.now += timedelta(hours=1)

    assert not Chains("auto", notes.unsupported()).may_name


async def test_a_server_whose_responses_must_be_named_is_named_them_whatever_was_noted() -> None:
    notes = FakeNotes(NOON, noted={PARAMETER: NOON})

    assert Chains("previous_response_id", notes.unsupported()).may_name
