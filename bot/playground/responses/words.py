"""What a text is found by: its telling words, brought to their stems."""

from __future__ import annotations

import re

STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a about all also am an and any are as at be been being bot both but by can could did do
        does doesn doing don every for from get go had has have having he her hers him his how i
        if in into is it its just let like ll may me might more most much must my need of on or
        other our ours out over please re really s shall she should so some such t tell than
        thanks that the their them then there these they this those to too us use used using ve
        very want was we were what when where which while who whom why will with work works
        would you your yours""",
    )
)
# An ending, and what stands in its place in the stem.
ENDINGS = (
    ("ations", ""),
    ("ation", ""),
    ("ings", ""),
    ("ing", ""),
    ("ies", "y"),
    ("ied", "y"),
    ("ed", ""),
    ("es", ""),
    ("kly", "k"),
    ("s", ""),
)
SHORTEST_STEM = 3


def words(text: str) -> list[str]:
    """Return the words that carry meaning, as they are written."""
    return [word for word in re.findall(r"\w+", text.lower()) if word not in STOP_WORDS]


def stem(word: str) -> str:
    """Return what the forms of an English word have in common, roughly."""
    for ending, instead in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            word = word.removesuffix(ending) + instead
            break
    if len(word) <= SHORTEST_STEM:
        return word
    word = re.sub(r"([^aeiou\d])\1$", r"\1", word)  # "running" is a form of "run"
    return word.removesuffix("e")  # "scheduling" is a form of "schedule"


def terms(text: str) -> list[str]:
    """Return the stems that a text is found by."""
    return [stem(word) for word in words(text)]
