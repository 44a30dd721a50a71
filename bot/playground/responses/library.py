"""A small library of documents and a search in it (BM25 over their sections)."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from bot.playground.responses.words import terms

if TYPE_CHECKING:
    from collections.abc import Iterable

HANDBOOK = "https://footnote.example/handbook/"

# The two constants of BM25 at their usual values: how soon a repeated word stops counting,
# and how much a long section is held against it.
SATURATION = 1.2
LENGTH_WEIGHT = 0.75
TITLE_WEIGHT = 2  # a word of a title counts as if it were said twice more


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document under one heading."""

    title: str  # of the document
    url: str
    heading: str
    paragraphs: tuple[str, ...]

    @property
    def text(self) -> str:
        """Everything the section says."""
        return " ".join(self.paragraphs)


@dataclass(frozen=True, slots=True)
class Hit:
    """A section that was found, and how well."""

    section: Section
    score: float
    covered: float  # 0 to 1: how much of the question's weight the section's words make up


def sections_of(markdown: str, url: str) -> list[Section]:
    """Return the sections of a document: one `#` title, then `##` headings with paragraphs."""
    title, found = "", []
    heading, paragraphs = "", list[str]()
    tokens = MarkdownIt().parse(markdown)
    for opening, inline in pairwise(tokens):
        if opening.tag == "h1" and inline.type == "inline":
            title = heading = inline.content
        elif opening.type == "heading_open":
            found.append(Section(title, url, heading, tuple(paragraphs)))
            heading, paragraphs = inline.content, []
        elif opening.type == "paragraph_open":
            paragraphs.append(inline.content.replace("\n", " "))
    found.append(Section(title, url, heading, tuple(paragraphs)))
    return [section for section in found if section.paragraphs]


class Library:
    """Sections that can be searched."""

    def __init__(self, sections: Iterable[Section]) -> None:
        self.sections = list(sections)
        self._counts = [_counted(section) for section in self.sections]
        self._lengths = [counts.total() for counts in self._counts]
        self._average = sum(self._lengths) / max(1, len(self._lengths))
        self._spread = Counter(term for counts in self._counts for term in counts)

    @classmethod
    def shipped(cls) -> Library:
        """Return the library that comes with the package: the bot's own handbook."""
        folder = resources.files("bot.playground") / "library"
        files = sorted(
            (entry for entry in folder.iterdir() if entry.name.endswith(".md")),
            key=lambda entry: entry.name,
        )
        return cls(
            section
            for file in files
            for section in sections_of(
                file.read_text(encoding="utf-8"), HANDBOOK + file.name.removesuffix(".md")
            )
        )

    def search(self, asked: Iterable[str], domains: Domains | None = None) -> list[Hit]:
        """Return the sections that hold any of these terms, the best first."""
        wanted = Counter(asked)
        weight = sum(self._weight(term) * times for term, times in wanted.items())
        hits = [
            Hit(section, self._score(number, wanted), self._covered(number, wanted) / weight)
            for number, section in enumerate(self.sections)
            if not self._counts[number].keys().isdisjoint(wanted)
            and (domains is None or domains.allow(section.url))
        ]
        return sorted(hits, key=lambda hit: -hit.score)

    def knows(self, term: str) -> bool:
        """Whether a term stands anywhere in the library."""
        return term in self._spread

    def _rarity(self, term: str) -> float:
        """Inverse document frequency: what stands in few sections tells more."""
        with_term = self._spread[term]
        return math.log(1 + (len(self.sections) - with_term + 0.5) / (with_term + 0.5))

    def _weight(self, term: str) -> float:
        """How much a term counts in what a question is about; a word never heard counts half."""
        return self._rarity(term) if self.knows(term) else self._rarity(term) / 2

    def _score(self, number: int, wanted: Counter[str]) -> float:
        length = LENGTH_WEIGHT * self._lengths[number] / self._average
        score = 0.0
        for term, times in wanted.items():
            said = self._counts[number][term]
            norm = SATURATION * (1 - LENGTH_WEIGHT + length)
            score += times * self._rarity(term) * said * (SATURATION + 1) / (said + norm)
        return score

    def _covered(self, number: int, wanted: Counter[str]) -> float:
        counts = self._counts[number]
        return sum(self._rarity(term) * times for term, times in wanted.items() if term in counts)


def _counted(section: Section) -> Counter[str]:
    counts = Counter(terms(section.text))
    for term in terms(f"{section.title} {section.heading}"):
        counts[term] += TITLE_WEIGHT
    return counts


@dataclass(frozen=True, slots=True)
class Domains:
    """The hosts that a search is limited to, and those it leaves out, subdomains included."""

    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()

    def allow(self, url: str) -> bool:
        """Whether a page may be returned."""
        host = url.split("/")[2].lower()
        inside = not self.allowed or any(_within(host, domain) for domain in self.allowed)
        return inside and not any(_within(host, domain) for domain in self.blocked)


def _within(host: str, domain: str) -> bool:
    return host == domain.lower() or host.endswith("." + domain.lower())
