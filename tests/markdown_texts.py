"""Generated Markdown, as a model might write it and as somebody who means harm would."""

from __future__ import annotations

import random

KNOWN = (
    "https://docs.example/guide",
    "https://docs.example/guide?page=2&lang=en",
    "https://news.example/a_b/c(d)",
    "http://plain.example",
)
UNKNOWN = (
    "https://evil.example/?q=secret",
    "https://evil.example/a|b",
    "http://evil.example/`x`",
    "https://evil.example/\\x",
    "javascript:alert(1)",
    "slack://open?x=1",
    "ftp://evil.example/x",
    "//evil.example/x",
    "www.evil.example/x",
    "mailto:a@evil.example",
    "",
)
WORDS = (
    *(
        "Prices",
        "fell",
        "in",
        "2026.",
        "Straße",
        "日本語の文章です。",
        "مرحبا",
        "שלום",
        "👩‍👩‍👧",
        "🚀",
    ),
    *("e.g.", "Node.js", "and/or", "a_b", "*", "**", "_", "~~", "|", "||", "(", ")", "[", "]", "!"),
    *("\\", "<", ">", "&", "&lt;", "@", "#", "`", "``", "```", "~~~", "](", "]:", "![", "<!"),
    *(
        "<!here>",
        "<!channel>",
        "<@U123>",
        "<#C123>",
        "<!subteam^S1>",
        "@here",
        "@channel",
        "@everyone",
    ),
    *(
        "<https://evil.example|docs>",
        "<a href='https://evil.example'>",
        "\ue200cite\ue202turn0\ue201",
    ),
    *(
        "\\[",
        "\\]",
        "\\`",
        "\\<",
        "\\@",
        "https:",
        "//evil.example",
        "ht",
        "tps://evil.example",
        "h",
    ),
)
SEPARATORS = (" ", " ", " ", " ", "", "\n", "\n\n", "\n- ", "\n> ", "\n    ", "\n| ", " | ", "\r\n")


def markdown(seed: int) -> str:
    """Return a text of some 5 to 80 pieces."""
    rng = random.Random(seed)
    return "".join(_piece(rng) + rng.choice(SEPARATORS) for _ in range(rng.randint(5, 80)))


def pieces(text: str, seed: int) -> list[str]:
    """Cut a text at random places."""
    rng = random.Random(seed)
    cuts, at = [], 0
    while at < len(text):
        size = rng.choice((1, 2, 3, 5, 8, 20, 200))
        cuts.append(text[at : at + size])
        at += size
    return cuts


def _piece(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.55:
        return rng.choice(WORDS)
    if kind < 0.75:
        return _link(rng)
    if kind < 0.8:
        return f"({_link(rng)}{rng.choice((', ', ' ', '; ', ''))}{_link(rng)})"
    if kind < 0.85:
        return _url(rng)
    if kind < 0.93:
        ticks = "`" * rng.randint(1, 3)
        return f"{ticks}{rng.choice(('x', 'a|b', _link(rng), rng.choice(WORDS)))}{ticks}"
    return _block(rng)


def _block(rng: random.Random) -> str:
    mark = rng.choice(("```", "~~~", "````"))
    indent = rng.choice(("", "  ", "    "))
    body = f"{rng.choice(WORDS)} {_link(rng)}\n{indent}  {rng.choice(WORDS)}"
    fence = f"\n{indent}{mark}{rng.choice(('', 'py'))}\n{indent}{body}\n{indent}{mark}\n"
    row = f"{rng.choice(WORDS)} | {_link(rng)} | `{rng.choice(('a', 'a|b', _link(rng)))}`"
    return rng.choice((fence, f"\n\n| a | b | c |\n|---|---|---|\n| {row} |\n\n", f"\n{row}\n"))


def _link(rng: random.Random) -> str:
    label = rng.choice(("docs.example", "Docs", "1", "[1]", "", "a `b` c", "here", "x\\]", "~~~"))
    title = rng.choice(("", "", ' "T"'))
    return f"{rng.choice(('', '!'))}[{label}]({_url(rng)}{title})"


def _url(rng: random.Random) -> str:
    url = rng.choice(KNOWN) if rng.random() < 0.6 else rng.choice(UNKNOWN)
    known = url in KNOWN
    return (
        url + ("&" if "?" in url else "?") + "utm_source=openai"
        if known and rng.random() < 0.5
        else url
    )
