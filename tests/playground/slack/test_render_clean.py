from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.playground.slack.render import render_message
from bot.playground.slack.render_blocks import block
from bot.playground.slack.render_clean import clean_message
from bot.playground.slack.render_markdown import markdown
from bot.playground.slack.render_text import Names, mrkdwn
from bot.playground.slack.workspace import Message, Task
from tests.playground.slack.drawing import NAMES, assert_harmless

EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "<javascript:alert(1)|x>",
    '<https://a.org" onmouseover="alert(1)|x>',
    "<https://a.org|<script>alert(1)</script>>",
    "[x](/page/stop)",
    "[a]: javascript:alert(1)\n\n[a]",
    "<iframe src=//a.org></iframe>",
    '</article><button data-action="x">y</button>',
    "<style>*{display:none}</style>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#106;avascript:alert(1)",
    "![x](javascript:alert(1))",
    "\ue0000\ue001",
]  # fmt: skip
PLACES = ["text", "title", "url", "image_url", "alt_text", "action_id", "value", "status"]


def everything_saying(evil: str) -> list[dict[str, Any]]:
    text = {"type": "mrkdwn", "text": evil}
    said = dict.fromkeys(PLACES, evil) | {"block_id": evil, "accessibility_label": evil}
    rich_parts = [
        {"type": kind} | said | {"user_id": evil, "channel_id": evil, "range": evil}
        for kind in ("text", "link", "user", "channel", "broadcast", "emoji", "date")
    ]
    rich = {
        "type": "rich_text",
        "elements": [
            {"type": kind, "style": evil, "elements": rich_parts}
            for kind in ("rich_text_section", "rich_text_quote", "rich_text_preformatted", evil)
        ],
    }
    task = said | {
        "type": "task_card",
        "details": rich,
        "output": evil,
        "sources": [{"type": "url", "url": evil, "text": evil}],
    }
    buttons = [
        said
        | {
            "type": kind,
            "text": text,
            "style": evil,
            "icon": evil,
            "confirm": {"title": text, "text": text},
            "positive_button": said,
            "negative_button": said,
        }
        for kind in ("button", "feedback_buttons", "icon_button", "image", evil)
    ]
    return [
        {"type": "section", "text": text, "fields": [text, evil], "accessory": buttons[0]},
        {"type": "header", "text": {"type": "plain_text", "text": evil}},
        {"type": "context", "elements": [text, *buttons]},
        {"type": "actions", "elements": buttons, "block_id": evil},
        {"type": "markdown", "text": evil},
        {"type": "table", "rows": [[{"type": "raw_text", "text": evil}, rich]]},
        rich,
        said | {"type": "image"},
        {"type": "container", "title": evil, "subtitle": evil, "is_collapsible": True,
         "child_blocks": [{"type": "markdown", "text": evil}]},
        {"type": "plan", "title": evil, "tasks": [task]},
        task,
        {"type": evil},
    ]  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
def test_no_script_survives_in_any_field_of_any_block(evil: str) -> None:
    for item in everything_saying(evil):
        drawn = block(item, NAMES)

        assert_harmless(clean_message(drawn))
        assert "<script" not in drawn  # already before the last gate
        assert "<img" not in drawn


@pytest.mark.parametrize("evil", EVIL)
def test_no_script_survives_in_a_text(evil: str) -> None:
    assert_harmless(mrkdwn(evil, NAMES, "names"))
    assert_harmless(markdown(evil, NAMES))


@settings(deadline=None)
@given(st.text(alphabet="<>@#!|&;*_~`[]()/:-\n ahtpsj\ue000\ue0010", max_size=60))
def test_any_text_can_be_drawn(text: str) -> None:
    assert_harmless(mrkdwn(text, NAMES, "names"))
    assert_harmless(markdown(text, NAMES))


ODD: list[object] = [None, 7, "words", [], ["x"], [None], {}, {"type": None}, True]


@pytest.mark.parametrize("kind", [
    "section", "header", "context", "actions", "markdown", "table", "rich_text", "image",
    "container", "plan", "task_card", "context_actions",
])  # fmt: skip
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_block_of_an_odd_shape_is_drawn_somehow(kind: str, odd: object) -> None:
    fields = ["text", "fields", "elements", "accessory", "rows", "tasks", "title", "subtitle",
              "child_blocks", "column_settings", "details", "sources"]  # fmt: skip
    for name in fields:
        assert_harmless(block({"type": kind, name: odd}, NAMES))
    assert_harmless(block({"type": kind} | dict.fromkeys(fields, odd), NAMES))


@pytest.mark.parametrize("evil", EVIL)
def test_no_script_survives_in_any_field_of_a_message(evil: str) -> None:
    task = Task(evil, evil, evil, evil, [{"type": "url", "url": evil, "text": evil}])
    streamed = Message(
        "1.000001", evil, evil, bot_id=evil, streaming_state="in_progress", markdown=evil,
        tasks={evil: task}, plan_title=evil, final_blocks=everything_saying(evil),
    )  # fmt: skip
    posted = Message("1.000001", evil, evil, blocks=everything_saying(evil), edited=True)
    said = Message("1.000001", evil, evil)
    names = Names({evil: evil, "U0YOU": evil}, {"C0GENERAL": evil})

    for message in (streamed, posted, said):
        assert_harmless(render_message(message, names, ephemeral=True))
