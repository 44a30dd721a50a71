from __future__ import annotations

import pytest

from bot.responses.fields import count, flag, mapping, position, sequence, words
from bot.turns.characters import whole_characters

VALUES = [None, True, 0, 7, -1, 2**60, 1.5, float("nan"), "7", "", [], [1], {}, {"a": 1}]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_of_another_type_counts_as_empty(value: object) -> None:
    assert mapping(value) == (value if isinstance(value, dict) else {})
    assert list(sequence(value)) == (value if isinstance(value, list) else [])
    assert words(value) == (value if isinstance(value, str) else "")
    assert flag(value) is (value if value is True else None)
    assert count(value) == (7 if value == 7 else 0)
    assert position(value) == (value if type(value) is int else None)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("plain 🚀", "plain 🚀"),
        ("\ud83d\ude80", "🚀"),
        ("\ud83d", "\N{REPLACEMENT CHARACTER}"),
        ("\ude80\ud83d", "\N{REPLACEMENT CHARACTER}" * 2),
        ("a\x00b", "ab"),
    ],
)
def test_halves_of_characters_are_joined_or_replaced(text: str, whole: str) -> None:
    assert whole_characters(text) == whole
