from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.playground.responses.dialect import Search
from bot.playground.responses.links import annotations_of, in_dialect, url_citations
from bot.playground.responses.plan import Plan

if TYPE_CHECKING:
    from bot.playground.responses.dialect import Links

PAGES = (("https://a.example/x", "A"), ("https://b.example/wiki/B_(c)?q=1", "B"))
UTM = "utm_source=openai"


def spans(text: str) -> list[tuple[str, str]]:
    return [
        (text[found["start_index"] : found["end_index"]], found["url"])
        for found in url_citations(text, PAGES)
    ]


def test_span_covers_the_group_with_its_parentheses() -> None:
    text = f"Said. ([a.example](https://a.example/x?{UTM})) More."

    assert spans(text) == [
        (f"([a.example](https://a.example/x?{UTM}))", f"https://a.example/x?{UTM}")
    ]


def test_links_of_one_group_share_its_span() -> None:
    group = "([a.example](https://a.example/x), [b.example](https://b.example/wiki/B_(c)?q=1))"

    assert spans(f"Said. {group}") == [(group, PAGES[0][0]), (group, PAGES[1][0])]


def test_link_without_parentheses_is_a_span_of_its_own() -> None:
    assert spans("See [A](https://a.example/x).") == [
        ("[A](https://a.example/x)", "https://a.example/x")
    ]


def test_numbered_link_of_another_dialect_is_found() -> None:
    assert spans("Said.[[1]](https://a.example/x)") == [
        ("[[1]](https://a.example/x)", "https://a.example/x")
    ]


def test_span_counts_code_points() -> None:
    found = url_citations("👍🏽 日本 ([a.example](https://a.example/x))", PAGES)

    assert [(one["start_index"], one["end_index"]) for one in found] == [(6, 40)]


def test_page_cited_twice_is_annotated_twice() -> None:
    text = "One ([a](https://a.example/x)) two ([a](https://a.example/x))"

    assert [found["title"] for found in url_citations(text, PAGES)] == ["A", "A"]


@pytest.mark.parametrize("text", ["", "See [C](https://c.example/).", "https://a.example/x"])
def test_text_without_a_cited_link_has_no_annotation(text: str) -> None:
    assert spans(text) == []


def test_longer_address_is_not_taken_for_a_shorter_one() -> None:
    assert spans("[a](https://a.example/xyz)") == []


# -- dialects -------------------------------------------------------------------------------

TWICE = Plan(
    f"One. ([a.example](https://a.example/x?{UTM}))\n\nTwo. ([b.example]({PAGES[1][0]}&{UTM}))",
    citations=tuple((f"{url}{'&' if '?' in url else '?'}{UTM}", title) for url, title in PAGES),
)
A, B = PAGES[0][0], PAGES[1][0]


@pytest.mark.parametrize(
    ("links", "text"),
    [
        ("group", f"One. ([a.example]({A}))\n\nTwo. ([b.example]({B}))"),
        ("title", f"One. [A]({A})\n\nTwo. [B]({B})"),
        ("number", f"One.[[1]]({A})\n\nTwo.[[2]]({B})"),
        ("mark", "One.[1]\n\nTwo.[2]"),
        ("none", "One.\n\nTwo."),
    ],
)
def test_links_are_written_as_the_server_writes_them(links: Links, text: str) -> None:
    written = in_dialect(TWICE, Search(links=links, tracked=False))

    assert written.text == text
    assert written.citations == PAGES
    claims = [written.text[claim.start : claim.end] for claim in written.claims]
    assert [claim.strip() for claim in claims] == ["One.", "Two."]


def test_tracked_links_stay_tracked_in_another_form() -> None:
    written = in_dialect(TWICE, Search(links="number"))

    assert written.text.startswith(f"One.[[1]]({A}?{UTM})")
    assert written.citations == TWICE.citations


def test_openais_own_links_are_left_alone() -> None:
    assert in_dialect(TWICE, Search()) is TWICE
    assert [found["url"] for found in annotations_of(TWICE, Search())] == [
        url for url, _ in TWICE.citations
    ]


def test_claims_are_annotated_where_they_stand() -> None:
    search = Search(links="none", tracked=False, annotations="claim")
    written = in_dialect(TWICE, search)

    assert annotations_of(written, search) == [
        {"type": "url_citation", "url": A, "title": "A", "start_index": 0, "end_index": 4},
        {"type": "url_citation", "url": B, "title": "B", "start_index": 6, "end_index": 10},
    ]
