"""The stand-in for a language model: a question becomes searches and an extract with citations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.playground.responses.context import questions_in
from bot.playground.responses.plan import Opened, Plan, Searched, cited
from bot.playground.responses.response import tokens
from bot.playground.responses.structured import shaped_answer
from bot.playground.responses.tool_fields import domains_of
from bot.playground.responses.words import terms, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.playground.responses.library import Domains, Hit, Library, Section
    from bot.playground.responses.request import Create

STAND_IN = (
    "This answer was put together by a local stand-in, which searches a small library "
    "(the bot's own handbook) and is not a language model."
)
NOTHING_FOUND = (
    "I found nothing about this in the library. It only holds the bot's own handbook: asking, "
    "citations, settings, privacy, limits and the like."
)
NO_SEARCH = (
    "No search was allowed for this answer, and without one this stand-in knows nothing to say."
)

ENOUGH_COVERED = 0.4  # of a question's weight, below which a section is taken to be off the point
WELL_COVERED = 0.75  # from which no second search is made
NEARLY_AS_GOOD = 0.55  # of the best section's score, for a further section to be quoted
SECTIONS_QUOTED = 3
SENTENCES = {0: 2, 1: 1, 2: 1}  # from the best section, the second and the third
SHORT = 4  # a question of fewer words leans on the one before
LEANING = re.compile(r"\s*(and|or|but|also|what about|how about|then|there|so)\b", re.IGNORECASE)
SOURCES_SHOWN = 5

# A client may say in a first line who asks. That is no part of what is asked.
INTRODUCTION = re.compile(r'\AAsked by ".*" \(.*\)\.\n+')


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be answered, and within which limits."""

    questions: tuple[str, ...]  # oldest first; the last one is to be answered
    searches: int  # how many tool calls are allowed
    output_tokens: int | None = None
    domains: Domains | None = None
    answer: str | None = None  # what is said where the request wants a certain shape


def task_of(create: Create, items: Iterable[dict[str, Any]]) -> Task:
    """Return what a request asks, where its items are what is read of the chain."""
    said = [INTRODUCTION.sub("", text).strip() for text in questions_in(items)]
    questions = tuple(text for text in said if text) or ("",)
    return Task(
        questions,
        create.searches,
        create.body.get("max_output_tokens"),
        domains_of(create.tools),
        shaped_answer(create, questions[-1]),
    )


def plan_answer(task: Task, library: Library) -> Plan:
    """Search the library and write down what is answered."""
    if task.answer is not None:
        return _limited(Plan(task.answer), task)
    if not task.searches:
        return _limited(Plan(f"{NO_SEARCH}\n\n{STAND_IN}"), task)
    steps, hits = _research(task, library)
    if not hits:
        text = f"{NOTHING_FOUND}\n\n{STAND_IN}"
        return _limited(Plan(text, tuple(steps)), task)
    asked = _asked(task.questions)
    lines = [
        f"{sentence} ({_link(hit.section.url)})"
        for rank, hit in enumerate(hits)
        for sentence in _best_sentences(hit.section, asked, SENTENCES[rank])
    ]
    pages = {cited(hit.section.url): hit.section.title for hit in hits}
    read = " ".join(hit.section.text for hit in hits)
    text = "\n\n".join([*lines, STAND_IN])
    return _limited(Plan(text, tuple(steps), tuple(pages.items()), read), task)


def _research(task: Task, library: Library) -> tuple[list[Searched | Opened], list[Hit]]:
    """Search, open the best page, and search again for what is still missing."""
    asked = _asked(task.questions)
    found = library.search(asked, task.domains)
    hits = _on_the_point(found)
    steps: list[Searched | Opened] = [Searched((_query(task.questions),), _pages(hits))]
    if hits:
        steps.append(Opened(hits[0].section.url))
    rest = _missing(asked, hits, library)
    if rest and len(steps) < task.searches:
        again = library.search(rest, task.domains)
        refined = " ".join(dict.fromkeys([*_written(task.questions, rest)]))
        steps.append(Searched((f"{refined} {hits[0].section.title.lower()}",), _pages(again)))
        hits = [*hits, *(hit for hit in again[:1] if hit.section not in _quoted(hits))]
    return steps[: task.searches], hits[:SECTIONS_QUOTED]


def _on_the_point(found: Sequence[Hit]) -> list[Hit]:
    near = [hit for hit in found if hit.covered >= ENOUGH_COVERED]
    return [hit for hit in near if hit.score >= near[0].score * NEARLY_AS_GOOD][:SECTIONS_QUOTED]


def _missing(asked: Sequence[str], hits: Sequence[Hit], library: Library) -> list[str]:
    """Return the terms that the library knows and the sections found so far do not hold."""
    if not hits or hits[0].covered >= WELL_COVERED:
        return []
    held = {term for hit in hits for term in _held(hit.section)}
    return [term for term in asked if library.knows(term) and term not in held]


def _held(section: Section) -> list[str]:
    return terms(f"{section.title} {section.heading} {section.text}")


def _quoted(hits: Sequence[Hit]) -> list[Section]:
    return [hit.section for hit in hits]


def _pages(hits: Sequence[Hit]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(hit.section.url for hit in hits[:SOURCES_SHOWN]))


def _relevant(questions: Sequence[str]) -> list[str]:
    """Return the question, after the one before it where it cannot stand alone."""
    last = questions[-1]
    leans = len(last.split()) < SHORT or LEANING.match(last)
    if not leans or len(questions) == 1:
        return [last]
    return [*_relevant(questions[:-1]), last]


def _asked(questions: Sequence[str]) -> list[str]:
    # The newest question counts twice: it is what the person wants to know now.
    said = terms(" ".join([*_relevant(questions), questions[-1]]))
    # "What can you do?" has no telling word: it is about the bot.
    return said or terms("footnote")


def _query(questions: Sequence[str]) -> str:
    said = " ".join(_relevant(questions))
    return " ".join(dict.fromkeys(words(said))) or said.strip()[:80]


def _written(questions: Sequence[str], wanted: Sequence[str]) -> list[str]:
    return [word for word in words(" ".join(questions)) if terms(word)[0] in wanted]


def _sentences(section: Section) -> list[str]:
    return [
        sentence
        for paragraph in section.paragraphs
        for sentence in re.split(r"(?<=[.!?]) (?=[A-Z`])", paragraph)
    ]


def _best_sentences(section: Section, asked: Sequence[str], count: int) -> list[str]:
    """Return the sentences that hold most of the question's terms, in their order."""
    sentences = _sentences(section)
    held = [len(set(terms(sentence)) & set(asked)) for sentence in sentences]
    best = sorted(range(len(sentences)), key=lambda place: (-held[place], place))[:count]
    return [sentences[place] for place in sorted(best)]


def _link(url: str) -> str:
    return f"[{url.split('/')[2]}]({cited(url)})"


def _limited(plan: Plan, task: Task) -> Plan:
    """Cut the text where the allowed tokens end."""
    allowed = task.output_tokens
    if allowed is None or tokens(plan.text) <= allowed:
        return plan
    return Plan(plan.text[: allowed * 4], plan.steps, plan.citations, plan.read, cut=True)
