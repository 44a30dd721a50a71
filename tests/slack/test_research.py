from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import FootnoteError, SlackRefused, SlackUnreachable, StoreUnreachable
from bot.slack.research_blocks import CONFIRM_STOP
from bot.slack.words import (
    BEGUN_ANEW,
    RESEARCH_BEGINS_ANEW,
    RESEARCH_GOES_ON,
    WHOLE_REPORT_BELOW,
)
from bot.turns.answer import NOTES
from bot.turns.turn import Sent, Turn, TurnLost
from tests.slack.runs import (
    a_report,
    buttons,
    progress,
    read,
    report_text,
    said,
    searched,
    some_ran,
    stage,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.slack.research import ResearchReply
    from bot.turns.research import Stage
    from tests.slack import runs

MINUTE = 60.0


# The plan message.


async def test_the_plan_says_how_far_the_research_has_come_and_can_be_stopped() -> None:
    async with stage() as s, s.open() as reply:
        await s.until_shown("*Preparing the research*")
        await reply.show(progress(12 * MINUTE, some_ran(23, 41)))
        await s.time.goes_on(15)
        await s.until_shown("12 min")
        [message] = s.messages
        plan, pressable = s.plan, buttons(message)
        await reply.stopped(progress())

    assert plan.splitlines()[0] == "*Researching* · 12 min · 23 searches, 41 pages"
    assert pressable == ["stop_research=5"]
    assert message.metadata == {
        "event_type": "footnote_answer",
        "event_payload": {"turn": 5, "part": 1},
    }
    assert not message.unfurl


async def test_the_stop_button_asks_once_more() -> None:
    async with stage() as s, s.open() as reply:
        await s.slack.until(lambda _: bool(s.messages))
        [stop] = s.messages[0].blocks[-1]["elements"]
        await reply.stopped(progress())

    assert stop["confirm"] == CONFIRM_STOP


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("queued", "*Waiting for the model* · 2 min"),
        ("searching", "*Researching* · 2 min"),
        ("writing", "*Writing the report* · 2 min"),
    ],
)
async def test_the_headline_says_the_stage(at: Stage, words: str) -> None:
    async with stage() as s, s.open() as reply:
        await reply.show(progress(2 * MINUTE, stage=at))
        await s.until_shown(words)
        await reply.stopped(progress())


async def test_the_newest_searches_and_pages_are_shown_and_the_others_counted() -> None:
    async with stage() as s, s.open() as reply:
        pages = [read("https://www.docs.example/a"), read("https://docs.example/b")]
        await reply.show(progress(0, [*some_ran(8, 7), *pages, searched("lost", failed=True)]))
        await s.until_shown("Searched")
        lines = s.plan.splitlines()
        await reply.stopped(progress())

    assert lines[1:] == [
        (
            "*Searched*  “query 8” · “query 7” · “query 6” · “query 5” · “query 4” · “query 3”"
            " · and 2 more"
        ),
        (
            "*Read*  docs.example ×2 · site7.example · site6.example · site5.example"
            " · site4.example · site3.example · and 2 more"
        ),
    ]


@pytest.mark.parametrize("is_kept", [True, False])
async def test_a_quiet_line_says_what_a_restart_would_begin_anew(*, is_kept: bool) -> None:
    async with stage() as s, s.open() as reply:
        await reply.show(progress(2 * MINUTE, is_kept=is_kept))
        await s.until_shown("2 min")
        [message] = s.messages
        quiet = [block for block in message.blocks if BEGUN_ANEW in str(block)]
        await reply.stopped(progress())

    assert [block["type"] for block in quiet] == ([] if is_kept else ["context"])


async def test_showing_returns_at_once_and_only_the_latest_is_sent() -> None:
    async with stage() as s, s.open() as reply:
        await s.slack.until(lambda _: bool(s.messages))
        for n in range(1, 101):
            await reply.show(progress(5 * MINUTE, some_ran(n, 0)))
        assert s.updates() == []
        await s.time.goes_on(20)
        await s.until_shown("100 searches")
        updates = s.updates()
        await reply.stopped(progress())

    assert updates == ["Researching · 5 min · 100 searches"]


