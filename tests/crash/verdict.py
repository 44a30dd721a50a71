"""What a person sees in the threads, and what is wrong with it.

The answer to question Q17 consists of sentences that say which they are, so it can be told what is
missing, what stands there twice and what stands in the wrong place.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.playground.slack.workspace import Message

SENTENCE = re.compile(r"Q(\d+)-(\d+) is said here\.")
FOOTER = "Written by"
TRY_AGAIN = "try_again"


@dataclass(frozen=True, slots=True)
class Question:
    """A question that a person asked."""

    number: int
    sentences: int  #: of its answer


@dataclass
class Thread:
    """A thread with the questions that were asked in it, in order."""

    channel: str
    root: str
    questions: list[Question] = field(default_factory=list)


@dataclass
class Verdict:
    """How many are wrong, and what is wrong with each."""

    asked: int = 0
    answered: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    spinning: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether every question has its answer, once, whole and in its place."""
        wrong = self.lost or self.doubled or self.out_of_order or self.spinning
        return not wrong and self.asked == self.answered

    def __str__(self) -> str:
        return (
            f"asked {self.asked} answered {self.answered} lost {self.lost} doubled {self.doubled} "
            f"out-of-order {self.out_of_order} spinning {self.spinning}"
        )


def answer_text(question: Question) -> str:
    """Return what the model answers."""
    said = [f"Q{question.number}-{n} is said here." for n in range(question.sentences)]
    return "".join(
        sentence + ("\n\n" if n % 5 == 4 else " ") for n, sentence in enumerate(said)
    ).rstrip()


def shown(message: Message) -> str:
    """Return the text of a message, streamed or posted."""
    blocks = (block for block in message.blocks if block["type"] == "markdown")
    return message.markdown + "".join(str(block["text"]) for block in blocks)


def sentences(messages: Iterable[Message]) -> list[tuple[int, int]]:
    """Return the sentences that stand in messages, as question and place."""
    found = (SENTENCE.finditer(shown(message)) for message in messages)
    return [(int(match[1]), int(match[2])) for matches in found for match in matches]


def is_answered(question: Question, messages: Sequence[Message]) -> bool:
    """Whether the last sentence of an answer stands in a message that is finished."""
    last = (question.number, question.sentences - 1)
    return any(
        FOOTER in str(message.final_blocks or message.blocks)
        for place, message in enumerate(messages)
        if any(last in sentences([earlier]) for earlier in messages[: place + 1])
    )


def is_given_up(message: Message) -> bool:
    """Whether a message says that it failed, and offers to try again."""
    return TRY_AGAIN in str(message.final_blocks or message.blocks)


def judge(thread: Thread, messages: Sequence[Message], status: str | None) -> Verdict:
    """Say what is wrong with a thread; `messages` are the bot's in it, without its root."""
    verdict = Verdict(asked=len(thread.questions))
    found = sentences(messages)
    counted = Counter(found)
    for question in thread.questions:
        _judge_question(verdict, question, counted, messages)
    order = list(dict.fromkeys(number for number, _ in found))
    asked = [q.number for q in thread.questions if q.number in order]
    if order != asked or any(a > b for a, b in _within(found)):
        verdict.out_of_order += 1
        verdict.faults.append(f"asked in the order {asked}, answered in {order}")
    footers = sum(FOOTER in str(message.final_blocks or message.blocks) for message in messages)
    if footers > len(thread.questions):
        verdict.doubled += 1
        verdict.faults.append(f"{footers} footers below {len(thread.questions)} questions")
    _judge_rest(verdict, messages, status)
    return verdict


def _judge_question(
    verdict: Verdict,
    question: Question,
    counted: Counter[tuple[int, int]],
    messages: Sequence[Message],
) -> None:
    counts = [counted[question.number, place] for place in range(question.sentences)]
    if max(counts) > 1:
        verdict.doubled += 1
        verdict.faults.append(f"Q{question.number} has sentences twice: {counts}")
    elif min(counts) == 1 and is_answered(question, messages):
        verdict.answered += 1
    elif not any(is_given_up(message) for message in messages):
        verdict.lost += 1
        verdict.faults.append(f"Q{question.number} is not answered whole: {counts}")


def _within(found: Sequence[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Pair each sentence's place with the next one's of the same answer."""
    for (one, place), (other, following) in pairwise(found):
        if one == other:
            yield place, following


def _judge_rest(verdict: Verdict, messages: Sequence[Message], status: str | None) -> None:
    """Find what still looks as if something went on."""
    for message in messages:
        running = [task for task in message.tasks.values() if task.status == "in_progress"]
        if message.streaming_state in {"in_progress", "errored"} or running:
            verdict.spinning += 1
            verdict.faults.append(f"{message.ts} is {message.streaming_state}: {running}")
        elif not _says_something(message):
            verdict.spinning += 1
            verdict.faults.append(f"{message.ts} is left: {shown(message)!r} {message.blocks}")
    if status:
        verdict.spinning += 1
        verdict.faults.append(f"the thread still says {status!r}")


def _says_something(message: Message) -> bool:
    below: Any = message.final_blocks or message.blocks
    return bool(sentences([message])) or FOOTER in str(below) or is_given_up(message)


def total(verdicts: Iterable[Verdict]) -> Verdict:
    """Add verdicts up."""
    verdict = Verdict()
    for one in verdicts:
        verdict.asked += one.asked
        verdict.answered += one.answered
        verdict.lost += one.lost
        verdict.doubled += one.doubled
        verdict.out_of_order += one.out_of_order
        verdict.spinning += one.spinning
        verdict.faults += one.faults
    return verdict
