"""What a test orders: texts to answer with, recorded streams, and faults."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.playground.responses.plan import Plan, Searched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Scripted:
    """An answer word for word, with the links that the model would write into it."""

    text: str
    queries: Sequence[str | tuple[str, ...]] = ()  # one search each; a tuple is one with several
    sources: Sequence[str] = ()
    citations: Sequence[tuple[str, str]] = ()  # (url, title)
    pieces: Sequence[str] | None = None  # the deltas; None cuts anywhere
    model: str | None = None

    def __post_init__(self) -> None:
        if self.pieces is not None and "".join(self.pieces) != self.text:
            message = "the pieces of a script have to add up to its text"
            raise ValueError(message)

    def plan(self, searches: int) -> Plan:
        """Return the answer, with at most so many searches."""
        asked: list[tuple[str, ...]] = [
            (query,) if isinstance(query, str) else query for query in self.queries
        ]
        asked = asked or ([()] if self.sources else [])
        steps = [Searched(queries) for queries in asked[:searches]]
        if steps:
            steps[0] = replace(steps[0], sources=tuple(self.sources))
        pieces = None if self.pieces is None else tuple(self.pieces)
        return Plan(self.text, tuple(steps), tuple(self.citations), pieces=pieces, model=self.model)


@dataclass(frozen=True, slots=True)
class Played:
    """Raw bytes to answer with."""

    body: bytes
    piece_sizes: tuple[int, ...] | None
    status: int
    headers: Mapping[str, str]

    def pieces(self) -> list[bytes]:
        """Return the bytes in pieces of these sizes; the last size goes on to the end."""
        sizes = self.piece_sizes or (len(self.body),)
        pieces, start = list[bytes](), 0
        while start < len(self.body):
            size = max(1, sizes[min(len(pieces), len(sizes) - 1)])
            pieces.append(self.body[start : start + size])
            start += size
        return pieces

    def response(self) -> dict[str, Any] | None:
        """Return the response object that the bytes end with, where they hold one."""
        frames = [line[6:] for line in self.body.splitlines() if line.startswith(b"data: ")]
        for frame in reversed([self.body, *frames]):
            try:
                value = json.loads(frame)
            except ValueError:
                continue
            value = value.get("response", value) if isinstance(value, dict) else {}
            if value.get("object") == "response":
                return value
        return None


@dataclass(frozen=True, slots=True)
class Fault:
    """A request that fails before it is looked at; without a status it is never answered."""

    on: str  # "create", "retrieve", "cancel", "delete", "input_items", "input_tokens", "models"
    status: int | None = None
    body: dict[str, Any] | str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What happens to a stream after so many events."""

    cut_after: int | None = None
    stall_after: int | None = None
    kept: bool = False  # whether the response of a cut stream is finished and kept all the same
    background: bool = False  # whether only a response in the background is disturbed


@dataclass(slots=True)
class Orders:
    """What the next requests are answered with, first come first served."""

    answers: deque[Scripted | Played | Callable[[str], Scripted]] = field(default_factory=deque)
    faults: deque[Fault] = field(default_factory=deque)
    disturbances: deque[Disturbance] = field(default_factory=deque)

    def fault(self, on: str) -> Fault | None:
        """Take the next fault ordered for this kind of request."""
        for fault in self.faults:
            if fault.on == on:
                self.faults.remove(fault)
                return fault
        return None

    def answer(self, question: str) -> Scripted | Played | None:
        """Take the next ordered answer."""
        if not self.answers:
            return None
        answer = self.answers.popleft()
        return answer if isinstance(answer, Scripted | Played) else answer(question)

    def disturbance(self, *, background: bool = False) -> Disturbance:
        """Take what happens to the next stream of this kind."""
        for disturbance in self.disturbances:
            if background or not disturbance.background:
                self.disturbances.remove(disturbance)
                return disturbance
        return Disturbance()
