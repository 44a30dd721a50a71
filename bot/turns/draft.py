"""The answer while it is written: links become numbered citations, or words."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from bot.turns.answer import Answer, Citation, Cited, Searched, TextDelta
from bot.turns.fences import ZERO_WIDTH
from bot.turns.links import Link, clean_url, safe_url, url_key
from bot.turns.markdown import BareUrl, LinkGroup, MarkdownReader, Token
from bot.turns.pieces import Address, Code, Mark, Piece, Prose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.turns.answer import Finished, Part, Search
    from bot.turns.prices import Prices

# An annotation follows its link at once, but a link may be one that no search returned. After so
# many characters more, from a server that does name its sources, the link is taken for that.
DECIDED_AFTER_CHARACTERS = 600

_OPENS = re.compile(r"[\s(\[*_~\"'“«>|（「『【]\Z")  # noqa: RUF001 - full-width brackets
_NUMBER = re.compile(r"(\d{1,3})\](.*)", re.DOTALL)  # what follows the bracket
_JOINS_ON = re.compile(r"[A-Za-z0-9:/.@\-_?=&%#+]\Z")


class Draft:
    """Takes the model's parts in order and gives pieces that are safe to show."""

    def __init__(self) -> None:
        self.unlinked = 0
        self.searches: list[Search] = []
        self._reader = MarkdownReader()
        self._waiting: deque[Token] = deque()
        self._pages = _Pages()
        self._written: list[str] = []

    @property
    def text(self) -> str:
        """What was written so far, as Markdown."""
        return "".join(self._written)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The pages referred to so far: in the text in order of first use, then the others."""
        return self._pages.citations()

    def add(self, part: Part) -> list[Piece]:
        """Take the next part; return what can be shown now."""
        match part:
            case TextDelta(text):
                self._waiting.extend(self._reader.feed(text))
            case Searched(_, search):
                self.searches.append(search)
                self._pages.found(search)
            case Cited(url, title, number):
                self._pages.cited(url, title, number)
            case _:
                return []
        return self._decided(final=False)

    def answer(
        self,
        finished: Finished,
        searches: Sequence[Search],
        seconds: float,
        prices: Prices,
        *,
        is_told_whole: bool = True,
    ) -> Answer:
        """Return what was written, once it is closed, with what is known of how it came about."""
        billed = finished.billed_searches
        if billed is None:
            billed = sum(search.kind == "search" for search in searches)
        return Answer(
            finished=finished,
            text=self.text,
            citations=self.citations,
            searches=tuple(searches),
            unlinked=self.unlinked,
            seconds=seconds,
            usd=prices.of(finished, billed),
            is_told_whole=is_told_whole,
        )

    def close(self) -> list[Piece]:
        """Return the rest, with what is unknown by now taken as unknown."""
        self._waiting.extend(self._reader.close())
        pieces = self._decided(final=True)
        self._pages.number_unplaced()
        return pieces

    def _decided(self, *, final: bool) -> list[Piece]:
        pieces: list[Piece] = []
        while self._waiting and (final or self._is_decided(self._waiting[0])):
            if not final and self._may_be_number():
                break
            for piece in self._numbered() or self._pieces(self._waiting.popleft()):
                self._written.append(piece.text)
                pieces.append(piece)
        return pieces

    def _may_be_number(self) -> bool:
        """Whether a bracket is open, of which it is not known yet what follows."""
        return self._pages.are_numbered and list(self._waiting) == [Prose("[")]

    def _numbered(self) -> list[Piece]:
        """Take a number like `[3]` by which the text refers to a page; none where it is no such."""
        if not self._pages.are_numbered or len(self._waiting) < 2 or self._waiting[0] != Prose("["):  # noqa: PLR2004 - the bracket and what follows it
            return []
        follows = self._waiting[1]
        found = _NUMBER.match(follows.text) if isinstance(follows, Prose) else None
        url = self._pages.numbered(int(found[1])) if found else None
        if found is None or url is None:
            return []
        del self._waiting[0], self._waiting[0]
        if found[2]:
            self._waiting.appendleft(Prose(found[2]))
        return self._marks([url])

    def _is_decided(self, token: Token) -> bool:
        urls = _urls(token)
        if all(self._pages.knows(url) or url_key(url) is None for url in urls):
            return True
        if not self._pages.any_known:
            return False
        later = sum(_length(other) for other in self._waiting) - _length(token)
        return later > DECIDED_AFTER_CHARACTERS

    def _pieces(self, token: Token) -> list[Piece]:
        if isinstance(token, (Prose, Code)):
            return [token]
        if isinstance(token, BareUrl):
            return self._bare(token.url)
        known = all(self._pages.knows(link.url) for link in token.links)
        if token.bracketed and known:
            return self._marks([link.url for link in token.links])
        pieces = [piece for link in token.links for piece in self._linked(link)]
        return [Prose("("), *pieces, Prose(")")] if token.bracketed else pieces

    def _bare(self, url: str) -> list[Piece]:
        address = url if "://" in url else f"https://{url}"
        if self._pages.knows(address):
            return self._marks([address])
        self.unlinked += "://" in url
        return _address(url)

    def _linked(self, link: Link) -> list[Piece]:
        label = [] if _is_mark(link) else self._label(link.label)
        if self._pages.knows(link.url):
            return [*label, *self._marks([link.url], after=label)]
        self.unlinked += 1
        address = _address(link.url)
        return [*label, Prose(" "), *address] if label and address else [*label, *address]

    def _label(self, label: str) -> list[Piece]:
        """Say a link's label as words, so that it can't grow together with what is before it."""
        reader = MarkdownReader(inline=True)
        pieces: list[Piece] = [Prose(ZERO_WIDTH)] if _JOINS_ON.search(self._end) else []
        for token in [*reader.feed(label), *reader.close()]:
            pieces += [token] if isinstance(token, (Prose, Code)) else self._words(token)
        return pieces

    def _words(self, token: LinkGroup | BareUrl) -> list[Piece]:
        """Say a link that stands in another's label without linking it."""
        if isinstance(token, BareUrl):
            return _address(token.url)
        return [
            piece
            for link in token.links
            for piece in (*self._label(link.label), Prose(" "), *_address(link.url))
        ]

    def _marks(self, urls: list[str], after: list[Piece] | None = None) -> list[Piece]:
        """Make the pages' marks; two links to one page beside each other are one."""
        before = after[-1].text if after else self._end
        marks = dict.fromkeys(self._pages.number(url) for url in urls)
        pieces: list[Piece] = [] if not before or _OPENS.search(before) else [Prose(" ")]
        for mark in marks:
            pieces += [mark, Prose(" ")]
        return pieces[:-1]

    @property
    def _end(self) -> str:
        return next((text for text in reversed(self._written) if text), "")


