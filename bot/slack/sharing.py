"""A digest that somebody has as a direct message is shared in the channel that it is about, once.

Its messages are read in its thread and posted again, so that it says there what it says here. What
was shared is known by the turn in its metadata, so to share twice is to share once, and whoever
pressed the button and was cut off can press again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bot.digests.admission import NotAdmitted
from bot.digests.request import read_request
from bot.errors import SlackError
from bot.slack.asker import chosen_by, whisper
from bot.slack.blocks import context, grouped
from bot.slack.caller import Caller, next_cursor
from bot.slack.markdown import escape
from bot.slack.part import EVENT_TYPE, READ_IN_SLACK

if TYPE_CHECKING:
    from bot.digests.admission import Admission
    from bot.slack.identity import People
    from bot.slack.pacing import Pacing
    from bot.slack.web import SlackWeb
    from bot.turns.question import Question

log = logging.getLogger(__name__)

Json = dict[str, Any]

PAGE, PAGES = 200, 5  # of the channel's messages, among which it may be already
SHARED = "The digest is shared."
SHARED_BEFORE = "This digest was shared before."
NOT_SHARED = "Slack did not let me share this digest there ({code})."
NOTHING_THERE = (
    "I found nothing of this digest in its thread any more, so there is nothing to share."
)
NOT_YOURS = "Only the person who asked for this digest can share it."


class Turns(Protocol):
    """What is known of turns."""

    async def question(self, turn_id: int) -> Question | None:
        """Return what was asked with a turn."""
        ...


@dataclass(frozen=True, slots=True)
class Sharing:
    """Posts digests again where everybody in their channel sees them."""

    web: SlackWeb
    pacing: Pacing
    turns: Turns
    admission: Admission
    people: People
    _one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def share(self, body: Json, turn_id: int) -> None:
        """Share a digest in its channel for who pressed the button, and tell them."""
        question = await self.turns.question(turn_id)
        if question is None or question.kind != "digest":
            return
        user = chosen_by(body).user
        async with self._one_by_one:  # of two presses, the second one finds what the first posted
            words = await self._shared(question, turn_id, user)
        await whisper(self.web, question.thread, user, text=words)

    async def _shared(self, question: Question, turn_id: int, user: str) -> str:
        if user != question.user:
            return NOT_YOURS
        request = read_request(question.text)
        team = question.thread.team
        caller = Caller(self.web, self.pacing, team)
        try:
            await self.admission.check(team, user, request.channel, request.channel)
            if await self._found(caller, request.channel, turn_id):
                return SHARED_BEFORE
            name = await self.people.name(user, caller.until_heard)
            by = context(f"Shared by {escape(name or 'a member')}")
            messages = await self._messages(caller, question, turn_id)
            if not messages:
                return NOTHING_THERE
            (head, *below), *rest = messages
            messages = [*grouped([head, by, *below]), *rest]
            is_shared = await self._posted(caller, request.channel, turn_id, messages)
        except NotAdmitted as refused:
            return refused.public
        except SlackError as error:
            log.warning("a digest could not be shared", extra={"turn": turn_id, "code": error.code})
            return NOT_SHARED.format(code=error.code)
        return SHARED if is_shared else SHARED_BEFORE

    async def _posted(
        self, caller: Caller, channel: str, turn_id: int, messages: list[list[Json]]
    ) -> bool:
        """Post all messages, or none: what is there in part is taken away.

        False where another process has posted them after another press: the first post stays.
        """
        posted: list[str] = []
        try:
            for blocks in messages:
                posted.append(await self._post(caller, channel, turn_id, blocks, *posted[:1]))
                if blocks is messages[0] and await self._is_late(caller, channel, turn_id, *posted):
                    await self._take_away(caller, channel, posted)
                    return False
        except SlackError:
            await self._take_away(caller, channel, posted)
            raise
        return True

    async def _is_late(self, caller: Caller, channel: str, turn_id: int, ts: str) -> bool:
        return min([ts, *await self._found(caller, channel, turn_id)]) < ts

    async def _take_away(self, caller: Caller, channel: str, posted: list[str]) -> None:
        for ts in reversed(posted):
            try:
                await caller.until_heard("chat.delete", channel=channel, ts=ts)
            except SlackError as error:
                log.warning("a shared digest is there in part", extra={"code": error.code})

    async def _found(self, caller: Caller, channel: str, turn_id: int) -> list[str]:
        """Return the ts of where it was shared in the channel lately."""
        found: list[str] = []
        cursor: str | None = None
        for _ in range(PAGES):
            answer = await caller.until_heard(
                "conversations.history",
                channel=channel,
                include_all_metadata=True,
                limit=PAGE,
                cursor=cursor,
            )
            messages = answer.get("messages") or ()
            found += [str(m["ts"]) for m in messages if m.get("metadata") == _metadata(turn_id)]
            cursor = next_cursor(answer)
            if cursor is None:
                break
        return found

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

    async def _post(
        self,
        caller: Caller,
        channel: str,
        turn_id: int,
        blocks: list[Json],
        thread_ts: str | None = None,
    ) -> str:
        answer = await caller.call(
            "chat.postMessage",
            channel=channel,
            thread_ts=thread_ts,
            text="A digest of this channel",
            blocks=blocks,
            metadata=_metadata(turn_id),
            parse="none",
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer.get("ts"))


def _metadata(turn_id: int) -> Json:
    return {
        "event_type": EVENT_TYPE,
        "event_payload": {"turn": turn_id, "part": -2, READ_IN_SLACK: True},
    }


def _part(message: Json, turn_id: int) -> int:
    """Return which part of this turn a message is; 0 for none that says something."""
    metadata = message.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    if not isinstance(payload, dict) or payload.get("turn") != turn_id:
        return 0
    part = payload.get("part")
    return part if isinstance(part, int) else 0
