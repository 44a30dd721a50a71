"""Where one message of a reply ends and the next begins.

A streamed message fails somewhere above 10,000 bytes in total, cards included; Slack does not say
where, third parties have measured it. A page is therefore kept to 8,000 bytes. Up to the half of it
text goes out as it comes; from there on only whole blocks do, so that a page ends where a block
ends. A block is a paragraph, a list, a whole fence, a whole table. One that is longer than a page
is cut at a line's end, else at a sentence's, else at a blank; a table repeats its head.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PAGE_BYTES = 8_000

_FENCE = re.compile(r"`{3,}")
_DELIMITER_ROW = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*\n?\Z")
_WHOLE = re.compile(
    r"(?<!`)(`{1,9})(?!`)[^\n]{0,2000}?(?<!`)\1(?!`)|\[[^\[\]\n]{0,99}\]\([^)\s]{0,5000}\)"
)
WHOLE_CHARACTERS = 5_000  # of the longest that is not to be cut
_PLACES_TO_CUT = (
    re.compile(r"\n+"),
    re.compile(r"[.!?…]['\")\]]*[ \t]+|[。！？]+"),  # noqa: RUF001 - full-width punctuation
    re.compile(r"[ \t]+"),
    re.compile(r"."),
)
# Between two words; Chinese and Japanese have no blanks there.
_PLACES_TO_PART = (_PLACES_TO_CUT[2], re.compile(r"[^\x00-\x7f]"))


@dataclass(frozen=True, slots=True)
class PageBreak:
    """Go on in a new message."""


@dataclass
class Pages:
    """Cuts a growing text into pages. What it gives out, joined, is what it was given."""

    limit: int = PAGE_BYTES
    used: int = 0  #: bytes on the page, cards included
    repeated: int = 0  #: characters given out twice: heads of tables
    _text: str = ""
    _fence: str = ""  #: the fence that is open where the given-out text ends
    _within_block: bool = False
    _break_due: bool = False
    _head: int = 0  #: bytes that were on the page before any text of its own

    def feed(self, text: str) -> None:
        """Add to the text."""
        self._text += text

    def turn_soon(self) -> None:
        """Begin a new page at the next block."""
        self._break_due = not self._is_empty

    def turn_now(self, used: int = 0) -> None:
        """Begin a new page here: the message takes no more. `used` was given out, but not sent."""
        self.used, self._head = used, 0
        self._break_due = False

    def go_on_with(self, head: str) -> None:
        """Note what the page begins with, as a fence that is opened again."""
        self.used += _size(head)
        self._head = self.used

    def take(self, *, final: bool = False) -> str | PageBreak | None:
        """Give out what can go on the page now, a block at the most; None if more is needed."""
        if not self._text:
            return None
        if self._break_due and not self._within_block:
            return self._turn()
        block, whole = self._block(final=final)
        room = self.limit - self.used
        if self._fits_as_it_comes(block, whole=whole):
            if not whole and self._is_nearly_full:
                block = block[: _place_to_cut(block, room, _PLACES_TO_CUT[:2])]
            return self._give(block, whole=whole) if block else None
        if not self._within_block and not self._is_empty:
            # Not whole, and it may still fit: wait for its end.
            return self._turn() if whole or _size(self._text) > room else None
        return self._cut(block, room)

    def _fits_as_it_comes(self, block: str, *, whole: bool) -> bool:
        if _size(block) > self.limit - self.used:
            return False
        return whole or self._within_block or self.used < self.limit // 2

    @property
    def _is_empty(self) -> bool:
        """Whether the page says nothing of its own yet."""
        return self.used <= self._head

    @property
    def _is_nearly_full(self) -> bool:
        """Whether text goes out by whole sentences only, so that the page ends with one."""
        return self.used > self.limit * 3 // 4

    def _turn(self) -> PageBreak:
        self.turn_now()
        return PageBreak()

    def _give(self, text: str, *, whole: bool) -> str:
        self._text = self._text[len(text) :]
        self.used += _size(text)
        self._fence = open_fence(text, self._fence)
        self._within_block = not whole
        return text

    def _cut(self, block: str, room: int) -> str | PageBreak | None:
        head = "" if self._fence else _table_head(block)
        kinds = 1 if head else 2 if self._is_nearly_full else len(_PLACES_TO_CUT)
        end = _place_to_cut(block, room, _PLACES_TO_CUT[:kinds])
        if end == 0:
            return self._give(block, whole=True) if self._is_empty else self._turn()
        given = self._give(block[:end], whole=False)
        if head and len(given) > len(head):
            self._text = head + self._text
            self.repeated += len(head)
        self._break_due, self._within_block = True, False
        return given

    def _block(self, *, final: bool) -> tuple[str, bool]:
        """Find the first block of the text, or what of it may go out; and whether it is whole."""
        fence = self._fence
        lines = self._text.splitlines(keepends=True)
        end = 0
        for index, line in enumerate(lines):
            if not line.endswith("\n") and not final:
                return self._text[: self._held_back(lines, index, end, fence)], False
            fence_before, fence = fence, open_fence(line, fence)
            end += len(line)
            if fence or (index < 2 and self._text.startswith("#")):  # noqa: PLR2004
                continue  # a heading stays with what it heads
            if fence_before or _ends_block(line, lines[index + 1 : index + 3]):
                return self._text[:end], True
        if final:
            return self._text, True
        return self._text[: self._held_back(lines, len(lines), end, fence)], False

    def _held_back(self, lines: list[str], index: int, end: int, fence: str) -> int:
        """Say up to where lines may go out: what is, or may become, a table waits for its end."""
        if fence:
            return end
        rest = lines[index] if index < len(lines) else ""
        table = index
        while table > 0 and "|" in lines[table - 1]:
            table -= 1
        if table == index and "|" not in rest and not rest.startswith("`"):
            return end + len(rest)
        return sum(len(line) for line in lines[:table])


def open_fence(text: str, fence: str = "") -> str:
    """Return the opening line of the fence that is open at the end of the text, "" if none is.

    `fence` is the one open at its beginning. Fences stand at a line's beginning here.
    """
    for line in text.splitlines():
        match = _FENCE.match(line)
        if match is None:
            continue
        if not fence:
            fence = line
        elif not line.strip("` \t") and len(match[0]) >= len(fence_mark(fence)):
            fence = ""
    return fence


def fence_mark(fence: str) -> str:
    """Return the backticks of a fence's opening line."""
    match = _FENCE.match(fence)
    return match[0] if match else ""


