"""One message of a reply, recorded around every call: intended, there, grown.

A record is made only while the turn is this process's. So what it may not record any more, it does
not show any more; and who takes the turn over knows what there is to be seen.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack.place import refusal
from bot.turns.question import OFF_THE_WEB
from bot.turns.turn import TurnLost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.slack.place import Json, Place
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

EVENT_TYPE = "footnote_answer"
READ_IN_SLACK = "read_in_slack"


@dataclass
class Part:
    """A message of a reply, by its number in it."""

    place: Place
    number: int
    streamed: bool = False  #: how it was posted, or was to be
    doubtful: bool = False  #: it was to be posted, and Slack's answer got lost

    @property
    def metadata(self) -> Json:
        """What the message carries, by which it is known again."""
        return metadata(self.place.turn, self.number)

    async def post(self, method: str, *, streamed: bool, **params: Any) -> str:  # noqa: ANN401 - JSON
        """Post it and return its ts.

        Raises SlackUnreachable where it stays unknown whether Slack has it: then it is looked for.
        """
        place, steps = self.place, self.place.steps
        self.streamed = streamed

        async def intend() -> None:
            await steps.intend(place.turn, self.number, streamed=streamed)

        try:
            answer = await place.call_now(method, intend, **params)
        except (SlackRefused, SlackRateLimited):
            await steps.forget(place.turn, self.number)
            self.doubtful = False  # who posts has looked for it before
            raise
        except SlackUnreachable:
            self.doubtful = True
            raise
        ts = str(answer.get("ts", ""))
        if not ts:
            self.doubtful = True
            raise SlackUnreachable(method, "no_ts")
        await self.confirm(ts)
        return ts

    async def find(self) -> str | None:
        """Look for it in the thread, and return its ts; others that came of it are taken away."""
        try:
            found = await self.place.unrecorded()
        except SlackRefused as error:
            log.warning("a lost message cannot be looked for", extra={"code": error.code})
            return None
        candidates: list[str] = [*found.get(self.number, ())]
        if self.streamed:
            candidates += found.get(None, ())
        for ts in candidates[:-1]:
            await remove(self.place, ts)
        if not candidates:
            return None
        await self.confirm(candidates[-1])
        return candidates[-1]

    async def confirm(self, ts: str) -> None:
        """Record that it is there. If it is no longer ours, it is taken away again."""
        try:
            await self.place.steps.confirm(self.place.turn, self.number, ts)
        except TurnLost:
            with contextlib.suppress(SlackError):
                if not await self._is_known(ts):
                    await remove(self.place, ts)
            raise
        self.doubtful = False

    async def _is_known(self, ts: str) -> bool:
        """Whether who has the turn by now goes on with it; a root by then begins the thread."""
        thread = self.place.question.thread
        begun = thread if thread.thread_ts else replace(thread, thread_ts=ts)
        known = self.place.steps.known
        return ts in await known(thread) or (begun != thread and ts in await known(begun))

    async def call(
        self,
        method: str,
        delivered: int,
        lost: Callable[[], None] = lambda: None,
        **params: Any,  # noqa: ANN401 - JSON
    ) -> None:
        """Call a method that changes it, until Slack answers; `delivered` characters are there.

        Raises MessageFull or StoppedByUser where it takes no more.
        """

        async def deliver() -> None:
            await self.place.steps.deliver(self.place.turn, self.number, delivered)

        try:
            await self.place.call_until_heard(method, deliver, lost, **params)
        except SlackRefused as error:
            raise refusal(error) from error

    async def drop(self, ts: str) -> None:
        """Take it away: an earlier attempt needed more messages than this one."""

        async def deliver() -> None:
            await self.place.steps.deliver(self.place.turn, self.number, 0)

        await remove(self.place, ts, deliver)
        await self.place.steps.forget(self.place.turn, self.number)


async def _nothing() -> None:
    """Record nothing: what is taken away is in no record."""


async def remove(place: Place, ts: str, before: Callable[[], Awaitable[None]] = _nothing) -> None:
    """Take a message away, be it a stream that still runs."""
    for method in ("chat.stopStream", "chat.delete"):
        try:
            await place.call_until_heard(method, before, ts=ts)
        except SlackRefused as error:
            log.info("not to be taken away", extra={"method": method, "code": error.code})


def metadata(turn: Turn, part: int) -> Json:
    """Return the metadata of a turn's message; part 0 is the root that a command posts.

    What was read in Slack says so: whoever reads the thread later keeps that off the web.
    """
    payload: Json = {"turn": turn.id, "part": part}
    if turn.question.kind in OFF_THE_WEB:
        payload[READ_IN_SLACK] = True
    return {"event_type": EVENT_TYPE, "event_payload": payload}
