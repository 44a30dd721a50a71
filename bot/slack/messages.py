"""One message of a reply, in the two ways in which Slack lets it grow."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable, StoppedByUser
from bot.slack.markdown import notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.pacing import Pacing
    from bot.slack.web import SlackWeb
    from bot.turns.question import Question

log = logging.getLogger(__name__)

Json = dict[str, Any]

# Slack's method pages, and what third parties have met beside them.
NO_STREAMING_IN_TEAM = frozenset(
    {"unknown_method", "feature_not_enabled", "missing_scope", "method_deprecated"}
)
NO_STREAMING_IN_CHANNEL = frozenset({"channel_type_not_supported", "messages_tab_disabled"})
NO_STREAMING_NOW = frozenset(
    {"missing_recipient_user_id", "missing_recipient_team_id", "user_not_found", "team_not_found"}
)
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


class MessageFull(Exception):
    """The message takes no more: what was refused belongs into the next one."""


@dataclass(frozen=True, slots=True)
class Task:
    """A step of the work, shown as a card."""

    id: str
    title: str  #: at most 120 characters, plain
    status: Literal["pending", "in_progress", "complete", "error"]

    @property
    def chunk(self) -> Json:
        """The card as a chunk of a stream."""
        return {"type": "task_update", "id": self.id, "title": self.title, "status": self.status}


@dataclass(frozen=True, slots=True)
class Growth:
    """What is added to a message at once."""

    text: str = ""
    tasks: tuple[Task, ...] = ()
    plan: str = ""  #: the new title of the plan

    def __bool__(self) -> bool:
        return bool(self.text or self.tasks or self.plan)

    @property
    def chunks(self) -> list[Json]:
        """The growth as chunks of a stream."""
        plan = [{"type": "plan_update", "title": self.plan}] if self.plan else []
        text = [{"type": "markdown_text", "text": self.text}] if self.text else []
        return [*plan, *(task.chunk for task in self.tasks), *text]


class Message(Protocol):
    """A message of the bot that grows. Raises MessageFull, StoppedByUser or a SlackError."""

    streamed: bool
    opened_at: float

    async def append(self, growth: Growth) -> None:
        """Add to it; when this returns, Slack has it."""
        ...

    async def close(self, growth: Growth, blocks: Sequence[Json], metadata: Json) -> None:
        """Add the last of it, and what stands below the text."""
        ...


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
        """Call a method in its turn; a 429 is waited out, as is a lost answer where `again`."""
        for _ in range(RESENDS):
            await self.pacing.turn(self.team, method)
            try:
                return await self.web.call(method, channel=self.question.thread.channel, **params)
            except SlackRateLimited as error:
                log.info("slack slows us down", extra={"method": method, "s": error.retry_after})
                self.pacing.rest(self.team, method, error.retry_after)
        raise SlackRefused(method, "ratelimited")

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


@dataclass
class StreamedMessage:
    """A message that grows by Slack's own streaming."""

    place: Place
    ts: str
    opened_at: float
    streamed: bool = True
    _text: str = ""
    _uncertain: bool = False

    @classmethod
    async def open(cls, place: Place, growth: Growth) -> StreamedMessage:
        """Start a stream in the thread."""
        question = place.question
        # In a channel both recipients are required, in a direct message some apps need them too.
        # The team is the asker's, which under Slack Connect is not the bot's.
        try:
            answer = await place.call(
                "chat.startStream",
                thread_ts=question.thread.thread_ts,
                recipient_user_id=question.user,
                recipient_team_id=question.user_team,
                task_display_mode="plan",
                chunks=growth.chunks or None,
            )
        except SlackUnreachable:
            answer = {"ts": await place.find_stream()}  # Slack may have started it
            if answer["ts"] is None:
                raise
        return cls(place, str(answer["ts"]), place.pacing.clock(), _text=growth.text)

    async def append(self, growth: Growth) -> None:
        """Append to the stream."""
        await self._call("chat.appendStream", growth, chunks=growth.chunks)

    async def close(self, growth: Growth, blocks: Sequence[Json], metadata: Json) -> None:
        """Stop the stream; repair the message if it is not certain what Slack took."""
        below = {"blocks": list(blocks) or None, "metadata": metadata, "session_status": "active"}
        await self._call("chat.stopStream", growth, chunks=growth.chunks or None, **below)
        if self._uncertain:
            await self._repair(blocks, metadata)

    async def _call(self, method: str, growth: Growth, **params: object) -> None:
        for attempt in range(RESENDS):
            try:
                await self.place.call(method, ts=self.ts, **params)
            except SlackUnreachable:
                # Slack may have it or not. It is sent again, and the whole text is set at the end.
                self._uncertain = True
                if attempt == RESENDS - 1:
                    raise
                await self.place.pacing.sleep(min(0.5 * 2**attempt, 5.0))
            except SlackRefused as error:
                if method == "chat.stopStream" and self._uncertain and error.code in FULL_OR_GONE:
                    break  # the call whose answer was lost had stopped it
                raise _translated(error) from error
            else:
                break
        self._text += growth.text

    async def _repair(self, blocks: Sequence[Json], metadata: Json) -> None:
        await self.place.call(
            "chat.update",
            ts=self.ts,
            text=notification(self._text),
            blocks=[*_markdown_blocks(self._text), *blocks],
            metadata=metadata,
        )


