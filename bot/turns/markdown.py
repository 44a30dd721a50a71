"""The model's Markdown, read while it comes.

What is read is what every reader of Markdown would agree on: where our view and Slack's could
differ, the text is taken as plain words, so that nothing hides from the rules for links. The
places where they could differ, and what is done there:

- a code span over a line end, or one that a table's bar could end early: no code span here, and
  its backticks are escaped
- a fence in a list or a quote: moved to the line's beginning, where it is one everywhere
- a fence of tildes: written with backticks
- `](` and `]:` that are no link of ours: parted by a zero-width space
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.turns.fences import ZERO_WIDTH, Fence, marker_before_fence, may_open, read_opening
from bot.turns.links import URL_LIMIT, Link, MoreNeeded, read_group, read_link
from bot.turns.pieces import Code, Prose

CODE_LINE_LIMIT = 2_000  # characters of a line of code that wait for the line's end

_SCHEME = r"[A-Za-z][A-Za-z0-9+.\-]{1,20}://"
# A bare domain is left alone unless something follows it that could carry words away.
_HOST = (
    r"(?:(?:[A-Za-z0-9\-]{1,63}\.){1,9}(?:xn--[A-Za-z0-9\-]{1,59}|[A-Za-z]{2,63})"
    r"|\d{1,3}(?:\.\d{1,3}){3})"
)
_DOMAIN = rf"{_HOST}(?::\d{{1,5}})?[/?#](?=[!-~])"
LONGEST_HOST = 700  # characters
_SPECIAL = re.compile(rf"[\n\\`\[(<]|!\[|\](?=[(:])|~~~|{_SCHEME}|www\.|{_DOMAIN}", re.IGNORECASE)
_URL = re.compile(r"[^\s<>|`\"\\]+")
_VISIBLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_LEFTOVER_MARK = re.compile("\ue200[^\ue200\ue201\n]{0,2000}\ue201|[\ue200-\ue2ff]")
_LINE_END = re.compile("\r\n?|[\u0085\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_KEPT_ESCAPES = frozenset("\\`*_{}[]()#+-!|~>")
_ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_LINKISH = re.compile(r"\]\(|://|www\.|@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LinkGroup:
    """One link, or several alone in parentheses as models write their citations."""

    links: tuple[Link, ...]
    bracketed: bool  #: stood in parentheses


@dataclass(frozen=True, slots=True)
class BareUrl:
    """A URL that stands in the text without a label."""

    url: str


Token = Prose | Code | LinkGroup | BareUrl


class MarkdownReader:
    """Reads Markdown in pieces cut anywhere; the tokens do not depend on where."""

    def __init__(self, *, inline: bool = False) -> None:
        self._unfiltered = ""
        self._text = ""
        self._at_line_start = not inline
        self._bar_in_code = False
        self._list_indent = 0  # of the list item that the next line's fence began in
        self._fence: Fence | None = None
        self._searched = 0  # up to where the text begins nothing special

    def feed(self, text: str) -> list[Token]:
        """Read on, and return the tokens that are decided."""
        self._text += self._filtered(text, final=False)
        return self._tokens(final=False)

    def close(self) -> list[Token]:
        """Return the rest; an open fence is closed."""
        self._text += self._filtered("", final=True)
        tokens = self._tokens(final=True)
        if self._fence is not None:
            tokens.append(Code(("" if self._at_line_start else "\n") + self._fence.written))
            self._fence = None
        return tokens

    def _filtered(self, text: str, *, final: bool) -> str:
        """Leave out citation marks in private-use characters, which OpenAI's models let slip."""
        whole = self._unfiltered + text
        begin = whole.rfind("\ue200")
        open_mark = begin >= 0 and not re.search("[\ue201\n]", whole[begin:])
        keep = len(whole)
        if not final and open_mark and len(whole) - begin < CODE_LINE_LIMIT:
            keep = begin
        elif not final and whole.endswith("\r"):
            keep -= 1
        self._unfiltered = whole[keep:]
        return _CONTROL.sub("", _LINE_END.sub("\n", _LEFTOVER_MARK.sub("", whole[:keep])))

    def _tokens(self, *, final: bool) -> list[Token]:
        tokens: list[Token] = []
        try:
            while self._text:
                token, used = self._next(final=final)
                self._text = self._text[used:]
                tokens.append(token)
        except MoreNeeded:
            pass
        return tokens

    def _next(self, *, final: bool) -> tuple[Token, int]:
        if self._fence is not None:
            return self._code_line(self._fence, final=final)
        if self._at_line_start:
            opened = self._fence_opened(final=final)
            if opened is not None:
                return opened
        special = _SPECIAL.search(self._text, self._searched)
        if special is None:
            return self._plain(final=final)
        self._searched = 0
        if special.start() > 0:
            self._at_line_start = False
            return Prose(self._text[: special.start()]), special.start()
        return self._special(special[0], final=final)

    def _plain(self, *, final: bool) -> tuple[Token, int]:
        end = len(self._text)
        self._searched = 0
        if not final:
            end = len(self._text.rstrip(_VISIBLE_ASCII))
        if end == 0 and not final and len(self._text) <= URL_LIMIT:
            self._searched = max(0, len(self._text) - LONGEST_HOST)  # nothing begins before it
            raise MoreNeeded
        if end == 0:
            end = min(len(self._text), URL_LIMIT)
            return BareUrl(self._text[:end]), end
        self._at_line_start = False
        return Prose(self._text[:end]), end

    def _special(self, special: str, *, final: bool) -> tuple[Token, int]:
        if special == "\n":
            self._at_line_start = True
            self._bar_in_code = False
            return Prose("\n"), 1
        self._at_line_start = False
        if special in {"[", "!["}:
            return self._link(special, final=final)
        read = {
            "\\": self._escape,
            "`": self._code_span,
            "(": self._group,
            "<": self._angle,
            "]": self._bracket,
            "~~~": self._tildes,
        }.get(special, self._bare_url)
        return read(final=final)

    def _bracket(self, *, final: bool) -> tuple[Token, int]:
        del final  # what follows it was seen already
        return Prose("]" + ZERO_WIDTH), 1

    def _tildes(self, *, final: bool) -> tuple[Token, int]:
        del final  # not at a line's beginning, so no fence, and must not come to be one
        return Prose("\\~\\~\\~"), 3

    def _escape(self, *, final: bool) -> tuple[Token, int]:
        if len(self._text) == 1 and not final:
            raise MoreNeeded
        char = self._text[1:2]
        if char in _KEPT_ESCAPES and char:
            return Prose("\\" + char), 2
        if char in _ASCII_PUNCTUATION and char:
            return Prose(ZERO_WIDTH), 1  # what it escaped is looked at in its own right
        return Prose("  " if char == "\n" else "\\\\"), 1

    def _code_span(self, *, final: bool) -> tuple[Token, int]:
        run = len(self._text) - len(self._text.lstrip("`"))
        line_end = self._text.find("\n")
        if line_end < 0 and len(self._text) < CODE_LINE_LIMIT:
            # The last backticks may be the beginning of a longer run.
            line_end = len(self._text) if final else len(self._text.rstrip("`"))
            if not final and not self._closing_run(run, line_end):
                raise MoreNeeded
        within = CODE_LINE_LIMIT if line_end < 0 else min(line_end, CODE_LINE_LIMIT)
        close = self._closing_run(run, within)
        if close:
            content = self._text[run : close - run]
            # In a table a bar ends the cell, and with it what looked like code from here on.
            self._bar_in_code = self._bar_in_code or "|" in content
            if not (self._bar_in_code and _LINKISH.search(content)):
                return Code(self._text[:close]), close
        return Prose("\\`" * run), run

    def _closing_run(self, run: int, line_end: int) -> int:
        """Find where a run of just as many backticks ends, before `line_end`; 0 if none does."""
        for match in re.finditer("`+", self._text[run:line_end]):
            if len(match[0]) == run:
                return run + match.end()
        return 0

    def _link(self, special: str, *, final: bool) -> tuple[Token, int]:
        found = read_link(self._text, 0, final=final)
        if found is None:
            return Prose(ZERO_WIDTH.join(special)), len(special)
        return LinkGroup((found[0],), bracketed=False), found[1]

    def _group(self, *, final: bool) -> tuple[Token, int]:
        found = read_group(self._text, final=final)
        if found is None:
            return Prose("("), 1
        return LinkGroup(tuple(found[0]), bracketed=True), found[1]

    def _angle(self, *, final: bool) -> tuple[Token, int]:
        match = re.match(rf"<({_SCHEME}[^\s<>|]*)>", self._text)
        if match:
            return BareUrl(match[1]), match.end()
        undecided = re.fullmatch(r"<[^\s<>|]*", self._text)
        if undecided and not final and len(self._text) < URL_LIMIT:
            raise MoreNeeded
        return Prose("<"), 1

    def _bare_url(self, *, final: bool) -> tuple[Token, int]:
        match = _URL.match(self._text)
        end = match.end() if match else 1
        if end == len(self._text) and not final and end < URL_LIMIT:
            raise MoreNeeded
        url = _without_trailing_punctuation(_ascii_part(self._text[:end]))
        return BareUrl(url), len(url)

    def _fence_opened(self, *, final: bool) -> tuple[Token, int] | None:
        if not may_open(self._text[:CODE_LINE_LIMIT]):
            return None
        line = self._line(final=final or len(self._text) >= CODE_LINE_LIMIT)
        if len(line) >= CODE_LINE_LIMIT:
            return None
        marker = marker_before_fence(line)
        if marker:
            self._list_indent = marker
            return Prose(f"{line[:marker]}{ZERO_WIDTH}\n"), marker
        self._fence = read_opening(line, self._list_indent)
        self._list_indent = 0
        return (Code(self._fence.first_line), len(line)) if self._fence else None

    def _code_line(self, fence: Fence, *, final: bool) -> tuple[Token, int]:
        line = self._line(final=final or len(self._text) >= CODE_LINE_LIMIT)
        begins_line, self._at_line_start = self._at_line_start, line.endswith("\n")
        if not begins_line:
            return Code(line), len(line)
        content = fence.content(line)
        if content is None:
            return self._close_fence(fence, "\n", 0)
        if fence.closed_by(content):
            return self._close_fence(fence, "", len(line.rstrip("\n")))
        return Code(content), len(line)

    def _close_fence(self, fence: Fence, end: str, used: int) -> tuple[Token, int]:
        self._fence = None
        self._at_line_start = bool(end)
        return Code(fence.written + end), used

    def _line(self, *, final: bool) -> str:
        line_end = self._text.find("\n")
        if line_end < 0 and not final:
            raise MoreNeeded
        return self._text[: line_end + 1] if line_end >= 0 else self._text


def _ascii_part(url: str) -> str:
    """End a bare URL where the script changes: Chinese and Japanese put no blank after it."""
    match = re.search(r"[^!-~]", url)
    return url[: match.start()] if match and match.start() else url


def _without_trailing_punctuation(url: str) -> str:
    while url[-1:] in ".,;:!?'\"*_~)]}":
        if url[-1] == ")" and url.count("(") >= url.count(")"):
            break
        if len(url) == 1:
            break
        url = url[:-1]
    return url
