"""What somebody means who asks on below a digest: which of its points, or the web after all."""

from __future__ import annotations

import re

_ORDINALS = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth"
_CARDINALS = "one|two|three|four|five|six|seven|eight|nine|ten"
_VALUES = {
    word: number
    for words in (_ORDINALS, _CARDINALS)
    for number, word in enumerate(words.split("|"), 1)
}
_NOUN = r"(?:points?|items?|lines?|entry|entries|bullets?|topics?|claims?)"
_NTH = rf"(?:\d{{1,3}}(?:st|nd|rd|th)|{_ORDINALS})\b"
_COUNT = rf"(?:\d{{1,3}}|{_CARDINALS})\b"
_ONE = rf"(?:{_NTH}|{_COUNT})"
_AND = r"(?: ?, ?and | ?[,&] ?| and )"
_TO = r"(?: ?[-–] ?| to )"  # noqa: RUF001 - dash
_SEVERAL = rf"(?:{_AND}|{_TO}| or )"
_LIST = rf"{_ONE}(?:{_SEVERAL}{_ONE}){{0,20}}"  # without an end, long lists take their square
_END = r"(?:,? please)?(?:[.?!,;:)](?!\d)| ?$)"
# Behind its noun a number is a name. Before it only an ordinal is one, or several numbers: a
# single one counts what is wanted, as does whatever stands behind "in".
_NAMED = re.compile(
    rf"\b(?:{_NOUN} |numbers? |nos?\. ?)#?({_LIST})"
    rf"|\b({_NTH}(?:{_SEVERAL}{_NTH}){{0,20}}) (?:{_NOUN}\b|ones?\b(?!-))"
    rf"|\b({_COUNT}(?:{_AND}{_COUNT}){{1,20}}) {_NOUN}\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    rf"\b(?:in|into|between) {_COUNT}(?:{_SEVERAL}{_COUNT}){{0,20}}", re.IGNORECASE
)
_MARKED = re.compile(r"#(\d{1,3})\b")
_ALONE = re.compile(
    rf"(?:the )?#?({_LIST}) ?{_END}|(?:the )?({_ONE}(?:{_SEVERAL}{_ONE}){{1,20}}) {_NOUN}{_END}",
    re.IGNORECASE,
)
_LAST = re.compile(rf"\blast (?:one\b(?!-)|(?:({_COUNT}) )?{_NOUN}\b)", re.IGNORECASE)
_FIRST = re.compile(rf"\bfirst ({_COUNT})(?= {_NOUN}\b|{_END})", re.IGNORECASE)
_SPAN = re.compile(rf"({_ONE}){_TO}({_ONE})", re.IGNORECASE)
_WEB = tuple(
    re.compile(rf"(?:please\s+)?{form}", re.IGNORECASE | re.DOTALL)
    for form in (
        r"search\s+(?:the\s+)?(?:web|internet|net)\s+(?:for|about)\s+(.+)",
        r"(?:look\s+up|search\s+for|search)\s+(\S.*?)(?<!\s)\s+on\s+the\s+(?:web|internet)\W*",
        r"web\s+search\s*:\s*(.+)",
    )
)


def points_asked(text: str, count: int) -> tuple[int, ...]:
    """Return the numbers of the points that are named, of so many; none where none is."""
    text = _COUNTED.sub(" ", " ".join(text.split()))
    found: set[int] = set()
    if first := _FIRST.search(text):
        found |= set(range(1, _value(first[1]) + 1))
    if last := _LAST.search(text):
        found |= set(range(count - (_value(last[1]) if last[1] else 1) + 1, count + 1))
        text = _LAST.sub(" ", text)
    lists = ["".join(named) for named in _NAMED.findall(text)] + _MARKED.findall(text)
    if alone := _ALONE.fullmatch(text):
        lists.append(alone[1] or alone[2])
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
    return _VALUES.get(word.lower()) or int(re.sub(r"\D", "", word) or 0)
