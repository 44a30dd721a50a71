"""Which points are meant, and when the web."""

from __future__ import annotations

from time import process_time

import pytest

from bot.digests.points import for_the_web, points_asked


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("tell me more about the second point", (2,)),
        ("Point 3?", (3,)),
        ("2", (2,)),
        ("2 and 4, please!", (2, 4)),
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
        ("Tell me about the second one.", (2,)),
        ("the first one or the fourth one?", (1, 4)),
        ("the second", (2,)),
        ("2-4 points", (2, 3, 4)),
        ("points 2 and 4, please", (2, 4)),
        ("the 2 and 4 items", (2, 4)),
        ("Who is meant in point 2?", (2,)),
        ("What did Ann say in the second point?", (2,)),
        ("items 1 to 3 in two lines", (1, 2, 3)),
        ("entries #2 and #5", (2, 5)),
        ("no. 6", (6,)),
        ("1st to 3rd claims", (1, 2, 3)),
        ("Explain the first two, please", (1, 2)),
        ("tell me more about the first 2 points", (1, 2)),
        ("What came of the\nsecond point?", (2,)),
    ],
)
def test_points_are_found_by_how_people_name_them(text: str, points: tuple[int, ...]) -> None:
    assert points_asked(text, 9) == points


@pytest.mark.parametrize(
    "text",
    [
        "Summarise it in three bullet points",
        "Give me this in 3 bullets for my boss",
        "explain in one line",
        "Put it into 2 or 3 points",
        "Say it in 1, 2 and 3 lines",
        "Give me between 2 and 4 points",
        "Which 2 items are most urgent?",
        "3 bullets, please",
        "What happened in the first 2 weeks?",
        "What did the first two speakers say?",
        "What happened in the first 1.5 hours?",
        "What came of the second one-on-one?",
        "Did no one object?",
        "Did no 2 people agree?",
        "Write 2-3 bullets about prices",
    ],
)
def test_a_count_of_something_else_names_no_point(text: str) -> None:
    assert points_asked(text, 9) == ()


@pytest.mark.parametrize("word", ["1,", "first,", "point 1 and ", "in 1 - ", " "])
def test_long_texts_are_read_at_once(word: str) -> None:
    text = f"search {word * 10_000}x"
    began = process_time()
    points_asked(text, 9)
    for_the_web(text)

    assert process_time() - began < 2


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
