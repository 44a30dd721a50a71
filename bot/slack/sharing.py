"""A digest that somebody has as a direct message is shared in the channel that it is about, once.

Its messages are read in its thread and posted again, so that it says there what it says here. Each
says in its metadata which part of which digest it is: so to share twice is to share once, and what
a press that was cut off has left out is posted with the next. What was shared is a digest of its
own thread from then on, which can be asked about there.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from bot.digests.admission import NotAdmitted
from bot.digests.request import read_request
from bot.errors import SlackError, SlackRefused, SlackUnreachable
from bot.slack.asker import chosen_by, whisper
from bot.slack.blocks import context, grouped
from bot.slack.caller import Caller, next_cursor
from bot.slack.markdown import escape
from bot.slack.part import EVENT_TYPE, READ_IN_SLACK
from bot.turns.question import Thread

if TYPE_CHECKING:
    from bot.digests.admission import Admission
    from bot.slack.identity import People
    from bot.slack.pacing import Pacing
    from bot.slack.web import SlackWeb
    from bot.turns.question import Question

log = logging.getLogger(__name__)

Json = dict[str, Any]

FIRST = -2  # the part that a digest begins with where it is shared; the next ones are below that
PAGE, PAGES = 200, 5  # of the channel's newest messages, where a press that was cut off left it
RIVAL_SECONDS = 60  # before one's own post, in which another process may have posted it
SHARED = "The digest is shared."
SHARED_BEFORE = "This digest was shared before."
NOT_SHARED = "Slack did not let me share this digest there ({code})."
NOTHING_THERE = (
    "I found nothing of this digest in its thread any more, so there is nothing to share."
)
NOT_FINISHED = "This digest is not finished yet. Press again in a moment."
NOT_YOURS = "Only the person who asked for this digest can share it."


class Turns(Protocol):
    """What is known of turns."""

    async def question(self, turn_id: int) -> Question | None:
        """Return what was asked with a turn."""
        ...

    async def is_answered(self, turn_id: int) -> bool:
        """Whether there is a whole answer to it."""
        ...

    async def shared_in(self, turn_id: int, channel: str) -> str | None:
        """Return the ts of the thread that a digest was shared in; None where it was not."""
        ...

    async def keep_shared(self, turn_id: int, thread: Thread) -> None:
        """Record that a digest can be asked about in another thread too; twice is once."""
        ...


@dataclass(frozen=True, slots=True)
class Sharing:
    """Posts digests again where everybody in their channel sees them."""

    web: SlackWeb
    pacing: Pacing
    turns: Turns
    admission: Admission
    people: People
    _locks: WeakValueDictionary[int, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, init=False
    )

    async def share(self, body: Json, turn_id: int) -> None:
        """Share a digest in its channel for who pressed the button, and tell them."""
        question = await self.turns.question(turn_id)
        if question is None or question.kind != "digest":
            return
        user = chosen_by(body).user
        lock = self._locks.setdefault(turn_id, asyncio.Lock())
        async with lock:  # of two presses, the second one finds what the first posted
            words = await self._shared(question, turn_id, user)
        await whisper(self.web, question.thread, user, text=words)

    async def _shared(self, question: Question, turn_id: int, user: str) -> str:
        if user != question.user:
            return NOT_YOURS
        if not await self.turns.is_answered(turn_id):
            return NOT_FINISHED
        channel, team = read_request(question.text).channel, question.thread.team
        caller = Caller(self.web, self.pacing, team)
        known = await self.turns.shared_in(turn_id, channel)
        post = _Post(caller, channel, turn_id, question.ts, known)
        try:
            await self.admission.check(team, user, channel, channel)
            messages = await self._messages(caller, question, turn_id)
            if not messages:
                return NOTHING_THERE
            name = await self.people.name(user, caller.until_heard)
            (head, *below), *rest = messages
            by = context(f"Shared by {escape(name or 'a member')}")
            root, is_new = await post.whole([*grouped([head, by, *below]), *rest])
        except NotAdmitted as refused:
            return refused.public
        except SlackError as error:
            log.warning("a digest could not be shared", extra={"turn": turn_id, "code": error.code})
            return NOT_SHARED.format(code=error.code)
        await self.turns.keep_shared(turn_id, Thread(team=team, channel=channel, thread_ts=root))
        return SHARED if is_new else SHARED_BEFORE

    async def _messages(self, caller: Caller, question: Question, turn_id: int) -> list[list[Json]]:
        """Read the digest's messages, without their buttons."""
        thread = question.thread
        answer = await caller.until_heard(
            "conversations.replies",
            channel=thread.channel,
            ts=thread.thread_ts,
            include_all_metadata=True,
            limit=PAGE,
        )
        found = (
            [block for block in message.get("blocks") or () if block.get("type") != "actions"]
            for message in answer.get("messages") or ()
            if _part(message, turn_id) > 0
        )
        return [blocks for blocks in found if blocks]


