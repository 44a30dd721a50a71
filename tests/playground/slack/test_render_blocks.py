from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from bot.playground.slack.render_blocks import block
from bot.playground.slack.render_clean import clean_message
from tests.playground.slack.drawing import LINK, NAMES, words

if TYPE_CHECKING:
    from bot.playground.slack.render_text import Names


def draw(item: dict[str, Any], names: Names = NAMES) -> str:
    return clean_message(block(item, names))


WORDS = {"type": "plain_text", "text": "Words"}
BUTTON = {"type": "button", "action_id": "go", "value": "7", "text": WORDS}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param({"type": "header", "text": WORDS}, "<h3>Words</h3>", id="header"),
        pytest.param({"type": "divider"}, "<hr>", id="divider"),
        pytest.param(
            {"type": "section", "fields": [WORDS], "accessory": BUTTON},
            'class="fields"><div class="field">Words',
            id="section with fields",
        ),
        pytest.param(
            {"type": "section", "text": WORDS, "accessory": BUTTON},
            'class="accessory"><button type="button" class="button" data-action="go"',
            id="section with a button",
        ),
        pytest.param(
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "*a*"}]},
            '<span class="element"><strong>a</strong></span>',
            id="context",
        ),
        pytest.param(
            {"type": "actions", "elements": [BUTTON | {"style": "danger"}]},
            'class="button danger" data-action="go" data-value="7"',
            id="button",
        ),
        pytest.param(
            {"type": "actions", "elements": [BUTTON | {"url": "https://a.org"}]},
            '<a href="https://a.org" class="button" data-action="go"',
            id="button that is a link",
        ),
        pytest.param({"type": "markdown", "text": "**a**"}, "<strong>a</strong>", id="markdown"),
        pytest.param(
            {"type": "image", "image_url": "https://a.org/b.png", "alt_text": "cat"},
            f'<a href="https://a.org/b.png" {LINK}>cat</a>',
            id="image as a link",
        ),
        pytest.param(
            {
                "type": "table",
                "column_settings": [None, {"align": "right"}],
                "rows": [
                    [{"type": "raw_text", "text": "A"}, {"type": "raw_text", "text": "B"}],
                    [
                        {
                            "type": "rich_text",
                            "elements": [
                                {
                                    "type": "rich_text_section",
                                    "elements": [{"type": "text", "text": "1"}],
                                }
                            ],
                        },
                        {"type": "raw_number", "text": "2"},
                    ],
                ],
            },
            '<tr><th>A</th><th class="align-right">B</th></tr>'
            '<tr><td><p>1</p></td><td class="align-right">2</td></tr>',
            id="table",
        ),
        pytest.param(
            {
                "type": "container",
                "title": WORDS,
                "is_collapsible": True,
                "default_collapsed": True,
                "child_blocks": [{"type": "markdown", "text": "a"}],
            },
            '<summary>Words</summary><div class="children"><div class="markdown"><p>a</p>',
            id="container that folds",
        ),
        pytest.param(
            {"type": "container", "title": WORDS, "child_blocks": [{"type": "divider"}]},
            '<p class="head">Words</p><div class="children"><hr>',
            id="container that does not",
        ),
        pytest.param({"type": "carousel"}, "unsupported block: carousel", id="unknown block"),
        pytest.param(
            {"type": "actions", "elements": [{"type": "static_select"}]},
            "unsupported block: static_select",
            id="unknown element",
        ),
    ],
)
def test_a_block_is_drawn(item: dict[str, Any], expected: str) -> None:
    assert expected in draw(item)


def test_a_container_is_folded_only_when_it_says_so() -> None:
    folds = {"type": "container", "is_collapsible": True, "child_blocks": []}

    assert "<details" in draw(folds)
    assert " open" in draw(folds)
    assert " open" not in draw(folds | {"default_collapsed": True})


def test_a_button_for_others_is_not_shown() -> None:
    mine = {"type": "actions", "elements": [BUTTON | {"visible_to_user_ids": ["U0YOU"]}]}
    theirs = {"type": "actions", "elements": [BUTTON | {"visible_to_user_ids": ["U0OTHER"]}]}

    assert "<button" in draw(mine)
    assert "<button" not in draw(theirs)


def test_feedback_has_two_buttons_with_their_own_values() -> None:
    feedback = {
        "type": "feedback_buttons",
        "action_id": "rate",
        "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "up:1"},
        "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "down:1"},
    }
    drawn = draw({"type": "context_actions", "elements": [feedback]})

    assert re.findall(r'data-action="rate" data-value="([^"]*)"', drawn) == ["up:1", "down:1"]
    assert words(drawn) == "👍 Good 👎 Bad"


def test_rich_text_is_drawn_and_parses_nothing() -> None:
    def section(*elements: dict[str, Any]) -> dict[str, Any]:
        return {"type": "rich_text_section", "elements": list(elements)}

    drawn = draw(
        {
            "type": "rich_text",
            "elements": [
                section(
                    {"type": "text", "text": "<!here> *a*", "style": {"bold": True}},
                    {"type": "link", "url": "https://a.org", "text": "A"},
                    {"type": "user", "user_id": "U0BOT"},
                    {"type": "broadcast", "range": "here"},
                    {"type": "emoji", "name": "mag"},
                ),
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "indent": 1,
                    "elements": [section({"type": "text", "text": "one"})],
                },
                {
                    "type": "rich_text_preformatted",
                    "elements": [{"type": "text", "text": "a\nb"}],
                },
                {"type": "rich_text_quote", "elements": [{"type": "text", "text": "q"}]},
            ],
        }
    )

    assert drawn == (
        '<div class="text"><p><strong>&lt;!here&gt; *a*</strong>'
        f'<a href="https://a.org" {LINK}>A</a><span class="mention">@Footnote</span>'
        '<span class="mention loud">@here</span>🔍</p>'
        '<ol start="1" class="level-1"><li>one</li></ol><pre>a\nb</pre>'
        "<blockquote>q</blockquote></div>"
    )


def test_a_plan_block_shows_each_task_with_its_state_and_sources() -> None:
    tasks = [
        {"type": "task_card", "task_id": "1", "title": "Read", "status": "complete",
         "sources": [{"type": "url", "url": "https://a.org", "text": "A"}]},
        {"type": "task_card", "task_id": "2", "title": "Write", "status": "in_progress"},
        {"type": "task_card", "task_id": "3", "title": "Print", "status": "error"},
        {"type": "task_card", "task_id": "4", "title": "Send", "status": "pending"},
    ]  # fmt: skip
    drawn = draw({"type": "plan", "title": "Working", "tasks": tasks})

    assert drawn.startswith('<details class="plan" open="" data-key="plan block"><summary>')
    assert words(drawn) == (
        "Working 4 steps ✓ Read done A Write running ! Print failed ○ Send waiting"
    )
    assert f'<a href="https://a.org" {LINK}>A</a>' in drawn
    assert drawn.count("spinner") == 2  # of the plan and of the task
