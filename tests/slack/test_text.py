from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.text import plain, users_in

NAMES = {"U1": "Ana & Co", "W2": "Bo"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("ask <@U1> about it", "ask @Ana & Co about it", id="a known person"),
        pytest.param("ask <@U9|cy>", "ask @cy", id="an unknown person with a label"),
        pytest.param("ask <@U9>", "ask @someone", id="an unknown person"),
        pytest.param("in <#C1|general> and <#C2>", "in #general and #a channel", id="channels"),
        pytest.param("<!here> <!channel>", "@here @channel", id="calls to everybody"),
        pytest.param("<!subteam^S1|@team> <!subteam^S2>", "@team @a group", id="groups"),
        pytest.param("<!date^17^{date}|Monday>", "Monday", id="a date's fallback"),
        pytest.param("<https://x.example>", "https://x.example", id="a link"),
        pytest.param("<https://x.example|docs>", "docs (https://x.example)", id="a named link"),
        pytest.param("<mailto:a@x.example|a@x.example>", "a@x.example", id="an address of mail"),
        pytest.param("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d", id="entities"),
        pytest.param("&amp;lt;", "&lt;", id="entities are decoded once"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_slacks_tokens_become_plain_words(text: str, words: str) -> None:
    assert plain(text, NAMES) == words


def test_people_named_in_a_text_are_found_once_each() -> None:
    assert users_in("<@U1> and <@W2|bo> and <@U1>, not <@x> or <#C1>") == ["U1", "W2"]


@given(st.text(alphabet="<>@!#|&;ltgamp^UC1 :/x"))
def test_any_text_becomes_words_without_a_live_token(text: str) -> None:
    assert "<@U1>" not in plain(text, {}) or "&" in text
