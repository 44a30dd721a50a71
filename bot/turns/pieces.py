"""What a reply is written in: pieces of Markdown, each kind made safe in its own way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown outside code. Never cut inside a run of ASCII characters without a blank."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A whole code span with its backticks, or a line of a fence (or the fence itself)."""

    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A numbered link to a page that was really found, at the place of the claim."""

    number: int
    url: str

    @property
    def text(self) -> str:
        """The mark as Markdown."""
        return f"[{self.number}]({self.url})"


@dataclass(frozen=True, slots=True)
class Address:
    """A URL that no search returned: to be read, not to be followed. Has no blank in it."""

    url: str

    @property
    def text(self) -> str:
        """The address as Markdown that no reader makes a link of.

        A zero-width space parts its scheme, since a code span alone is none any more where its
        backticks come to stand in two cells of a table.
        """
        place = ":" if ":" in self.url else "."
        return "`" + self.url.replace(place, place + "\u200b", 1) + "`"


Piece = Prose | Code | Mark | Address
