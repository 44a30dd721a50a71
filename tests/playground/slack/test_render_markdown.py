from __future__ import annotations

import pytest

from bot.playground.slack.render_markdown import markdown
from tests.playground.slack.drawing import LINK, NAMES


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param("**a** *b* ~~c~~", "<p><strong>a</strong> <em>b</em> <s>c</s></p>"),
        pytest.param("a\nb", "<p>a<br>\nb</p>", id="a line end is one"),
        pytest.param("# a", "<h1>a</h1>", id="heading"),
        pytest.param("[1](https://a.org)", f'<p><a href="https://a.org" {LINK}>1</a></p>'),
        pytest.param("<!channel>", '<p><span class="mention loud">@channel</span></p>',
                     id="a token pings in Markdown too"),
        pytest.param("<@U0BOT> <#C0GENERAL>", '<p><span class="mention">@Footnote</span> '
                     '<span class="mention">#general</span></p>', id="names"),
        pytest.param("<https://a.org|Bank>", f'<p><a href="https://a.org" {LINK}>Bank</a></p>',
                     id="a disguised link is a link"),
        pytest.param("&lt;!here> &lt;@U0BOT>", "<p>&lt;!here&gt; &lt;@U0BOT&gt;</p>",
                     id="an escaped token is words"),
        pytest.param("`<!here>`", "<p><code>&lt;!here&gt;</code></p>", id="code is words"),
        pytest.param("https://a.org.", f'<p><a href="https://a.org" {LINK}>https://a.org</a>.</p>',
                     id="a bare address is a link"),
        pytest.param("[https://b.org](https://a.org)",
                     f'<p><a href="https://a.org" {LINK}>https://b.org</a></p>',
                     id="an address that labels a link is no second link"),
        pytest.param("![cat](https://a.org/c.png)",
                     f'<p><a href="https://a.org/c.png" {LINK}>cat</a></p>',
                     id="a picture is a link"),
        pytest.param("```py\n<!here> https://a.org\n```",
                     "<pre><code>&lt;!here&gt; https://a.org\n</code></pre>", id="fence"),
        pytest.param("- [ ] a\n- [x] b", "<ul>\n<li>☐ a</li>\n<li>☑ b</li>\n</ul>", id="tasks"),
        pytest.param("> a", "<blockquote>\n<p>a</p>\n</blockquote>", id="quote"),
    ],
)  # fmt: skip
def test_markdown_is_drawn_as_slack_draws_it(text: str, html: str) -> None:
    assert markdown(text, NAMES).strip() == html


def test_a_table_keeps_its_alignment_without_a_style_attribute() -> None:
    drawn = markdown("| A | B |\n|---|--:|\n| 1 | 2 |", NAMES)

    assert '<th class="align-right">B</th>' in drawn
    assert '<td class="align-right">2</td>' in drawn
    assert "style=" not in drawn
