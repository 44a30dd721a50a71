"""The local Slack in a process of its own: people ask as told, and every time is noted."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.playground.slack import Limits, LocalSlack
from bot.playground.slack.delivery import Delivery
from tests.bench.control import obey

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.playground.slack.delivery import Envelope
    from bot.playground.slack.server import Call

Json = dict[str, Any]

MANY = 1e6
# Wider than Slack's: what is measured is how fast the bot is, not how fast it may be. An envelope
# that is acknowledged late is not delivered again here, as that would be a load of its own.
LIMITS = Limits(
    calls_factor=MANY, post_burst=MANY, stream_age_seconds=3_600.0, ack_seconds=600.0
)  # fmt: skip
QUESTION = re.compile(r"q(\d+):")
MARK = re.compile(r"\bq\d+d\d+\b")


@dataclass
class TimedDelivery(Delivery):
    """Notes when a mention was written to the socket, and when it was acknowledged."""

    hellos: asyncio.Queue[float] = field(default_factory=asyncio.Queue)
    written: dict[str, float] = field(default_factory=dict)
    acked: dict[str, float] = field(default_factory=dict)
    acks: defaultdict[str, asyncio.Event] = field(
        default_factory=lambda: defaultdict(asyncio.Event)
    )

    async def _over_socket(self, envelope: Envelope, attempt: int, reason: str) -> Json:
        event = envelope.payload["event"]
        if event["type"] != "app_mention":  # its twin asks nothing
            return await super()._over_socket(envelope, attempt, reason)
        number = QUESTION.findall(event["text"])[0]
        self.written[number] = time.monotonic()
        answer = await super()._over_socket(envelope, attempt, reason)
        self.acked[number] = time.monotonic()
        self.acks[number].set()
        return answer

    def _hello(self) -> Json:
        self.hellos.put_nowait(time.monotonic())
        return super()._hello()


@dataclass
class Seen:
    """What the calls so far have brought."""

    calls: list[Call]
    marks: dict[str, float] = field(default_factory=dict)  #: the first word of every delta
    stops: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    methods: Counter[str] = field(default_factory=Counter)
    read: int = 0

    def look(self) -> Seen:
        """Read the calls that came since."""
        for call in self.calls[self.read :]:
            self._read(call)
        self.read = len(self.calls)
        return self

    def _read(self, call: Call) -> None:
        self.methods[call.method] += 1
        if call.error is not None:
            self.refused.append(f"{call.method}: {call.error}")
        elif call.method == "chat.stopStream":
            self.stops.append(call.at)
        texts = (str(call.params.get(name, "")) for name in ("markdown_text", "chunks"))
        for mark in MARK.findall(" ".join(texts)):
            self.marks.setdefault(mark, call.at)


class Desk:
    """Does what the driver says."""

    def __init__(self, slack: LocalSlack, delivery: TimedDelivery) -> None:
        self._slack = slack
        self._delivery = delivery
        self._seen = Seen(slack.calls)

    async def connected(self, seconds: float) -> Json:
        """Say when the program connected, which it does once each time it is started."""
        try:
            async with asyncio.timeout(seconds):
                return {"at": await self._delivery.hellos.get()}
        except TimeoutError:
            raise TimeoutError(f"nobody connected for {seconds:g} s") from None

    async def ask(self, first: int, count: int, a_second: float, seconds: float) -> Json:
        """Ask at a steady rate, each question in a thread of its own, whatever is answered."""
        del seconds  # the rate says how long it takes
        began = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / a_second - time.monotonic()))
            await self._say(first + number)
        return {}

    async def ask_alone(self, first: int, count: int, seconds: float) -> Json:
        """Ask one question after the other is answered."""
        done = len(self._seen.look().stops)
        for number in range(count):
            await self._say(first + number)
            await self.answered(done + number + 1, seconds)
        return {}

    async def ask_in_threads(self, first: int, threads: int, each: int, seconds: float) -> Json:
        """Ask in many threads, the next question as soon as the one before is acknowledged."""
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for thread in range(threads):
                begin = first + thread * each
                group.create_task(self._ask_in_thread(range(begin, begin + each)))
        return {}

    async def answered(self, count: int, seconds: float) -> Json:
        """Wait for so many ended answers."""
        return await self._until(lambda seen: len(seen.stops), count, seconds)

    async def marked(self, marks: list[str], seconds: float) -> Json:
        """Wait until Slack has these deltas."""
        missing = set(marks)

        def there(seen: Seen) -> int:
            missing.difference_update(seen.marks)
            return len(marks) - len(missing)

        return await self._until(there, len(marks), seconds)

    async def collect(self) -> Json:
        """Say all that was noted."""
        seen = self._seen.look()
        return {
            "written": self._delivery.written,
            "acked": self._delivery.acked,
            "marks": seen.marks,
            "stops": seen.stops,
            "refused": seen.refused,
            "methods": seen.methods,
        }

    async def _ask_in_thread(self, numbers: range) -> None:
        root: str | None = None
        for number in numbers:
            ts = await self._say(number, root)
            root = root or ts
            await self._delivery.acks[str(number)].wait()

    async def _say(self, number: int, root: str | None = None) -> str:
        slack = self._slack
        text = f"<@{slack.bot_user}> q{number}: what is new?"
        return await slack.say(slack.users["you"], slack.channels["general"], text, root)

    async def _until(self, have: Callable[[Seen], int], count: int, seconds: float) -> Json:
        try:
            await self._slack.until(lambda _: have(self._seen.look()) >= count, seconds)
        except TimeoutError:
            refused = "; ".join(sorted(set(self._seen.refused))[:5]) or "nothing"
            there = have(self._seen)
            words = f"after {seconds:g} s there are {there} of {count}; refused: {refused}"
            raise TimeoutError(words) from None
        return {}


async def main() -> None:
    """Serve until the driver is gone."""
    async with LocalSlack.start(limits=LIMITS) as slack:
        delivery = TimedDelivery(slack.limits, slack.signing_secret)
        slack.delivery = delivery
        desk = Desk(slack, delivery)
        facts = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
        }
        names = ("connected", "ask", "ask_alone", "ask_in_threads", "answered", "marked", "collect")
        await obey(facts, {name: getattr(desk, name) for name in names})


if __name__ == "__main__":
    asyncio.run(main())
