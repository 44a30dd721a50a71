"""A server that keeps no threads is found out, and tried again after a day."""

from __future__ import annotations

import pytest

from bot.turns.chains import TRIED_AGAIN_AFTER, Chaining, Chains


@pytest.mark.parametrize(
    ("chaining", "may"),
    [("auto", (True, True)), ("previous_response_id", (True, False)), ("replay", (False, True))],
)
def test_what_is_wanted_is_done(chaining: Chaining, may: tuple[bool, bool]) -> None:
    chains = Chains(chaining, lambda: 0.0)

    assert (chains.may_name, chains.may_tell_again) == may


def test_one_thread_that_is_gone_says_nothing_about_the_others() -> None:
    chains = Chains("auto", lambda: 0.0)
    for _ in range(5):
        chains.lost()
        chains.kept()

    assert chains.may_name


def test_who_forgets_two_in_a_row_is_told_all_again_for_a_day_and_then_tried_once() -> None:
    now = [0.0]
    chains = Chains("auto", lambda: now[0])
    chains.lost()
    after_one = chains.may_name
    chains.lost()
    after_two = chains.may_name
    now[0] = TRIED_AGAIN_AFTER
    a_day_later = chains.may_name
    chains.lost()

    assert (after_one, after_two, a_day_later) == (True, False, True)
    assert not chains.may_name
