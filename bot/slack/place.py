"""Where a reply goes, and calls that are made there in their turn until Slack has answered."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable, StoppedByUser

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.slack.pacing import Pacing
    from bot.slack.web import SlackWeb
    from bot.turns.question import Question

log = logging.getLogger(__name__)

Json = dict[str, Any]

# Slack's method pages, and what third parties have met beside them.
FULL_OR_GONE = frozenset(
    {
        "msg_too_long",
        "msg_blocks_too_long",
        "msg_blocks_too_many",
        "message_not_in_streaming_state",
        "message_not_found",
        "message_not_owned_by_app",
    }
)
RESENDS = 5  # of one call, after 429 or without an answer
PAUSE_SECONDS = 0.5  # after the first call without an answer; doubled each time
LONGEST_PAUSE_SECONDS = 5.0


class MessageFull(Exception):
    """The message takes no more: what was refused belongs into the next one."""


@dataclass
class Place:
    """Where a reply goes, and the way there."""

    web: SlackWeb
    pacing: Pacing
    question: Question

    @property
    def team(self) -> str:
        """The workspace whose allowance is used."""
        return self.question.thread.team

    async def call(self, method: str, **params: object) -> Json:
        """Call a method in its turn, and again after a 429."""
        for _ in range(RESENDS - 1):
            with contextlib.suppress(SlackRateLimited):
                return await self.call_now(method, **params)
        return await self.call_now(method, **params)

    async def call_now(self, method: str, **params: object) -> Json:
        """Call a method in its turn; a 429 is heeded by all, and raised."""
        await self.pacing.turn(self.team, method)
        try:
            return await self.web.call(method, channel=self.question.thread.channel, **params)
        except SlackRateLimited as error:
            log.info("slack slows us down", extra={"method": method, "s": error.retry_after})
            self.pacing.rest(self.team, method, error.retry_after)
            raise

    async def call_until_heard(
        self, method: str, lost: Callable[[], None] = lambda: None, **params: object
    ) -> Json:
        """Call a method that may be repeated until Slack answers; `lost` is told of each miss."""
        for attempt in range(RESENDS - 1):
            try:
                return await self.call(method, **params)
            except SlackUnreachable as error:
                log.info("slack's answer got lost", extra={"error": str(error)})
                lost()
                await self.pause(attempt)
        return await self.call(method, **params)

    async def pause(self, attempt: int) -> None:
        """Wait before another attempt, longer each time."""
        await self.pacing.sleep(min(PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS))

    async def find_stream(self) -> str | None:
        """Return the ts of a stream that runs in the thread since the question, if there is one.

        A thread has one turn at a time, and a reply one stream, so it is the one looked for.
        """
        thread = self.question.thread
        answer = await self.web.call(
            "conversations.replies",
            channel=thread.channel,
            ts=thread.thread_ts,
            oldest=self.question.ts,
        )
        messages = answer.get("messages") or []
        running = [m["ts"] for m in messages if m.get("streaming_state") == "in_progress"]
        return str(running[-1]) if running else None


def refusal(error: SlackRefused) -> Exception:
    """Say what a refusal means for the message that was to grow."""
    if error.code == "stopped_by_user":
        return StoppedByUser()
    return MessageFull() if error.code in FULL_OR_GONE else error
