"""What the tests of the page's drawing share: a workspace's names, and a look at HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from bot.playground.slack.render_text import Names

NAMES = Names({"U0BOT": "Footnote", "U0YOU": "You"}, {"C0GENERAL": "general"}, viewer="U0YOU")
LINK = 'target="_blank" rel="noopener noreferrer nofollow"'


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


class Inspector(HTMLParser):
    """Collects what a browser would see in a drawn message."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def assert_harmless(html: str) -> None:
    for tag, attributes in Inspector(html).seen:
        assert tag not in {"script", "style", "img", "svg", "iframe", "object", "form", "input"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert "src" not in attributes
        href = attributes.get("href")
        assert href is None or re.match(r"(https?:|mailto:)", href)
        if tag == "a":
            assert attributes["rel"] == "noopener noreferrer nofollow"
