"""What stands below an answer: its sources, the searches that were run, and the footer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.slack.markdown import escape
from bot.turns.answer import site_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.turns.answer import Answer, Citation, Search

Json = dict[str, Any]

SECTION_CHARACTERS = 2_900  # Slack refuses a section text above 3,000
TITLE_CHARACTERS = 120
LINK_CHARACTERS = 2_000
QUERY_CHARACTERS = 100
SHOWN_SEARCHES = 12
BLOCKS_BYTES = 6_000  # of the blocks of one message that carries no text

TRY_AGAIN = "try_again"  # the action of a button whose value is a turn's id
CHECK_SOURCES = "Written by a language model: check the sources."


def below_answer(answer: Answer, note: str | None) -> list[list[Json]]:
    """Return the blocks below an answer, in groups that each fit into one message.

    The first group belongs below the answer's text if it fits there.
    """
    blocks = [
        *([_context(f":warning: {escape(note)}")] if note else []),
        *_sources(answer.citations),
        *_searches(answer.searches),
        _context(_footer(answer)),
    ]
    return _grouped(blocks)


def markdown_blocks(text: str) -> list[Json]:
    """Return a text as a message's blocks."""
    return [{"type": "markdown", "text": text}] if text.strip() else []


def failure_blocks(words: str, reference: str) -> list[Json]:
    """Say what happened, with an id by which an operator finds it in the log, and a way on."""
    button = {
        "type": "button",
        "action_id": TRY_AGAIN,
        "text": {"type": "plain_text", "text": "Try again"},
        "value": reference,
    }
    return [
        _context(f":warning: {escape(words)}  (reference {escape(reference)})"),
        {"type": "actions", "elements": [button]},
    ]


def note_block(words: str) -> Json:
    """Say something about an answer below it."""
    return _context(escape(words))


def size(blocks: Iterable[Json]) -> int:
    """Count the bytes of text in blocks."""
    return sum(len(text.encode()) for block in blocks for text in _texts(block))


def _sources(citations: Sequence[Citation]) -> list[Json]:
    lines = [_source(citation) for citation in citations]
    return [_section(text) for text in _packed(["*Sources*", *lines])] if lines else []


def _source(citation: Citation) -> str:
    title = escape(_shortened(citation.title, TITLE_CHARACTERS))
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
    return [_context(f"*Searched*  {shown}" + (f" · and {more} more" if more > 0 else ""))]


def described(search: Search) -> list[str]:
    """Say what a search looked for, or which page was read."""
    if search.kind == "search":
        return [f"“{_shortened(query, QUERY_CHARACTERS)}”" for query in search.queries]
    return [f"read {_shortened(site_of(search.url), QUERY_CHARACTERS)}"] if search.url else []


def _footer(answer: Answer) -> str:
    usage = answer.finished.usage
    searches = sum(search.kind == "search" for search in answer.searches)
    facts = [
        f"{answer.seconds:.0f} s",
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


def _shortened(text: str, limit: int) -> str:
    words = " ".join(text.split())
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def _packed(lines: Sequence[str]) -> list[str]:
    texts = [""]
    for line in lines:
        if len(texts[-1]) + len(line) + 1 > SECTION_CHARACTERS:
            texts.append("")
        texts[-1] += ("\n" if texts[-1] else "") + line
    return texts


def _grouped(blocks: Sequence[Json]) -> list[list[Json]]:
    groups: list[list[Json]] = [[]]
    for block in blocks:
        if groups[-1] and size([*groups[-1], block]) > BLOCKS_BYTES:
            groups.append([])
        groups[-1].append(block)
    return groups


def _section(text: str) -> Json:
    return {"type": "section", "expand": True, "text": _mrkdwn(text)}


def _context(text: str) -> Json:
    return {"type": "context", "elements": [_mrkdwn(text)]}


def _mrkdwn(text: str) -> Json:
    # Verbatim, so that Slack makes no link or mention of a word by itself.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _texts(block: Json) -> list[str]:
    parts = [block.get("text"), *block.get("elements", ())]
    texts = [part["text"] for part in parts if part]
    return [text["text"] if isinstance(text, dict) else text for text in texts]
