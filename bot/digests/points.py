"""What somebody means who asks on below a digest: which of its points, or the web after all."""

from __future__ import annotations

import re

_ORDINALS = {
    word: number
    for number, words in enumerate(
        (
            ("first", "1st", "one"),
            ("second", "2nd", "two"),
            ("third", "3rd", "three"),
            ("fourth", "4th", "four"),
            ("fifth", "5th", "five"),
            ("sixth", "6th", "six"),
            ("seventh", "7th", "seven"),
            ("eighth", "8th", "eight"),
            ("ninth", "9th", "nine"),
            ("tenth", "10th", "ten"),
        ),
        1,
    )
    for word in words
}
_NAMES = "|".join(sorted(_ORDINALS, key=len, reverse=True))
_THING = r"(?:points?|items?|lines?|entry|entries|bullets?|numbers?|nos?\.?|topics?|claims?)"
_ONE = rf"(?:\d{{1,3}}(?:st|nd|rd|th)?|{_NAMES})"
_LIST = rf"{_ONE}(?:\s*(?:,|-|–|and|&|or|to)\s*{_ONE})*"  # noqa: RUF001 - dash
_NAMED = re.compile(
    rf"\b{_THING}\s+#?({_LIST})\b|\b(?:the\s+)?({_LIST})\s+{_THING}\b", re.IGNORECASE
)
_MARKED = re.compile(r"#(\d{1,3})\b")
_ALONE = re.compile(rf"\s*#?({_LIST})\s*[.?!]?\s*", re.IGNORECASE)
_LAST = re.compile(
    rf"\b(?:the\s+)?last\s+(?:one\b|(\d{{1,2}}|two|three)?\s*{_THING}\b)", re.IGNORECASE
)
_FIRST = re.compile(r"\b(?:the\s+)?first\s+(\d{1,2}|two|three|four|five)\b", re.IGNORECASE)
_SPAN = re.compile(rf"({_ONE})\s*(?:-|–|to)\s*({_ONE})", re.IGNORECASE)  # noqa: RUF001 - dash
_WEB = tuple(
    re.compile(rf"(?:please\s+)?{form}", re.IGNORECASE | re.DOTALL)
    for form in (
        r"search\s+(?:the\s+)?(?:web|internet|net)\s+(?:for|about)\s+(.+)",
        r"(?:look\s+up|search\s+for|search)\s+(.+?)\s+on\s+the\s+(?:web|internet)\W*",
        r"web\s+search\s*:\s*(.+)",
    )
)


def points_asked(text: str, count: int) -> tuple[int, ...]:
    """Return the numbers of the points that are named, of so many; none where none is."""
    found: set[int] = set()
    if first := _FIRST.search(text):
        found |= set(range(1, _value(first[1]) + 1))
    if last := _LAST.search(text):
        found |= set(range(count - (_value(last[1]) if last[1] else 1) + 1, count + 1))
        text = _LAST.sub(" ", text)
    lists = [a or b for a, b in _NAMED.findall(text)] + _MARKED.findall(text)
    if alone := _ALONE.fullmatch(text):
        lists.append(alone[1])
    for named in lists:
        found |= _numbers(named)
    return tuple(sorted(number for number in found if 1 <= number <= count))


def for_the_web(text: str) -> str | None:
    """Return what the web is to be searched for; None where that is not what is wanted."""
    for form in _WEB:
        if found := form.fullmatch(text.strip()):
            return found[1].strip() or None
    return None


def _numbers(named: str) -> set[int]:
    found: set[int] = set()
    for begin, end in _SPAN.findall(named):
        found |= set(range(_value(begin), _value(end) + 1))
    return found | {_value(each) for each in re.findall(_ONE, named, re.IGNORECASE)}


def _value(word: str) -> int:
    return _ORDINALS.get(word.lower()) or int(re.sub(r"\D", "", word) or 0)
