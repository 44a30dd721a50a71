"""What a research run looks like: its plan while it goes on, its end, its trail, its report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bot.slack.blocks import (
    GO_DEEPER,
    MESSAGE_BYTES,
    TRY_AGAIN,
    actions,
    below_answer,
    button,
    context,
    counted,
    described,
    failure_blocks,
    grouped,
    markdown_blocks,
    minutes,
    note_block,
    packed,
    section,
    shortened,
    size,
    spent,
)
from bot.slack.markdown import escape, notification
from bot.slack.words import (
    ANSWER_OR_START,
    BEGUN_ANEW,
    NO_REPORT,
    REPORT_READY,
    WHOLE_REPORT_BELOW,
)
from bot.turns.answer import site_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.slack.blocks import Json
    from bot.turns.answer import Search
    from bot.turns.research import Progress, Ran, Report, Stage

# The actions of buttons whose value is a turn's id.
STOP_RESEARCH = "stop_research"
SHOW_TRAIL = "show_trail"
SHOW_BRIEF = "show_brief"
START_NOW = "start_now"

SHOWN = 6  # of the newest searches, and of the newest pages
QUERY_CHARACTERS = 80
HOST_CHARACTERS = 60
BRIEF_CHARACTERS = 200  # of its first line
QUESTIONS = 8
QUESTION_CHARACTERS = 300
STEP_CHARACTERS = 500  # of a line of the trail
MINUTE_SECONDS = 60.0

STAGES: dict[Stage, str] = {
    "preparing": "Preparing the research",
    "queued": "Waiting for the model",
    "searching": "Researching",
    "writing": "Writing the report",
}
NAMELESS = {  # where the server does not say what
    "search": "searched the web",
    "open_page": "read a page",
    "find_in_page": "looked into a page",
}
CONFIRM_STOP = {
    "title": {"type": "plain_text", "text": "Stop this research?"},
    "text": {"type": "plain_text", "text": "What it has found so far will not be written up."},
    "confirm": {"type": "plain_text", "text": "Stop"},
    "deny": {"type": "plain_text", "text": "Go on"},
    "style": "danger",
}


def working(progress: Progress) -> str:
    """Say in one line how far a run has come."""
    return _facts(STAGES[progress.stage], _elapsed(progress.seconds), _counts(progress.ran))


def done(report: Report) -> str:
    """Say in one line what was done."""
    how = f"Researched {'for' if report.is_partial else 'in'} {spent(report.answer.seconds)}"
    return _facts(how, "cut short" if report.is_partial else "", _counts(report.ran))


def ended(how: str, progress: Progress | None) -> str:
    """Say in one line that a run ended before it was done: how, and when."""
    if progress is None:
        return how
    return _facts(f"{how} after {spent(progress.seconds)}", _counts(progress.ran))


def working_blocks(turn_id: int, words: str, progress: Progress | None, brief: str) -> list[Json]:
    """Show a run that goes on."""
    stop = button(STOP_RESEARCH, "Stop", str(turn_id)) | {"confirm": CONFIRM_STOP}
    is_kept = progress is None or progress.is_kept
    return [
        _headline(words),
        *_brief(turn_id, brief),
        *(newest_blocks(progress.ran) if progress else []),
        *([] if is_kept else [note_block(BEGUN_ANEW)]),
        actions(stop),
    ]


def done_blocks(turn_id: int, report: Report, brief: str) -> list[Json]:
    """Show what was done."""
    trail = button(SHOW_TRAIL, "Search trail", str(turn_id))
    return [
        _headline(done(report)),
        *_brief(turn_id, brief),
        *([actions(trail)] if report.ran else []),
    ]


def failed_blocks(
    headline: str, words: str, reference: str, progress: Progress | None
) -> list[Json]:
    """Say that a run failed and why, and what was searched so far."""
    newest = newest_blocks(progress.ran) if progress else []
    return [_headline(headline), *newest, *failure_blocks(words, reference)]


def stopped_blocks(turn_id: int, progress: Progress) -> list[Json]:
    """Say that a run was stopped, and what was searched so far."""
    again = button(TRY_AGAIN, "Research again", str(turn_id))
    return [
        _headline(ended("Stopped", progress)),
        *newest_blocks(progress.ran),
        actions(again),
    ]


def interrupted_blocks(headline: str, words: str, progress: Progress | None) -> list[Json]:
    """Say that a run goes on soon."""
    newest = newest_blocks(progress.ran) if progress else []
    return [_headline(headline), *newest, note_block(words)]


def asking_blocks(turn_id: int, questions: Sequence[str]) -> list[Json]:
    """Ask what is to be known before a run begins."""
    asked = [
        f"{number}. {escape(shortened(question, QUESTION_CHARACTERS))}"
        for number, question in enumerate(questions[:QUESTIONS], 1)
    ]
    return [
        *(section(text) for text in packed(["*Before I start*", *asked])),
        note_block(ANSWER_OR_START),
        actions(button(START_NOW, "Start without answering", str(turn_id))),
    ]


def newest_blocks(ran: Sequence[Ran]) -> list[Json]:
    """Show the newest searches and pages, and count the others."""
    queries = [
        f"“{shortened(query, QUERY_CHARACTERS)}”"
        for search in _done(ran, "search")
        for query in search.queries
    ]
    hosts = [shortened(site_of(url), HOST_CHARACTERS) for url in _pages(ran)]
    return [*_newest("Searched", list(dict.fromkeys(queries))), *_newest("Read", hosts)]


def summary_blocks(
    user: str, report: Report, summary: str, *, has_more: bool, turn_id: int
) -> list[list[Json]]:
    """Tell the asker that the report is ready: its beginning, and its sources below.

    One that is not whole can be researched again, beside what there is.
    """
    ready = REPORT_READY if summary.strip() else NO_REPORT
    head = [
        section(f"<@{user}> {ready}"),
        *markdown_blocks(summary),
        *([note_block(WHOLE_REPORT_BELOW)] if has_more else []),
    ]
    first, *rest = below_answer(report.answer, report.answer.note, read_on=report.on)
    if report.is_partial or not summary.strip():
        again = actions(button(GO_DEEPER, "Research again", str(turn_id)))
        first, *rest = grouped([*first, *(block for blocks in rest for block in blocks), again])
    if size([*head, *first]) > MESSAGE_BYTES:
        return [head, first, *rest]
    return [[*head, *first], *rest]


def trail_blocks(ran: Sequence[Ran]) -> list[list[Json]]:
    """Show all that was searched and read, in groups that each fit into one message."""
    lines = [_step(number, one) for number, one in enumerate(ran, 1)]
    head = f"*{_facts('Search trail', _counts(ran))}*"
    return grouped([section(text) for text in packed([head, *lines])])


def brief_blocks(text: str) -> list[list[Json]]:
    """Show the whole brief, in groups that each fit into one message."""
    lines = [
        escape(line[begin : begin + STEP_CHARACTERS])
        for line in text.strip().splitlines()
        for begin in range(0, max(len(line), 1), STEP_CHARACTERS)
    ]
    return grouped([section(text) for text in packed(["*The brief*", *lines])])


def _headline(words: str) -> Json:
    first, dot, rest = escape(words).partition(" · ")
    return section(f"*{first}*{dot}{rest}")


def _brief(turn_id: int, brief: str) -> list[Json]:
    lines = [notification(line, BRIEF_CHARACTERS) for line in brief.strip().splitlines()]
    first = next((line for line in lines if any(map(str.isalnum, line))), "")
    if not first:
        return []
    is_folded = len(lines) > 1 or len(brief.strip()) > BRIEF_CHARACTERS
    more = {"accessory": button(SHOW_BRIEF, "Show the brief", str(turn_id))} if is_folded else {}
    return [section(f">{first}") | more]


def _newest(what: str, steps: Sequence[str]) -> list[Json]:
    """Show the newest steps, each once with its number, and count the others."""
    if not steps:
        return []
    counts = Counter(reversed(steps))
    shown = list(counts)[:SHOWN]
    more = len(steps) - sum(counts[step] for step in shown)
    said = [escape(step) + (f" ×{counts[step]}" if counts[step] > 1 else "") for step in shown]  # noqa: RUF001 - times
    return [context(" · ".join([f"*{what}*  {said[0]}", *said[1:], *_more(more)]))]


def _more(number: int) -> list[str]:
    return [f"and {number} more"] if number else []


def _counts(ran: Sequence[Ran]) -> str:
    searches, pages = len(list(_done(ran, "search"))), len(set(_pages(ran)))
    return ", ".join(
        [
            *([counted(searches, "search", "searches")] if searches else []),
            *([counted(pages, "page", "pages")] if pages else []),
        ]
    )


def _done(ran: Sequence[Ran], kind: str) -> Iterable[Search]:
    return (one.search for one in ran if one.search.kind == kind and not one.failed)


def _pages(ran: Sequence[Ran]) -> list[str]:
    """Return the pages that were read, each once, the newest last."""
    read = [one.search.url for one in ran if one.search.kind != "search" and not one.failed]
    return list(dict.fromkeys(url for url in read if url))


def _step(number: int, one: Ran) -> str:
    search = one.search
    what = " · ".join(described(search)) or NAMELESS[search.kind]
    if search.kind != "search" and search.url:
        address = search.url.partition("://")[2] or search.url
        what = f"{'looked into' if search.kind == 'find_in_page' else 'read'} {address}"
    facts = [shortened(what, STEP_CHARACTERS), spent(one.seconds), "failed" if one.failed else ""]
    return f"{number}. {escape(_facts(*facts))}"


def _elapsed(seconds: float) -> str:
    return minutes(seconds) if seconds >= MINUTE_SECONDS else ""


def _facts(*facts: str) -> str:
    return " · ".join(filter(None, facts))
