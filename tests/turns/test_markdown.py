from __future__ import annotations

import time

import pytest

from bot.turns.links import Link, clean_url, safe_url, url_key
from bot.turns.markdown import BareUrl, LinkGroup, MarkdownReader, Token
from bot.turns.pieces import Code, Prose

Z = "\u200b"


def read(*pieces: str) -> list[Token]:
    """Read a text, with neighbouring prose put together."""
    reader = MarkdownReader()
    tokens = [token for piece in pieces for token in reader.feed(piece)] + reader.close()
    joined: list[Token] = []
    for token in tokens:
        if joined and isinstance(token, Prose) and isinstance(joined[-1], Prose):
            joined[-1] = Prose(joined[-1].text + token.text)
        else:
            joined.append(token)
    return joined


def link(label: str, url: str) -> LinkGroup:
    return LinkGroup((Link(label, url),), bracketed=False)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        pytest.param("plain words", [Prose("plain words")], id="words"),
        pytest.param("a `b` c", [Prose("a "), Code("`b`"), Prose(" c")], id="a code span"),
        pytest.param("``a ` b``", [Code("``a ` b``")], id="a span with a backtick in it"),
        pytest.param("a ` b", [Prose("a \\` b")], id="a backtick that nothing closes"),
        pytest.param("a `b\nc` d", [Prose("a \\`b\nc\\` d")], id="no span over a line's end"),
        pytest.param(
            "| `a | [x](https://e.example)` |",
            [Prose("| \\`a | "), link("x", "https://e.example"), Prose("\\` |")],
            id="no span over a table's bar that hides a link",
        ),
        pytest.param("`a || b`", [Code("`a || b`")], id="but one with a harmless bar"),
        pytest.param(
            "[a](https://e.example/(x)) b",
            [link("a", "https://e.example/(x)"), Prose(" b")],
            id="parentheses in a URL",
        ),
        pytest.param("[a](<https://e.example/a b>)", [link("a", "https://e.example/a b")], id="<>"),
        pytest.param("[a\nb](https://e.example)",
                     [Prose(f"[a\nb]{Z}("), BareUrl("https://e.example"), Prose(")")],
                     id="no label over a line's end"),
        pytest.param("[a]: x", [Prose(f"[a]{Z}: x")], id="a link's definition defines nothing"),
        pytest.param("\\[a](x)", [Prose(f"\\[a]{Z}(x)")], id="an escaped bracket opens no link"),
        pytest.param("a\\", [Prose("a\\\\")], id="a backslash at the end is one"),
        pytest.param("a\\\nb", [Prose("a  \nb")], id="a backslash that breaks the line does"),
        pytest.param("\\<!here>", [Prose(f"{Z}<!here>")], id="an escape hides no token"),
        pytest.param("x ~~~ y", [Prose("x \\~\\~\\~ y")], id="tildes inside a line open no fence"),
        pytest.param("\ue200cite\ue202turn0search0\ue201 a", [Prose(" a")], id="leaked marks go"),
        pytest.param("\ue200cite a\nb", [Prose("cite a\nb")], id="half a mark loses only its sign"),
        pytest.param("a\x00b\r\nc\rd", [Prose("ab\nc\nd")], id="control characters go"),
        pytest.param("見てhttps://e.example/aを", [Prose("見て"), BareUrl("https://e.example/a"),
                                                Prose("を")], id="a URL ends with its script"),
        pytest.param("a\u2028b\x85c", [Prose("a\nb\nc")], id="all ends of lines are one"),
        pytest.param("evil\\.example/x", [Prose(f"evil{Z}.example/x")], id="a parted host"),
        pytest.param("1.2.3.4/x e.example:80/y", [BareUrl("1.2.3.4/x"), Prose(" "),
                                                  BareUrl("e.example:80/y")], id="hosts"),
        pytest.param("a@b.example", [Prose("a@b.example")], id="an address of mail is words"),
    ],
)  # fmt: skip
def test_markdown_is_read_as_every_reader_would(text: str, tokens: list[Token]) -> None:
    assert read(text) == tokens
    assert read(*text) == tokens  # a character at a time


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("```py\nx < 1\n```\n", "```py\nx < 1\n```\n", id="a fence"),
        pytest.param("~~~\n```\n~~~", f"```\n{Z}```\n```", id="tildes, with backticks inside"),
        pytest.param(
            "- a\n\n  ```\n  x\n    y\n  ```\n", "- a\n\n```\nx\n  y\n```\n", id="in a list"
        ),
        pytest.param("1. ```sh\n   ls\n   ```\n", f"1. {Z}\n```sh\nls\n```\n", id="on its marker"),
        pytest.param("> ```\n> x\n> ```\ny", "```\nx\n```\ny", id="in a quote"),
        pytest.param("> ```\n> x\ny", "```\nx\n```\ny", id="a quote's end ends its fence"),
        pytest.param("```\nnever closed", "```\nnever closed\n```", id="one that nothing closes"),
        pytest.param("````\n```\n````", "````\n```\n````", id="longer fences hold shorter ones"),
        pytest.param("```a`b\n", "\\`\\`\\`a\\`b\n", id="no fence with a backtick behind it"),
        pytest.param("- ```x```\n", "- ```x```\n", id="a span behind a list's marker"),
    ],
)
def test_fences_stand_at_the_beginning_of_a_line(text: str, written: str) -> None:
    for pieces in ([text], list(text)):
        assert "".join(t.text for t in read(*pieces) if isinstance(t, Prose | Code)) == written


@pytest.mark.parametrize(
    "unit", ["a", "[", "`", "(", "|", "<", "a.", "https://", "\ue200", "~", "!["]
)
def test_long_runs_of_anything_are_read_in_reasonable_time(unit: str) -> None:
    text = unit * (60_000 // len(unit))
    reader = MarkdownReader()
    began = time.process_time()
    for at in range(0, len(text), 50):
        reader.feed(text[at : at + 50])
    reader.close()

    assert time.process_time() - began < 10


def test_a_url_is_cleaned_of_one_parameter_only() -> None:
    assert clean_url("https://e.example/?utm_source=openai") == "https://e.example/"
    assert clean_url("https://e.example/?a=1&utm_source=openai#x") == "https://e.example/?a=1#x"
    assert clean_url("https://e.example/?utm_source=openai&a=1") == "https://e.example/?a=1"
    assert clean_url("https://e.example/?utm_source=mail") == "https://e.example/?utm_source=mail"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.example", "HTTPS://E.example/"),
        ("https://e.example/a(b)", "https://e.example/a%28b%29"),
        ("https://e.example/ü", "https://e.example/%C3%BC"),
    ],
)
def test_two_spellings_of_a_url_are_one_page(one: str, other: str) -> None:
    assert url_key(one) == url_key(other)


@pytest.mark.parametrize(
    "url", ["javascript:x", "//e.example", "ftp://e.example", "", "http://", "http://["]
)
def test_only_http_urls_are_pages(url: str) -> None:
    assert url_key(url) is None


def test_what_would_end_a_link_early_is_encoded() -> None:
    assert safe_url("https://e.example/a b(c)|`<>") == "https://e.example/a%20b%28c%29%7C%60%3C%3E"
