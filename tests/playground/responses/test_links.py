from __future__ import annotations

import pytest

from bot.playground.responses.links import url_citations

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
