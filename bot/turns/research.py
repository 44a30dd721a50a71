"""Research that takes its time: what is shown of it while it goes on, and what comes of it.

question ─► background response, by its id in the database ─► report
                        │ searches                              │
                        ▼                                       ▼
              plan message, for hours              summary, report, sources
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.turns.prices import NOTHING_SPENT

if TYPE_CHECKING:
    from datetime import date, datetime

    from bot.turns.answer import Answer, Part, Search
    from bot.turns.prices import Spent

Stage = Literal["preparing", "queued", "searching", "writing"]

SUMMARY_CHARACTERS = 1_500


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a run as it comes, and the place in its stream up to which it is known by then.

    Before the last part, `Finished`, the whole text comes once more from its beginning, however
    often the stream was lost: the text before that is only a sign of life.
    """

    part: Part
    sequence_number: int | None = None  #: None where the server gave none, as while polling


@dataclass(frozen=True, slots=True)
class Ran:
    """A search or a look at a page, and how long it took."""

    search: Search
    seconds: float
    failed: bool = False
    key: str = ""  #: that its parts have


@dataclass(frozen=True, slots=True)
class Run:
    """How far a run was heard, as it is recorded."""

    began_at: datetime
    response_id: str | None = None
    sequence_number: int | None = None
    ran: tuple[Ran, ...] = ()
    questions: tuple[str, ...] | None = None  #: asked before it; None until that is decided
    is_taken_up: bool = False  #: whether the person wants it begun, with or without an answer
    is_answer: bool = False  #: whether its question answers what was asked before another one
    brief: str | None = None  #: None until it is written
    spent: Spent = NOTHING_SPENT  #: on preparing it


@dataclass(frozen=True, slots=True)
class Running:
    """A run that goes on."""

    turn_id: int
    user: str  #: who asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come."""

    stage: Stage
    ran: tuple[Ran, ...]  #: in the order of their ends
    seconds: float  #: since the run began
    is_kept: bool = True  #: False where a restart would begin it anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a run."""

    answer: Answer  #: its text is the whole report, in Markdown with numbered links
    ran: tuple[Ran, ...]
    on: date  #: when its pages were read

    @property
    def summary(self) -> str:
        """The beginning of it, at most SUMMARY_CHARACTERS."""
        return summary_of(self.answer.text)

    @property
    def is_partial(self) -> bool:
        """Whether it was cut short, as by its deadline."""
        return self.answer.finished.ending != "completed"


def summary_of(text: str) -> str:
    """Return the beginning of a report, up to its second heading or the end of a paragraph."""
    head: list[str] = []
    for block in text.strip().split("\n\n"):
        is_long = len("\n\n".join([*head, block])) > SUMMARY_CHARACTERS
        if head and (is_long or block.startswith("#")):
            break
        head.append(block)
    return "\n\n".join(head)[:SUMMARY_CHARACTERS]
