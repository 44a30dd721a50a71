from __future__ import annotations

import pytest

from bot.errors import SlackRateLimited
from bot.slack.pacing import Pacing
from bot.slack.reading_pace import HISTORY, REPLIES, ReadingPace

SHORT, LONG, LAST = (15, True), (16, True), (3, False)


@pytest.mark.parametrize(
    ("seen", "is_slow"),
    [
        pytest.param([SHORT, 60], True, id="a short page and a pause"),
        pytest.param([60, 60], True, id="two pauses"),
        pytest.param([60, LAST, LAST, 58], True, id="two pauses with a page of each method"),
        pytest.param([SHORT, SHORT, SHORT], False, id="short pages without a pause"),
        pytest.param([60], False, id="one pause"),
        pytest.param([SHORT, 30], False, id="a pause that is short"),
        pytest.param([LAST, 60], False, id="a page that is short as nothing follows"),
        pytest.param([SHORT, LONG, 60], False, id="a long page after a short one"),
        pytest.param([60, LONG, 60], False, id="a long page between pauses"),
        pytest.param([60, LAST, LAST, LAST, 60], False, id="many pages between pauses"),
        pytest.param([SHORT, SHORT, SHORT, 60], False, id="many short pages and a pause"),
        pytest.param([SHORT, 60, LONG], True, id="it stays so"),
    ],
)
def test_a_slow_pace_is_noticed_by_two_signs_in_a_row(
    seen: list[tuple[int, bool] | int], *, is_slow: bool
) -> None:
    pacing = Pacing(clock=lambda: 0.0)
    pace = ReadingPace(pacing, "T1")
    for sign in seen:
        if isinstance(sign, int):
            pace.saw_pause(SlackRateLimited(HISTORY, sign))
        else:
            pace.saw_page(sign[0], has_more=sign[1])

    assert pace.is_slow == is_slow


async def test_a_slow_pace_is_kept_by_all_who_read_there() -> None:
    pacing = Pacing(clock=lambda: 0.0)
    pace = ReadingPace(pacing, "T1")
    pace.saw_page(15, has_more=True)
    pace.saw_pause(SlackRateLimited(HISTORY, 60))
    for team in ("T1", "T2"):
        for method in (HISTORY, REPLIES):
            await pacing.turn(team, method)

    assert [pacing.may_call("T1", method) for method in (HISTORY, REPLIES)] == [False, False]
    assert [pacing.may_call("T2", method) for method in (HISTORY, REPLIES)] == [True, True]
