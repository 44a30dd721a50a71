"""Which points are meant, and when the web."""

from __future__ import annotations

import pytest

from bot.digests.points import for_the_web, points_asked


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("tell me more about the second point", (2,)),
        ("Point 3?", (3,)),
        ("2", (2,)),
        ("#4", (4,)),
        ("what about number five", (5,)),
        ("the last one, please", (9,)),
        ("the last point", (9,)),
        ("last two points", (8, 9)),
        ("the first two", (1, 2)),
        ("points 2 and 5", (2, 5)),
        ("points 2-4", (2, 3, 4)),
        ("items 1, 3 and 7", (1, 3, 7)),
        ("the 3rd item", (3,)),
        ("first and third points", (1, 3)),
        ("point 12", ()),
        ("point 0", ()),
        ("Who decided that?", ()),
        ("What happened in the second half of the year?", ()),
        ("Did 3 people agree?", ()),
        ("One more thing: who pays?", ()),
        ("", ()),
    ],
)
def test_points_are_found_by_how_people_name_them(text: str, points: tuple[int, ...]) -> None:
    assert points_asked(text, 9) == points


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("search the web for heat pumps", "heat pumps"),
        ("Search the internet about heat pumps?", "heat pumps?"),
        ("please look up heat pumps on the web", "heat pumps"),
        ("search for heat pumps on the web", "heat pumps"),
        ("search heat pumps on the internet", "heat pumps"),
        ("Web search: heat pumps", "heat pumps"),
        ("google heat pumps", None),
        ("Google Ads budget: who decides it?", None),
        ("Google contract - what did Ann say?", None),
        ("google for Work: who pays?", None),
        ("web: the relaunch, is there a date?", None),
        ("Who searches the web for prices?", None),
        ("search for what Ann said on the web shop", None),
        ("who wanted to search the web for heat pumps?", None),
        ("tell me more", None),
        ("search the web for ", None),
        ("", None),
    ],
)
def test_the_web_is_searched_only_where_that_is_said(text: str, wanted: str | None) -> None:
    assert for_the_web(text) == wanted