async def show_often(s: runs.Stage, reply: ResearchReply, began: float, seconds: int) -> None:
    """Have something new to show every second."""
    for n in range(seconds):
        await reply.show(progress(began + n, some_ran(n + 1, 0)))
        await s.time.goes_on(1)


async def test_a_run_is_updated_every_3_seconds_at_first_and_every_15_later() -> None:
    async with stage() as s, s.open() as reply:
        await show_often(s, reply, 0, 60)
        first = len(s.updates())
        await show_often(s, reply, 60, 120)
        later = len(s.updates()) - first
        await reply.stopped(progress())

    assert first == pytest.approx(20, abs=1)
    assert later == pytest.approx(8, abs=1)


@pytest.mark.parametrize("runs", [6, 30])
async def test_many_runs_together_stay_within_what_slack_allows(runs: int) -> None:
    async with stage() as s, contextlib.AsyncExitStack() as opened:
        s.time.writers = runs
        turns = [Turn(n, s.question, None) for n in range(runs)]
        replies = [await opened.enter_async_context(s.open(turn)) for turn in turns]
        await s.time.goes_on(30)
        for n in range(1, 31):
            for reply in replies:
                await reply.show(progress(n * 10, some_ran(n, 0)))
            await s.time.goes_on(10)
        updates = [call.at for call in s.slack.calls_of("chat.update")]
        slow = [call for call in s.slack.calls_of("chat.update") if call.status == 429]
        s.time.hurries()

    assert slow == []
    assert 60 < len(updates) <= 25 * 5.5 + runs


async def test_the_time_is_refreshed_where_nothing_else_happens() -> None:
    async with stage() as s, s.open() as reply:
        await reply.show(progress(MINUTE))
        await s.until_shown("1 min")
        await s.time.goes_on(5 * MINUTE)
        updates = s.updates()
        await reply.stopped(progress())

    assert updates == [f"Researching · {n} min" for n in (1, 2, 3, 4, 5)]


async def test_the_session_is_kept_processing_for_hours() -> None:
    async with stage() as s, s.open() as reply:
        await reply.show(progress(MINUTE))
        await s.time.goes_on(4 * 60 * MINUTE)
        calls = s.slack.calls_of("agents.sessions.setStatus")
        during = s.session
        await reply.finish(a_report())
        after = s.session

    assert {call.params["status"] for call in calls} == {"processing"}
    assert len(calls) >= 4 * 60 / 50
    assert (during, after) == ("processing", "active")


async def test_a_workspace_without_sessions_sees_the_same() -> None:
    async with stage() as s:
        s.slack.fail("agents.sessions.setStatus", error="feature_disabled", times=99)
        async with s.open() as reply:
            await reply.finish(a_report())

        assert s.plan.startswith("*Researched in 14 min*")


async def test_the_brief_is_quoted_and_the_rest_is_behind_a_button() -> None:
    async with stage() as s, s.open() as reply:
        await reply.brief("## Compare <!here> *pumps*\n\nIn the cold, with sources.")
        await s.until_shown(">Compare &lt;!here&gt; pumps")
        during = buttons(s.messages[0])
        await reply.brief("Only this.")
        await s.time.goes_on(3)
        await s.until_shown(">Only this.")
        short = buttons(s.messages[0])
        await reply.stopped(progress())

    assert during == ["show_brief=5", "stop_research=5"]
    assert short == ["stop_research=5"]


# The report.


async def test_a_report_that_fits_two_messages_is_in_the_thread_below_its_summary() -> None:
    text = report_text(6)
    async with stage() as s:
        async with s.open() as reply:
            await reply.show(progress(14 * MINUTE, some_ran(23, 41)))
            await reply.finish(a_report(text))
        plan, summary, *pages = s.messages

    assert said(plan) == "*Researched in 14 min* · 23 searches, 41 pages"
    assert buttons(plan) == ["show_trail=5"]
    lines = said(summary).splitlines()
    assert lines[0] == f"<@{s.question.user}> your report is ready."
    assert "They work in the cold [1](https://docs.example/1)." in lines
    assert WHOLE_REPORT_BELOW in lines
    assert "1. <https://docs.example/1|Page 1> · docs.example" in lines
    assert any(line.startswith("14 min · 23 searches") for line in lines)
    assert len(pages) == 2
    assert " ".join("\n".join(map(said, pages)).split()) == " ".join(text.split())
    assert s.files.asked == 0
    payloads = [message.metadata["event_payload"] for message in s.messages if message.metadata]
    assert payloads == [{"turn": 5, "part": part} for part in (1, 2, 3, 4)]


