"""What Slack allows per minute and workspace, shared by all replies that are being written."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

# Calls a minute, from the method pages: tier 2 is 20, tier 3 is 50, tier 4 is 100.
CALLS_A_MINUTE = {
    "chat.startStream": 20.0,
    "chat.appendStream": 100.0,
    "chat.stopStream": 20.0,
    "chat.update": 50.0,
    "chat.delete": 50.0,
    "chat.postMessage": 60.0,
    "files.getUploadURLExternal": 100.0,
    "files.completeUploadExternal": 100.0,
    "conversations.replies": 50.0,
    "conversations.history": 50.0,
    "conversations.info": 50.0,
    "conversations.open": 50.0,
    "conversations.members": 100.0,
    "users.info": 100.0,
}
SLOW_SECONDS = 3_600.0  # until a pace that Slack has slowed down is taken up again
NEARLY = 1e-6  # of a call
FLUSH_SECONDS = 1.0  # between two appends of one reply
UPDATE_SECONDS = 3.0  # Slack's advice for text of a model that is shown by chat.update
SECONDS_PER_LIVE_REPLY = 0.7  # 100 appends a minute are one each 0.6 s, for all replies together
RESEARCH_SECONDS = 15.0  # between two updates of a research run, once it has run for a minute
RESEARCH_CALM_SECONDS = 60.0
SECONDS_PER_LIVE_RUN = 2.4  # half of the 50 updates a minute, for all runs together
REFUSED_SECONDS = 600.0  # until a workspace that has no streaming is asked again


@dataclass
class Allowance:
    """How often a method may be called: a bucket that fills evenly and holds half a minute."""

    a_minute: float
    at: float
    left: float = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.most

    @property
    def most(self) -> float:
        """How many calls it holds at once."""
        return max(1.0, self.a_minute / 2)

    def wait(self, now: float) -> float:
        """Say how many seconds are left until the method may be called."""
        if now > self.at:
            self.left = min(self.most, self.left + (now - self.at) * self.a_minute / 60)
            self.at = now
        missing = 1 - self.left
        if missing < NEARLY:  # what filled to the last bit: a clock may not tell so short a time
            missing = 0.0
        return max(0.0, self.at - now) + missing * 60 / self.a_minute

    def spend(self) -> None:
        """Count a call."""
        self.left -= 1

    def rest(self, until: float) -> None:
        """Call nothing until then: Slack has said so."""
        self.at, self.left = max(self.at, until), 1.0

    def change(self, a_minute: float) -> None:
        """Fill faster or slower from now on."""
        self.a_minute = a_minute
        self.left = min(self.left, self.most)


class Pacing:
    """Says when the next call may go out, and how long a reply waits between two of its own."""

    def __init__(
        self,
        *,
        flush_seconds: float = FLUSH_SECONDS,
        update_seconds: float = UPDATE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.clock = clock
        self.sleep = sleep
        self._flush_seconds = flush_seconds
        self._update_seconds = update_seconds
        self._allowances: dict[tuple[str, str], Allowance] = {}
        self._refused_until: dict[str, float] = {}
        self._slow_until: dict[tuple[str, str], float] = {}
        self._live = 0
        self._live_runs = 0

    @contextmanager
    def live_reply(self) -> Iterator[None]:
        """Count a reply as being written."""
        self._live += 1
        try:
            yield
        finally:
            self._live -= 1

    @contextmanager
    def live_run(self) -> Iterator[None]:
        """Count a research run as being shown."""
        self._live_runs += 1
        try:
            yield
        finally:
            self._live_runs -= 1

    def seconds_between_updates(self, age: float) -> float:
        """Say how long a research run that is so old waits between two of its updates."""
        base = self._update_seconds if age < RESEARCH_CALM_SECONDS else RESEARCH_SECONDS
        return max(base, SECONDS_PER_LIVE_RUN * self._live_runs)

    async def set_within(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for an event, but not for longer; say whether it is set."""
        waits = [asyncio.ensure_future(self.sleep(seconds)), asyncio.create_task(event.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        return event.is_set()

    def seconds_between(self, *, streamed: bool) -> float:
        """Say how long a reply waits between two of its own calls."""
        base = self._flush_seconds if streamed else self._update_seconds
        return max(base, base * SECONDS_PER_LIVE_REPLY * self._live)

    def may_call(self, team: str, method: str) -> bool:
        """Whether the method may be called right now."""
        return self._allowance(team, method).wait(self.clock()) == 0.0

    async def turn(self, team: str, method: str) -> None:
        """Wait until the method may be called, and count the call."""
        allowance = self._allowance(team, method)
        while (seconds := allowance.wait(self.clock())) > 0:
            await self.sleep(seconds)
        allowance.spend()

    def rest(self, team: str, method: str, seconds: float) -> None:
        """Heed a 429: nobody calls the method for so long."""
        self._allowance(team, method).rest(self.clock() + seconds)

    def slow_down(self, team: str, method: str, a_minute: float) -> None:
        """Call a method no more often than that for an hour: Slack allows this app no more."""
        self._allowance(team, method).change(a_minute)
        self._slow_until[team, method] = self.clock() + SLOW_SECONDS

    def is_slowed(self, team: str, method: str) -> bool:
        """Whether a method is called at such a pace now."""
        return self.clock() < self._slow_until.get((team, method), 0.0)

    def streaming_refused(self, place: str) -> None:
        """Remember for a while that a team or channel has no streaming."""
        self._refused_until[place] = self.clock() + REFUSED_SECONDS

    def may_stream(self, team: str, channel: str) -> bool:
        """Whether a stream may be tried there now."""
        now = self.clock()
        refused = any(self._refused_until.get(place, now) > now for place in (team, channel))
        return not refused and self.may_call(team, "chat.startStream")

    def _allowance(self, team: str, method: str) -> Allowance:
        usual, key = CALLS_A_MINUTE[method], (team, method)
        allowance = self._allowances.setdefault(key, Allowance(usual, self.clock()))
        if key in self._slow_until and self.clock() >= self._slow_until[key]:
            del self._slow_until[key]
            allowance.change(usual)
        return allowance
