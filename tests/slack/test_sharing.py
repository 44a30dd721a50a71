"""A digest is shared whole and once, whatever is pressed where."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bot.digests.admission import NotAdmitted
from bot.digests.audience import GONE
from bot.digests.digest import Period
from bot.digests.request import DigestRequest, request_text
from bot.playground.slack import LocalSlack
from bot.slack.blocks import actions, button, section
from bot.slack.connection import open_client
from bot.slack.identity import People
from bot.slack.pacing import Pacing
from bot.slack.part import metadata
from bot.slack.sharing import (
    NOT_FINISHED,
    NOT_SHARED,
    NOTHING_THERE,
    SHARED,
    SHARED_BEFORE,
    Sharing,
)
from bot.slack.web import SlackWeb
from bot.turns.question import Question, Thread
from bot.turns.turn import Turn
from tests.fakes import FakeShared
from tests.slack.test_roots import hurried

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.digests.audience import Refusal
    from bot.playground.slack.workspace import Message

CHANNEL = "G0PRIVATE"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TURN = 7


class TogetherWeb(SlackWeb):
    """Has nobody post a first message in the channel before all are about to."""

    def __init__(self, web: SlackWeb, barrier: asyncio.Barrier) -> None:
        self._web, self._barrier = web, barrier

    async def call(self, method: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        if method == "chat.postMessage" and not params.get("thread_ts"):
            await self._barrier.wait()
        return await self._web.call(method, **params)


@dataclass
class Door:
    """Says who may have a digest there."""

    refusal: Refusal | None = None

    async def check(self, team: str, user: str, source: str, target: str) -> None:
        assert (source, target) == (CHANNEL, CHANNEL), (team, user)
        if self.refusal is not None:
            raise NotAdmitted(self.refusal)


@dataclass
class Shared:
    """A digest of two messages in somebody's direct message, and what is pressed there."""

    slack: LocalSlack
    web: SlackWeb
    asked: Question
    door: Door
    turns: FakeShared

    def process(self, web: SlackWeb | None = None) -> Sharing:
        people = People(self.web, lambda: 0.0, share_names=True)
        pacing = Pacing(sleep=hurried)
        door: Any = self.door
        return Sharing(web or self.web, pacing, self.turns, door, people)

    async def press(self, process: Sharing, user: str = "you") -> None:
        await process.share({"user": {"id": self.slack.users[user]}}, TURN)

    @property
    def posted(self) -> list[Message]:
        messages = self.slack.workspace.channels[CHANNEL].messages.values()
        return [message for message in messages if message.bot_id]

    @property
    def told(self) -> list[str]:
        thread = self.asked.thread
        return [m.text for m in self.slack.ephemerals(thread.channel, self.asked.user)]


@pytest.fixture
async def shared() -> AsyncIterator[Shared]:
    async with a_digest() as shared:
        yield shared


@asynccontextmanager
async def a_digest() -> AsyncIterator[Shared]:
    async with (
        LocalSlack.start() as slack,
        open_client(slack.bot_token, slack.api_url) as client,
    ):
        web, you = SlackWeb(client), slack.users["you"]
        dm = slack.dm(you)
        root = await web.call("chat.postMessage", channel=dm, text="Digest")
        request = DigestRequest(channel=CHANNEL, period=Period(NOON, NOON))
        asked = Question(
            thread=Thread(team=slack.team, channel=dm, thread_ts=root["ts"]),
            ts=root["ts"],
            user=you,
            user_team=slack.team,
            text=request_text(request),
            kind="digest",
        )
        for part, words in enumerate(("first", "second"), 1):
            blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"the {words} part"}}]
            await web.call(
                "chat.postMessage",
                channel=dm,
                thread_ts=root["ts"],
                text=words,
                blocks=blocks,
                metadata=metadata(Turn(TURN, asked, None), part),
            )
        yield Shared(slack, web, asked, Door(), FakeShared({TURN: asked}))


async def test_all_its_messages_are_shared_in_a_thread_and_marked(shared: Shared) -> None:
    await shared.press(shared.process())

    first, second = shared.posted
    assert "the first part" in str(first.blocks)
    assert "Shared by You" in str(first.blocks)
    assert ("the second part" in str(second.blocks), second.thread_ts) == (True, first.ts)
    for message in shared.posted:  # by which their thread is kept off the web
        assert message.metadata is not None
        assert message.metadata["event_payload"]["read_in_slack"] is True
    assert shared.told == [SHARED]
    thread = Thread(team=shared.slack.team, channel=CHANNEL, thread_ts=first.ts)
    assert shared.turns.shared == [(TURN, thread)]


async def test_a_full_message_is_shared_in_as_many_as_it_takes(shared: Shared) -> None:
    channel = shared.asked.thread.channel
    first, second = list(shared.slack.workspace.channels[channel].messages.values())[1:3]
    first.blocks = [section(f"line {number}") for number in range(50)]
    second.blocks = [actions(button("share_digest", "Share", "7"))]
    await shared.press(shared.process())

    said = [block["text"]["text"] for m in shared.posted for block in m.blocks if "text" in block]
    assert said == [f"line {number}" for number in range(50)]
    assert "Shared by You" in str(shared.posted[0].blocks[1])
    assert "share_digest" not in str([message.blocks for message in shared.posted])
    assert shared.told == [SHARED]