async def test_a_report_that_is_all_summary_is_told_once() -> None:
    async with stage() as s:
        async with s.open() as reply:
            await reply.finish(a_report(SHORT_REPORT))

        assert len(s.messages) == 2
        assert WHOLE_REPORT_BELOW not in said(s.messages[1])


SHORT_REPORT = "They work in the cold [1](https://docs.example/1)."


async def test_a_longer_report_is_shared_as_a_file_with_its_sources() -> None:
    text = report_text(30)
    async with stage() as s:
        s.files.allowed = True
        async with s.open() as reply:
            await reply.finish(a_report(text))
        [(name, title, shared)] = s.files.shared

        assert len(s.messages) == 2
    assert name == "how-do-heat-pumps-https-heat-example-do-in-the-cold.md"
    assert title == "How do heat pumps (https://heat.example) do in the cold?"
    assert shared.startswith(text.strip())
    assert (
        "## Sources, read on 23 November 2026\n\n1. [Page 1](https://docs.example/1), docs"
        in shared
    )


async def test_where_files_are_not_allowed_a_longer_report_takes_the_messages_it_needs() -> None:
    text = report_text(30)
    async with stage() as s:
        async with s.open() as reply:
            await reply.finish(a_report(text))
        pages = s.messages[2:]

    assert len(pages) > 2
    assert s.files.asked == 1
    assert " ".join("\n".join(map(said, pages)).split()) == " ".join(text.split())


async def test_a_partial_report_says_so() -> None:
    async with stage() as s:
        async with s.open() as reply:
            await reply.finish(a_report(is_partial=True))
        plan, summary = s.messages[:2]

    assert said(plan).startswith("*Researched for 14 min* · cut short · 23 searches")
    assert f":warning: {NOTES['too_late']}" in said(summary)


async def test_a_report_without_a_word_says_so() -> None:
    async with stage() as s:
        empty = a_report(SHORT_REPORT)
        empty = replace(empty, answer=replace(empty.answer, text=""))
        async with s.open() as reply:
            await reply.finish(empty)

        assert len(s.messages) == 2
        assert "ended without a report" in said(s.messages[1])
        assert ":warning:" in said(s.messages[1])


async def test_nobody_is_mentioned_but_the_asker_once() -> None:
    bad = "Hello <!here>, <@U999> and @channel. See <https://evil.example|docs>.\n\n"
    async with stage() as s:
        async with s.open() as reply:
            await reply.brief(bad + "More.")
            await reply.show(progress(0, [searched(bad), read(f"https://a.example/{bad}")]))
            await reply.finish(a_report(bad + report_text(6)))
        everything = str([(m.text, m.blocks) for m in s.messages])

    assert everything.count("<@") == 1
    assert f"'<@{s.question.user}> your report is ready.'" in everything
    for token in ("<!", "@channel", "@here", "<https://evil"):
        assert token not in everything


async def test_many_sources_go_on_in_messages_of_their_own() -> None:
    async with stage() as s:
        async with s.open() as reply:
            await reply.finish(a_report(citations=200))

        assert all(f"<https://docs.example/{n}|" in str_of(s) for n in range(1, 201))


def str_of(s: runs.Stage) -> str:
    return "\n".join(map(said, s.messages))


# Other ends.


