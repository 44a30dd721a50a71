from __future__ import annotations

import json
from typing import Any

import pytest

from bot.digests.digest import Digest, Topic
from bot.playground.slack.blocks import check_blocks
from bot.playground.slack.limits import Limits
from bot.playground.slack.render_blocks import text_object
from bot.slack.blocks import CHECK_SOURCES, actions, button
from bot.slack.digest_blocks import digest_messages
from bot.slack.markdown import ZERO_WIDTH
from tests.digests.readings import claim, topic, ts
from tests.playground.slack.drawing import NAMES, Inspector
from tests.slack.runs import block_texts

Json = dict[str, Any]

LINKS = {ts(n): f"https://acme.slack.com/archives/C1/p{n}?thread_ts=1.1&cid=C1" for n in range(90)}
HEAD = "Digest of #general"
READ = "Read 3 messages by 2 people, from 16 Nov 09:00 to 23 Nov 09:00 (America/New_York)."
HOSTILE = [
    pytest.param("<!channel> <!here> <@U0BOT> <#C0GENERAL> <!subteam^S1>", id="tokens"),
    pytest.param("&lt;!channel&gt; &amp;lt;@U1&amp;gt;", id="tokens in entities"),
    pytest.param("@channel @here @everyone @\u200dhere #general", id="names"),
    pytest.param("https://evil.example www.evil.example <https://evil.example|source>", id="URLs"),
    pytest.param("[source](https://evil.example) ![](https://evil.example/a.png)", id="Markdown"),
    pytest.param("*bold* _slanted_ ~gone~ `code` *_all_*", id="marks"),
    pytest.param("* _ ~ `", id="single marks"),
    pytest.param("```\ncode\n```", id="a fence"),
    pytest.param("```", id="a fence without an end"),
    pytest.param("\n> quoted\n&gt; quoted\n\n1. one\n# head", id="line beginnings"),
    pytest.param(":warning: :+1: :white_check_mark:", id="emoji"),
    pytest.param("__init__ **x** ~~x~~", id="doubled marks"),
]


def whole(*topics: Topic) -> list[list[Json]]:
    return digest_messages(Digest(topics=topics), LINKS, READ, HEAD)


def drawn(groups: list[list[Json]]) -> list[str]:
    """Draw every text as a browser would see it in Slack."""
    objects = [
        one
        for blocks in groups
        for block in blocks
        for one in ([block["text"]] if "text" in block else block["elements"])
    ]
    return [text_object(one, NAMES) for one in objects]


def lines(groups: list[list[Json]]) -> list[str]:
    texts = [text for blocks in groups for block in blocks for text in block_texts(block)]
    return [line for text in texts for line in text.splitlines()]


def link(number: int, label: str) -> str:
    return f"<{LINKS[ts(number)]}|{label}>"


def test_a_digest_has_its_topics_its_lines_and_what_was_read() -> None:
    roof = topic(
        "Roof",
        claim("It leaks & drips.", 1, 2),
        decisions=(claim("It is mended.", 2),),
        questions=(claim("When?", 3),),
        actions=(claim("Call the roofer.", 3, owner="Ben"), claim("Look.", 4)),
    )

    (blocks,) = whole(roof, topic("Party", claim("Soon.", 5)))

    assert lines([blocks]) == [
        "*Digest of #general*",
        "*Roof*",
        f"1. It leaks &amp; drips. {link(1, 'source')} {link(2, '2')}",
        "_Decided_",
        f"2. It is mended. {link(2, 'source')}",
        "_Open_",
        f"3. When? {link(3, 'source')}",
        "_To do_",
        f"4. Ben: Call the roofer. {link(3, 'source')}",
        f"5. Look. {link(4, 'source')}",
        "*Party*",
        f"6. Soon. {link(5, 'source')}",
        READ,
        CHECK_SOURCES,
    ]
    assert [block["type"] for block in blocks] == ["section", "section", "section", "context"]


def test_every_text_is_verbatim() -> None:
    written = json.dumps(whole(topic("Roof", claim("It leaks.", 1))))

    assert written.count('"verbatim": true') == written.count('"mrkdwn"') == 3


