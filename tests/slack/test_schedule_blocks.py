"""Schedules are shown in whatever number a person may have, and whatever they are about."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.digests.command import ABOUT_CHARACTERS
from bot.digests.recurrence import Recurrence
from bot.digests.schedule import Schedule, ScheduledDigest
from bot.playground.slack.blocks import check_blocks
from bot.playground.slack.limits import Limits
from bot.slack.schedule_blocks import home_view, list_blocks, preview_blocks
from bot.slack.schedule_controls import MOST_SCHEDULES

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NEW = ScheduledDigest(
    team="T0",
    user="U1",
    user_team="T0",
    source="C0GENERAL",
    target="",
    recurrence=Recurrence("0 9 * * 1-5", "Europe/Vienna"),
)
LONG = ["Ж", '"', "&", "\n", "漢"]


def kept(count: int, about: str = "") -> list[Schedule]:
    new = replace(NEW, about=about)
    return [Schedule(id=number, digest=new, next_due=NOON) for number in range(1, count + 1)]


def numbers(blocks: list[dict[str, object]]) -> list[int]:
    """Return which schedules can be deleted there."""
    pressed = [each for block in blocks for each in block.get("elements", ())]  # type: ignore[attr-defined]
    return [int(each["value"]) for each in pressed if each.get("action_id") == "delete_schedule"]


@pytest.mark.parametrize("text", LONG)
def test_a_long_topic_fits_into_the_button_that_saves_it(text: str) -> None:
    about = text * ABOUT_CHARACTERS
    blocks = preview_blocks(replace(NEW, about=about), NOON, 40)

    check_blocks(blocks, Limits())
    assert json.loads(blocks[1]["elements"][0]["value"])["about"] == about


@pytest.mark.parametrize("about", ["", *(text * ABOUT_CHARACTERS for text in LONG)])
def test_a_list_is_as_long_as_a_message_and_says_what_it_leaves_out(about: str) -> None:
    blocks = list_blocks(kept(MOST_SCHEDULES, about), "/digest")
    shown = numbers(blocks)

    check_blocks(blocks, Limits())
    assert shown == list(range(1, len(shown) + 1))
    assert f"{MOST_SCHEDULES - len(shown)} more on my Home tab" in str(blocks[-1])


def test_a_list_that_fits_leaves_nothing_out() -> None:
    blocks = list_blocks(kept(20), "/digest")

    assert numbers(blocks) == list(range(1, 21))
    assert "more on my Home" not in str(blocks)


def test_the_home_shows_as_many_as_a_person_may_have() -> None:
    view = home_view(kept(MOST_SCHEDULES, "&" * ABOUT_CHARACTERS), "/digest")

    check_blocks(view["blocks"], replace(Limits(), blocks=100, blocks_characters=250_000))
    assert len(numbers(view["blocks"])) == MOST_SCHEDULES
