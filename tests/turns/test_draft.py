from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.turns.answer import Cited, Finished, Part, Search, Searched, TextDelta
from bot.turns.draft import DECIDED_AFTER_CHARACTERS, Draft

WIRE = Path(__file__).parents[1] / "wire" / "responses"
Z = "\u200b"
A, B = "https://a.example/x", "https://b.example/y?k=v"


def drafted(*parts: Part, known: tuple[str, ...] = (A, B)) -> Draft:
    draft = Draft()
    draft.add(Searched("s", Search("search", sources=known)))
    for part in parts:
        draft.add(part)
    draft.close()
    return draft


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(f"Yes ([a.example]({A})).", f"Yes [1]({A}).", id="a group becomes a number"),
        pytest.param(
            f"Yes. ([a.example]({A}), [b.example]({B}))",
            f"Yes. [1]({A}) [2]({B})",
            id="each link of a group has its own",
        ),
        pytest.param(
            f"One ([a]({A})). Two ([b]({B})). Three ([a]({A})).",
            f"One [1]({A}). Two [2]({B}). Three [1]({A}).",
            id="a page keeps its number",
        ),
        pytest.param(
            f"([a.example]({A}?utm_source=openai), [a.example]({A}))",
            f"[1]({A})",
            id="a page beside itself is named once, tracked or not",
        ),
        pytest.param(f"See [the guide]({A}) now.", f"See the guide [1]({A}) now.", id="words stay"),
        pytest.param(f"In 2025.[[1]]({A})", f"In 2025. [1]({A})", id="a number of the model's own"),
        pytest.param(f"Read {A}.", f"Read [1]({A}).", id="a bare URL"),
        pytest.param(f"Read <{A}>.", f"Read [1]({A}).", id="an autolink"),
        pytest.param(f"**[Guide]({A})**", f"**Guide [1]({A})**", id="emphasis around it stays"),
        pytest.param(f"![chart]({A})", f"chart [1]({A})", id="a picture becomes a link"),
        pytest.param(f'[a]({A} "Title")', f"a [1]({A})", id="a link's title is left out"),
        pytest.param(
            f"🚀 Start 🐍 ([a.example]({A})) 日本語（[a.example]({A})）",
            f"🚀 Start 🐍 [1]({A}) 日本語（[1]({A})）",
            id="emoji and Japanese",
        ),
        pytest.param(
            f"السعر انخفض ([a.example]({A})).", f"السعر انخفض [1]({A}).", id="right to left"
        ),
        pytest.param(
            "| a |\n|---|\n| ([b.example](" + B + ")) |\n",
            "| a |\n|---|\n| [1](" + B + ") |\n",
            id="in a table",
        ),
        pytest.param(f"In [2019]({A}) it", f"In 2019 [1]({A}) it", id="a quantity is no mark"),
        pytest.param(f"Of [100]({A}) one", f"Of 100 [1]({A}) one", id="nor are three digits"),
        pytest.param(f"See [{A}]({A}).", f"See [1]({A}).", id="a label that is the URL"),
        pytest.param("`[a](https://evil.example)`", "`[a](https://evil.example)`", id="in code"),
    ],
)
def test_a_link_to_a_page_that_was_found_becomes_a_number_at_its_place(
    text: str, shown: str
) -> None:
    draft = drafted(TextDelta(text))

    assert draft.text == shown
    assert draft.unlinked == 0


@pytest.mark.parametrize(
    ("text", "shown", "unlinked"),
    [
        ("[docs](https://evil.example/?q=1)", f"docs `https:{Z}//evil.example/?q=1`", 1),
        ("See https://evil.example/x.", f"See `https:{Z}//evil.example/x`.", 1),
        ("[x](javascript:alert(1))", f"x `javascript:{Z}alert%281%29`", 1),
        ("evil.example/path and python.org", f"`evil.{Z}example/path` and python.org", 0),
        (
            f"([good]({A}), [bad](https://evil.example))",
            f"(good [1]({A})bad `https:{Z}//evil.example`)",
            1,
        ),
        ("[text]()", "text", 1),
    ],
)
def test_an_address_that_no_search_returned_is_words_and_is_counted(
    text: str, shown: str, unlinked: int
) -> None:
    draft = drafted(TextDelta(text))

    assert draft.text == shown
    assert draft.unlinked == unlinked


def test_a_link_is_shown_at_once_when_its_page_is_known() -> None:
    draft = Draft()
    draft.add(Searched("s", Search("search", sources=(A,))))
    shown = draft.add(TextDelta(f"Yes [a.example]({A}) "))

    assert "".join(piece.text for piece in shown) == f"Yes [1]({A}) "


def test_half_a_link_waits_for_its_other_half() -> None:
    draft = Draft()
    draft.add(Searched("s", Search("search", sources=(A,))))
    first = draft.add(TextDelta("Yes ([a.exa"))
    second = draft.add(TextDelta(f"mple]({A[:12]}"))
    third = draft.add(TextDelta(f"{A[12:]}))"))

    assert "".join(piece.text for piece in first) == "Yes "
    assert second == []
    assert "".join(piece.text for piece in third) == f"[1]({A})"