def test_a_line_with_many_messages_links_the_first_and_counts_the_others() -> None:
    line = lines(whole(topic("Roof", claim("It leaks.", *range(1, 13)))))[2]

    assert line.count("<https://") == 5
    assert line.endswith(f"{link(5, '5')} and 7 more")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "https://a.example/|x>",
        "https://a.example/ b",
        "https://" + "x" * 900,
    ],
)
def test_what_is_no_address_is_not_linked(url: str) -> None:
    digest = Digest(topics=(topic("Roof", claim("It leaks.", 1)),))

    (blocks,) = digest_messages(digest, {ts(1): url}, READ, HEAD)

    assert lines([blocks])[2] == "1. It leaks. (its messages could not be linked)"


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_text_pings_links_or_is_formatted(text: str) -> None:
    digest = topic(text, claim(text, 1), actions=(claim(text, 2, owner=text),))
    (blocks,) = digest_messages(Digest(topics=(digest,)), LINKS, text, text)

    html = "".join(drawn([blocks]))

    tags = [(tag, attributes.get("href")) for tag, attributes in Inspector(html).seen]
    assert [tag for tag in tags if tag != ("br", None)] == [
        ("strong", None),  # the head
        ("strong", None),  # the title
        ("a", LINKS[ts(1)]),
        ("em", None),  # what the kind is called
        ("a", LINKS[ts(2)]),
    ]
    assert not set(html) & set("⚠👍✅")
    assert all(f"@{name}" not in html for name in ("channel", "here", "everyone"))


def test_words_stay_what_they_are() -> None:
    text = "snake_case_name at 10:30:45, 2 < 3 & 5 > 4, R&D, “quoted”, 👩\u200d🔬, 50 %"

    (html,) = drawn(whole(topic("Roof", claim(text, 1))))[1:2]

    assert "snake_case_name at 10:30:45, 2 &lt; 3 &amp; 5 &gt; 4, R&amp;D" in html
    assert ZERO_WIDTH not in html


@pytest.mark.parametrize(
    "text", ["x" * 40_000, "&" * 40_000, "@here " * 7_000, "_ " * 20_000, "漢" * 600]
)
def test_texts_of_any_length_fit_into_what_slack_takes(text: str) -> None:
    claims = tuple(claim(text, *range(10), owner=text) for _ in range(20))
    digest = Digest(topics=(topic(text, *claims, actions=claims),))

    groups = digest_messages(digest, LINKS, text, text)

    assert len(groups) > 1
    for blocks in groups:
        check_blocks(blocks, Limits())
    assert "\n".join(lines(groups)).count("|source>") == 40


def test_many_small_topics_stay_within_the_blocks_of_a_message() -> None:
    groups = whole(*(topic(f"T{n}", claim("x", n % 90)) for n in range(200)))

    assert max(len(blocks) for blocks in groups) <= 50
    for blocks in groups:
        check_blocks(blocks, Limits())
    assert [line for line in lines(groups) if line.startswith("200. x ")]


@pytest.mark.parametrize("topics", range(45, 55))
def test_what_can_be_done_about_a_digest_fits_below_it(topics: int) -> None:
    digest = Digest(topics=tuple(topic(f"T{n}", claim("x", 1)) for n in range(topics)))
    share = actions(button("share_digest", "Share", "7"))
    groups = digest_messages(digest, LINKS, READ, HEAD, [share])

    assert groups[-1][-1] == share
    for blocks in groups:
        check_blocks(blocks, Limits())


def test_a_digest_without_topics_says_what_was_read_and_that_alone() -> None:
    quiet = digest_messages(Digest(topics=()), {}, "Nobody wrote in the channel.", HEAD)
    failed = digest_messages(Digest(topics=()), {}, "NOTHING COULD BE READ: no answer.", HEAD)

    assert lines(quiet) == ["*Digest of #general*", "Nobody wrote in the channel."]
    assert lines(failed) == ["*Digest of #general*", ":warning: NOTHING COULD BE READ: no answer."]


def test_the_lines_are_numbered_as_in_the_text_for_the_thread() -> None:
    digest = Digest(topics=(topic("A", claim("a", 1)), topic("B", questions=(claim("b", 2),))))

    groups = digest_messages(digest, LINKS, READ, HEAD)

    assert [line[:4] for line in lines(groups) if line[0].isdigit()] == ["1. a", "2. b"]
