from __future__ import annotations

import pytest

from bot.playground.slack.render_typed import typed
from tests.playground.slack.drawing import NAMES


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("@footnote why?", "<@U0BOT> why?"),
        ("hey @Footnote, why?", "hey <@U0BOT>, why?"),
        ("see #general", "see <#C0GENERAL|general>"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("@here @nobody #nowhere", "<!here> @nobody #nowhere"),
        ("mail@footnote.org", "mail@footnote.org"),
        ("`@footnote <b>` @footnote", "`@footnote &lt;b&gt;` <@U0BOT>"),
        ("see https://a.org/?b=1&c=2#general.", "see <https://a.org/?b=1&amp;c=2#general>."),
        ("<@U0BOT>", "&lt;@U0BOT&gt;"),
    ],
)
def test_what_is_typed_is_sent_as_slacks_client_sends_it(text: str, sent: str) -> None:
    assert typed(text, NAMES) == sent
