"""A report as Slack takes it: Markdown that pings nobody, in pages that each fit a message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.slack.blocks import day, shortened
from bot.slack.markdown import SlackMarkdown
from bot.slack.pages import PageBreak, Pages, fence_mark, open_fence
from bot.slack.text import plain
from bot.turns.fences import ZERO_WIDTH
from bot.turns.links import clean_url, safe_url
from bot.turns.markdown import BareUrl, LinkGroup, MarkdownReader
from bot.turns.pieces import Address, Mark, Prose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.turns.answer import Citation
    from bot.turns.links import Link
    from bot.turns.markdown import Token
    from bot.turns.pieces import Piece
    from bot.turns.question import Question
    from bot.turns.research import Report

TITLE_CHARACTERS = 80
NAME_CHARACTERS = 60

_NOT_IN_NAMES = re.compile(r"[\W_]+")


def safe_markdown(text: str, citations: Sequence[Citation]) -> str:
    """Return a report's Markdown, or a part of it, with no link but those to its sources."""
    numbers = {citation.url: citation.number for citation in citations}
    return SlackMarkdown().write(_pieces(text, numbers, inline=False))


def pages_of(text: str) -> list[str]:
    """Cut a text into pages; a fence that is cut is closed on one and opened on the next."""
    cut, pages = Pages(), [""]
    cut.feed(text)
    while (taken := cut.take(final=True)) is not None:
        if not isinstance(taken, PageBreak):
            pages[-1] += taken
            continue
        fence = open_fence(pages[-1])
        if fence:
            pages[-1] = pages[-1].removesuffix("\n") + "\n" + fence_mark(fence)
        pages.append(f"{fence}\n" if fence else "")
        cut.go_on_with(pages[-1])
    return [page for page in pages if page.strip()]


def report_title(question: Question) -> str:
    """Name a report by the beginning of its question."""
    return shortened(plain(question.text, {}), TITLE_CHARACTERS) or "Report"


def report_name(question: Question) -> str:
    """Name a report's file by the beginning of its question."""
    words = _NOT_IN_NAMES.sub("-", report_title(question).lower())[:NAME_CHARACTERS]
    return f"{words.strip('-') or 'report'}.md"


def report_file(report: Report) -> str:
    """Return a report with its sources as a file of its own."""
    lines = [_source(citation) for citation in report.answer.citations]
    sources = [f"## Sources, read on {day(report.on)}", "\n".join(lines)] if lines else []
    return "\n\n".join([report.answer.text.strip(), *sources]) + "\n"


def _source(citation: Citation) -> str:
    title = re.sub(r"([\[\]\\`<>])", r"\\\1", " ".join(citation.title.split()))
    site = f", {citation.site}" if title else ""
    return f"{citation.number}. [{title or citation.site}]({citation.url}){site}"


def _pieces(text: str, numbers: Mapping[str, int], *, inline: bool) -> list[Piece]:
    reader = MarkdownReader(inline=inline)
    tokens = [*reader.feed(text), *reader.close()]
    return [piece for token in tokens for piece in _of_token(token, numbers)]


def _of_token(token: Token, numbers: Mapping[str, int]) -> list[Piece]:
    match token:
        case BareUrl(url):
            return [_address(url)]
        case LinkGroup(links, bracketed):
            pieces = [piece for link in links for piece in (Prose(" "), *_linked(link, numbers))]
            return [Prose("("), *pieces[1:], Prose(")")] if bracketed else pieces[1:]
    return [token]


def _linked(link: Link, numbers: Mapping[str, int]) -> list[Piece]:
    number = numbers.get(link.url)
    if number is not None and link.label == str(number):
        return [Mark(number, link.url)]
    label = _pieces(link.label, {}, inline=True)
    return [Prose(ZERO_WIDTH), *label, Prose(" "), _address(link.url)]


def _address(url: str) -> Address:
    return Address(safe_url(clean_url(url.strip())) or "…")
