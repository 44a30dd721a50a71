from __future__ import annotations

import pytest

from bot.slack.markdown import SlackMarkdown, escape, notification
from bot.turns.pieces import Address, Code, Mark, Piece, Prose

Z = "\u200b"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([Prose("<!channel> & <@U1>")], "&lt;!channel> & &lt;@U1>"),
        ([Prose("ask @here or @Everyone, not a@b.example")],
         f"ask @{Z}here or @{Z}Everyone, not a@b.example"),
        ([Code("`<@U1> <!here> <#C1> <https://x|y> <b>`")],
         f"`<{Z}@U1> <{Z}!here> <{Z}#C1> <{Z}https://x|y> <b>`"),
        ([Code("#include <stdio.h>\n")], "#include <stdio.h>\n"),
        ([Code("cut here <"), Code("!channel>")], f"cut here <{Z}!channel>"),
        ([Prose("fell "), Mark(1, "https://docs.example/a")], "fell [1](https://docs.example/a)"),
        ([Prose("wow!"), Mark(1, "https://docs.example/a")], "wow! [1](https://docs.example/a)"),
        ([Prose("\\"), Mark(1, "https://docs.example/a")], "\\ [1](https://docs.example/a)"),
        ([Prose("a\\"), Code("`b`")], f"a\\{Z}`b`"),
        ([Address("https://evil.example"), Code("`b`")], f"`https:{Z}//evil.example`{Z}`b`"),
        ([Prose("")], ""),
        ([Prose("https&#58;//evil.example &lt;b&gt; R&D &copy;")],
         f"https&{Z}#58;//evil.example &lt;b&gt; R&D &{Z}copy;"),
        ([Prose("_@here_ @hereは")], f"_@{Z}here_ @{Z}hereは"),
    ],
)  # fmt: skip
def test_pieces_are_written_so_that_nothing_pings_or_links_by_itself(
    pieces: list[Piece], text: str
) -> None:
    assert SlackMarkdown().write(pieces) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("**Prices** fell by `8 %` [1](https://docs.example/a).", "Prices fell by 8 % ."),
        ("# Title\n\n<!channel> R&D @here", f"Title &lt;!channel&gt; R&amp;D @{Z}here"),
        ("word " * 100, ("word " * 29).strip() + "…"),
        ("", ""),
    ],
)
def test_a_notification_is_short_and_plain(text: str, words: str) -> None:
    assert notification(text) == words


def test_words_for_mrkdwn_are_escaped_once() -> None:
    assert escape("a < b & c > d <!here> @channel") == (
        f"a &lt; b &amp; c &gt; d &lt;!here&gt; @{Z}channel"
    )
