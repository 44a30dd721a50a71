"""A research run in the local Slack, with a time that passes only when a test says so."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import CLOCK
from bot.errors import SlackRefused, StoreUnreachable
from bot.metrics import Metrics
from bot.playground.slack import Limits, LocalSlack
from bot.slack.agent import Agent
from bot.slack.hints import Hints
from bot.slack.identity import People
from bot.slack.pacing import Pacing
from bot.slack.replies import Replies
from bot.slack.roots import Roots
from bot.slack.web import SlackWeb
from bot.turns.answer import Answer, Citation, Finished, Search, Usage
from bot.turns.question import Question, Thread
from bot.turns.research import Progress, Ran, Report
from bot.turns.turn import Sent, Turn
from tests.fakes import FakeSteps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bot.playground.slack.workspace import Message
    from bot.slack.place import Place
    from bot.slack.research import ResearchReply
    from bot.turns import research
    from bot.turns.answer import Ending

Json = dict[str, Any]

PATIENCE_SECONDS = 10.0


class Time:
    """A clock, and sleepers who wake when it says so."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._is_hurried = False
        self.writers = 1  # who are to be asleep again before it goes on
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._slept = asyncio.Event()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if self._is_hurried:
            self.now += seconds
            await asyncio.sleep(0)
            return
        sleeper = (self.now + seconds, asyncio.get_running_loop().create_future())
        self._sleepers.append(sleeper)
        self._slept.set()
        try:
            await sleeper[1]
        finally:
            self._sleepers.remove(sleeper)

    def hurries(self) -> None:
        """Let nobody sleep any more."""
        self._is_hurried = True
        for _, sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_result(None)

    async def goes_on(self, seconds: float) -> None:
        """Let time pass, and everybody do what they do meanwhile."""
        end = self.now + seconds
        await self._all_asleep()
        while self._sleepers and min(self._sleepers, key=_due)[0] <= end:
            due, sleeper = min(self._sleepers, key=_due)
            self.now = max(self.now, due)
            sleeper.set_result(None)
            await self._all_asleep()
        self.now = end

    async def _all_asleep(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for _ in range(10):  # who was just woken gets up
                await asyncio.sleep(0)
            while len(self._sleepers) < self.writers:
                self._slept.clear()
                await self._slept.wait()


def _due(sleeper: tuple[float, asyncio.Future[None]]) -> float:
    return sleeper[0]


@dataclass
class MortalSteps(FakeSteps):
    """Steps of a process that dies after so many of them."""

    left: int = 10_000

    def _step(self, name: str, turn: Turn) -> None:
        if self.left == 0:
            raise StoreUnreachable
        self.left -= 1
        super()._step(name, turn)


@dataclass
class Files:
    """Where long reports go: refused unless allowed."""

    allowed: bool = False
    shared: list[tuple[str, str, str]] = field(default_factory=list)
    asked: int = 0

    async def share(self, place: Place, name: str, title: str, text: str) -> None:
        del place
        self.asked += 1
        if not self.allowed:
            raise SlackRefused("files.getUploadURLExternal", "not_allowed")
        self.shared.append((name, title, text))


class Stage:
    """A local Slack with a question in it, and what is needed to research it."""

    def __init__(self, slack: LocalSlack, question: Question, time: Time) -> None:
        self.slack = slack
        self.question = question
        self.time = time
        self.steps = MortalSteps()
        self.files = Files()
        self._web = SlackWeb(AsyncWebClient(token=slack.bot_token, base_url=slack.api_url))
        self._pacing = Pacing(clock=time, sleep=time.sleep)

    def open(self, turn: Turn | None = None) -> AbstractAsyncContextManager[ResearchReply]:
        roots = Roots(
            self._web,
            self._pacing,
            self.steps,
            Hints(),
            People(self._web, self.time, share_names=True),
            CLOCK.now,
        )
        agent, metrics = Agent(self._web, self.time), Metrics(0.0)
        replies = Replies(
            self._web,
            self._pacing,
            self.steps,
            agent,
            roots,
            metrics,
            self.slack.bot_user,
            "Ask me things.",
            self.files.share,
        )
        return replies.open_research(turn or self.turn)

    @property
    def turn(self) -> Turn:
        return Turn(5, self.question, None)

    def taken_over(self) -> Turn:
        """The turn as the next process gets it."""
        self.steps.left = 10_000
        sent = tuple(
            Sent(part, ts, streamed=False) for (_, part), ts in sorted(self.steps.sent.items())
        )
        return replace(self.turn, epoch=2, attempt=2, sent=sent)

    @property
    def messages(self) -> list[Message]:
        thread = self.question.thread
        return self.slack.thread(thread.channel, thread.thread_ts)[1:]

    @property
    def plan(self) -> str:
        return said(self.messages[0]) if self.messages else ""

    @property
    def session(self) -> str:
        thread = self.question.thread
        session = self.slack.session(thread.channel, thread.thread_ts)
        return session.status if session else ""

    async def until_shown(self, words: str) -> None:
        await self.slack.until(lambda _: words in self.plan)

    def updates(self) -> list[str]:
        return [str(call.params["text"]) for call in self.slack.calls_of("chat.update")]


@asynccontextmanager
async def stage(*, channel: str = "general") -> AsyncIterator[Stage]:
    time = Time()
    async with LocalSlack.start(limits=Limits(clock=time)) as slack:
        you, place = slack.users["you"], slack.channels[channel]
        ts = await slack.say(you, place, "How do heat pumps do in the cold?")
        thread = Thread(team=slack.team, channel=place, thread_ts=ts)
        text = "How do <https://heat.example|heat pumps> do in the cold?"
        question = Question(thread=thread, ts=ts, user=you, user_team=slack.team, text=text)
        yield Stage(slack, question, time)


def said(message: Message) -> str:
    """Say what a message says, its buttons left out."""
    return "\n".join(text for block in message.blocks for text in block_texts(block))


def block_texts(block: Json) -> list[str]:
    if block["type"] == "actions":
        return []
    parts = [block.get("text"), *block.get("elements", ())]
    return [part["text"] if isinstance(part, dict) else part for part in parts if part]


def buttons(message: Message) -> list[str]:
    """Return what there is to press on a message, as action=value."""
    elements = [
        element
        for block in message.blocks
        for element in (*block.get("elements", ()), block.get("accessory", {}))
    ]
    return [f"{e['action_id']}={e['value']}" for e in elements if e.get("type") == "button"]


def searched(query: str, seconds: float = 3.0, *, failed: bool = False) -> Ran:
    return Ran(Search("search", (query,)), seconds, failed=failed)


def read(url: str, seconds: float = 1.0) -> Ran:
    return Ran(Search("open_page", url=url), seconds)


def some_ran(searches: int, pages: int) -> tuple[Ran, ...]:
    return (
        *(searched(f"query {n}") for n in range(1, searches + 1)),
        *(read(f"https://site{n}.example/page") for n in range(1, pages + 1)),
    )


def progress(
    seconds: float = 0.0,
    ran: Sequence[Ran] = (),
    *,
    stage: research.Stage = "searching",
    is_kept: bool = True,
) -> Progress:
    return Progress(stage=stage, ran=tuple(ran), seconds=seconds, is_kept=is_kept)


SHORT = "# Heat pumps\n\nThey work in the cold [1](https://docs.example/1).\n\n"
PART = "## Part {n}\n\n" + "A sentence of part {n} says a thing. " * 40 + "\n\n"


def report_text(parts: int) -> str:
    return SHORT + "".join(PART.format(n=n) for n in range(1, parts + 1))


def a_report(text: str = "", *, is_partial: bool = False, citations: int = 2) -> Report:
    text = text or report_text(6)
    ending: Ending = "too_late" if is_partial else "completed"
    ran = some_ran(23, 41)
    answer = Answer(
        finished=Finished("resp_1", "gpt-test", ending, Usage(90_000, 4_000)),
        text=text,
        citations=tuple(
            Citation(n, f"https://docs.example/{n}", f"Page {n}") for n in range(1, citations + 1)
        ),
        searches=tuple(one.search for one in ran),
        unlinked=0,
        seconds=14 * 60 + 20.0,
    )
    return Report(answer=answer, ran=ran, on=date(2026, 11, 23))
