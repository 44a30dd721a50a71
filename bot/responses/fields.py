"""Fields of JSON that somebody else wrote: of the promised type, or empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.turns.characters import whole_characters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGEST_COUNT = 2**53  # what JSON's readers agree on; a larger number is no count of tokens


def mapping(value: object) -> Mapping[str, object]:
    """Return an object's fields."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[object]:
    """Return an array's values."""
    return value if isinstance(value, list) else ()


def words(value: object) -> str:
    """Return a string that every receiver can take."""
    return whole_characters(value) if isinstance(value, str) else ""


def count(value: object) -> int:
    """Return a number of things."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value < LARGEST_COUNT else 0


def position(value: object) -> int | None:
    """Return a place in a list, None where there is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def flag(value: object) -> bool | None:
    """Return what is true or false, None where it says neither."""
    return value if isinstance(value, bool) else None
