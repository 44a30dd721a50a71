from __future__ import annotations

from dataclasses import replace

import pytest

from bot.playground.slack.blocks import check_blocks
from bot.playground.slack.limits import Limits
from bot.slack.blocks import minutes, spent
from bot.slack.research_blocks import (
    asking_blocks,
    brief_blocks,
    done_blocks,
    ended,
    failed_blocks,
    interrupted_blocks,
    stopped_blocks,
    summary_blocks,
    trail_blocks,
    working,
    working_blocks,
)
from bot.turns.answer import Citation, Search
from bot.turns.research import Ran
from tests.slack.runs import a_report, block_texts, progress, read, searched, some_ran

LONG = "&<!here> @channel " * 300


def said(groups: list[list[dict[str, object]]]) -> list[str]:
    return [
        line
        for blocks in groups
        for block in blocks
        for text in block_texts(block)
        for line in text.splitlines()
    ]


def test_the_trail_says_all_that_was_searched_and_read_and_how_long_it_took() -> None:
    ran = [
        Ran(Search("search", ("heat pumps", "heat <pumps>")), 3.2),
        read("https://www.docs.example/a?b=1&c=2", 150),
        Ran(Search("find_in_page", url="https://docs.example/a"), 0.2),
        searched("lost", failed=True),
        Ran(Search("search"), 1.0),
        Ran(Search("open_page"), 1.0),
    ]

    assert said(trail_blocks(ran)) == [
        "*Search trail · 2 searches, 2 pages*",
        "1. “heat pumps” · “heat &lt;pumps&gt;” · 3 s",
        "2. read www.docs.example/a?b=1&amp;c=2 · 2 min",
        "3. looked into docs.example/a · 0 s",
        "4. “lost” · 3 s · failed",
        "5. searched the web · 1 s",
        "6. read a page · 1 s",
    ]


def test_a_long_trail_comes_in_groups_that_each_fit_a_message() -> None:
    ran = [searched(f"{n} {LONG}") for n in range(300)]
    groups = trail_blocks(ran)

    assert len(groups) > 5
    assert len(said(groups)) == 301
    for blocks in groups:
        check_blocks(blocks, Limits())


def test_the_whole_brief_is_shown_in_groups_that_each_fit_a_message() -> None:
    groups = brief_blocks("First.\n\n" + LONG * 9)

    assert said(groups)[:2] == ["*The brief*", "First."]
    assert "".join(said(groups)).count("&lt;!here&gt;") == 300 * 9
    for blocks in groups:
        check_blocks(blocks, Limits())


def test_no_block_is_larger_than_slack_takes_however_long_the_words_are() -> None:
    ran = [searched(f"{n}{LONG}") for n in range(99)]
    ran += [read(f"https://{n}{'&' * 400}.example/") for n in range(99)]
    far = progress(100_000, ran, is_kept=False)
    report = a_report(LONG, is_partial=True)
    answer = replace(
        report.answer,
        citations=tuple(Citation(n, f"https://a.example/{n}", LONG) for n in range(1, 300)),
        searches=tuple(one.search for one in ran),
    )
    report = replace(report, answer=answer, ran=tuple(ran))
    brief = f"{LONG}\n{LONG}"
    shown = [
        working_blocks(5, working(far), far, brief),
        done_blocks(5, report, brief),
        failed_blocks(ended("Not finished", far), LONG[:500], "5", far),
        stopped_blocks(5, far),
        interrupted_blocks(ended("Interrupted", far), "Soon.", far),
        asking_blocks(5, [LONG] * 30),
        *summary_blocks("U1", report, "文" * 1_500, has_more=True, turn_id=5),
    ]

    for blocks in shown:
        check_blocks(blocks, Limits())
        for block in blocks:
            for text in [block.get("text"), *block.get("elements", ())]:
                is_mrkdwn = isinstance(text, dict) and text["type"] == "mrkdwn"
                assert not is_mrkdwn or text["verbatim"] is True
        everything = str(blocks)
        assert "<!" not in everything
        assert "@channel" not in everything


def test_a_summary_that_leaves_no_room_has_its_sources_in_the_next_message() -> None:
    report = a_report(citations=60)
    together = summary_blocks("U1", report, "Short.", has_more=False, turn_id=5)
    apart = summary_blocks("U1", report, "文" * 2_400, has_more=False, turn_id=5)

    sources = "*Sources*, read on 23 November 2026"
    assert sources in said(together[:1])
    assert sources not in said(apart[:1])
    assert sources in said(apart[1:2])


@pytest.mark.parametrize("brief", ["", "\n\n", "---"])
def test_a_brief_without_words_is_not_shown(brief: str) -> None:
    assert [b["type"] for b in working_blocks(5, "Researching", None, brief)] == [
        "section",
        "actions",
    ]


def test_a_run_that_has_searched_nothing_has_no_trail() -> None:
    report = replace(a_report(), ran=())

    assert [block["type"] for block in done_blocks(5, report, "")] == ["section"]


def test_what_was_searched_twice_is_shown_once_and_counted_as_two() -> None:
    far = progress(0, [*some_ran(1, 0), *some_ran(1, 0)])

    assert working(far) == "Researching · 2 searches"
    assert said([stopped_blocks(5, far)])[1] == "*Searched*  “query 1”"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (119, "119 s"), (150, "2 min"), (3_600, "1 h 0 min"), (7_500, "2 h 5 min")],
)
def test_a_long_time_is_told_in_minutes_and_hours(seconds: float, words: str) -> None:
    assert spent(seconds) == words
    assert minutes(60) == "1 min"
