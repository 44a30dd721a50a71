"""People who ask without end in a local Slack, and try again where the bot gave up."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.playground.responses import LocalResponses, Profile, Scripted
from bot.playground.slack import Limits, LocalSlack
from bot.playground.slack.people import event_envelope, events_of_message
from bot.playground.slack.workspace import Message
from tests.crash.verdict import (
    Question,
    Thread,
    answer_text,
    is_answered,
    is_given_up,
    judge,
    sentences,
    shown,
    total,
)

if TYPE_CHECKING:
    import random

    from tests.crash.verdict import Verdict

# Slack delivers for an hour; here it does so a hundred times within less.
LIMITS = Limits(
    retry_delays=(0.0, *([0.1] * 100)),
    ack_seconds=0.7,
    calls_factor=1e6,
    posts_a_second=1e6,
    post_burst=1e6,
)
PROFILE = Profile(delta_seconds=0.004)
OPEN = 6  # questions that are not answered yet
QUESTIONS = 6  # in one thread
ANSWERS = 100_000  # that are scripted beforehand
REST_SECONDS = 90.0


def _line(message: Message) -> str:
    said = sentences([message])
    text = f"{said[0]} to {said[-1]}" if said else repr((message.text or shown(message))[:60])
    payload = (message.metadata or {}).get("event_payload")
    return f"{message.ts} {message.user} {message.streaming_state} {payload} {text}"


@dataclass
class People:
    """Who asks, and what came of it."""

    slack: LocalSlack
    responses: LocalResponses
    random: random.Random
    threads: list[Thread] = field(default_factory=list)
    open: dict[int, tuple[Thread, Question]] = field(default_factory=dict)
    pressed: int = 0
    _numbers: int = 0
    _sentences: dict[int, int] = field(default_factory=dict)
    _unheard: set[str] = field(default_factory=set)  # roots of threads with something not acked
    _pressing: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.responses.script(*[self._scripted] * ANSWERS)

    async def ask_on(self) -> None:
        """Ask whenever few questions are open, for ever."""
        while True:
            if len(self.open) < OPEN:
                await self._ask()
            await self.look()

    async def rest(self) -> None:
        """Wait until every question is answered, and nothing moves any more."""
        async with asyncio.timeout(REST_SECONDS):
            await self.slack.delivery.until_idle()
            while self._look_back():
                await self.look()

    def _look_back(self) -> bool:
        """Look at every thread: what was answered before a kill may be answered anew after it."""
        for thread in self.threads:
            messages = self.seen(thread)
            for question in thread.questions:
                if not is_answered(question, messages):
                    self.open[question.number] = (thread, question)
        return bool(self.open)

    async def look(self) -> None:
        """Wait for something to change, and see what is answered or given up by now."""
        version = self.slack.workspace.version
        with contextlib.suppress(TimeoutError):
            await self.slack.until(lambda s: s.workspace.version != version, seconds=0.1)
        for thread, question in list(self.open.values()):
            messages = self.seen(thread)
            if is_answered(question, messages):
                del self.open[question.number]
            for message in messages:
                if is_given_up(message) and message.ts not in self._pressing:
                    self._pressing.add(message.ts)
                    asyncio.get_running_loop().create_task(self._press(thread, message))

    def seen(self, thread: Thread) -> list[Message]:
        """Return the bot's messages in a thread."""
        messages = self.slack.thread(thread.channel, thread.root)
        return [message for message in messages if message.bot_id and message.ts != thread.root]

    def verdict(self) -> Verdict:
        """Say what is wrong."""
        return total(self._judged(thread) for thread in self.threads)

    def _judged(self, thread: Thread) -> Verdict:
        messages = self.seen(thread)
        verdict = judge(thread, messages, self.slack.status(thread.channel, thread.root))
        if verdict.faults:
            lines = [_line(message) for message in self.slack.thread(thread.channel, thread.root)]
            verdict.faults.append("\n    ".join([f"thread {thread.root}:", *lines]))
        return verdict

    async def _ask(self) -> None:
        threads = [
            thread
            for thread in self.threads[-8:]
            if len(thread.questions) < QUESTIONS and thread.root not in self._unheard
        ]
        kind = self.random.random()
        if threads and kind < 0.6:
            self._say(self.random.choice(threads))
        elif kind < 0.7:
            await self._command()
        else:
            self._say(None)

    def _question(self) -> Question:
        self._numbers += 1
        long = self.random.random() < 0.03
        sentences = 500 if long else self.random.randint(5, 40)
        self._sentences[self._numbers] = sentences
        return Question(self._numbers, sentences)

    def _say(self, thread: Thread | None) -> None:
        """Post a question into a thread; the next one there once this is acknowledged."""
        question, you = self._question(), self.slack.users["you"]
        direct = self.random.random() < 0.2
        general = self.slack.channels["general"]
        channel = thread.channel if thread else self.slack.dm(you) if direct else general
        place = self.slack.workspace.channels[channel]
        text = f"<@{self.slack.bot_user}> What is question {question.number}?"
        root = thread.root if thread else None
        message = Message(self.slack.workspace.next_ts(), you, text, thread_ts=root)
        self.slack.workspace.put(place, message)
        if thread is None:
            thread = Thread(channel, message.ts)
            self.threads.append(thread)
        self._open(thread, question)
        events = events_of_message(self.slack, place, message)
        tasks = [self.slack.delivery.send(event_envelope(self.slack, event)) for event in events]
        self._unheard.add(thread.root)
        gathered, root = asyncio.gather(*tasks, return_exceptions=True), thread.root
        gathered.add_done_callback(lambda _: self._unheard.discard(root))

    async def _command(self) -> None:
        """Ask by a command, which Slack delivers once: what it does not take, was not asked."""
        question, you = self._question(), self.slack.users["you"]
        general = self.slack.channels["general"]
        before = len(self.slack.delivery.lost)
        text = f"What is question {question.number}?"
        result = await self.slack.command(you, general, "/ask", text)
        roots = self._roots(question)
        if not result.acknowledged and not roots:
            del self.slack.delivery.lost[before:]
            return
        await self.slack.until(lambda _: self._roots(question), seconds=REST_SECONDS)
        thread = Thread(general, self._roots(question)[0])
        self.threads.append(thread)
        self._open(thread, question)

    def _roots(self, question: Question) -> list[str]:
        messages = self.slack.workspace.channels[self.slack.channels["general"]].messages.values()
        said = f"asked: What is question {question.number}?"
        return [message.ts for message in messages if message.bot_id and said in message.text]

    def _open(self, thread: Thread, question: Question) -> None:
        thread.questions.append(question)
        self.open[question.number] = (thread, question)

    async def _press(self, thread: Thread, message: Message) -> None:
        """Try again, until the bot has heard it."""
        you = self.slack.users["you"]
        with contextlib.suppress(KeyError):  # the button is gone by now
            await self.slack.press(you, thread.channel, message.ts, "try_again")
            self.pressed += 1
        self._pressing.discard(message.ts)

    def _scripted(self, asked: str) -> Scripted:
        number = int(asked.rpartition("question ")[2].rstrip("? \n"))
        text = answer_text(Question(number, self._sentences[number]))
        size = max(40, len(text) // 12)
        return Scripted(text, pieces=[text[i : i + size] for i in range(0, len(text), size)])
