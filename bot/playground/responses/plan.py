"""What will be answered, before it takes the shape of a response."""

from __future__ import annotations

from dataclasses import dataclass

UTM = "utm_source=openai"  # OpenAI adds it to nearly every link it cites


@dataclass(frozen=True, slots=True)
class Searched:
    """A search: its queries and the pages it returned."""

    queries: tuple[str, ...]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """A page that was opened."""

    url: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A part of the text that a page backs."""

    start: int
    end: int
    url: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be answered: the steps before the text, the text, and the titles of its links."""

    text: str
    steps: tuple[Searched | Opened, ...] = ()
    citations: tuple[tuple[str, str], ...] = ()  # (url, title)
    read: str = ""  # what the steps have brought, which is billed as input
    cut: bool = False  # whether the text ends at max_output_tokens
    pieces: tuple[str, ...] | None = None  # the deltas, where the test says which
    model: str | None = None
    claims: tuple[Claim, ...] = ()  # where the text has no links to say what backs what


def cited(url: str) -> str:
    """Return a URL as OpenAI writes it into a citation."""
    return f"{url}{'&' if '?' in url else '?'}{UTM}"