def test_a_link_waits_for_the_annotation_that_follows_it() -> None:
    draft = Draft()
    early = draft.add(TextDelta(f"Yes [a.example]({A}). More "))
    late = draft.add(Cited(f"{A}?utm_source=openai", "A page"))

    assert "".join(piece.text for piece in early) == "Yes "
    assert "".join(piece.text for piece in late) == f"[1]({A}). More "
    assert [citation.title for citation in draft.citations] == ["A page"]


def test_a_link_that_nothing_vouches_for_is_decided_when_enough_has_followed() -> None:
    draft = Draft()
    draft.add(Searched("s", Search("search", sources=(A,))))
    draft.add(TextDelta("See [x](https://evil.example). "))
    shown = draft.add(TextDelta("word " * (DECIDED_AFTER_CHARACTERS // 5 + 1)))

    assert f"x `https:{Z}//evil.example`" in "".join(piece.text for piece in shown)


def test_it_is_decided_after_600_characters_and_not_before() -> None:
    draft = Draft()
    draft.add(Searched("s", Search("search", sources=(A,))))
    draft.add(TextDelta("[x](https://evil.example)" + "a" * 599 + "\n"))
    before = draft.text
    draft.add(TextDelta("b\n"))

    assert before == ""
    assert draft.text.startswith(f"x `https:{Z}//evil.example`")


def test_a_link_that_can_be_no_page_is_not_waited_for() -> None:
    draft = Draft()
    draft.add(TextDelta("See [x](javascript:alert(1)). "))

    assert draft.text.startswith("See x ")


def test_a_page_that_was_opened_is_known_without_a_search_that_returned_it() -> None:
    draft = Draft()
    draft.add(Searched("s", Search("open_page", url=A)))
    draft.add(TextDelta(f"Yes [a.example]({A}) "))

    assert draft.text == f"Yes [1]({A}) "


def test_a_page_keeps_its_first_title_and_address_whatever_names_it_again() -> None:
    page = "https://a.example"
    draft = drafted(
        Cited(page, "A page"),
        Cited(f"{page}/", "Another title"),
        Cited(f"{page}/", ""),
        Searched("s", Search("search", sources=(page,))),
        known=(),
    )

    assert [(each.url, each.title) for each in draft.citations] == [(page, "A page")]


def test_from_a_server_that_names_no_sources_links_wait_for_its_annotations_to_the_end() -> None:
    draft = Draft()
    draft.add(TextDelta(f"See [a.example]({A}). " + "word " * 1_000))
    assert draft.text == "See "
    draft.add(Cited(A, "A page"))
    draft.close()

    assert draft.text.startswith(f"See [1]({A}). word ")


def test_a_page_that_is_cited_at_no_place_is_numbered_after_the_others() -> None:
    draft = drafted(Cited(B, "B"), TextDelta(f"Yes [a]({A}). "), Cited("mailto:x@y", "no"))

    assert [(c.number, c.url, c.site) for c in draft.citations] == [
        (1, A, "a.example"),
        (2, B, "b.example"),
    ]


def test_the_recorded_edge_cases_cite_each_page_once_and_cut_nothing() -> None:
    """Emoji before the span, a span of 0/0, one shifted by two, one out of range, a leaked mark."""
    response = json.loads((WIRE / "completed_citation_edge_cases.json").read_text("utf-8"))
    content = response["output"][-1]["content"][0]
    cited = [Cited(a["url"], a.get("title", "")) for a in content["annotations"]]
    draft = drafted(TextDelta(content["text"]), *cited, known=())
    page = "https://docs.python.org/3/whatsnew/3.14.html"

    assert draft.text == f"🚀 Launch notes 🐍: [1]({page}) and again [1]({page})  tail."
    assert [c.url for c in draft.citations] == [
        page,
        "https://example.org/no-span",
        "https://example.org/out-of-range",
    ]


def test_other_parts_show_nothing() -> None:
    assert Draft().add(Finished("resp_1", "m", "completed")) == []


NUMBERED = (Cited(A, "A", 1), Cited(B, "B", 2), Cited("https://c.example/z", "C", 3))


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Yes.[2] No [1].", f"Yes. [1]({B}) No [2]({A})."),
        ("Both.[1][2]\n", f"Both. [1]({A}) [2]({B})\n"),
        ("`a[1]` and [x] and [9]", "`a[1]` and [x] and [9]"),
        ("It ends with [", "It ends with ["),
        ("It ends with [1", "It ends with [1"),
    ],
)
def test_numbers_that_the_server_gave_to_pages_become_the_readers_own(
    text: str, shown: str, size: int
) -> None:
    deltas = [TextDelta(text[place : place + size]) for place in range(0, len(text), size)]

    assert drafted(*NUMBERED, *deltas).text == shown


def test_only_the_pages_that_the_text_names_by_number_are_its_sources() -> None:
    draft = drafted(*NUMBERED, TextDelta("Yes.[2]"))

    assert [(each.number, each.url) for each in draft.citations] == [(1, B)]


def test_where_no_number_stands_in_the_text_all_pages_are_listed() -> None:
    assert len(drafted(*NUMBERED, TextDelta("Yes.")).citations) == 3


def test_numbers_in_brackets_are_words_where_the_server_numbers_no_pages() -> None:
    assert drafted(Cited(A, "A"), TextDelta("See a[1] and [2].")).text == "See a[1] and [2]."