class _Pages:
    """The pages that were really found, and the numbers of those referred to."""

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}
        self._cited: dict[str, str] = {}
        self._numbers: dict[str, Mark] = {}
        self._own_numbers: dict[int, str] = {}

    @property
    def are_numbered(self) -> bool:
        """Whether this server has the text refer to pages by numbers of its own."""
        return bool(self._own_numbers)

    @property
    def any_known(self) -> bool:
        """Whether this server says which pages it found."""
        return bool(self._titles)

    def knows(self, url: str) -> bool:
        return url_key(url) in self._titles

    def found(self, search: Search) -> None:
        for url in (*search.sources, *([search.url] if search.url else [])):
            key = url_key(url)
            if key is not None:
                self._titles.setdefault(key, "")

    def cited(self, url: str, title: str, number: int | None) -> None:
        key = url_key(url)
        if key is not None:
            self._titles[key] = self._titles.get(key) or " ".join(title.split())
            self._cited.setdefault(key, url)
            if number is not None:
                self._own_numbers[number] = url

    def numbered(self, number: int) -> str | None:
        """Return the page that the text refers to by this number."""
        return self._own_numbers.get(number)

    def number(self, url: str) -> Mark:
        """Give a known page its number, in the order of first use."""
        key = url_key(url) or url
        if key not in self._numbers:
            self._numbers[key] = Mark(len(self._numbers) + 1, safe_url(clean_url(url.strip())))
        return self._numbers[key]

    def number_unplaced(self) -> None:
        """Give numbers to pages that were cited at no place that is found in the text.

        Where the text numbers pages by itself, those that it names are all it refers to.
        """
        if self._own_numbers and self._numbers:
            return
        for url in self._cited.values():
            self.number(url)

    def citations(self) -> tuple[Citation, ...]:
        return tuple(
            Citation(mark.number, mark.url, self._titles[key])
            for key, mark in self._numbers.items()
        )


def _urls(token: Token) -> list[str]:
    match token:
        case LinkGroup(links):
            return [link.url for link in links]
        case BareUrl(url):
            return [url]
    return []


def _address(url: str) -> list[Piece]:
    shown = safe_url(clean_url(url.strip()))
    return [Address(shown)] if shown else []


def _length(token: Token) -> int:
    match token:
        case LinkGroup(links):
            return sum(len(link.label) + len(link.url) for link in links)
        case BareUrl(url):
            return len(url)
    return len(token.text)


def _is_mark(link: Link) -> bool:
    """Whether a label says no more than the number will: a host, a digit, the URL itself."""
    label = link.label.strip("[]【】 \t").lower().removeprefix("www.")
    host = link.url.partition("://")[2].partition("/")[0].lower().removeprefix("www.")
    number = label.isdigit() and len(label) < 3  # noqa: PLR2004 - three digits are a quantity
    return not label or number or label == host or label == link.url.lower()
