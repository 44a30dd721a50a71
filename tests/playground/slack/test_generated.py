from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from bot.playground.slack.generated import Generated, Plan, fill
from bot.playground.slack.workspace import Message, Workspace

GENERAL = "C0GENERAL"
UNTIL = datetime(2026, 11, 23, 9, tzinfo=UTC)
SMALL = Plan(messages=300, threads=50, people=12, days=7)


def filled(plan: Plan = SMALL) -> tuple[list[Message], Generated]:
    workspace = Workspace()
    found = fill(workspace, GENERAL, plan, UNTIL)
    return list(workspace.channels[GENERAL].messages.values()), found


@pytest.mark.parametrize(
    "plan", [SMALL, Plan(), Plan(seed=9), Plan(messages=9, threads=0, people=9)]
)
def test_a_channel_is_filled_with_as_much_as_was_planned(plan: Plan) -> None:
    _, found = filled(plan)

    assert len(found.new) == plan.messages
    assert len(found.threads) == plan.threads
    assert len(found.people) == plan.people
    assert (found.until - found.since).days == plan.days


def test_what_is_to_be_found_is_what_people_wrote_in_the_period() -> None:
    messages, found = filled()
    low, high = found.since.timestamp(), found.until.timestamp()
    kept = {None, "thread_broadcast", "me_message"}
    new = [m for m in messages if low <= float(m.ts) < high and not m.bot_id and m.subtype in kept]

    assert {m.ts for m in new} == found.new
    assert {m.thread_ts for m in new if m.thread_ts} == found.threads
    assert {m.user for m in new} == found.people
    assert found.before < found.threads
    assert all(float(ts) < low for ts in found.before)


def test_the_same_seed_writes_the_same_and_another_one_something_else() -> None:
    first, again = filled(), filled()
    other = filled(Plan(messages=300, threads=50, people=12, days=7, seed=2))

    assert first == again
    assert other[1].new != first[1].new


def test_a_filled_channel_has_everything_that_channels_have() -> None:
    messages, found = filled(Plan())
    subtypes = Counter(m.subtype for m in messages)

    assert set(subtypes) == {
        None, "thread_broadcast", "me_message", "tombstone", "channel_join", "bot_message",
    }  # fmt: skip
    assert sum("earlier instructions" in m.text for m in messages) >= 1
    assert any(m.files for m in messages)
    assert any(m.attachments for m in messages)
    assert any(m.edited for m in messages)
    assert found.stirred > found.threads
    assert [m.ts for m in messages] == sorted(m.ts for m in messages)
    assert len(messages) == len({m.ts for m in messages})


def test_more_threads_than_messages_are_not_to_be_had() -> None:
    with pytest.raises(ValueError, match="not enough"):
        filled(Plan(messages=10, threads=6, people=1))
