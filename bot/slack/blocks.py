"""What stands below an answer: its sources, the searches that were run, and the footer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.slack.markdown import escape
from bot.turns.answer import site_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from bot.turns.answer import Answer, Citation, Search

Json = dict[str, Any]

SECTION_CHARACTERS = 2_900  # Slack refuses a section text above 3,000
TITLE_CHARACTERS = 120
LINK_CHARACTERS = 2_000
QUERY_CHARACTERS = 100
SHOWN_SEARCHES = 12
BLOCKS_BYTES = 6_000  # of the blocks of one message that carries no text
BLOCKS = 50  # that Slack takes in one message
MESSAGE_BYTES = 10_000  # text, cards and the blocks below them
MINUTES_FROM_SECONDS = 120.0  # what took less is told in seconds

TRY_AGAIN = "try_again"  # the action of a button whose value is a turn's id
GO_DEEPER = "go_deeper"  # likewise
CHECK_SOURCES = "Written by a language model: check the sources."


def below_answer(
    answer: Answer, note: str | None, deeper: str = "", read_on: date | None = None
) -> list[list[Json]]:
    """Return the blocks below an answer, in groups that each fit into one message.

    The first group belongs below the answer's text if it fits there. `deeper` is the turn whose
    question can be researched, `read_on` says when its sources were read.
    """
    blocks = [
        *([context(f":warning: {escape(note)}")] if note else []),
        *_sources(answer.citations, read_on),
        *_searches(answer.searches),
        context(_footer(answer)),
        *([actions(button(GO_DEEPER, "Go deeper", deeper))] if deeper else []),
    ]
    return grouped(blocks)


def markdown_blocks(text: str) -> list[Json]:
    """Return a text as a message's blocks."""
    return [{"type": "markdown", "text": text}] if text.strip() else []


def failure_blocks(words: str, reference: str) -> list[Json]:
    """Say what happened, with an id by which an operator finds it in the log, and a way on.

    Without an id nobody can mend it, and to try again would not help.
    """
    if not reference:
        return [context(f":warning: {escape(words)}")]
    return [
        context(f":warning: {escape(words)}  (reference {escape(reference)})"),
        actions(button(TRY_AGAIN, "Try again", reference)),
    ]


def note_block(words: str) -> Json:
    """Say something about an answer below it."""
    return context(escape(words))


def size(blocks: Iterable[Json]) -> int:
    """Count the bytes of text in blocks."""
    return sum(len(text.encode()) for block in blocks for text in _texts(block))


def day(on: date) -> str:
    """Write a date so that nobody can misread it."""
    return f"{on.day} {on:%B %Y}"


def _sources(citations: Sequence[Citation], read_on: date | None) -> list[Json]:
    head = f"*Sources*, read on {day(read_on)}" if read_on else "*Sources*"
    lines = [_source(citation) for citation in citations]
    return [section(text) for text in packed([head, *lines])] if lines else []


def _source(citation: Citation) -> str:
    title = escape(shortened(citation.title, TITLE_CHARACTERS))
    if len(citation.url) > LINK_CHARACTERS:
        return f"{citation.number}. {title} · {escape(citation.site)} (address too long to link)"
    if not title or title == citation.site:
        return f"{citation.number}. <{citation.url}|{escape(citation.site)}>"
    return f"{citation.number}. <{citation.url}|{title}> · {escape(citation.site)}"


def _searches(searches: Sequence[Search]) -> list[Json]:
    steps = list(dict.fromkeys(step for search in searches for step in described(search)))
    if not steps:
        return []
    more = len(steps) - SHOWN_SEARCHES
    shown = " · ".join(escape(step) for step in steps[:SHOWN_SEARCHES])
    return [context(f"*Searched*  {shown}" + (f" · and {more} more" if more > 0 else ""))]


def described(search: Search) -> list[str]:
    """Say what a search looked for, or which page was read."""
    if search.kind == "search":
        return [f"“{shortened(query, QUERY_CHARACTERS)}”" for query in search.queries]
    return [f"read {shortened(site_of(search.url), QUERY_CHARACTERS)}"] if search.url else []


def _footer(answer: Answer) -> str:
    usage = answer.finished.usage
    searches = sum(search.kind == "search" for search in answer.searches)
    facts = [
        spent(answer.seconds),
        counted(searches, "search", "searches"),
        *([f"{usage.input_tokens + usage.output_tokens:,} tokens"] if usage else []),
        *([_money(answer.usd)] if answer.usd is not None else []),
        escape(answer.finished.model),
    ]
    if answer.finished.search_refused:
        facts.append("this model's server does not search the web")
    if answer.finished.stored is False:
        facts.append("not kept by the server")
    if not answer.is_told_whole:
        facts.append("the beginning of the thread was left out")
    if answer.unlinked:
        unlinked = counted(answer.unlinked, "address", "addresses")
        facts.append(f"{unlinked} left unlinked: no search returned them")
    return f"{' · '.join(facts)}\n{CHECK_SOURCES}"


def _money(usd: float) -> str:
    return f"${usd:.2f}" if usd >= 0.1 else f"${usd:.3f}"  # noqa: PLR2004 - ten cents


def counted(number: int, one: str, many: str) -> str:
    """Say a number with its noun."""
    return f"{number or 'no'} {one if number == 1 else many}"


def spent(seconds: float) -> str:
    """Say a time in seconds, or in minutes and hours where it was long."""
    if seconds < MINUTES_FROM_SECONDS:
        return f"{seconds:.0f} s"
    return minutes(seconds)


def minutes(seconds: float) -> str:
    """Say a time in minutes and hours."""
    hours, rest = divmod(int(seconds // 60), 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def shortened(text: str, limit: int) -> str:
    """Say the beginning of a text on one line."""
    words = " ".join(text.split())
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def packed(lines: Sequence[str]) -> list[str]:
    """Join lines to texts that a section takes."""
    texts = [""]
    for line in lines:
        if len(texts[-1]) + len(line) + 1 > SECTION_CHARACTERS:
            texts.append("")
        texts[-1] += ("\n" if texts[-1] else "") + line
    return texts


def grouped(blocks: Sequence[Json]) -> list[list[Json]]:
    """Part blocks into groups that each fit into one message."""
    groups: list[list[Json]] = [[]]
    for block in blocks:
        if groups[-1] and not is_message([*groups[-1], block]):
            groups.append([])
        groups[-1].append(block)
    return groups


def is_message(blocks: Sequence[Json]) -> bool:
    """Whether Slack takes so many blocks in one message."""
    return len(blocks) <= BLOCKS and size(blocks) <= BLOCKS_BYTES


def section(text: str) -> Json:
    """Say something in mrkdwn, at most SECTION_CHARACTERS."""
    return {"type": "section", "expand": True, "text": _mrkdwn(text)}


def context(text: str) -> Json:
    """Say something in mrkdwn, quietly."""
    return {"type": "context", "elements": [_mrkdwn(text)]}


def actions(*buttons: Json) -> Json:
    """Offer buttons side by side."""
    return {"type": "actions", "elements": list(buttons)}


def button(action_id: str, words: str, value: str) -> Json:
    """Offer something to press."""
    text = {"type": "plain_text", "text": words}
    return {"type": "button", "action_id": action_id, "text": text, "value": value}


def _mrkdwn(text: str) -> Json:
    # Verbatim, so that Slack makes no link or mention of a word by itself.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _texts(block: Json) -> list[str]:
    parts = [block.get("text"), *block.get("elements", ())]
    texts = [part["text"] if isinstance(part, dict) else part for part in parts if part]
    return [text["text"] if isinstance(text, dict) else text for text in texts]
