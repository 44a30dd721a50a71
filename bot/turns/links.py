"""Links in Markdown: where one ends, and what its URL is worth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

LABEL_LIMIT = 1_000  # characters; a longer label is no link a person would read
URL_LIMIT = 2_000  # characters; longer ones are cut by browsers and servers anyway
URL_DEPTH = 9  # parentheses within parentheses

LABEL_DEPTH = 9  # brackets within brackets

_TRACKING = re.compile(r"(\?)utm_source=openai&|[?&]utm_source=openai(?=[&#]|$)")
_BREAKS_MARKDOWN = re.compile(r'[\s()<>"`\\|\[\]{}^]')
_SEPARATOR = re.compile(r"[ \t]*[,;]?[ \t]*")
_TITLE = re.compile(r"""[ \t]+(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\))""")


class MoreNeeded(Exception):
    """The text so far does not decide; what comes next does."""


@dataclass(frozen=True, slots=True)
class Link:
    """An inline link or image as the model wrote it."""

    label: str
    url: str


def clean_url(url: str) -> str:
    """Take `utm_source=openai`, which OpenAI adds to most cited URLs, out of a URL."""
    return _TRACKING.sub(lambda match: match[1] or "", url)


def safe_url(url: str) -> str:
    """Percent-encode what would end a Markdown link early."""
    return _BREAKS_MARKDOWN.sub(lambda match: quote(match[0], safe=""), url)


def url_key(url: str) -> str | None:
    """Say by what two spellings of one URL are known as the same; None if it is not http(s)."""
    try:
        parts = urlsplit(clean_url(url.strip()))
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme.lower() not in {"http", "https"} or not host:
        return None
    rest = parts._replace(
        scheme=parts.scheme.lower(), netloc=parts.netloc.lower(), path=parts.path or "/"
    )
    return quote(safe_url(rest.geturl()), safe="!#$%&'*+,/:;=?@~")


def read_link(text: str, at: int, *, final: bool) -> tuple[Link, int] | None:
    """Read the link or image that may begin at `at`; the int is where it ends.

    Raises MoreNeeded when the text ends before it is decided, unless it is final.
    """
    begin = at + 1 if text.startswith("!", at) else at
    if _char(text, begin, final=final) != "[":
        return None
    close = _label_end(text, begin + 1, final=final)
    if close is None or _char(text, close + 1, final=final) != "(":
        return None
    found = _destination(text, close + 2, final=final)
    if found is None:
        return None
    url, end = found
    return Link(text[begin + 1 : close], url), end


def read_group(text: str, *, final: bool) -> tuple[list[Link], int] | None:
    """Read `([a](u), [b](v))` at the beginning of the text: links alone in parentheses."""
    links: list[Link] = []
    at = 1
    while True:
        found = read_link(text, at, final=final)
        if found is None:
            return None
        links.append(found[0])
        at = found[1]
        if _char(text, at, final=final) == ")":
            return links, at + 1
        separator = _SEPARATOR.match(text, at)
        if separator is None or separator.end() == at:
            return None
        at = separator.end()


def _char(text: str, at: int, *, final: bool) -> str:
    if at < len(text):
        return text[at]
    if final:
        return ""
    raise MoreNeeded


def _label_end(text: str, at: int, *, final: bool) -> int | None:
    depth = 1
    end = at
    while end < at + LABEL_LIMIT and depth <= LABEL_DEPTH:
        match _char(text, end, final=final):
            case "" | "\n":
                return None
            case "\\":
                end += 1
            case "[":
                depth += 1
            case "]":
                depth -= 1
        if depth == 0:
            return end
        end += 1
    return None


def _destination(text: str, at: int, *, final: bool) -> tuple[str, int] | None:
    while _char(text, at, final=final) in {" ", "\t"}:
        at += 1
    bracketed = text.startswith("<", at)
    end = _bracketed_end(text, at, final=final) if bracketed else _bare_end(text, at, final=final)
    if end is None:
        return None
    url = text[at + 1 : end - 1] if bracketed else text[at:end]
    line_end = text.find("\n", end)
    rest = text[end : line_end if line_end >= 0 else len(text)]
    if ")" not in rest and line_end < 0 and not final and len(rest) < LABEL_LIMIT:
        raise MoreNeeded
    title = _TITLE.match(text, end)
    end = title.end() if title else end
    while text[end : end + 1] in {" ", "\t"}:
        end += 1
    if text[end : end + 1] != ")":
        return None
    return url, end + 1


def _bracketed_end(text: str, at: int, *, final: bool) -> int | None:
    end = at + 1
    while end < at + URL_LIMIT:
        match _char(text, end, final=final):
            case "" | "\n" | "<":
                return None
            case ">":
                return end + 1
        end += 1
    return None


def _bare_end(text: str, at: int, *, final: bool) -> int | None:
    depth = 0
    end = at
    while end < at + URL_LIMIT:
        char = _char(text, end, final=final)
        if char == "" or char.isspace() or (char == ")" and depth == 0):
            return end
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth > URL_DEPTH:
            return None
        end += 1
    return None
