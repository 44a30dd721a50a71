"""How far a run was heard in this process, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.turns.answer import (
    Answer,
    Finished,
    Foreground,
    Searched,
    Searching,
    Started,
    TextDelta,
    Writing,
)
from bot.turns.draft import Draft
from bot.turns.prices import Spent
from bot.turns.research import Progress, Ran, Report
from bot.turns.unsourced import marked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.turns.answer import Cited
    from bot.turns.prices import Prices
    from bot.turns.research import Run, Stage, Step


@dataclass
class Following:
    """A run that is prepared and then heard, in this process and those before it."""

    run: Run
    clock: Callable[[], datetime]
    response_id: str | None = None
    sequence_number: int | None = None
    ran: dict[str, Ran] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)
    stage: Stage = "preparing"
    is_kept: bool = True
    draft: Draft = field(default_factory=Draft)
    heard: list[TextDelta | Cited] = field(default_factory=list)  #: of the text, so far

    def __post_init__(self) -> None:
        """Go on from what was recorded."""
        self.response_id = self.run.response_id
        self.sequence_number = self.run.sequence_number
        self.ran = {each.key: each for each in self.run.ran}
        if self.response_id is not None:
            self.stage = "queued"

    @property
    def seconds(self) -> float:
        """Since the run began, whichever process that was in."""
        return (self.clock() - self.run.began_at).total_seconds()

    @property
    def progress(self) -> Progress:
        """What is shown."""
        ran = tuple(self.ran.values())
        return Progress(stage=self.stage, ran=ran, seconds=self.seconds, is_kept=self.is_kept)

    def asked(self, questions: Sequence[str], spent: Spent) -> Run:
        """Take what is to be asked before it."""
        self.run = replace(self.run, questions=tuple(questions), spent=self.run.spent + spent)
        return self.run

    def briefed(self, brief: str, spent: Spent) -> Run:
        """Take what is to be researched."""
        self.run = replace(self.run, brief=brief, spent=self.run.spent + spent)
        return self.run

    def take(self, step: Step) -> bool:
        """Take what was heard; tell whether it is to be recorded and shown."""
        if step.sequence_number is not None:
            self.sequence_number = step.sequence_number
        match step.part:
            case Started(response_id):
                self.response_id, self.stage = response_id, "queued"
            case Searching(key):
                self.stage = "searching"
                self.begun.setdefault(key, self.seconds)
            case Searched(key, search, failed):
                seconds = self.seconds - self.begun.get(key, self.seconds)
                self.ran.setdefault(key, Ran(search, seconds, failed, key))
            case Writing(heard, begins):
                self.heard = [*([] if begins else self.heard), *([heard] if heard else [])]
                is_new, self.stage = self.stage != "writing", "writing"
                return is_new
            case Foreground():
                self.is_kept = False
            case _:
                self.draft.add(step.part)
                return False
        self.draft.add(step.part)
        return True

    def question(self) -> Answer:
        """Return what is asked before the run, as the answer that it is for now."""
        numbered = enumerate(self.run.questions or (), 1)
        finished = Finished("", "", "completed", self.run.spent.usage)
        return Answer(
            finished=finished,
            text="\n".join(f"{number}. {text}" for number, text in numbered),
            citations=(),
            searches=(),
            unlinked=0,
            seconds=self.seconds,
            usd=self.run.spent.usd,
        )

    def report(self, finished: Finished, prices: Prices) -> Report:
        """Return what came of the run, with what all of it has used and cost."""
        self.draft.close()
        ran = tuple(self.ran.values())
        searches = [each.search for each in ran]
        answer = self.draft.answer(finished, searches, self.seconds, prices)
        total = self.run.spent + Spent(finished.usage, answer.usd)
        finished = replace(finished, usage=total.usage)
        answer = replace(answer, text=marked(answer.text), finished=finished, usd=total.usd)
        return Report(answer=answer, ran=ran, on=self.clock().date())

    @property
    def is_written(self) -> bool:
        """Whether there is a text to make do with."""
        return any(isinstance(part, TextDelta) and part.text.strip() for part in self.heard)

    def cut(self, finished: Finished) -> Finished:
        """Make do with the text that was heard by now."""
        for part in self.heard:
            self.draft.add(part)
        return finished

    def cost(self, finished: Finished, prices: Prices) -> Answer:
        """Return what a run without a report has used and cost."""
        searches = [each.search for each in self.ran.values()]
        answer = Draft().answer(finished, searches, self.seconds, prices)
        total = self.run.spent + Spent(finished.usage, answer.usd)
        return replace(answer, finished=replace(finished, usage=total.usage), usd=total.usd)
