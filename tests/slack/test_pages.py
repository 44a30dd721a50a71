from __future__ import annotations

import random
import re

import pytest

from bot.slack.pages import PageBreak, Pages, fence_mark, open_fence, split_for_append

PARAGRAPH = "A sentence of the answer that is long enough to matter. " * 5 + "\n\n"
TABLE = "| Name | Value |\n|---|---|\n" + "".join(
    f"| row {n} | [{n}](https://docs.example/{n}) |\n" for n in range(30)
)
CODE = "```python\n" + "".join(f"    print({n})  # [x](y)\n" for n in range(40)) + "```\n"


def paged(text: str, pieces: list[str], limit: int = 3_000) -> list[str]:
    """Return the pages of a text that comes in pieces."""
    pages, out = Pages(limit=limit), [""]
    for final, piece in [*((False, piece) for piece in pieces), (True, "")]:
        pages.feed(piece)
        while (taken := pages.take(final=final)) is not None:
            if isinstance(taken, PageBreak):
                out.append("")
            else:
                out[-1] += taken
    assert text.replace("\n", "")[:20] == "".join(out).replace("\n", "")[:20]
    return out


def cut(text: str, seed: int) -> list[str]:
    rng = random.Random(seed)
    pieces, at = [], 0
    while at < len(text):
        size = rng.choice((1, 4, 17, 90, 700))
        pieces.append(text[at : at + size])
        at += size
    return pieces


@pytest.mark.parametrize("seed", range(40))
def test_pages_are_within_the_limit_whole_and_cut_only_where_a_block_ends(seed: int) -> None:
    rng = random.Random(seed)
    text = "".join(
        rng.choice((PARAGRAPH, TABLE + "\n", CODE + "\n", "# Title\n\n")) for _ in range(40)
    )
    pages = paged(text, cut(text, seed))

    assert "".join(pages) == text
    assert len(pages) > 5
    for page in pages:
        assert len(page.encode()) <= 3_000
        assert open_fence(page) == ""
        assert page.endswith("\n")
        assert page.strip().startswith(("A sentence", "| Name", "```python", "#"))


@pytest.mark.parametrize("seed", range(20))
def test_a_paragraph_longer_than_a_page_is_cut_between_sentences(seed: int) -> None:
    text = "Dies ist ein Satz mit [3](https://docs.example/a). " * 200
    pages = paged(text, cut(text, seed))

    assert "".join(pages) == text
    assert all(page.endswith(". ") for page in pages)


def test_a_text_without_blanks_is_cut_but_never_in_a_link() -> None:
    text = "日本語の文章" * 30 + "[12](https://docs.example/" + "x" * 300 + ")"
    text *= 12
    # Links come whole: a citation is one piece.
    pages = paged(text, re.findall(r"\[12\]\([^)]*\)|.", text))

    assert "".join(pages) == text
    assert all(len(page.encode()) <= 3_000 for page in pages)
    assert sum(len(re.findall(r"\[12\]\([^)\s]+\)", page)) for page in pages) == 12


def test_a_table_longer_than_a_page_repeats_its_head() -> None:
    head = "| Name | Value |\n|---|---|\n"
    rows = [f"| row {n} | {'x' * 50} |\n" for n in range(200)]
    pages = paged(head, cut(head + "".join(rows), 3))

    assert len(pages) > 3
    assert all(page.startswith(head) for page in pages)
    assert [line + "\n" for p in pages for line in p.splitlines()[2:] if line] == rows


def test_a_table_right_below_a_paragraph_is_a_block_of_its_own() -> None:
    text = "Words " * 300 + "\n" + TABLE
    pages = paged(text, [text], limit=2_500)

    assert [page.splitlines()[0][:6] for page in pages] == ["Words ", "| Name"]


def test_a_long_fence_is_cut_at_a_line_and_known_to_be_open_there() -> None:
    code = "````md\n" + "a line of code\n" * 400 + "````\n"
    pages = paged(code, cut(code, 5))

    assert "".join(pages) == code
    assert open_fence(pages[0]) == "````md"
    assert all(page.endswith("\n") for page in pages)


def test_a_fence_of_many_pages_that_comes_at_once_fills_each_of_them() -> None:
    pages, out = Pages(limit=3_000), [""]
    pages.feed("```\n" + "line\n" * 5_000 + "```\n")
    while (taken := pages.take(final=True)) is not None:
        if isinstance(taken, PageBreak):
            out.append("```\n")
            pages.go_on_with(out[-1])
        else:
            out[-1] += taken

    assert len(out) == 9
    assert sum(page.count("line") for page in out) == 5_000


def test_text_goes_out_as_it_comes_while_the_page_is_young() -> None:
    pages = Pages()
    pages.feed("Half a sen")

    assert pages.take() == "Half a sen"


def test_what_may_become_a_table_or_a_fence_waits() -> None:
    for begin in ("| a | b", "| a | b |\n", "``", "x | y\n--"):
        pages = Pages()
        pages.feed(begin)
        assert pages.take() is None, begin


def test_a_page_that_is_to_end_soon_ends_with_its_block() -> None:
    pages = Pages()
    pages.feed("First par")
    assert pages.take() == "First par"
    pages.turn_soon()
    pages.feed("agraph.\n\nSecond.\n\n")

    assert [pages.take() for _ in range(3)] == ["agraph.\n\n", PageBreak(), "Second.\n\n"]


@pytest.mark.parametrize(
    ("text", "fence"),
    [
        ("plain", ""),
        ("```py\nx", "```py"),
        ("```py\nx\n```", ""),
        ("````\n```\n", "````"),
        ("```a\n```b\n", "```a"),
        ("```\n```\n```sh\n", "```sh"),
    ],
)
def test_an_open_fence_is_known_by_its_first_line(text: str, fence: str) -> None:
    assert open_fence(text) == fence
    assert fence_mark(fence) == fence.rstrip("pyabsh")


@pytest.mark.parametrize(
    ("text", "now", "later"),
    [
        ("One two three", "One two ", "three"),
        ("One two ", "One ", "two "),
        ("One\n\n  - two", "One\n\n  - ", "two"),
        ("x = 1\n    return", "x = 1\n    ", "return"),
        ("one", "", "one"),
        ("日本語abc", "日本語", "abc"),
        ("[1](https://docs.example/a)", "", "[1](https://docs.example/a)"),
        ("see [1](https://docs.example/a)", "see ", "[1](https://docs.example/a)"),
        ("a `b c`", "a ", "`b c`"),
        ("日本語", "日本", "語"),
        ("  ", "", "  "),
        ("", "", ""),
    ],
)
def test_what_is_sent_later_begins_with_no_blank_and_in_no_link(
    text: str, now: str, later: str
) -> None:
    assert split_for_append(text) == (now, later)