async def test_a_failure_is_told_in_the_plan_with_a_way_on() -> None:
    async with stage() as s:
        async with s.open() as reply:
            await reply.show(progress(12 * MINUTE, some_ran(3, 4)))
            await reply.fail("The model broke off.", "5")
        [message] = s.messages

    assert said(message).splitlines() == [
        "*Not finished after 12 min* · 3 searches, 4 pages",
        "*Searched*  “query 3” · “query 2” · “query 1”",
        "*Read*  site4.example · site3.example · site2.example · site1.example",
        ":warning: The model broke off.  (reference 5)",
    ]
    assert buttons(message) == ["try_again=5"]
    assert s.session == "active"


async def test_a_stopped_run_says_what_was_searched_and_posts_nothing_further() -> None:
    async with stage() as s:
        async with s.open() as reply:
            await reply.brief("One.\n\nTwo.")
            await reply.stopped(progress(12 * MINUTE, some_ran(2, 1)))
        [message] = s.messages

    assert said(message).splitlines() == [
        "*Stopped after 12 min* · 2 searches, 1 page",
        "*Searched*  “query 2” · “query 1”",
        "*Read*  site1.example",
    ]
    assert buttons(message) == ["try_again=5"]
    assert "Research again" in str(message.blocks)
    assert s.session == "active"


async def test_questions_are_numbered_and_need_not_be_answered() -> None:
    async with stage() as s:
        async with s.open() as reply:
            await reply.ask(["Which country?", "New <!here> or old?"])
        [message] = s.messages

    assert said(message).splitlines()[:3] == [
        "*Before I start*",
        "1. Which country?",
        "2. New &lt;!here&gt; or old?",
    ]
    assert buttons(message) == ["start_now=5"]
    assert "Start without answering" in str(message.blocks)
    assert s.session == "suspended"


@pytest.mark.parametrize("is_kept", [True, False])
async def test_a_run_that_is_cancelled_says_that_it_goes_on_soon(*, is_kept: bool) -> None:
    async with stage() as s:

        async def research() -> None:
            async with s.open() as reply:
                await reply.show(progress(12 * MINUTE, some_ran(1, 0), is_kept=is_kept))
                await asyncio.Event().wait()

        task = asyncio.create_task(research())
        await s.until_shown("12 min")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        [message] = s.messages

    assert said(message).startswith("*Interrupted after 12 min* · 1 search")
    assert (RESEARCH_GOES_ON if is_kept else RESEARCH_BEGINS_ANEW) in said(message)
    assert buttons(message) == []
    assert s.session == "active"


