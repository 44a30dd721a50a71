"""Fences of code: where one opens and closes, wherever models put them.

A fence may stand in a list or in a quote, and there readers of Markdown differ in what belongs to
it. It is written on at the beginning of a line, where it is a fence for all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ZERO_WIDTH = "\u200b"

_QUOTE = re.compile(r"(?:[ \t]*>)*")
_MARKER = r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+"
_OPENING = re.compile(
    rf"((?:[ \t]*>)*)({_MARKER})?([ \t]*)(`{{3,}}(?=[^`\n]*\n?\Z)|~{{3,}})([^\n]*)\n?\Z"
)
_MAY_OPEN = re.compile(
    rf"(?:[ \t]*>)*(?:{_MARKER})?[ \t]*(?:(?:[-*+]|\d{{1,9}}[.)]?|``?|~~?)?\Z|```|~~~)"
)


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence that is open."""

    quoted: bool
    indent: int  #: blanks before it, which its lines may have too
    mark: str  #: as the model wrote it
    written: str  #: as it is written on: backticks
    info: str = ""

    @property
    def first_line(self) -> str:
        """The fence as it is written on."""
        return f"{self.written}{self.info}\n"

    def content(self, line: str) -> str | None:
        """Return a whole line of its code as it is written on; None if the fence ends before it."""
        quote = _QUOTE.match(line)
        if self.quoted and quote:
            if not quote[0]:
                return None
            line = line[quote.end() :]
        blanks = len(line) - len(line.lstrip(" "))
        line = line[min(blanks, self.indent) :]
        # Of a fence of tildes, a line of backticks would end the one of backticks it becomes.
        parted = not self.closed_by(line) and _closes(line, self.written)
        return ZERO_WIDTH + line if parted else line

    def closed_by(self, content: str) -> bool:
        """Whether a line of its content is its end."""
        return _closes(content, self.mark)


def may_open(text: str) -> bool:
    """Whether a line that begins so may open a fence."""
    return _MAY_OPEN.match(text) is not None


def marker_before_fence(line: str) -> int:
    """Return the length of a list's marker that a fence stands right behind, 0 if none does."""
    match = _OPENING.match(line)
    return match.start(3) if match and match[2] else 0


def read_opening(line: str, list_indent: int) -> Fence | None:
    """Read a whole line as a fence's opening; `list_indent` is what a marker before it took."""
    match = _OPENING.match(line)
    if match is None:
        return None
    quote, _, indent, mark, info = match.groups()
    return Fence(
        quoted=bool(quote),
        indent=list_indent + len(indent.expandtabs(4)),
        mark=mark,
        written="`" * len(mark),
        info=info.strip().replace("`", ""),
    )


def _closes(line: str, mark: str) -> bool:
    text = line.strip(" \t\n")
    return len(text) >= len(mark) and not text.strip(mark[0])