@dataclass(frozen=True, slots=True)
class _Post:
    """The messages of a digest in its channel, found or posted."""

    caller: Caller
    channel: str
    turn_id: int
    since: str  #: the ts before which it was not shared
    known: str | None  #: the ts of its first message, where that is recorded
    posted: list[str] = field(default_factory=list)  #: by this press

    async def whole(self, messages: list[list[Json]]) -> tuple[str, bool]:
        """Have all messages there; return the ts of the first, and whether any was missing.

        Where Slack refuses one, those that were posted now are taken away.
        """
        first, *others = messages
        try:
            root = self.known
            there = await self._below(root) if root else []
            if root is None or FIRST not in there:  # it was not shared, or that is gone by now
                root = await self._root(first)
                there = await self._below(root)
            is_whole = there.count(FIRST) > 1  # as an older version has marked all of them
            for number, blocks in enumerate(others, 1):
                if FIRST - number not in there and not is_whole:
                    await self._put(FIRST - number, blocks, thread_ts=root)
        except SlackError:
            await self._take_away()
            raise
        return root, bool(self.posted)

    async def _root(self, blocks: list[Json]) -> str:
        """Find the first message, or post it. Of two that were posted at once the earlier stays."""
        if (found := await self._found(FIRST, oldest=self.since)) is not None:
            return found
        ts = await self._put(FIRST, blocks)
        seconds, _, fraction = ts.partition(".")
        before = f"{int(seconds) - RIVAL_SECONDS}.{fraction}"
        earliest = await self._found(FIRST, oldest=before) or ts
        if earliest < ts:
            await self._take_away()
        return min(earliest, ts)

    async def _below(self, root: str) -> list[int]:
        """Return which parts stand in a thread; none where it is gone."""
        try:
            there = await self._there("conversations.replies", ts=root)
        except SlackRefused as error:
            log.info("a shared digest is not there any more", extra={"code": error.code})
            return []
        return [part for part, _ in there]

    async def _found(self, part: int, **since: str) -> str | None:
        """Return the ts of a part in the channel; of one that is there twice the earlier."""
        there = await self._there("conversations.history", **since)
        return min((ts for number, ts in there if number == part), default=None)

    async def _there(self, method: str, **params: Any) -> list[tuple[int, str]]:  # noqa: ANN401 - JSON
        """Return what is there of it: parts, each with its ts."""
        found: list[tuple[int, str]] = []
        cursor: str | None = None
        for _ in range(PAGES):
            answer = await self.caller.until_heard(
                method,
                channel=self.channel,
                include_all_metadata=True,
                limit=PAGE,
                cursor=cursor,
                **params,
            )
            messages = answer.get("messages") or ()
            parts = [(_part(each, self.turn_id), str(each.get("ts"))) for each in messages]
            found += [each for each in parts if each[0] <= FIRST]
            cursor = next_cursor(answer)
            if cursor is None:
                break
        return found

    async def _put(self, part: int, blocks: list[Json], thread_ts: str | None = None) -> str:
        """Post a message; one whose answer got lost is looked for."""
        try:
            answer = await self.caller.call(
                "chat.postMessage",
                channel=self.channel,
                thread_ts=thread_ts,
                text="A digest of this channel",
                blocks=blocks,
                metadata=_metadata(self.turn_id, part),
                parse="none",
                unfurl_links=False,
                unfurl_media=False,
            )
        except SlackUnreachable:
            where = {"ts": thread_ts} if thread_ts else {"oldest": self.since}
            method = "conversations.replies" if thread_ts else "conversations.history"
            there = dict(await self._there(method, **where))
            if part not in there:
                raise
            answer = {"ts": there[part]}
        ts = str(answer.get("ts"))
        self.posted.append(ts)
        return ts

    async def _take_away(self) -> None:
        while self.posted:
            ts = self.posted.pop()
            try:
                await self.caller.until_heard("chat.delete", channel=self.channel, ts=ts)
            except SlackError as error:
                log.warning("a shared digest is there in part", extra={"code": error.code})


def _metadata(turn_id: int, part: int) -> Json:
    return {
        "event_type": EVENT_TYPE,
        "event_payload": {"turn": turn_id, "part": part, READ_IN_SLACK: True},
    }


def _part(message: Json, turn_id: int) -> int:
    """Return which part of this turn a message is; 0 for none that says something."""
    metadata = message.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    if not isinstance(payload, dict) or payload.get("turn") != turn_id:
        return 0
    part = payload.get("part")
    return part if isinstance(part, int) else 0
