"""Figures without a source are marked, and nothing else is touched."""

from __future__ import annotations

import pytest

from bot.turns.unsourced import marked

LINK = "[1](https://a.example/page_(b))"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Prices fell by 8 %.", "Prices fell by 8 %. (no source)"),
        ("It is 5 km. It is far.", "It is 5 km. (no source) It is far."),
        ("**It is 5 km.** Far.", "**It is 5 km.** (no source) Far."),
        ("- Sold in 2025\n- Not sold", "- Sold in 2025 (no source)\n- Not sold"),
        ("It is 5 km\nby road.", "It is 5 km\nby road. (no source)"),
        (f"In 2019. First {LINK}. In 2020.", f"In 2019. First {LINK}. In 2020. (no source)"),
        (f"- It is 5 km.\n- So it is {LINK}.", f"- It is 5 km. (no source)\n- So it is {LINK}."),
        (
            "Es kostet 5 €. Über 3 gibt es.",
            "Es kostet 5 €. (no source) Über 3 gibt es. (no source)",
        ),
    ],
)
def test_a_sentence_with_a_figure_and_no_page_is_marked(text: str, expected: str) -> None:
    assert marked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"Prices fell by 8 % {LINK}.",
        f"Prices fell by 8 %. They rose by 3 %. {LINK} Nobody knows.",
        "Prices fell by 8 %. (no source)",
        "Prices fell by 8 % (no source).",
        "Nothing is known.",
        "Was it in 2025?",
        "Of 3 kinds:",
        "## What came in 2025",
        "| a | 5 |\n| --- | --- |",
        "> It is 5 km.",
        "```\nx = 5.\n\ny = 6.\n```",
        "````\n```\nx = 5.\n````",
        "1. first\n2. second",
        "Set `PORT=3000`.",
        "See https://a.example/2025.",
        "",
        "\n\nWords.\n\n\nMore.\n",
    ],
)
def test_what_has_a_source_or_needs_none_is_left_as_it_is(text: str) -> None:
    assert marked(text) == text


def test_what_follows_a_fence_is_read_again() -> None:
    assert marked("```\nx\n```\nIt is 5 km.") == "```\nx\n```\nIt is 5 km. (no source)"


def test_to_mark_twice_is_to_mark_once() -> None:
    text = f"It is 5 km. It is 6. {LINK} It is 7.\n- 8\n- 9 {LINK}"
    assert marked(marked(text)) == marked(text)
