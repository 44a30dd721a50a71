"""What the network does to an answer, and what a stream says after it has begun to answer.

What was written stays in the thread, and below it stands why there is no more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import errors
from bot.playground.slack import LocalSlack
from tests.responses.said import (
    ANSWER,
    KEY,
    QUESTION,
    Said,
    answered,
    broken,
    failed_in_a_stream,
    flat_in_a_stream,
    in_a_stream,
    leaked,
)
from tests.responses.server import byte_server
from tests.stage import (
    FAST,
    buttons_below,
    notes_below,
    open_bot_before_bytes,
    open_stage_before_bytes,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bot.playground.slack.workspace import Message
    from tests.responses.server import End

SILENCE_SECONDS = 0.3
HALF_A_FRAME = b'data: {"type": "response.output_text.delta", "delta": "and it is gro'

BROKEN: dict[str, tuple[Said, str, type[errors.ModelError]]] = {
    "a clean end before any text": (broken("whole"), "", errors.ModelCutOff),
    "a clean end after text": (broken("whole", ANSWER), ANSWER, errors.ModelCutOff),
    "a drop before any text": (broken("close"), "", errors.ModelCutOff),
    "a drop after text": (broken("close", ANSWER), ANSWER, errors.ModelCutOff),
    "a drop within a frame": (
        replace(broken("close", ANSWER), body=broken("close", ANSWER).body + HALF_A_FRAME),
        ANSWER,
        errors.ModelCutOff,
    ),
    "silence before any text": (broken("hang"), "", errors.ModelTimedOut),
    "silence after text": (broken("hang", ANSWER), ANSWER, errors.ModelTimedOut),
    "an error after text": (
        in_a_stream("server_error", text=ANSWER),
        ANSWER,
        errors.ModelOverloaded,
    ),
    "a flat error after text": (
        flat_in_a_stream("server_error", text=ANSWER),
        ANSWER,
        errors.ModelOverloaded,
    ),
    "response.failed after text": (
        failed_in_a_stream("server_error", text=ANSWER),
        ANSWER,
        errors.ModelOverloaded,
    ),
    "an overload after text": (
        in_a_stream("server_is_overloaded", text=ANSWER),
        ANSWER,
        errors.ModelOverloaded,
    ),
    "a limit after text": (
        in_a_stream("rate_limit_exceeded", text=ANSWER),
        ANSWER,
        errors.ModelRateLimited,
    ),
    "a used-up quota after text": (
        in_a_stream("insufficient_quota", text=ANSWER),
        ANSWER,
        errors.ModelQuotaUsedUp,
    ),
    "the policy after text": (
        failed_in_a_stream("bio_policy", text=ANSWER),
        ANSWER,
        errors.ModelPolicyRefused,
    ),
    "a thread that grew too long after text": (
        in_a_stream("context_length_exceeded", text=ANSWER),
        ANSWER,
        errors.ModelInputTooLong,
    ),
}


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.responses.patience.FIRST_PAUSE", 0.01)


def assert_told(message: Message, error: type[errors.ModelError]) -> None:
    assert notes_below(message) == [f":warning: {error.public}  (reference 1)"]
    assert buttons_below(message) == ["Try again"]


@pytest.mark.parametrize(("said", "text", "error"), BROKEN.values(), ids=BROKEN)
async def test_the_text_stays_and_below_it_the_thread_is_told_of(
    tmp_path: Path,
    said: Said,
    text: str,
    error: type[errors.ModelError],
    whole_log: pytest.LogCaptureFixture,
) -> None:
    async with open_stage_before_bytes(
        tmp_path, OPENAI_API_KEY=KEY, OPENAI_SILENCE_SECONDS=SILENCE_SECONDS
    ) as (stage, server):
        said.play(server)
        root = await stage.mention(QUESTION)
        [told] = await stage.answers(stage.general, root)
        unrest = stage.unrest(stage.general, root)

    assert told.markdown == text
    assert_told(told, error)
    assert len(server.received) == 1
    assert unrest == []
    assert leaked(whole_log) == []


@pytest.mark.usefixtures("_short_pauses")
@pytest.mark.parametrize("end", ["close", "reset"])
async def test_a_connection_that_is_dropped_before_a_word_is_made_again(
    tmp_path: Path, end: End, whole_log: pytest.LogCaptureFixture
) -> None:
    async with open_stage_before_bytes(tmp_path, OPENAI_API_KEY=KEY) as (stage, server):
        server.play_nothing(end)
        answered(ANSWER, "resp_1").play(server)
        root = await stage.mention(QUESTION)
        [answer] = await stage.answers(stage.general, root)
        unrest = stage.unrest(stage.general, root)

    assert answer.markdown == ANSWER
    assert [note for note in notes_below(answer) if ":warning:" in note] == []
    assert buttons_below(answer) == ["Go deeper"]
    assert len(server.received) == 2
    assert unrest == []
    assert leaked(whole_log) == []


@pytest.mark.usefixtures("_short_pauses")
async def test_a_server_that_drops_every_connection_is_given_up_after_four(
    tmp_path: Path, whole_log: pytest.LogCaptureFixture
) -> None:
    async with open_stage_before_bytes(tmp_path, OPENAI_API_KEY=KEY) as (stage, server):
        for _ in range(4):
            server.play_nothing("close")
        root = await stage.mention(QUESTION)
        [told] = await stage.answers(stage.general, root)
        unrest = stage.unrest(stage.general, root)

    assert told.markdown == ""
    assert_told(told, errors.ModelUnreachable)
    assert len(server.received) == 4
    assert unrest == []
    assert leaked(whole_log) == []


@pytest.mark.usefixtures("_short_pauses")
async def test_a_server_that_takes_no_connection_is_not_reached(
    tmp_path: Path, whole_log: pytest.LogCaptureFixture
) -> None:
    async with byte_server() as server:
        pass  # nobody listens at its address any more
    async with (
        LocalSlack.start(limits=FAST) as slack,
        open_bot_before_bytes(tmp_path, slack, server, OPENAI_API_KEY=KEY) as stage,
    ):
        root = await stage.mention(QUESTION)
        [told] = await stage.answers(stage.general, root)
        unrest = stage.unrest(stage.general, root)

    assert told.markdown == ""
    assert_told(told, errors.ModelUnreachable)
    assert unrest == []
    assert leaked(whole_log) == []


async def test_a_server_that_says_nothing_at_all_is_given_up_and_not_asked_twice(
    tmp_path: Path, whole_log: pytest.LogCaptureFixture
) -> None:
    async with open_stage_before_bytes(
        tmp_path, OPENAI_API_KEY=KEY, OPENAI_SILENCE_SECONDS=SILENCE_SECONDS
    ) as (stage, server):
        server.play_nothing("hang")
        root = await stage.mention(QUESTION)
        [told] = await stage.answers(stage.general, root)
        unrest = stage.unrest(stage.general, root)

    assert told.markdown == ""
    assert_told(told, errors.ModelTimedOut)
    assert len(server.received) == 1
    assert unrest == []
    assert leaked(whole_log) == []


async def test_a_question_that_broke_off_is_asked_anew_when_somebody_tries_again(
    tmp_path: Path,
) -> None:
    async with open_stage_before_bytes(tmp_path) as (stage, server):
        broken("close", "About 384").play(server)
        answered(ANSWER, "resp_1").play(server)
        root = await stage.mention(QUESTION)
        [told] = await stage.answers(stage.general, root)
        await stage.slack.press(stage.you, stage.general, told.ts, "try_again")
        await stage.slack.until(lambda s: ANSWER in str(s.thread(stage.general, root)[1].blocks))
        [_, answer] = stage.slack.thread(stage.general, root)
        unrest = stage.unrest(stage.general, root)

    first, second = (received.body for received in server.received)
    assert second == first
    assert ":warning:" not in str(answer.blocks)
    assert unrest == []
