"""Whatever a model writes, and however it is cut: no live ping, no unknown link, nothing lost."""

from __future__ import annotations

import re
import unicodedata
from itertools import zip_longest

import pytest
from markdown_it import MarkdownIt

from bot.slack.markdown import SlackMarkdown
from bot.turns.answer import Cited, Search, Searched, TextDelta
from bot.turns.draft import Draft
from bot.turns.links import clean_url, url_key
from tests.markdown_texts import KNOWN, markdown, pieces

TEXTS = 10_000
BATCHES = 20
KNOWN_KEYS = {url_key(url) for url in KNOWN}

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
CONTROL_TOKEN = re.compile(r"<(?:[@!]|#[CDG]|https?:|mailto:)")
GROUP_PING = re.compile(r"@(?:here|channel|everyone)\b")
BARE_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)[^\s]", re.IGNORECASE)
LINK = re.compile(r"\[(\d+)\]\(([^()\s]+)\)")


def written(cuts: list[str]) -> tuple[str, Draft]:
    draft, slack = Draft(), SlackMarkdown()
    draft.add(Searched("s", Search("search", sources=KNOWN[:3])))
    draft.add(Cited(KNOWN[3], "Plain"))
    out = [slack.write(draft.add(TextDelta(cut))) for cut in cuts]
    out.append(slack.write(draft.close()))
    return "".join(out), draft


def leaves(text: str) -> list[tuple[str, str, str]]:
    """Return what a reader of Markdown makes of a text: (kind, URL or words, a link's label)."""
    found = []
    for block in READER.parse(text):
        if block.type in {"fence", "code_block", "html_block"}:
            found.append((block.type, block.content, ""))
        children = block.children or []
        for leaf, following in zip_longest(children, children[1:]):
            target = leaf.attrs.get("href") or leaf.attrs.get("src") or leaf.content
            found.append((leaf.type, str(target), following.content if following else ""))
    return found


def words(text: str) -> str:
    """Return the letters and digits of a text, which no rewriting may lose."""
    return "".join(char for char in text if unicodedata.category(char)[0] in "LN")


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_text_in_any_pieces_pings_links_to_the_unknown_or_depends_on_the_cuts(
    batch: int,
) -> None:
    for seed in range(batch, TEXTS, BATCHES):
        text = markdown(seed)
        out, draft = written(pieces(text, seed))

        assert out == written([text])[0], seed
        assert not CONTROL_TOKEN.search(out), seed
        numbers = {citation.url: str(citation.number) for citation in draft.citations}
        for kind, content, label in leaves(out):
            if kind in {"link_open", "image", "html_inline", "html_block"}:
                assert kind == "link_open", (seed, content)
                assert url_key(content) in KNOWN_KEYS, (seed, content)
                assert numbers.get(content) == label, (seed, content)
            elif kind == "text":
                assert not GROUP_PING.search(content), (seed, content)
                assert not BARE_URL.search(content), (seed, content)


def test_no_letter_of_the_words_between_links_is_lost() -> None:
    for seed in range(2_000):
        text = markdown(seed)
        out, _ = written(pieces(text, seed))
        plain = words(LINK.sub("", out))

        for word in ("Prices", "fell", "2026", "Straße", "日本語の文章です", "مرحبا", "שלום"):
            assert plain.count(word) == words(text).count(word), (seed, word)
        assert out.count("🚀") == text.count("🚀"), seed


def test_a_known_url_is_linked_whatever_tracking_it_carries() -> None:
    url = "https://docs.example/guide?page=2&lang=en&utm_source=openai"
    out, draft = written([f"Yes ([docs.example]({url}))."])

    assert out == f"Yes [1]({clean_url(url)})."
    assert [c.url for c in draft.citations] == [clean_url(url), KNOWN[3]]