async def test_a_run_that_is_cancelled_while_its_plan_is_posted_leaves_nothing_spinning() -> None:
    async with stage() as s:

        async def research() -> None:
            async with s.open():
                await asyncio.Event().wait()

        task = asyncio.create_task(research())
        await s.slack.until(lambda slack: slack.calls_of("chat.postMessage"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert [buttons(message) for message in s.messages] == [[]]
        assert RESEARCH_GOES_ON in s.plan


async def broken_off(s: runs.Stage, error: Exception) -> None:
    async with s.open() as reply:
        await s.slack.until(lambda _: s.session == "processing")
        await reply.show(progress(12 * MINUTE))
        raise error


@pytest.mark.parametrize("error", [TurnLost(5), StoreUnreachable()])
async def test_a_run_that_is_another_processs_by_now_is_not_touched(error: Exception) -> None:
    async with stage() as s:
        with pytest.raises(type(error)):
            await broken_off(s, error)

        assert s.slack.calls_of("chat.update") == []
        assert [c.params["status"] for c in s.slack.calls_of("agents.sessions.setStatus")] == [
            "processing"
        ]
        assert buttons(s.messages[0]) == ["stop_research=5"]


async def finished(s: runs.Stage, parts: int = 6) -> None:
    async with s.open() as reply:
        await s.slack.until(lambda _: reply.is_open.is_set() or s.messages)
        await reply.finish(a_report(report_text(parts)))


@pytest.mark.parametrize("step", ["intend", "confirm", "deliver"])
async def test_nothing_is_shown_for_a_turn_that_is_lost(step: str) -> None:
    async with stage() as s:
        s.steps.lost_after = step
        with pytest.raises(TurnLost):
            await finished(s)

        assert len(s.messages) == (1 if step == "deliver" else 0)
        assert s.slack.calls_of("chat.update") == []


async def show_for_ever(s: runs.Stage, after: Callable[[], None]) -> None:
    async with s.open() as reply:
        await s.slack.until(lambda _: bool(s.messages))
        after()
        s.time.writers = 0
        async with asyncio.timeout(10):
            while True:
                await show_often(s, reply, 0, 1)
                await asyncio.sleep(0)


async def test_who_shows_is_told_that_the_turn_is_lost() -> None:
    async with stage() as s:
        with pytest.raises(TurnLost):
            await show_for_ever(s, lambda: s.steps.lost.add(5))

        assert s.updates() == []


async def test_a_run_that_is_left_in_the_middle_is_closed_with_words() -> None:
    async with stage() as s:
        with pytest.raises(KeyError):
            await broken_off(s, KeyError())

        assert FootnoteError.public in s.plan
        assert buttons(s.messages[0]) == ["try_again=5"]


# Trouble.


async def test_a_slack_that_is_away_for_minutes_does_not_end_a_run() -> None:
    async with stage() as s, s.open() as reply:
        await s.slack.until(lambda _: bool(s.messages))
        s.slack.fail("chat.update", drop=True, times=12)
        await reply.show(progress(MINUTE, some_ran(1, 0)))
        await s.time.goes_on(10 * MINUTE)
        await reply.show(progress(11 * MINUTE, some_ran(2, 0)))
        await s.time.goes_on(MINUTE)
        plan = s.plan
        await reply.stopped(progress())

    assert "2 searches" in plan


@pytest.mark.parametrize("how", ["drop", "after"])
async def test_a_plan_whose_post_gets_lost_is_there_once(how: str) -> None:
    async with stage() as s:
        s.slack.fail("chat.postMessage", times=2, **{how: True})
        async with s.open() as reply:
            await reply.show(progress(MINUTE))
            s.time.hurries()
            await reply.finish(a_report())

        assert len(s.messages) == 4


async def test_a_plan_that_somebody_deletes_does_not_end_a_run() -> None:
    async with stage() as s, s.open() as reply:
        await s.slack.until(lambda _: bool(s.messages))
        del s.slack.workspace.channels[s.question.thread.channel].messages[s.messages[0].ts]
        await reply.show(progress(MINUTE))
        await s.time.goes_on(5 * MINUTE)
        await reply.finish(a_report())

        assert said(s.messages[0]).startswith(f"<@{s.question.user}> your report is ready.")
        assert len(s.slack.calls_of("chat.update")) == 1


async def test_a_plan_that_may_not_be_changed_any_more_does_not_end_a_run() -> None:
    async with stage() as s, s.open() as reply:
        await s.slack.until(lambda _: bool(s.messages))
        s.slack.fail("chat.update", error="edit_window_closed", times=99)
        await reply.show(progress(MINUTE))
        await s.time.goes_on(5 * MINUTE)
        await reply.finish(a_report())

        assert len(s.messages) == 4


async def test_a_thread_that_takes_nothing_more_ends_a_run() -> None:
    async with stage() as s:
        with pytest.raises(SlackRefused, match="is_archived"):
            await show_for_ever(
                s, lambda: s.slack.fail("chat.update", error="is_archived", times=99)
            )


async def test_where_the_bot_may_not_write_there_is_no_run() -> None:
    async with stage(channel="random") as s:
        with pytest.raises(SlackRefused, match="not_in_channel"):
            async with s.open() as reply:
                await reply.ask(["Which?"])


async def test_a_report_whose_delivery_broke_off_goes_on_where_it_was() -> None:
    async with stage() as s, s.open() as reply:
        await s.slack.until(lambda _: s.session == "processing")
        s.slack.fail("chat.postMessage", drop=True, times=5, skip=1)
        s.time.hurries()
        with pytest.raises(SlackUnreachable):
            await reply.finish(a_report(report_text(30)))
        there = len(s.messages)
        await reply.finish(a_report(report_text(30)))

        assert there == 2
        assert [m.metadata["event_payload"]["part"] for m in s.messages if m.metadata] == list(
            range(1, len(s.messages) + 1)
        )
        assert mentions(s) == 1
        assert s.files.asked == 1


# Taking over.


def mentions(s: runs.Stage) -> int:
    """Count the posts that notify the asker."""
    token = f"<@{s.question.user}>"
    return sum(token in str(call.params) for call in s.slack.calls_of("chat.postMessage"))


async def test_who_takes_over_goes_on_in_the_same_plan() -> None:
    async with stage() as s:
        async with s.open() as reply:
            await reply.show(progress(3 * MINUTE))
            await s.until_shown("3 min")
            await reply.let_go()
        async with s.open(s.taken_over()) as reply:
            await s.until_shown("*Going on with the research*")
            await reply.show(progress(4 * MINUTE))
            await s.time.goes_on(15)
            await s.until_shown("4 min")
            await reply.finish(a_report())

        assert len(s.slack.calls_of("chat.postMessage")) == len(s.messages) == 4


async def test_a_plan_that_was_posted_and_not_recorded_is_found_in_the_thread() -> None:
    async with stage() as s:
        async with s.open() as reply:
            await s.slack.until(lambda _: s.session == "processing")
            await reply.let_go()
        s.steps.sent[5, 1] = None
        async with s.open(s.taken_over()) as reply:
            await reply.finish(a_report())

        assert len(s.messages) == 4
        assert s.steps.sent[5, 1] == s.messages[0].ts


@pytest.mark.parametrize("steps", range(12))
async def test_whenever_a_process_dies_the_asker_is_notified_once(steps: int) -> None:
    async with stage() as s:
        s.steps.left = steps
        with contextlib.suppress(StoreUnreachable):
            async with s.open() as reply:
                await reply.finish(a_report())
        async with s.open(s.taken_over()) as reply:
            await reply.finish(a_report())

        assert mentions(s) == 1
        assert len(s.messages) == 4
        assert str_of(s).count("<@") == 1
        assert [buttons(message) for message in s.messages] == [["show_trail=5"], [], [], []]


async def test_a_shorter_report_takes_away_what_the_dead_process_had_beyond() -> None:
    async with stage() as s:
        async with s.open() as reply:
            await reply.finish(a_report(report_text(30)))
        s.files.allowed = True
        async with s.open(s.taken_over()) as reply:
            await reply.finish(a_report(report_text(30)))

        assert len(s.messages) == 2
        assert len(s.files.shared) == 1
        assert sorted(s.steps.sent) == [(5, 1), (5, 2)]


async def test_messages_that_may_not_be_changed_any_more_stay_as_they_are() -> None:
    async with stage() as s:
        async with s.open() as reply:
            await reply.finish(a_report())
        s.slack.fail("chat.update", error="edit_window_closed", times=99)
        async with s.open(s.taken_over()) as reply:
            await reply.finish(a_report())

        assert len(s.messages) == 4
        assert mentions(s) == 1


async def test_an_answer_that_was_streamed_before_is_replaced_by_the_plan() -> None:
    async with stage() as s:
        place = s.question.thread
        started = await s._web.call(  # noqa: SLF001 - as another kind of reply
            "chat.startStream",
            channel=place.channel,
            thread_ts=place.thread_ts,
            recipient_user_id=s.question.user,
            recipient_team_id=s.question.user_team,
        )
        s.steps.sent[5, 1] = started["ts"]
        turn = replace(s.turn, epoch=2, sent=(Sent(1, started["ts"], streamed=True),))
        async with s.open(turn) as reply:
            await reply.stopped(progress(MINUTE))
        [message] = s.messages

    assert said(message).startswith("*Stopped after 60 s*")


async def test_a_failure_after_the_summary_leaves_what_was_delivered() -> None:
    async with stage() as s:
        s.slack.fail("chat.postMessage", error="restricted_action", skip=2)
        with pytest.raises(SlackRefused):
            await finished(s)

        assert len(s.messages) == 2
        assert FootnoteError.public in s.plan
        async with s.open(s.taken_over()) as reply:
            await reply.finish(a_report())

        assert len(s.messages) == 4
        assert mentions(s) == 1
