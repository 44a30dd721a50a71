from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.slack import Limits, LocalSlack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.playground.slack.workspace import Message

Json = dict[str, Any]


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Streaming:
    """A thread to stream into."""

    slack: LocalSlack
    clock: Clock
    channel: str = ""
    root: str = ""

    async def call(self, method: str, **params: Any) -> Json:  # noqa: ANN401 - JSON
        client = AsyncWebClient(token=self.slack.bot_token, base_url=self.slack.api_url)
        response = await client.api_call(method, json={"channel": self.channel, **params})
        assert isinstance(response.data, dict)
        return response.data

    async def start(self, **params: Any) -> str:  # noqa: ANN401 - JSON
        recipient = {"recipient_user_id": "U0YOU", "recipient_team_id": "T0LOCAL"}
        answer = await self.call("chat.startStream", thread_ts=self.root, **recipient, **params)
        return str(answer["ts"])

    async def refused(self, method: str, **params: Any) -> str:  # noqa: ANN401 - JSON
        with pytest.raises(SlackApiError) as caught:
            await self.call(method, **params)
        return str(caught.value.response["error"])

    def message(self, ts: str) -> Message:
        return self.slack.workspace.channels[self.channel].messages[ts]


@pytest.fixture
async def streaming() -> AsyncIterator[Streaming]:
    clock = Clock()
    async with LocalSlack.start(limits=Limits(clock=clock, calls_factor=100)) as slack:
        general = slack.channels["general"]
        root = await slack.say(slack.users["you"], general, "a question")
        yield Streaming(slack, clock, general, root)


def text(words: str) -> list[Json]:
    return [{"type": "markdown_text", "text": words}]


def task(**fields: Any) -> list[Json]:  # noqa: ANN401 - JSON
    return [{"type": "task_update", "id": "t", "title": "T", "status": "in_progress"} | fields]


async def test_a_stream_grows_and_ends_with_blocks_and_metadata(streaming: Streaming) -> None:
    ts = await streaming.start(chunks=text("One "), task_display_mode="plan")
    await streaming.call("chat.appendStream", ts=ts, chunks=text("two."))
    metadata = {"event_type": "e", "event_payload": {"id": 1}}
    blocks = [{"type": "divider"}]
    await streaming.call("chat.stopStream", ts=ts, blocks=blocks, metadata=metadata)
    message = streaming.message(ts)

    assert (message.markdown, message.streaming_state) == ("One two.", "completed")
    assert (message.final_blocks, message.metadata) == (blocks, metadata)
    assert message.thread_ts == streaming.root


async def test_blanks_at_the_beginning_of_a_chunk_vanish(streaming: Streaming) -> None:
    ts = await streaming.start(chunks=text("One"))
    await streaming.call("chat.appendStream", ts=ts, chunks=text(" two\n"))
    await streaming.call("chat.appendStream", ts=ts, chunks=text("\nthree"))

    assert streaming.message(ts).markdown == "Onetwo\nthree"


async def test_a_cards_details_are_added_to_and_its_title_and_status_replaced(
    streaming: Streaming,
) -> None:
    source = {"type": "url", "url": "https://a.example", "text": "A"}
    ts = await streaming.start(chunks=task(details="a", output="x", sources=[source]))
    more = task(title="Done", status="complete", details="b", output="y")
    await streaming.call("chat.appendStream", ts=ts, chunks=more)
    card = streaming.message(ts).tasks["t"]

    assert (card.title, card.status, card.details, card.output) == ("Done", "complete", "ab", "y")
    assert card.sources == [source]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"thread_ts": None}, "invalid_thread_ts"),
        ({"thread_ts": "1.1"}, "invalid_thread_ts"),
        ({"recipient_user_id": None}, "missing_recipient_user_id"),
        ({"recipient_team_id": None}, "missing_recipient_team_id"),
        ({"recipient_user_id": "U9"}, "user_not_found"),
        ({"recipient_team_id": "T9"}, "team_not_found"),
        ({"channel": "C9"}, "channel_not_found"),
        ({"channel": "C0RANDOM"}, "not_in_channel"),
        ({"markdown_text": "x", "chunks": text("y")}, "invalid_arguments"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"task_display_mode": "dense"}, "invalid_arguments"),
    ],
)
async def test_a_start_that_slack_refuses_is_refused(
    streaming: Streaming, params: Json, code: str
) -> None:
    good = {
        "thread_ts": streaming.root,
        "recipient_user_id": "U0YOU",
        "recipient_team_id": "T0LOCAL",
    }

    assert await streaming.refused("chat.startStream", **(good | params)) == code


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([{"type": "surprise"}], id="an unknown kind"),
        pytest.param([{"type": "markdown_text"}], id="text without text"),
        pytest.param(task(id=""), id="a card without an id"),
        pytest.param(task(title=None), id="a card without a title"),
        pytest.param(task(status="done"), id="a status that there is not"),
        pytest.param(task(title="x" * 257), id="a long title"),
        pytest.param(task(details="x" * 257), id="long details"),
        pytest.param(task(sources=[{"type": "url", "url": "https://a"}]), id="half a source"),
        pytest.param([{"type": "plan_update", "title": "x" * 257}], id="a plan's long title"),
        pytest.param("text", id="no list"),
        pytest.param(["text"], id="a list of strings"),
    ],
)
async def test_chunks_that_slack_refuses_are_refused(
    streaming: Streaming,
    chunks: Any,  # noqa: ANN401 - anything
) -> None:
    ts = await streaming.start()

    assert await streaming.refused("chat.appendStream", ts=ts, chunks=chunks) == "invalid_chunks"


