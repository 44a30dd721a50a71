"""Where a reply goes, and the calls that are made there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.errors import StoppedByUser
from bot.slack.caller import Caller, next_cursor, nothing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.errors import SlackRefused
    from bot.slack.pacing import Pacing
    from bot.slack.web import SlackWeb
    from bot.turns.question import Question, Thread
    from bot.turns.turn import Turn

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
TS_CHARACTERS = 17  # of Slack's ts; that of research asked with a button has one more
PAGE_OF_REPLIES = 200  # messages of a thread read at once


class MessageFull(Exception):
    """The message takes no more: what was refused belongs into the next one."""


class Steps(Protocol):
    """What is recorded of a turn's messages. Raises TurnLost where they are no longer ours."""

    async def intend(self, turn: Turn, part: int, *, streamed: bool) -> None:
        """Record that a message is about to be posted."""
        ...

    async def confirm(self, turn: Turn, part: int, ts: str) -> None:
        """Record that Slack has it, under this ts."""
        ...

    async def deliver(self, turn: Turn, part: int, characters: int) -> None:
        """Record how much text Slack has of it, before it is given more."""
        ...

    async def forget(self, turn: Turn, part: int) -> None:
        """Record that it is not there."""
        ...

    async def known(self, thread: Thread) -> frozenset[str]:
        """Return the ts of all messages that turns of this thread are known to have there."""
        ...


@dataclass
class Place:
    """Where a reply goes, and the way there."""

    web: SlackWeb
    pacing: Pacing
    steps: Steps
    turn: Turn
    bot_user: str

    @property
    def question(self) -> Question:
        """What is answered there."""
        return self.turn.question

    @property
    def team(self) -> str:
        """The workspace whose allowance is used."""
        return self.question.thread.team

    async def call(self, method: str, before: Callable[[], Awaitable[None]], **params: Any) -> Json:  # noqa: ANN401 - JSON
        """Call a method in its turn, and again after a 429.

        The channel goes with it, unless it is given as None, for a method that takes none.
        """
        return await self._caller.call(method, before, **self._here(params))

    async def call_now(
        self,
        method: str,
        before: Callable[[], Awaitable[None]],
        **params: Any,  # noqa: ANN401 - JSON
    ) -> Json:
        """Call a method in its turn, right after `before`; a 429 is heeded by all, and raised."""
        return await self._caller.once(method, before, **self._here(params))

    async def call_until_heard(
        self,
        method: str,
        before: Callable[[], Awaitable[None]],
        lost: Callable[[], None] = lambda: None,
        **params: Any,  # noqa: ANN401 - JSON
    ) -> Json:
        """Call a method that may be repeated until Slack answers; `lost` is told of each miss."""
        return await self._caller.until_heard(method, before, lost, **self._here(params))

    async def pause(self, attempt: int) -> None:
        """Wait before another attempt, longer each time."""
        await self._caller.pause(attempt)

    @property
    def _caller(self) -> Caller:
        return Caller(self.web, self.pacing, self.team)

    def _here(self, params: Json) -> Json:
        return {"channel": self.question.thread.channel} | params

    async def unrecorded(self) -> dict[int | None, list[str]]:
        """Find this turn's messages in the thread that no record knows, as ts by their part.

        A message says in its metadata which part it is; a stream has none until it is stopped, so
        of such the part is None: it is the bot's own, since the question, and nobody's else.
        """
        known = await self.steps.known(self.question.thread)
        found: dict[int | None, list[str]] = {}
        for message in await self.replies():
            ts = message.get("ts")
            if message.get("user") == self.bot_user and isinstance(ts, str) and ts not in known:
                part = self._part_of(message)
                if part is not False:
                    found.setdefault(part, []).append(ts)
        return found

    def _part_of(self, message: Json) -> int | Literal[False] | None:
        """Return which part of this turn a message is, None for nobody's, False for another's."""
        metadata = message.get("metadata")
        if message.get("files"):  # which carry no metadata: files.py knows them by their names
            return False
        if not metadata:
            return None
        payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
        if not isinstance(payload, dict) or payload.get("turn") != self.turn.id:
            return False
        part = payload.get("part")
        return part if isinstance(part, int) else False

    async def replies(self) -> Sequence[Json]:
        """Return the thread's messages since the question, without its root."""
        thread = self.question.thread
        messages: list[Json] = []
        cursor: str | None = None
        while True:
            answer = await self.call_until_heard(
                "conversations.replies",
                nothing,
                ts=thread.thread_ts,
                oldest=self.question.ts[:TS_CHARACTERS],
                include_all_metadata=True,
                limit=PAGE_OF_REPLIES,
                cursor=cursor,
            )
            page = answer.get("messages") or []
            messages += [m for m in page if isinstance(m, dict) and m.get("ts") != thread.thread_ts]
            cursor = next_cursor(answer)
            if not cursor:
                return messages


def refusal(error: SlackRefused) -> Exception:
    """Say what a refusal means for the message that was to grow."""
    if error.code == "stopped_by_user":
        return StoppedByUser()
    return MessageFull() if error.code in FULL_OR_GONE else error