@dataclass
class PostedMessage:
    """A message that is posted and then replaced by a longer one, where there is no streaming."""

    place: Place
    ts: str
    opened_at: float
    streamed: bool = False
    _text: str = ""
    _tasks: dict[str, Task] = field(default_factory=dict)
    _plan: str = ""

    @classmethod
    async def open(cls, place: Place, growth: Growth) -> PostedMessage:
        """Post the message into the thread."""
        message = cls(place, "", place.pacing.clock())
        message._grow(growth)
        answer = await place.call(
            "chat.postMessage",
            thread_ts=place.question.thread.thread_ts,
            unfurl_links=False,
            unfurl_media=False,
            **message._content(()),
        )
        message.ts = str(answer["ts"])
        return message

    async def append(self, growth: Growth) -> None:
        """Replace the message by a longer one."""
        await self._update(growth, (), None)

    async def close(self, growth: Growth, blocks: Sequence[Json], metadata: Json) -> None:
        """Replace the message by the whole one."""
        self._tasks = {}
        await self._update(Growth(text=growth.text, plan=growth.plan), blocks, metadata)

    async def _update(self, growth: Growth, blocks: Sequence[Json], metadata: Json | None) -> None:
        before = self._text, dict(self._tasks), self._plan
        self._grow(growth)
        try:
            await self._set(self._content(blocks), metadata)
        except MessageFull:
            self._text, self._tasks, self._plan = before
            raise

    async def _set(self, content: Json, metadata: Json | None) -> None:
        for attempt in range(RESENDS):
            try:
                await self.place.call("chat.update", ts=self.ts, metadata=metadata, **content)
            except SlackUnreachable:  # a repeat sets the same text again, so it does no harm
                if attempt == RESENDS - 1:
                    raise
                await self.place.pacing.sleep(min(0.5 * 2**attempt, 5.0))
            except SlackRefused as error:
                raise _translated(error) from error
            else:
                return

    def _grow(self, growth: Growth) -> None:
        self._text += growth.text
        self._tasks |= {task.id: task for task in growth.tasks}
        self._plan = growth.plan or self._plan

    def _content(self, blocks: Sequence[Json]) -> Json:
        running = [task.title for task in self._tasks.values() if task.status == "in_progress"]
        status = running[-1] if running else self._plan
        shown = self._text or ("" if blocks else f"_{status or 'Working on it'}…_")
        return {
            "text": notification(shown) or "Answer",
            "blocks": [*_markdown_blocks(shown), *blocks],
        }


async def open_message(place: Place, growth: Growth) -> Message:
    """Open the next message of a reply, trying again where Slack could not be reached."""
    for attempt in range(RESENDS - 1):
        try:
            return await _open_message(place, growth)
        except SlackUnreachable as error:
            log.info("no message could be opened yet", extra={"error": str(error)})
            await place.pacing.sleep(min(0.5 * 2**attempt, 5.0))
    return await _open_message(place, growth)


async def _open_message(place: Place, growth: Growth) -> Message:
    """Open a streamed message where Slack lets us, else post one."""
    thread, pacing = place.question.thread, place.pacing
    if pacing.may_stream(thread.team, thread.channel):
        try:
            return await StreamedMessage.open(place, growth)
        except SlackRefused as error:
            if error.code in NO_STREAMING_IN_TEAM:
                pacing.streaming_refused(thread.team)
            elif error.code in NO_STREAMING_IN_CHANNEL:
                pacing.streaming_refused(thread.channel)
            elif error.code not in NO_STREAMING_NOW | {"ratelimited"}:
                raise
            log.info("no stream here, posting instead", extra={"code": error.code})
    return await PostedMessage.open(place, growth)


def _markdown_blocks(text: str) -> list[Json]:
    return [{"type": "markdown", "text": text}] if text.strip() else []


def _translated(error: SlackRefused) -> Exception:
    if error.code == "stopped_by_user":
        return StoppedByUser()
    return MessageFull() if error.code in FULL_OR_GONE else error