async def test_of_two_processes_with_a_press_each_one_shares_it(shared: Shared) -> None:
    barrier = asyncio.Barrier(2)
    webs = [TogetherWeb(shared.web, barrier) for _ in range(2)]
    await asyncio.gather(*(shared.press(shared.process(web)) for web in webs))
    await shared.press(shared.process())

    assert sorted(shared.told) == sorted([SHARED, SHARED_BEFORE, SHARED_BEFORE])
    assert ["first" in str(m.blocks) for m in shared.posted] == [True, False]


@pytest.mark.parametrize("skip", [0, 1])
async def test_what_could_not_be_shared_whole_is_taken_away_and_shared_with_the_next_press(
    shared: Shared, skip: int
) -> None:
    process = shared.process()
    shared.slack.fail("chat.postMessage", error="msg_blocks_too_long", skip=skip)
    await shared.press(process)
    assert shared.posted == []
    await shared.press(process)

    assert len(shared.posted) == 2
    assert shared.told == [NOT_SHARED.format(code="msg_blocks_too_long"), SHARED]


@pytest.mark.parametrize("skip", [0, 1])
async def test_a_message_whose_answer_got_lost_is_found_and_the_rest_is_shared(
    shared: Shared, skip: int
) -> None:
    shared.slack.fail("chat.postMessage", status=500, after=True, skip=skip)
    await shared.press(shared.process())
    await shared.press(shared.process())

    assert ["first" in str(m.blocks) for m in shared.posted] == [True, False]
    assert shared.told == [SHARED, SHARED_BEFORE]


async def test_what_a_press_that_was_cut_off_left_out_is_posted_with_the_next(
    shared: Shared,
) -> None:
    await shared.press(shared.process())
    first, second = shared.posted
    await shared.slack.delete(CHANNEL, second.ts)
    await shared.press(shared.process())

    assert [m.thread_ts for m in shared.posted] == [None, first.ts]
    assert shared.told == [SHARED, SHARED]
    assert [thread.thread_ts for _, thread in shared.turns.shared] == [first.ts, first.ts]


async def test_what_was_deleted_where_it_was_shared_is_shared_again(shared: Shared) -> None:
    await shared.press(shared.process())
    for message in shared.posted[::-1]:
        await shared.slack.delete(CHANNEL, message.ts)
    for _ in range(2):
        await shared.press(shared.process())

    assert ["first" in str(m.blocks) for m in shared.posted] == [True, False]
    assert shared.told == [SHARED, SHARED, SHARED_BEFORE]


async def test_it_is_known_however_much_was_written_since(shared: Shared) -> None:
    await shared.press(shared.process())
    for number in range(1_100):
        await shared.slack.say(shared.asked.user, CHANNEL, f"words {number}")
    looks = len(shared.slack.calls_of("conversations.history"))
    await shared.press(shared.process())

    assert len(shared.posted) == 2
    assert shared.told == [SHARED, SHARED_BEFORE]
    assert len(shared.slack.calls_of("conversations.history")) == looks


async def test_it_is_looked_for_where_nothing_is_recorded(shared: Shared) -> None:
    shared.turns.forgets = True
    for _ in range(2):
        await shared.press(shared.process())
        for number in range(250):
            await shared.slack.say(shared.asked.user, CHANNEL, f"words {number}")

    assert len(shared.posted) == 2
    assert shared.told == [SHARED, SHARED_BEFORE]


async def test_what_is_not_finished_is_not_shared(shared: Shared) -> None:
    shared.turns.is_written = False
    await shared.press(shared.process())

    assert shared.posted == []
    assert shared.told == [NOT_FINISHED]


async def test_what_an_older_version_shared_is_shared(shared: Shared) -> None:
    await shared.press(shared.process())
    for message in shared.posted:  # it gave all messages the same number
        assert message.metadata is not None
        message.metadata["event_payload"]["part"] = -2
    await shared.press(shared.process())

    assert len(shared.posted) == 2
    assert shared.told == [SHARED, SHARED_BEFORE]


async def test_a_digest_that_is_gone_is_not_shared(shared: Shared) -> None:
    channel = shared.slack.workspace.dm(shared.asked.user)
    for ts in [m.ts for m in channel.messages.values() if m.thread_ts]:
        await shared.slack.delete(channel.id, ts)
    await shared.press(shared.process())

    assert shared.posted == []
    assert shared.told == [NOTHING_THERE]


async def test_who_may_not_have_it_any_more_shares_nothing(shared: Shared) -> None:
    shared.door.refusal = GONE
    await shared.press(shared.process())

    assert shared.posted == []
    assert shared.told == [GONE.words]