async def test_a_stream_takes_so_many_bytes_with_its_cards_and_no_more(
    streaming: Streaming,
) -> None:
    ts = await streaming.start(chunks=task(title="ü" * 100))
    await streaming.call("chat.appendStream", ts=ts, chunks=text("x" * 11_799))
    code = await streaming.refused("chat.appendStream", ts=ts, chunks=text("yy"))
    await streaming.call("chat.appendStream", ts=ts, chunks=text("y"))

    assert code == "msg_too_long"
    assert streaming.message(ts).stream_bytes == 12_000


async def test_a_stream_takes_fifty_cards(streaming: Streaming) -> None:
    ts = await streaming.start()
    for number in range(50):
        await streaming.call("chat.appendStream", ts=ts, chunks=task(id=str(number)))

    assert await streaming.refused("chat.appendStream", ts=ts, chunks=task()) == "msg_too_long"


async def test_a_stream_ends_by_its_age_whatever_is_appended(streaming: Streaming) -> None:
    ts = await streaming.start(chunks=text("One "))
    streaming.clock.now += 299
    await streaming.call("chat.appendStream", ts=ts, chunks=text("two "))
    streaming.clock.now += 1
    codes = [
        await streaming.refused(method, ts=ts, chunks=text("three"))
        for method in ("chat.appendStream", "chat.stopStream")
    ]

    assert codes == ["message_not_in_streaming_state"] * 2
    assert streaming.message(ts).streaming_state == "errored"


async def test_after_its_end_a_stream_takes_nothing(streaming: Streaming) -> None:
    ts = await streaming.start(chunks=text("One"))
    await streaming.call("chat.stopStream", ts=ts)

    for method in ("chat.appendStream", "chat.stopStream"):
        code = await streaming.refused(method, ts=ts, chunks=text("two"))
        assert code == "message_not_in_streaming_state"


async def test_a_stream_that_the_person_stopped_says_so(streaming: Streaming) -> None:
    ts = await streaming.start(chunks=text("One"))
    await streaming.slack.stop("U0YOU", streaming.channel, ts)

    assert await streaming.refused("chat.appendStream", ts=ts, chunks=text("x")) == (
        "stopped_by_user"
    )


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"ts": "1.1"}, "message_not_found"),
        ({"blocks": [{"type": "alert"}]}, "invalid_blocks"),
        ({"blocks": "{"}, "invalid_blocks_format"),
        ({"metadata": {"event_type": "e"}}, "invalid_metadata_schema"),
        ({"metadata": []}, "invalid_metadata_format"),
        ({"session_status": "asleep"}, "invalid_arguments"),
    ],
)
async def test_an_end_that_slack_refuses_leaves_the_stream_open(
    streaming: Streaming, params: Json, code: str
) -> None:
    ts = await streaming.start(chunks=text("One"))

    assert await streaming.refused("chat.stopStream", **({"ts": ts} | params)) == code
    assert streaming.message(ts).streaming_state == "in_progress"


async def test_only_the_bots_own_messages_are_streamed(streaming: Streaming) -> None:
    code = await streaming.refused("chat.appendStream", ts=streaming.root, chunks=text("x"))

    assert code == "message_not_owned_by_app"
    assert await streaming.refused("chat.appendStream", ts=await streaming.start()) == "no_text"


async def test_an_open_stream_can_be_neither_changed_nor_deleted(streaming: Streaming) -> None:
    ts = await streaming.start(chunks=text("One"))

    assert await streaming.refused("chat.update", ts=ts, text="x") == "streaming_state_conflict"
    assert await streaming.refused("chat.delete", ts=ts) == "cant_delete_message"


async def test_changing_a_streamed_message_replaces_all_of_it(streaming: Streaming) -> None:
    ts = await streaming.start(chunks=[*task(), *text("One")])
    await streaming.call("chat.stopStream", ts=ts, blocks=[{"type": "divider"}])
    await streaming.call("chat.update", ts=ts, text="new")
    message = streaming.message(ts)

    assert (message.text, message.edited, message.streaming_state) == ("new", True, None)
    assert (message.markdown, message.tasks, message.final_blocks) == ("", {}, [])


async def test_a_stream_sets_the_session_to_work_and_its_end_to_rest(streaming: Streaming) -> None:
    ts = await streaming.start()
    working = str(streaming.slack.session(streaming.channel, streaming.root))
    await streaming.call("chat.stopStream", ts=ts)

    assert "processing" in working
    assert "active" in str(streaming.slack.session(streaming.channel, streaming.root))


async def test_the_helper_of_slacks_own_package_streams_here(streaming: Streaming) -> None:
    client = AsyncWebClient(token=streaming.slack.bot_token, base_url=streaming.slack.api_url)
    stream = await client.chat_stream(
        channel=streaming.channel,
        thread_ts=streaming.root,
        recipient_user_id="U0YOU",
        recipient_team_id="T0LOCAL",
    )
    await stream.append(markdown_text="words " * 60)
    await stream.stop(markdown_text="end")
    message = streaming.slack.thread(streaming.channel, streaming.root)[-1]

    assert message.markdown == "words " * 60 + "end"


async def test_calls_above_the_tier_are_told_to_wait() -> None:
    clock = Clock()
    async with LocalSlack.start(limits=Limits(clock=clock)) as slack:
        general = slack.channels["general"]
        streaming = Streaming(slack, clock, general, await slack.say("U0YOU", general, "hm"))
        for _ in range(30):
            await streaming.start()
        with pytest.raises(SlackApiError) as caught:
            await streaming.start()
        clock.now += float(caught.value.response.headers["Retry-After"]) + 0.01
        await streaming.start()

    assert caught.value.response.status_code == 429
    assert caught.value.response["error"] == "ratelimited"
