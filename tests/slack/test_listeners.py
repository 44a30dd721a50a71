"""The ways in, through the real Bolt app, over both transports of the local Slack."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.errors import SettingsError
from bot.health import open_server
from bot.metrics import Counter
from bot.playground.slack import Limits, LocalSlack
from bot.playground.slack.delivery import signature
from bot.slack.agent import Agent
from bot.slack.command import Commands
from bot.slack.connection import build_app, open_client, open_way_in
from bot.slack.events import Bot
from bot.slack.hints import Hints
from bot.slack.listeners import FollowUps, Listeners, add_listeners
from bot.slack.research_controls import ResearchControls
from bot.slack.web import SlackWeb
from tests.fakes import FakeRuns
from tests.slack.digest_ways import digest_ways

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from slack_bolt.async_app import AsyncApp

    from bot.turns.question import Question, Thread

LIMITS = Limits(retry_delays=(0.0, 0.05, 0.1), ack_seconds=1.0)


@dataclass
class FakeInbox:
    """Takes questions; fails as often as it is told to."""

    taken: list[Question] = field(default_factory=list)
    failures: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    again: list[int] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    started: list[int] = field(default_factory=list)

    async def take_to_place(self, question: Question) -> bool:
        return await self.take(question)

    async def try_again(self, turn_id: int) -> bool:
        self.again.append(turn_id)
        return True

    async def start_now(self, turn_id: int) -> bool:
        self.started.append(turn_id)
        return True

    async def withdraw(self, team: str, channel: str, ts: str) -> None:
        self.withdrawn.append(f"{team} {channel} {ts}")

    async def take(self, question: Question) -> bool:
        if self.failures:
            self.failures -= 1
            raise OSError("disk full")
        self.taken.append(question)
        self.changed.set()
        return True

    def own(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.taken) < count:
                self.changed.clear()
                await self.changed.wait()

    async def settle(self) -> None:
        while self.tasks:
            await asyncio.wait(self.tasks)


@dataclass
class FakeTurns:
    """What is known of threads."""

    askers: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    digests: set[str] = field(default_factory=set)

    async def has_asked(self, thread: Thread, user: str) -> bool:
        return thread.thread_ts in self.answered and user in self.askers

    async def has_answered(self, thread: Thread) -> bool:
        return thread.thread_ts in self.answered

    async def has_digest(self, thread: Thread) -> bool:
        return thread.thread_ts in self.digests


@dataclass
class Entrance:
    """A local Slack with the listeners behind it."""

    slack: LocalSlack
    inbox: FakeInbox
    turns: FakeTurns
    runs: FakeRuns
    redelivered: Counter

    @property
    def you(self) -> str:
        return self.slack.users["you"]

    @property
    def general(self) -> str:
        return self.slack.channels["general"]

    async def idle(self) -> None:
        await self.slack.delivery.until_idle()
        await self.inbox.settle()


@asynccontextmanager
async def entrance(
    *, http: bool = False, follow_ups: FollowUps = "asker"
) -> AsyncIterator[Entrance]:
    async with (
        LocalSlack.start(limits=LIMITS) as slack,
        open_client(slack.bot_token, slack.api_url) as client,
    ):
        bot = Bot(slack.bot_user, slack.bot_id, slack.team)
        web, inbox, turns = SlackWeb(client), FakeInbox(), FakeTurns()
        redelivered = Counter()
        app = build_app(client, bot, slack.signing_secret, redelivered.add)
        agent = Agent(web, asyncio.get_running_loop().time)
        commands = Commands(inbox, Hints(), slack.team)
        runs = FakeRuns()
        controls = ResearchControls(web, runs)
        digests = digest_ways(web, bot, inbox, turns)
        ways = Listeners(bot, inbox, turns, agent, commands, controls, *digests, follow_ups)
        add_listeners(app, ways)
        async with let_in(app, slack, http=http):
            yield Entrance(slack, inbox, turns, runs, redelivered)
            await inbox.settle()


@asynccontextmanager
async def let_in(app: AsyncApp, slack: LocalSlack, *, http: bool) -> AsyncIterator[None]:
    async with (
        open_way_in(app, None if http else slack.app_token, slack.signing_secret) as way_in,
        open_server(way_in.routes, "127.0.0.1", 0) as port,
    ):
        if http:
            slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        await slack.until_connected()
        yield


@pytest.fixture(params=["socket", "http"])
async def door(request: pytest.FixtureRequest) -> AsyncIterator[Entrance]:
    async with entrance(http=request.param == "http") as door:
        yield door


async def test_a_mention_reaches_the_inbox_by_both_of_its_events(door: Entrance) -> None:
    ts = await door.slack.say(door.you, door.general, f"<@{door.slack.bot_user}> hello")
    await door.inbox.until(2)

    assert door.inbox.taken[0] == door.inbox.taken[1]
    assert (door.inbox.taken[0].ts, door.inbox.taken[0].text) == (ts, "hello")


@pytest.mark.parametrize("first", ["app_mention", "message"])
async def test_the_twins_of_a_mention_are_the_same_question_in_any_order(
    door: Entrance, first: str
) -> None:
    door.slack.twin_order = f"{first}_first"
    await door.slack.say(door.you, door.general, f"<@{door.slack.bot_user}> hello")
    await door.idle()

    assert [question.text for question in door.inbox.taken] == ["hello", "hello"]
    assert door.inbox.taken[0] == door.inbox.taken[1]


async def test_what_could_not_be_stored_is_not_acknowledged_and_comes_again(
    door: Entrance,
) -> None:
    door.inbox.failures = 2
    await door.slack.say(door.you, door.slack.dm(door.you), "hello")
    await door.inbox.until(1)
    await door.idle()

    assert [question.text for question in door.inbox.taken] == ["hello"]
    assert len(door.slack.redelivered) == 2
    assert door.slack.delivery.lost == []


@pytest.mark.parametrize("follow_ups", ["asker", "anyone", "mention"])
async def test_a_reply_without_a_mention_is_taken_as_the_setting_says(
    follow_ups: FollowUps,
) -> None:
    async with entrance(follow_ups=follow_ups) as door:
        colleague = door.slack.users["colleague"]
        root = await door.slack.say(door.you, door.general, "the beginning")
        door.turns.answered.add(root)
        door.turns.askers.add(door.you)
        await door.slack.say(door.you, door.general, "from the asker", root)
        await door.slack.say(colleague, door.general, "from another", root)
        await door.slack.say(door.you, door.general, f"<@{colleague}> to another", root)
        await door.idle()

    taken = {
        "asker": {"from the asker"},
        "anyone": {"from the asker", "from another"},
        "mention": set(),
    }
    assert {question.text for question in door.inbox.taken} == taken[follow_ups]


async def test_everything_else_is_acknowledged_and_taken_for_nothing(door: Entrance) -> None:
    ts = await door.slack.say(door.you, door.general, "hello all")
    await door.slack.edit(door.general, ts, f"<@{door.slack.bot_user}> edited")
    await door.slack.join(door.you, door.general)
    await door.slack.deliver({"type": "something_new", "user": door.you})
    await door.slack.deliver({"type": "message", "text": 5, "user": "U1", "ts": "1.1"})
    await door.idle()

    assert door.inbox.taken == []
    assert door.slack.redelivered == []


async def test_events_of_no_concern_are_nothing_to_warn_of(
    door: Entrance, caplog: pytest.LogCaptureFixture
) -> None:
    await door.slack.deliver({"type": "something_new", "user": door.you})
    await door.slack.deliver({"type": "agent_session_stopped", "user": door.you, "channel": "C1"})
    await door.idle()

    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []
    assert door.slack.redelivered == []


async def test_opening_the_messages_tab_brings_prompts(door: Entrance) -> None:
    await door.slack.open_messages_tab(door.you)
    await door.slack.until(lambda slack: slack.prompts(door.you))

    assert door.slack.prompts(door.you)[0]["title"] == "What happened this week?"


async def test_another_tab_brings_no_prompts(door: Entrance) -> None:
    event = {"type": "app_home_opened", "user": door.you, "channel": door.slack.dm(door.you)}
    await door.slack.deliver(event | {"tab": "home", "event_ts": "1.1"})
    await door.idle()

    assert door.slack.calls_of("assistant.threads.setSuggestedPrompts") == []
    assert door.slack.redelivered == []


@pytest.mark.parametrize("text", ["", "help", " HELP "])
async def test_a_command_without_a_question_is_told_how_to_ask(door: Entrance, text: str) -> None:
    result = await door.slack.command(door.you, door.general, "/ask", text)

    assert "type `/ask` and your question" in result.text
    assert door.inbox.taken == []


async def test_a_command_is_in_the_inbox_before_it_is_acknowledged(door: Entrance) -> None:
    result = await door.slack.command(door.you, door.general, "/team-ask", "what of <!channel>?")
    [question] = door.inbox.taken

    assert (result.acknowledged, result.text) == (True, "")
    assert (question.text, question.user) == ("what of <!channel>?", door.you)
    assert (question.thread.channel, question.has_thread) == (door.general, False)
    assert len(question.ts) <= 32


async def test_a_command_that_could_not_be_stored_is_not_acknowledged(door: Entrance) -> None:
    door.inbox.failures = 9
    result = await door.slack.command(door.you, door.general, "/ask", "hello")

    assert not result.acknowledged  # so Slack tells the person that it failed
    assert door.inbox.taken == []


async def test_each_command_is_a_question_of_its_own_and_a_repeat_is_not(door: Entrance) -> None:
    command = {"user_id": door.you, "channel_id": door.general, "text": "x", "trigger_id": "1.2.a"}
    commands = Commands(door.inbox, Hints(), door.slack.team)
    for trigger in ("1.2.a", "1.2.a", "1.2.b"):
        await commands.ask(command | {"trigger_id": trigger})
    first, again, other = [question.ts for question in door.inbox.taken]

    assert first == again != other
    assert "1.2" not in first


@pytest.mark.parametrize("value", ["7", "x", "", "9" * 30])
async def test_try_again_reaches_the_inbox_with_the_turn(door: Entrance, value: str) -> None:
    button = {"type": "button", "action_id": "try_again", "value": value}
    button["text"] = {"type": "plain_text", "text": "Try again"}  # type: ignore[assignment] # JSON
    root = await door.slack.say(door.you, door.general, "hello")
    message = door.slack.workspace.channels[door.general].messages[root]
    message.blocks = [{"type": "actions", "elements": [button]}]
    await door.slack.press(door.you, door.general, root, "try_again")

    assert door.inbox.again == ([7] if value == "7" else [])


async def test_a_deleted_message_is_withdrawn_from_the_inbox(door: Entrance) -> None:
    root = await door.slack.say(door.you, door.general, "hello")
    reply = await door.slack.say(door.you, door.general, "and this", root)
    for ts in (reply, root):
        await door.slack.delete(door.general, ts)
    await door.idle()

    place = f"{door.slack.team} {door.general}"
    assert sorted(door.inbox.withdrawn) == [f"{place} {ts}" for ts in (root, reply)]


async def post(door: Entrance, body: bytes, headers: dict[str, str]) -> int:
    assert door.slack.events_url is not None
    headers = {"Content-Type": "application/json", **headers}
    async with (
        aiohttp.ClientSession() as session,
        session.post(door.slack.events_url, data=BytesIO(body), headers=headers) as response,
    ):
        return response.status


async def test_only_slack_itself_may_post_events() -> None:
    async with entrance(http=True) as door:
        body = b'{"type":"event_callback","event":{"type":"message"},"team_id":"T1"}'
        good = signature(door.slack.signing_secret, body)
        old = signature(door.slack.signing_secret, body, at=1_000_000)
        wrong = signature("another secret", body)
        statuses = [await post(door, body, headers) for headers in (good, old, wrong, {})]
        huge = await post(door, b"x" * 2_000_000, good)

    assert statuses == [200, 401, 401, 401]
    assert huge == 413


@pytest.mark.parametrize(
    ("app_token", "words"),
    [
        (None, "SLACK_SIGNING_SECRET is missing"),
        ("xapp-wrong", r"SLACK_APP_TOKEN .* \(invalid_auth"),
    ],
)
async def test_what_cannot_be_connected_is_said_plainly(app_token: str | None, words: str) -> None:
    async with (
        LocalSlack.start() as slack,
        open_client(slack.bot_token, slack.api_url) as client,
    ):
        app = build_app(client, Bot("U", "B", "T"), None)
        with pytest.raises(SettingsError, match=words):
            async with open_way_in(app, app_token, None):
                pass


async def test_variables_that_libraries_read_by_themselves_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "s")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-another")
    async with entrance() as door:
        await door.slack.say(door.you, door.slack.dm(door.you), "hello")
        await door.inbox.until(1)

    assert len(door.inbox.taken) == 1
