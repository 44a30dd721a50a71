from __future__ import annotations

from bot.playground.slack.render import render_message
from bot.playground.slack.workspace import BOT_ID, BOT_USER, Message, Task
from tests.playground.slack.drawing import NAMES, words

TS = "1795419073.000002"
TASKS = {"1": Task("Read", "complete", "two pages"), "2": Task("Write", "in_progress")}


def drawn(message: Message) -> str:
    return words(render_message(message, NAMES)).partition(":")[2][3:]


def said(text: str, *, edited: bool = False) -> Message:
    return Message(TS, "U0YOU", text, edited=edited)


def test_a_persons_message_has_name_time_and_text() -> None:
    html = render_message(said("*hi* <@U0BOT>"), NAMES)

    assert '<span class="name">You</span>' in html
    assert '<time datetime="2026-11-23T' in html
    assert '<div class="text"><strong>hi</strong> <span class="mention">@Footnote</span>' in html
    assert "APP" not in html
    assert "(edited)" not in html


def test_an_app_wears_a_badge() -> None:
    html = render_message(Message(TS, BOT_USER, "hi", bot_id=BOT_ID), NAMES)

    assert '<span class="badge">APP</span>' in html


def test_an_edited_message_says_so() -> None:
    assert drawn(said("hi", edited=True)) == "hi (edited)"
    html = render_message(
        Message(TS, BOT_USER, "hi", blocks=[{"type": "divider"}], edited=True), NAMES
    )
    assert "(edited)" in html


def test_an_ephemeral_message_says_who_sees_it() -> None:
    html = render_message(said("hi"), NAMES, ephemeral=True)

    assert '<article class="message ephemeral"' in html
    assert "Only visible to you" in html


def test_blocks_are_drawn_instead_of_the_text() -> None:
    message = Message(TS, BOT_USER, "for the notification", bot_id=BOT_ID)
    message.blocks = [{"type": "markdown", "text": "**seen**"}]

    assert drawn(message) == "seen"


def streamed(**fields: object) -> Message:
    message = Message(TS, BOT_USER, bot_id=BOT_ID, streaming_state="in_progress")
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def test_a_stream_that_has_said_nothing_yet_shows_that_it_is_alive() -> None:
    assert drawn(streamed()) == "Writing… Stop"


def test_a_stream_shows_plan_text_and_stop() -> None:
    message = streamed(tasks=TASKS, plan_title="Researching", markdown="**So** far")
    html = render_message(message, NAMES)

    assert drawn(message) == ("Researching 2 steps ✓ Read done two pages Write running So far Stop")
    assert '<article class="message streaming"' in html
    assert 'aria-busy="true"' in html


def test_tasks_without_a_plan_are_cards_of_their_own() -> None:
    html = render_message(streamed(tasks=TASKS, task_display_mode="timeline"), NAMES)

    assert '<div class="card"><div class="task">' in html
    assert "<details" not in html


def test_tasks_of_a_plan_without_a_title_are_still_a_plan() -> None:
    message = streamed(tasks=TASKS, task_display_mode="plan", streaming_state="completed")

    assert drawn(message).startswith("Working on it 2 steps")


def test_a_finished_stream_has_its_blocks_below_and_no_stop() -> None:
    footer = {"type": "context", "elements": [{"type": "mrkdwn", "text": "_3 s_"}]}
    message = streamed(markdown="All.", final_blocks=[footer], streaming_state="completed")
    html = render_message(message, NAMES)

    assert drawn(message) == "All. 3 s"
    assert '<section class="below"><div class="block context">' in html
    assert 'aria-busy="false"' in html


def test_a_stream_that_timed_out_says_so() -> None:
    message = streamed(markdown="Half", streaming_state="errored")

    assert drawn(message) == "Half This message was never finished: its stream timed out."


def test_a_user_that_is_not_known_is_shown_by_id() -> None:
    assert "U0NEW" in words(render_message(Message(TS, "U0NEW", "hi"), NAMES))
