"""A person asks, and reads: the whole bot between the local servers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from bot import errors
from bot.playground.responses import LocalResponses, Profile, Scripted
from bot.playground.slack import Limits, LocalSlack
from bot.slack import pacing
from bot.slack.pages import open_fence
from bot.slack.words import GOING_ON
from bot.store.database import open_database, open_file
from bot.store.migrate import upgrade
from bot.store.tables import turns
from bot.turns.question import Question, Thread
from tests.stage import FAST, Stage, below, open_bot_between, open_stage
from tests.store.examples import a_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.playground.slack.workspace import Message

WIRE = Path(__file__).parent / "wire" / "responses"
MOON = "https://moon.example/distance"
ANSWER = Scripted(
    text=f"About 384,400 km ([moon.example]({MOON}?utm_source=openai)).",
    queries=("moon distance",),
    sources=(MOON,),
    citations=((f"{MOON}?utm_source=openai", "How far is the moon?"),),
)


@pytest.fixture(params=["socket", "http"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path, http=request.param == "http") as stage:
        yield stage


async def test_a_mention_is_answered_in_its_thread_with_searches_sources_and_footer(
    stage: Stage,
) -> None:
    stage.responses.script(ANSWER)
    root = await stage.mention("How far is the moon?")
    [answer] = await stage.answers(stage.general, root)

    assert answer.thread_ts == root
    assert answer.markdown == f"About 384,400 km [1]({MOON})."
    assert [task.title for task in answer.tasks.values()] == [
        "Reading the question",
        "“moon distance”",
    ]
    assert f"1. <{MOON}|How far is the moon?> · moon.example" in below(answer)
    assert "*Searched*  “moon distance”" in below(answer)
    assert re.search(
        r"\d+ s · 1 search · [\d,]+ tokens · \$0\.\d+ · gpt-6.1-sol\nWritten by a", below(answer)
    )


@pytest.mark.parametrize("order", ["app_mention_first", "message_first"])
async def test_a_mention_that_arrives_twice_is_answered_once(stage: Stage, order: str) -> None:
    stage.slack.twin_order = order
    root = await stage.mention("How do I ask?")
    await stage.answers(stage.general, root)
    await stage.slack.delivery.until_idle()

    assert len(stage.responses.creates) == 1
    assert len(stage.slack.thread(stage.general, root)) == 2


async def test_a_follow_up_needs_no_mention_and_is_sent_with_the_first_answers_id(
    stage: Stage,
) -> None:
    root = await stage.mention("What is a citation?")
    await stage.answers(stage.general, root)
    await stage.slack.say(stage.you, stage.general, "And how are they numbered?", root)
    await stage.answers(stage.general, root, count=2)

    first, second = stage.responses.creates
    assert "previous_response_id" not in first
    assert second["previous_response_id"] in stage.responses.stored
    assert len(second["input"]) == 1
    assert second["instructions"] == first["instructions"]
    assert second["safety_identifier"] == first["safety_identifier"]


async def test_nobody_else_in_the_thread_is_answered_and_nobody_who_addresses_another(
    stage: Stage,
) -> None:
    root = await stage.mention("What is a citation?")
    await stage.answers(stage.general, root)
    colleague = stage.slack.users["colleague"]
    await stage.slack.say(colleague, stage.general, "I wonder too.", root)
    await stage.slack.say(stage.you, stage.general, f"<@{colleague}> look at this", root)
    await stage.slack.say(stage.you, stage.general, "Not in a thread at all")
    await stage.slack.delivery.until_idle()
    await stage.mention("Thanks, and limits?", root, user="colleague")
    await stage.answers(stage.general, root, count=2)

    assert len(stage.responses.creates) == 2


async def test_a_direct_message_is_answered_in_a_thread_of_its_own(stage: Stage) -> None:
    dm = stage.slack.dm(stage.you)
    root = await stage.slack.say(stage.you, dm, "What may I ask?")
    [answer] = await stage.answers(dm, root)
    await stage.slack.until(lambda s: "What may I ask?" in str(s.session(dm, root)))

    assert answer.thread_ts == root
    assert "active" in str(stage.slack.session(dm, root))


async def test_ask_posts_the_question_and_answers_below_it(stage: Stage) -> None:
    result = await stage.slack.command(stage.you, stage.general, "/ask", "What is a citation?")
    root = await the_bots_root(stage, stage.general)
    [answer] = await stage.answers(stage.general, root.ts)

    assert result.acknowledged
    assert root.text == f"<@{stage.you}> asked: What is a citation?"
    assert answer.thread_ts == root.ts


async def test_ask_where_the_bot_may_not_post_is_answered_in_a_direct_message(
    stage: Stage,
) -> None:
    random = stage.slack.channels["random"]
    await stage.slack.command(stage.you, random, "/ask", "What is a citation?")
    dm = stage.slack.dm(stage.you)
    root = await the_bots_root(stage, dm)
    await stage.answers(dm, root.ts)
    await stage.slack.until(lambda s: s.ephemerals(random, stage.you))

    [told] = stage.slack.ephemerals(random, stage.you)
    assert told.text.startswith("I can't write in this channel, so I answer you in a direct")
    assert stage.slack.workspace.channels[random].messages == {}


async def the_bots_root(stage: Stage, channel: str) -> Message:
    def roots() -> list[Message]:
        messages = stage.slack.workspace.channels[channel].messages.values()
        return [m for m in messages if m.bot_id and m.thread_ts is None]

    await stage.slack.until(lambda _: roots())
    return roots()[0]


@pytest.mark.parametrize("text", ["", "help"])
async def test_an_empty_mention_gets_a_short_help_and_costs_nothing(
    stage: Stage, text: str
) -> None:
    root = await stage.mention(text)
    await stage.slack.until(lambda s: "type `/ask`" in s.thread(stage.general, root)[-1].markdown)
    await stage.slack.until(
        lambda s: s.thread(stage.general, root)[-1].streaming_state == "completed"
    )

    assert stage.responses.creates == []


async def test_questions_in_a_row_are_answered_in_order_each_with_the_one_before(
    stage: Stage,
) -> None:
    root = await stage.mention("What is a citation?")
    await stage.mention("What are the limits?", root)
    await stage.mention("What about privacy?", root)
    await stage.answers(stage.general, root, count=3)

    asked = [create["input"][0]["content"][0]["text"] for create in stage.responses.creates]
    assert ["citation" in asked[0], "limits" in asked[1], "privacy" in asked[2]] == [True] * 3
    parents = [create.get("previous_response_id") for create in stage.responses.creates]
    assert parents == [None, *list(stage.responses.stored)[:2]]


async def test_edits_joins_other_bots_and_unknown_events_start_nothing_and_are_acknowledged(
    stage: Stage,
) -> None:
    ts = await stage.slack.say(stage.you, stage.general, "Hello all")
    bot = {"type": "message", "channel": stage.general, "bot_id": "B1", "text": "hi", "ts": "1.1"}
    mention = f"<@{stage.slack.bot_user}> answer me"
    await stage.slack.edit(stage.general, ts, mention)
    await stage.slack.delete(stage.general, ts)
    await stage.slack.join(stage.you, stage.general)
    for event in (
        bot | {"text": mention, "user": "U1"},
        bot | {"subtype": "bot_message"},
        {"type": "reaction_added", "user": stage.you},
        {"type": "message", "channel": 7, "user": [], "ts": None},
        {"type": "app_mention", "user": stage.you, "text": {"a": 1}, "ts": "x"},
        {"type": "message"},
    ):
        await stage.slack.deliver(event)
    await stage.slack.delivery.until_idle()

    assert stage.slack.delivery.lost == []
    assert stage.slack.redelivered == []
    assert stage.responses.creates == []


HTTP_ERRORS: dict[str, Any] = json.loads((WIRE / "http_errors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("invalid_api_key", errors.ModelKeyRefused),
        ("model_not_found", errors.ModelNotFound),
        ("context_length_exceeded", errors.ModelInputTooLong),
        ("quota", errors.ModelQuotaUsedUp),
    ],
)
async def test_an_error_of_the_model_server_is_told_in_its_own_words(
    tmp_path: Path, name: str, error: type[errors.ModelError], caplog: pytest.LogCaptureFixture
) -> None:
    wire = HTTP_ERRORS[next(key for key in HTTP_ERRORS if name in key)]
    async with open_stage(tmp_path) as stage:
        stage.responses.fail(wire["status"], wire["body"], wire["headers"])
        root = await stage.mention("How far is the moon?")
        [answer] = await stage.answers(stage.general, root)

    assert error.public.replace("'", "'") in below(answer)
    assert "(reference 1)" in below(answer)
    assert answer.streaming_state == "completed"
    failed = [record for record in caplog.records if record.message == "turn failed"]
    assert [getattr(record, "request_id", "") for record in failed] == [
        wire["headers"].get("x-request-id")
    ]
    assert "moon" not in caplog.text


async def test_a_model_that_is_only_busy_is_asked_again_and_answers(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage:
        stage.responses.fail(429, HTTP_ERRORS["rate_limit"]["body"], {"retry-after-ms": "20"})
        stage.responses.fail(503, "<html>busy</html>", {"retry-after-ms": "20"})
        root = await stage.mention("How far is the moon?")
        [answer] = await stage.answers(stage.general, root)

    assert "Written by a language model" in below(answer)
    assert len(stage.responses.creates) == 3


@pytest.mark.parametrize(
    ("play", "words"),
    [
        ("stream_error_quota.sse", errors.ModelQuotaUsedUp.public),
        ("stream_error_overloaded.sse", errors.ModelOverloaded.public),
        ("stream_cut_off.sse", errors.ModelCutOff.public),
        ("stream_incomplete.sse", "reached its length limit"),
        ("stream_refusal.sse", "The model declined to answer"),
    ],
)
async def test_a_stream_that_ends_badly_says_so_below_what_it_wrote(
    tmp_path: Path, play: str, words: str
) -> None:
    async with open_stage(tmp_path) as stage:
        stage.responses.play((WIRE / play).read_bytes(), piece_sizes=(7,))
        root = await stage.mention("How far is the moon?")
        [answer] = await stage.answers(stage.general, root)

    assert words in below(answer)
    assert answer.streaming_state == "completed"


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, "<html>Not Found</html>"), (502, "<html>Bad Gateway</html>"), (405, "")],
)
async def test_a_server_without_a_responses_api_is_told_from_a_failing_one(
    tmp_path: Path, status: int, body: str
) -> None:
    async with open_stage(tmp_path) as stage:
        stage.responses.fail(status, body, {"retry-after": "600"})  # too long to be waited for
        root = await stage.mention("How far is the moon?")
        [answer] = await stage.answers(stage.general, root)

    api_missing, overloaded = errors.ModelApiMissing.public, errors.ModelOverloaded.public
    assert (overloaded if status == 502 else api_missing) in below(answer)


async def test_a_silent_server_is_given_up(tmp_path: Path) -> None:
    async with open_stage(tmp_path, OPENAI_SILENCE_SECONDS=0.2) as stage:
        stage.responses.hang()
        root = await stage.mention("How far is the moon?")
        [answer] = await stage.answers(stage.general, root)

    assert errors.ModelTimedOut.public in below(answer)


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param(
            Profile(delta_seconds=0, chaining="ignored"), id="ignored, and echoed as null"
        ),
        pytest.param(Profile(delta_seconds=0, chaining="silent"), id="ignored, and not echoed"),
        pytest.param(Profile(delta_seconds=0, chaining="zdr"), id="refused by data retention"),
        pytest.param(Profile(delta_seconds=0, chaining=400), id="refused as not supported"),
        pytest.param(Profile(delta_seconds=0, chaining=404), id="not found"),
        pytest.param(Profile(delta_seconds=0, store=False), id="never kept"),
        pytest.param(Profile(delta_seconds=0), id="deleted meanwhile"),
    ],
)
async def test_a_follow_up_knows_what_was_said_though_the_server_does_not(
    tmp_path: Path, profile: Profile
) -> None:
    async with open_stage(tmp_path, profile=profile) as stage:
        root = await stage.mention("What is a citation?")
        await stage.answers(stage.general, root)
        stage.responses.stored.clear()
        await stage.slack.say(stage.you, stage.general, "And how are they numbered?", root)
        [first, second] = await stage.answers(stage.general, root, count=2)

    asked = stage.responses.creates[-1]
    said = [message["role"] for message in asked["input"]]
    assert "previous_response_id" not in asked
    assert said == ["user", "assistant", "user"]
    assert "What is a citation?" in str(asked["input"][0])
    assert first.markdown[:40] in asked["input"][1]["content"]
    assert "Written by a language model" in str([second.blocks, second.final_blocks])
    assert second.streaming_state in {None, "completed"}


async def test_a_server_that_forgets_every_thread_is_not_asked_in_vain_for_ever(
    tmp_path: Path,
) -> None:
    profile = Profile(delta_seconds=0, chaining=404)
    async with open_stage(tmp_path, profile=profile) as stage:
        root = await stage.mention("What is a citation?")
        for n in range(1, 5):
            await stage.answers(stage.general, root, count=n)
            if n < 4:
                await stage.slack.say(stage.you, stage.general, f"And then, {n}?", root)

    named = ["previous_response_id" in create for create in stage.responses.creates]
    assert named == [False, True, False, True, False, False]


async def test_with_an_emptied_database_the_thread_is_read_from_slack(tmp_path: Path) -> None:
    async with LocalSlack.start(limits=FAST) as slack, LocalResponses.start() as responses:
        async with open_bot_between(tmp_path, slack, responses) as stage:
            root = await stage.mention("How do I ask in a channel?")
            [first] = await stage.answers(stage.general, root)
            await slack.say(slack.users["colleague"], stage.general, "what a strange bot", root)
        (tmp_path / "footnote.db").unlink()
        async with open_bot_between(tmp_path, slack, responses) as stage:
            await stage.mention("And in a direct message?", root)
            [_, second] = await stage.answers(stage.general, root, count=2)

    told = responses.creates[-1]
    assert "previous_response_id" not in told
    assert [item["role"] for item in told["input"]] == ["user", "assistant", "user"]
    assert "How do I ask in a channel?" in str(told["input"][0])
    assert first.markdown.splitlines()[0] in told["input"][1]["content"]
    assert "strange" not in str(told)
    assert "left out" not in below(second)


async def test_a_chained_question_does_not_grow_with_its_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "CALLS_A_MINUTE", dict.fromkeys(pacing.CALLS_A_MINUTE, 1e9))
    async with open_stage(tmp_path, limits=replace(FAST, calls_factor=1e6)) as stage:
        root = await stage.mention("What is citation number 10?")
        for n in range(11, 61):
            await stage.answers(stage.general, root, count=n - 10)
            await stage.slack.say(stage.you, stage.general, f"What is citation number {n}?", root)
        await stage.answers(stage.general, root, count=51)

    _, *follow_ups = stage.responses.creates
    sizes = [
        len(json.dumps(create | {"previous_response_id": "", "metadata": {}}))
        for create in follow_ups
    ]
    assert len(follow_ups) == 50
    assert len(set(sizes)) == 1


async def test_what_a_gateway_refuses_is_found_out_by_itself_and_still_known_after_a_restart(
    tmp_path: Path,
) -> None:
    profile = Profile.gateway(delta_seconds=0)
    model = "o3-deep-research-2025-06-26"
    async with (
        LocalSlack.start(limits=FAST) as slack,
        LocalResponses.start(profile=profile) as responses,
    ):
        for count in (1, 2):
            async with open_bot_between(tmp_path, slack, responses, OPENAI_MODEL=model) as stage:
                root = await stage.mention("How do I read the sources of an answer?")
                (answer,) = await stage.answers(stage.general, root)
                assert "Searched" in below(answer), count

    assert [create["tools"][0]["type"] for create in responses.creates] == [
        "web_search",
        "web_search_preview",
        "web_search_preview",
    ]


async def test_an_old_gateway_is_served_by_settings_alone(tmp_path: Path) -> None:
    async with open_stage(
        tmp_path,
        profile=Profile.gateway(delta_seconds=0),
        OPENAI_MODEL="o3-deep-research-2025-06-26",
        WEB_SEARCH_TOOL="web_search_preview",
    ) as stage:
        root = await stage.mention("How do I ask in a channel?")
        [answer] = await stage.answers(stage.general, root)
        await stage.mention("And in a direct message?", root)
        [_, second] = await stage.answers(stage.general, root, count=2)

    [create, follow_up] = stage.responses.creates
    assert create["tools"][0]["type"] == "web_search_preview"
    assert create["model"] == "o3-deep-research-2025-06-26"
    assert re.search(r"\[1\]\(https://footnote\.example/handbook/\w+", answer.markdown)
    assert "o3-deep-research-2025-06-26" in below(answer)
    assert "not kept by the server" in below(answer)
    assert "previous_response_id" not in follow_up
    assert "How do I ask in a channel?" in str(follow_up["input"][0])
    assert second.markdown


def a_long_text() -> str:
    parts = []
    for n in range(1, 81):
        link = f"([docs.example](https://docs.example/{n}?utm_source=openai))"
        parts += [
            f"## Part {n}\n\n" + f"A sentence of part {n} that says a thing. " * 14 + f"{link}\n\n",
            f"```python\ndef part_{n}():\n    return '{n}'  # [no](https://evil.example)\n```\n\n",
            f"| a | b |\n|---|---|\n| {n} | {link} |\n| x | `y` |\n\n",
        ]
    return "".join(parts)


async def test_60_000_characters_with_code_tables_and_80_links_arrive_whole(
    tmp_path: Path,
) -> None:
    text = a_long_text()
    urls = [f"https://docs.example/{n}" for n in range(1, 81)]
    script = Scripted(
        text=text,
        queries=("docs",),
        sources=urls,
        citations=[(f"{url}?utm_source=openai", f"Page {url[-2:]}") for url in urls],
    )
    async with open_stage(tmp_path, limits=Limits(post_burst=50)) as stage:
        stage.responses.script(script)
        root = await stage.mention("Tell me everything")
        await stage.slack.until(
            lambda s: "Written by" in str(s.thread(stage.general, root)[-1].blocks), seconds=60
        )
        answers = [m for m in stage.slack.thread(stage.general, root)[1:] if m.markdown]
        posts = stage.slack.thread(stage.general, root)[1:]
        refused = [call for call in stage.slack.calls if call.error]

    expected = re.sub(
        r" ?\(\[docs\.example\]\((\S+?/(\d+))\?utm_source=openai\)\)", r" [\2](\1)", text
    )
    expected = expected.replace("|  [", "| [")
    shown = "\n".join(m.markdown for m in answers)
    assert len(text) > 60_000
    assert re.sub(r"\s+", " ", shown).strip() == re.sub(r"\s+", " ", expected).strip()
    assert all(open_fence(m.markdown) == "" and m.streaming_state == "completed" for m in answers)
    sources = "\n".join(str(block) for m in posts for block in m.final_blocks or m.blocks)
    assert all(f"{n}. <https://docs.example/{n}|" in sources for n in range(1, 81))
    assert refused == []


async def test_a_slack_connect_asker_is_streamed_to_in_their_own_team(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage:
        root = await stage.mention("How do I ask?", user="stranger")
        await stage.answers(stage.general, root)
        [start] = stage.slack.calls_of("chat.startStream")

    assert start.params["recipient_team_id"] == "T0OTHER"
    assert start.params["recipient_user_id"] == stage.slack.users["stranger"]


async def test_a_socket_that_slack_closes_is_opened_again(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage:
        await stage.slack.disconnect("refresh_requested")
        root = await stage.mention("How do I ask?")
        await stage.answers(stage.general, root)

    assert len(stage.responses.creates) == 1


async def test_after_a_restart_what_waited_and_what_was_begun_is_answered(tmp_path: Path) -> None:
    async with (
        LocalSlack.start() as slack,
        LocalResponses.start(profile=Profile(delta_seconds=0)) as responses,
    ):
        general = slack.channels["general"]
        asked = [f"<@{slack.bot_user}> {text}" for text in ("What is a citation?", "And limits?")]
        first = await slack.say(slack.users["you"], general, asked[0])
        second = await slack.say(slack.users["you"], general, asked[1], first)
        await slack.delivery.close()  # the process of before took them, and acknowledged
        await left_behind(tmp_path, slack, first, second)
        async with open_bot_between(tmp_path, slack, responses) as stage:
            answers = await stage.answers(general, first, count=2)

    assert ["footnote.example" in below(answer) for answer in answers] == [True, True]
    assert responses.creates[1]["previous_response_id"] in responses.stored
    assert len(responses.creates) == 2


async def left_behind(folder: Path, slack: LocalSlack, root: str, *others: str) -> None:
    """Write the database of a process that was killed while it answered the first of these."""
    async with open_database(f"sqlite+aiosqlite:///{folder / 'footnote.db'}") as database:
        await upgrade(database)
        store = a_store(database)
        general = slack.channels["general"]
        for ts in (root, *others):
            message = slack.workspace.channels[general].messages[ts]
            thread = Thread(team=slack.team, channel=general, thread_ts=root)
            text = message.text.partition("> ")[2]
            await store.take(
                Question(thread=thread, ts=ts, user=message.user, user_team=slack.team, text=text)
            )


async def test_a_question_that_waits_says_so_in_its_thread(tmp_path: Path) -> None:
    async with open_stage(tmp_path, profile=Profile(delta_seconds=0.01)) as stage:
        root = await stage.mention("What is a citation?")
        await stage.mention("And limits?", root)
        await stage.slack.until(lambda s: s.calls_of("assistant.threads.setStatus"))
        await stage.answers(stage.general, root, count=2)

        assert stage.slack.status(stage.general, root) is None


async def test_what_failed_is_answered_when_somebody_tries_again(stage: Stage) -> None:
    stage.responses.fail(500, "{}", {"retry-after": "600"})
    root = await stage.mention("What is a citation?")
    [failed] = await stage.answers(stage.general, root)
    await stage.slack.press(stage.you, stage.general, failed.ts, "try_again")
    await stage.slack.until(lambda s: "Written by" in str(s.thread(stage.general, root)[1].blocks))
    [_, answer] = stage.slack.thread(stage.general, root)

    assert "footnote.example" in below_update(answer)
    assert "try_again" not in str(answer.blocks)


def below_update(message: Message) -> str:
    return str(message.blocks)


async def test_a_question_that_is_deleted_while_it_waits_is_not_answered(tmp_path: Path) -> None:
    async with open_stage(tmp_path, profile=Profile(delta_seconds=0.02)) as stage:
        root = await stage.mention("What is a citation?")
        second = await stage.mention("And limits?", root)
        await stage.slack.until(lambda s: s.calls_of("assistant.threads.setStatus"))
        await stage.slack.delete(stage.general, second)
        await stage.slack.delivery.until_idle()
        await stage.mention("And privacy?", root)
        await stage.answers(stage.general, root, count=2)

    asked = [create["input"][0]["content"][0]["text"] for create in stage.responses.creates]
    assert [any(word in text for word in ("citation", "privacy")) for text in asked] == [True] * 2


async def test_a_bot_that_is_stopped_hands_its_answer_over_and_the_next_one_finishes_it(
    tmp_path: Path,
) -> None:
    async with (
        LocalSlack.start(limits=FAST) as slack,
        LocalResponses.start(profile=Profile(delta_seconds=0)) as responses,
    ):
        responses.stall_after(8)
        async with open_bot_between(tmp_path, slack, responses, GRACE_SECONDS=0) as stage:
            root = await stage.mention("How far is the moon?")
            await slack.until(lambda s: s.thread(stage.general, root)[1:])
        [_, left] = slack.thread(stage.general, root)
        interrupted = left.streaming_state, GOING_ON in str(left.final_blocks)
        responses.resume()
        async with open_bot_between(tmp_path, slack, responses) as stage:
            await slack.until(
                lambda s: "Written by" in str(s.thread(stage.general, root)[1].blocks)
            )

    assert interrupted == ("completed", True)
    assert [message.ts for message in slack.thread(stage.general, root)[1:]] == [left.ts]
    assert GOING_ON not in str(left.blocks)


async def test_a_response_that_was_complete_before_the_bot_died_is_fetched_and_not_asked_again(
    tmp_path: Path,
) -> None:
    async with (
        LocalSlack.start(limits=FAST) as slack,
        LocalResponses.start(profile=Profile(delta_seconds=0)) as responses,
    ):
        responses.script(ANSWER)
        responses.cut_after(10, kept=True)
        async with open_bot_between(tmp_path, slack, responses) as stage:
            root = await stage.mention("How far is the moon?")
            await stage.answers(stage.general, root)  # it says that the connection broke off
        async with open_file(str(tmp_path / "footnote.db")) as database:
            await database.run(
                lambda c: c.execute(update(turns).values(state="running")).rowcount
            )  # as if it had died instead
        async with open_bot_between(tmp_path, slack, responses) as stage:
            await slack.until(lambda s: "384,400" in str(s.thread(stage.general, root)[1].blocks))

    assert len(responses.creates) == 1


async def test_two_replicas_answer_each_question_once_and_go_on_for_one_another(
    tmp_path: Path, postgres_url: str
) -> None:
    async with (
        LocalSlack.start(limits=FAST) as slack,
        LocalResponses.start(profile=Profile(delta_seconds=0)) as responses,
        open_bot_between(tmp_path, slack, responses, DATABASE_URL=postgres_url) as one,
    ):
        async with open_bot_between(
            tmp_path, slack, responses, DATABASE_URL=postgres_url, GRACE_SECONDS=0
        ) as other:
            roots = [await other.mention(f"What about {what}?") for what in ("limits", "privacy")]
            follow_ups = [await one.mention("And citations?", root) for root in roots]
            for root in roots:
                await one.answers(one.general, root, count=2)
            responses.stall_after(8)
            handed = await other.mention("And the moon?")
            await slack.until(lambda s: s.thread(one.general, handed)[1:])
        responses.resume()
        await one.slack.until(lambda s: "Written by" in str(s.thread(one.general, handed)))

    assert len(follow_ups) == 2
    assert all(len(slack.thread(one.general, root)) == 4 for root in roots)
    assert len(slack.thread(one.general, handed)) == 2
