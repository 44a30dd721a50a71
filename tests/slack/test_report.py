from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.slack.pages import PAGE_BYTES, open_fence
from bot.slack.report import (
    pages_of,
    report_file,
    report_name,
    report_title,
    safe_markdown,
)
from bot.turns.answer import Citation, Cited, TextDelta
from bot.turns.draft import Draft
from tests.fakes import a_question
from tests.markdown_texts import KNOWN, markdown
from tests.slack.runs import a_report

CITATIONS = tuple(Citation(n, f"https://docs.example/{n}", f"Page {n}") for n in range(1, 130))
MARK = re.compile(r"\[(\d+)\]\(([^)]*)\)")


def test_marks_keep_their_numbers_and_nothing_else_is_a_link() -> None:
    text = (
        "One [1](https://docs.example/1) [2](https://docs.example/2), [101]"
        "(https://docs.example/101). [Docs](https://docs.example/1) and "
        "[7](https://evil.example/?q=secret) and https://evil.example/x "
        "([a](https://evil.example/a), [b](https://evil.example/b))."
    )
    shown = safe_markdown(text, CITATIONS)

    assert MARK.findall(shown) == [(str(n), f"https://docs.example/{n}") for n in (1, 2, 101)]
    assert "https://evil" not in shown
    assert "`https:\u200b//evil.example/?q=secret`" in shown
    assert "Docs" in shown


@pytest.mark.parametrize("seed", range(60))
def test_a_report_says_what_was_written_with_the_same_links(seed: int) -> None:
    draft = Draft()
    for url in KNOWN:
        draft.add(Cited(url, "A page"))
    draft.add(TextDelta(markdown(seed)))
    draft.close()
    shown = safe_markdown(draft.text, draft.citations)

    assert MARK.findall(shown) == MARK.findall(draft.text)
    assert not re.search(r"<[@!#]", shown)
    assert bare(shown) == bare(draft.text)


def bare(text: str) -> str:
    """Leave out what only keeps words apart."""
    return re.sub(r"[\s\u200b\\`]+", "", text.replace("&lt;", "<"))


def test_a_report_is_cut_into_pages_at_blocks_and_no_fence_is_left_open() -> None:
    code = "```py\n" + "".join(f"line_{n} = {n}\n" for n in range(1_200)) + "```\n\n"
    table = "| a | b |\n|---|---|\n" + "".join(f"| {n} | {'x' * 60} |\n" for n in range(200))
    text = f"# Report\n\nWords.\n\n{code}{table}\nThe end."
    pages = pages_of(text)

    assert len(pages) > 3
    assert all(len(page.encode()) <= PAGE_BYTES + 10 for page in pages)
    assert all(open_fence(page) == "" for page in pages)
    lines = [line for page in pages for line in page.splitlines()]
    assert [line for line in lines if line.startswith("line_")] == [
        f"line_{n} = {n}" for n in range(1_200)
    ]
    assert pages[-1].startswith("| a | b |\n|---|---|\n")
    assert pages[-1].endswith("The end.")


def test_a_report_without_a_word_has_no_page() -> None:
    assert pages_of("\n\n") == []


@pytest.mark.parametrize(
    ("text", "name", "title"),
    [
        ("How far <@U1>/../../etc?", "how-far-someone-etc.md", "How far @someone/../../etc?"),
        ("   ", "report.md", "Report"),
        ("???", "report.md", "???"),
        ("Wie weit ist’s zum Mond?", "wie-weit-ist-s-zum-mond.md", "Wie weit ist’s zum Mond?"),
        ("word " * 99, f"{'word-' * 12}"[:-1] + ".md", ("word " * 16)[:79].rstrip() + "…"),
    ],
)
def test_a_report_is_named_by_its_question(text: str, name: str, title: str) -> None:
    question = a_question(text)

    assert report_title(question) == title
    assert report_name(question) == name


def test_a_file_has_its_sources_in_it() -> None:
    report = a_report("Words.\n")
    answer = replace(report.answer, citations=(Citation(1, "https://a.example/", "A [b] `c`"),))

    assert report_file(replace(report, answer=answer)) == (
        "Words.\n\n## Sources, read on 23 November 2026\n\n"
        "1. [A \\[b\\] \\`c\\`](https://a.example/), a.example\n"
    )
    bare = replace(answer, citations=())
    assert report_file(replace(report, answer=bare)) == "Words.\n"