def split_for_append(text: str) -> tuple[str, str]:
    """Part a text so that what is sent later begins with no blank.

    Slack has been seen to drop blanks where a chunk of a stream begins. The second part is what
    waits; no link or code span lies in both.
    """
    body = text.rstrip()
    end = _place_to_cut(body, _size(body) - 1, _PLACES_TO_PART) if body else 0
    end = max(end, body.rfind("\n") + 1)
    while body[end : end + 1].isspace():
        end += 1
    return text[:end], text[end:]


def _ends_block(line: str, following: list[str]) -> bool:
    if not line.strip():
        return not following or bool(following[0].strip())
    return "|" not in line and bool(_table_head("".join(following)))


def _table_head(block: str) -> str:
    lines = block.splitlines(keepends=True)[:2]
    is_table = len(lines) == 2 and "|" in lines[0] and _DELIMITER_ROW.match(lines[1])  # noqa: PLR2004
    return "".join(lines) if is_table else ""


def _place_to_cut(text: str, room: int, places: tuple[re.Pattern[str], ...]) -> int:
    """Find the best place to cut within `room` bytes: 0 if there is none."""
    within = text.encode()[: max(room, 0)].decode(errors="ignore")
    around = text[: len(within) + WHOLE_CHARACTERS]
    whole = [(match.start(), match.end()) for match in _WHOLE.finditer(around)]
    for place in places:
        ends = [match.end() for match in place.finditer(within)]
        good = (e for e in reversed(ends) if not any(a < e < b for a, b in whole))
        end = next(good, 0)
        if end:
            return end
    return 0


def _size(text: str) -> int:
    return len(text.encode())
