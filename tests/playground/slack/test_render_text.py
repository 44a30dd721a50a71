from __future__ import annotations

import pytest

from bot.playground.slack.render_blocks import text_object
from bot.playground.slack.render_text import mrkdwn
from tests.playground.slack.drawing import LINK, NAMES


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param("*bold* _italic_ ~gone~", "<strong>bold</strong> <em>italic</em> <s>gone</s>"),
        pytest.param("2*3*4 and a_b_c", "2*3*4 and a_b_c", id="signs inside words style nothing"),
        pytest.param("`a *b* c`", "<code>a *b* c</code>", id="nothing is styled in code"),
        pytest.param("x\n```\na\n  <b>\n```\ny", "x<pre>a\n  &lt;b&gt;</pre>y", id="fence"),
        pytest.param("&gt; a\n&gt; b\nc", "<blockquote>a<br>b</blockquote>c", id="escaped quote"),
        pytest.param("a\n> b", "a<blockquote>b</blockquote>", id="quote"),
        pytest.param("1 &lt; 2 &amp; 3 &gt; 2", "1 &lt; 2 &amp; 3 &gt; 2", id="entities"),
        pytest.param("&quot;", "&amp;quot;", id="only three entities are read"),
        pytest.param("<@U0BOT>", '<span class="mention">@Footnote</span>', id="user"),
        pytest.param("<@U9|someone>", '<span class="mention">@someone</span>', id="unknown user"),
        pytest.param("<#C0GENERAL>", '<span class="mention">#general</span>', id="channel"),
        pytest.param("<!here>", '<span class="mention loud">@here</span>', id="everybody here"),
        pytest.param("<!subteam^S1>", '<span class="mention loud">@S1</span>', id="a group"),
        pytest.param("&lt;!here&gt;", "&lt;!here&gt;", id="an escaped token is words"),
        pytest.param("`<!here>`", '<code><span class="mention loud">@here</span></code>'),
        pytest.param("<https://a.org|A *b*>", f'<a href="https://a.org" {LINK}>A *b*</a>'),
        pytest.param("*<https://a.org|`A`>*", f'<strong><a href="https://a.org" {LINK}>'
                     "<code>A</code></a></strong>", id="code in a link in bold"),
        pytest.param("<https://a.org?b=1&amp;c=2>", f'<a href="https://a.org?b=1&amp;c=2" {LINK}>'
                     "https://a.org?b=1&amp;c=2</a>", id="a query string"),
        pytest.param("<mailto:a@b.org|write>", f'<a href="mailto:a@b.org" {LINK}>write</a>'),
        pytest.param("(https://a.org/b_(c)).", f'(<a href="https://a.org/b_(c)" {LINK}>'
                     "https://a.org/b_(c)</a>).", id="a bare address ends before punctuation"),
        pytest.param(":mag: :nosuch:", "🔍 :nosuch:", id="emoji"),
        pytest.param("<!date^1763900000^{date}|soon>", None, id="a date does not fail"),
        pytest.param("<!date^99999999999999^{date}|later>", "later", id="nor an absurd one"),
    ],
)  # fmt: skip
def test_mrkdwn_is_drawn_as_slack_draws_it(text: str, html: str | None) -> None:
    drawn = mrkdwn(text, NAMES)

    assert drawn if html is None else drawn == html


def test_verbatim_text_links_nothing_by_itself() -> None:
    text = "@here #general https://a.org <!here>"

    assert text_object({"type": "mrkdwn", "text": text, "verbatim": True}, NAMES) == (
        '@here #general https://a.org <span class="mention loud">@here</span>'
    )


def test_text_that_is_not_verbatim_pings_and_links_by_itself() -> None:
    drawn = text_object({"type": "mrkdwn", "text": "@here #general x@here"}, NAMES)

    assert '<span class="mention loud">@here</span> <span class="mention">#general</span>' in drawn
    assert "x@here" in drawn
