"""Sentences of a report that state a figure and name no page for it are marked, by rule.

A rule can tell a figure, a date or an amount, and no other fact; for those, the model is told to
mark them itself. A link counts for what stands before it in the same paragraph or list item, as
reports are written with one link for several sentences.
"""

from __future__ import annotations

import re
from itertools import pairwise

NO_SOURCE = "(no source)"

_FENCE = re.compile(r"(`{3,})")  # at the beginning of a line, where a draft writes them
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s+")
_ALONE = re.compile(r"\s*(?:#|\||>|\Z)")  # headings, tables, quotes, nothing
_END = re.compile(r"(?<=[.!?])[*_\"”’)]*\s+(?!\(no source\))(?=[^a-zß-ÿ\s])")  # noqa: RUF001 - quotes
_LINK = re.compile(r"\[[^\[\]\n]*\]\(https?://")
_NO_WORDS = re.compile(r"`[^`\n]*`|https?://\S+")
_FIGURE = re.compile(r"\d")


def marked(text: str) -> str:
    """Return a report's Markdown with a mark behind each such sentence that has none."""
    return "\n".join(_marked(block) for block in _blocks(text))


def _blocks(text: str) -> list[str]:
    """Cut a text into paragraphs and list items; what holds no sentences is left in its lines."""
    blocks: list[str] = []
    fence, goes_on = "", False
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if fence or found or _ALONE.match(line):
            blocks.append(f"\0{line}")
            goes_on = False
            if not fence:
                fence = found[1] if found else ""
            elif found and len(found[1]) >= len(fence) and not line.strip().strip("`"):
                fence = ""
        elif goes_on and not _ITEM.match(line):
            blocks[-1] += f"\n{line}"
        else:
            blocks.append(line)
            goes_on = True
    return blocks


def _marked(block: str) -> str:
    if block.startswith("\0"):
        return block[1:]
    sentences = _sentences(block)
    has_source = False
    for place, sentence in reversed(list(enumerate(sentences))):
        has_source = has_source or _LINK.search(sentence) is not None
        if not has_source and _states_figure(sentence, is_first=place == 0):
            words = sentence.rstrip()
            sentences[place] = f"{words} {NO_SOURCE}{sentence[len(words) :]}"
    return "".join(sentences)


def _sentences(block: str) -> list[str]:
    """Cut a block into its sentences, each with the blanks behind it."""
    ends = [found.end() for found in _END.finditer(block)]
    return [block[begin:end] for begin, end in pairwise([0, *ends, len(block)])]


def _states_figure(sentence: str, *, is_first: bool) -> bool:
    words = _NO_WORDS.sub("", sentence).rstrip()
    if is_first:
        words = _ITEM.sub("", words, count=1)
    asks = words.endswith(("?", ":"))
    return not asks and NO_SOURCE not in words and _FIGURE.search(words) is not None
