"""What a digest looks like: topics, and behind each line the messages that it rests on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.digests.words import UNREAD, by_heading
from bot.slack.blocks import CHECK_SOURCES, context, grouped, packed, section, shortened
from bot.slack.markdown import literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.digests.digest import Claim, Digest, Topic
    from bot.slack.blocks import Json

SHARE_DIGEST = "share_digest"  # the action of a button whose value is a turn's id
HEAD_CHARACTERS = 150
TITLE_CHARACTERS = 120
OWNER_CHARACTERS = 80
TEXT_CHARACTERS = 1_500  # of a line as mrkdwn, where a character may be five
COVERAGE_CHARACTERS = 2_500  # likewise
LINKS = 5  # behind a line
LINK_CHARACTERS = 200
SOURCE = "source"
UNLINKED = "(its messages could not be linked)"

_LINK = re.compile(rf"https?://[^\s<>|\"]{{1,{LINK_CHARACTERS - 8}}}")


def digest_messages(
    digest: Digest,
    permalinks: Mapping[str, str],
    coverage: str,
    head: str,
    below: Sequence[Json] = (),
) -> list[list[Json]]:
    """Return a digest as blocks, in groups that each fit into one message.

    `permalinks` are Slack's own, by ts; `coverage` and `head` are plain words; `below` is what can
    be done about it. A digest without topics says what was read, and that alone.
    """
    headline = section(f"*{_literal(head, HEAD_CHARACTERS)}*")
    read = _literal(coverage, COVERAGE_CHARACTERS)
    if not digest.topics:
        warning = ":warning: " if coverage.startswith(UNREAD) else ""
        return [[headline, section(f"{warning}{read}")]]
    blocks, number = [headline], 1
    for topic in digest.topics:
        blocks += [section(text) for text in packed([*_lines(topic, permalinks, number)])]
        number += len(topic.claims)
    return grouped([*blocks, context(f"{read}\n{CHECK_SOURCES}"), *below])


def _lines(topic: Topic, permalinks: Mapping[str, str], number: int) -> Iterator[str]:
    yield f"*{_literal(topic.title, TITLE_CHARACTERS)}*"
    for heading, claims in by_heading(topic):
        if heading and claims:
            yield f"_{heading}_"
        for claim in claims:
            yield f"{number}. {_said(claim)} {_links(claim, permalinks)}"
            number += 1


def _said(claim: Claim) -> str:
    owner = f"{_literal(claim.owner, OWNER_CHARACTERS)}: " if claim.owner else ""
    return f"{owner}{_literal(claim.text, TEXT_CHARACTERS)}"


def _links(claim: Claim, permalinks: Mapping[str, str]) -> str:
    """Link the messages that a line rests on, as `source 2 3`."""
    urls = [permalinks.get(ts, "") for ts in claim.rests_on]
    linked = [url for url in urls if _LINK.fullmatch(url)]
    if not linked:
        return UNLINKED
    labels = [SOURCE, *map(str, range(2, LINKS + 1))]
    shown = [f"<{url}|{label}>" for url, label in zip(linked, labels, strict=False)]
    more = len(urls) - len(shown)
    return " ".join([*shown, *([f"and {more} more"] if more else [])])


def _literal(text: str, limit: int) -> str:
    """Escape a text, or as much of its beginning as stays within the limit when it is escaped."""
    whole = shortened(text, limit)
    while len(escaped := literal(whole)) > limit:
        whole = shortened(whole, max(len(whole) - (len(escaped) - limit) // 5 - 1, 1))
    return escaped
