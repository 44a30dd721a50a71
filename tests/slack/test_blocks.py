from __future__ import annotations

from typing import Any

import pytest

from bot.slack.blocks import BLOCKS_BYTES, CHECK_SOURCES, below_answer, failure_blocks, size
from bot.turns.answer import Answer, Citation, Finished, Search, Usage

SEARCHES = (
    Search("search", ("heat pumps 2026", "heat pumps <!here>")),
    Search("open_page", url="https://www.docs.example/a"),
    Search("find_in_page", url="https://docs.example/a"),
    Search("search", ("heat pumps 2026",)),
)


def an_answer(**fields: Any) -> Answer:  # noqa: ANN401 - any of an answer's fields
    values: dict[str, Any] = {
        "finished": Finished("resp_1", "gpt-test", "completed", Usage(4_000, 210)),
        "text": "Prices fell.",
        "citations": (
            Citation(1, "https://docs.example/a", "Prices & <b> | more"),
            Citation(2, "https://www.news.example/b?x=1", ""),
        ),
        "searches": SEARCHES,
        "unlinked": 0,
        "seconds": 12.4,
    }
    return Answer(**(values | fields))


def texts(blocks: list[dict[str, Any]]) -> list[str]:
    return [b["text"]["text"] if "text" in b else b["elements"][0]["text"] for b in blocks]


def test_below_an_answer_stand_numbered_sources_the_searches_and_the_footer() -> None:
    [blocks] = below_answer(an_answer(), None)

    assert texts(blocks) == [
        (
            "*Sources*\n1. <https://docs.example/a|Prices &amp; &lt;b&gt; | more> · docs.example"
            "\n2. <https://www.news.example/b?x=1|news.example>"
        ),
        "*Searched*  “heat pumps 2026” · “heat pumps &lt;!here&gt;” · read docs.example",
        f"12 s · 2 searches · 4,210 tokens · gpt-test\n{CHECK_SOURCES}",
    ]


@pytest.mark.parametrize(
    ("usd", "money"), [(0.0, "$0.000"), (0.0123, "$0.012"), (0.126, "$0.13"), (12.5, "$12.50")]
)
def test_the_footer_says_what_an_answer_cost_where_that_is_known(usd: float, money: str) -> None:
    [blocks] = below_answer(an_answer(usd=usd), None)

    assert f"4,210 tokens · {money} · gpt-test" in texts(blocks)[-1]


def test_the_footer_says_that_not_all_of_the_thread_was_told() -> None:
    [blocks] = below_answer(an_answer(is_told_whole=False), None)

    assert "gpt-test · the beginning of the thread was left out\n" in texts(blocks)[-1]


def test_the_footer_says_that_nothing_could_be_searched() -> None:
    finished = Finished("resp_1", "gpt-test", "completed", search_refused=True)
    [blocks] = below_answer(an_answer(finished=finished, searches=()), None)

    assert "gpt-test · this model's server does not search the web\n" in texts(blocks)[-1]


def test_no_text_in_the_blocks_is_looked_through_for_links_or_names() -> None:
    [blocks] = below_answer(an_answer(), "Cut short.")

    for block in blocks:
        for text in [block.get("text"), *block.get("elements", ())]:
            assert text is None or text["verbatim"] is True


def test_a_note_stands_first() -> None:
    [blocks] = below_answer(an_answer(), "The answer ends here.")

    assert texts(blocks)[0] == ":warning: The answer ends here."


def test_what_is_not_known_is_left_out() -> None:
    bare = an_answer(
        citations=(), searches=(), finished=Finished("r", "m", "completed"), unlinked=2
    )
    [blocks] = below_answer(bare, None)

    assert texts(blocks) == [
        "12 s · no searches · m · 2 addresses left unlinked: no search returned them\n"
        + CHECK_SOURCES
    ]


def test_many_sources_are_spread_over_sections_and_messages() -> None:
    citations = tuple(
        Citation(n, f"https://docs.example/{n}/" + "p" * 80, "A long title " * 9)
        for n in range(1, 101)
    )
    groups = below_answer(an_answer(citations=citations), None)
    lines = [line for group in groups for text in texts(group) for line in text.splitlines()]

    assert len(groups) > 2
    assert all(size(group) <= BLOCKS_BYTES for group in groups)
    assert all(len(text) <= 3_000 for group in groups for text in texts(group))
    assert [line.split(".")[0] for line in lines if line[0].isdigit()][:100] == [
        str(n) for n in range(1, 101)
    ]


def test_many_searches_are_counted_rather_than_listed() -> None:
    searches = tuple(Search("search", (f"query {n} " + "x" * 200,)) for n in range(20))
    [blocks] = below_answer(an_answer(searches=searches, citations=()), None)

    assert texts(blocks)[0].endswith("… and 8 more") or texts(blocks)[0].endswith("and 8 more")
    assert len(texts(blocks)[0]) < 2_000


def test_a_failure_is_told_with_a_reference() -> None:
    [said, actions] = failure_blocks("It broke.", "17")

    assert texts([said]) == [":warning: It broke.  (reference 17)"]
    assert actions["elements"][0]["value"] == "17"


def test_an_address_that_is_too_long_for_a_link_is_named_without_one() -> None:
    citation = Citation(1, "https://docs.example/?" + "x" * 3_200, "A page")
    [blocks] = below_answer(an_answer(citations=(citation,)), None)

    assert "1. A page · docs.example (address too long to link)" in texts(blocks)[0]
