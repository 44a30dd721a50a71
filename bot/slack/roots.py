"""A question that came by a command is posted: its message is the root of the answer's thread.

The question is in the database before that. Whoever takes it over looks for its root, by the turn's
id in the metadata, before posting one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.digests.request import read_request
from bot.errors import SlackError, SlackRefused, SlackUnreachable
from bot.slack.caller import RESENDS, next_cursor
from bot.slack.digest_titles import digest_root
from bot.slack.markdown import escape
from bot.slack.part import Part, metadata
from bot.slack.place import Place
from bot.slack.text import plain
from bot.slack.words import NOT_ASKED, NOT_DIGESTED, elsewhere_words
from bot.turns.question import Thread

if TYPE_CHECKING:
    from bot.slack.hints import Hints
    from bot.slack.identity import People
    from bot.slack.pacing import Pacing
    from bot.slack.place import Steps
    from bot.slack.web import SlackWeb
    from bot.turns.question import Question
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

ROOT = 0  # the part of a turn that its root is
LOOKED_THROUGH = 1_000  # messages of a channel, the newest first
PAGE = 200


@dataclass(frozen=True, slots=True)
class Roots:
    """Posts the roots of threads."""

    web: SlackWeb
    pacing: Pacing
    steps: Steps
    hints: Hints
    people: People

    async def place(self, turn: Turn) -> Question:
        """Post the question where it was asked, or in a direct message if that is not allowed.

        Returns the question with its thread. Raises a SlackError where it can be posted nowhere,
        of which the person is told.
        """
        try:
            return await self._place(turn)
        except SlackError as error:
            reference = f"{turn.id} {error.method} {error.code}"
            words = NOT_DIGESTED if turn.question.kind == "digest" else NOT_ASKED
            await self.hints.tell(turn.question, words.format(reference=reference))
            raise

    async def _place(self, turn: Turn) -> Question:
        may_be_there = any(sent.part == ROOT for sent in turn.sent)
        if not turn.question.thread.channel:
            return await self._directly(turn, may_be_there=may_be_there)
        try:
            return await self._placed(turn, may_be_there=may_be_there)
        except SlackRefused as refused:
            log.info("a command's question goes to a direct message", extra={"code": refused.code})
        question = await self._directly(turn, may_be_there=may_be_there)
        await self.hints.tell(question, elsewhere_words(await self._link(question.thread)))
        return question

    async def _directly(self, turn: Turn, *, may_be_there: bool) -> Question:
        """Post it in the direct message with the asker."""
        opened = await self.web.call("conversations.open", users=turn.question.user)
        direct = _within(turn, _string("conversations.open", opened.get("channel"), "id"))
        return await self._placed(direct, may_be_there=may_be_there)

    async def _placed(self, turn: Turn, *, may_be_there: bool) -> Question:
        for attempt in range(RESENDS):
            place = Place(self.web, self.pacing, self.steps, turn, "")
            try:
                ts = await self._found(turn) if may_be_there or attempt else None
                if ts is None:
                    ts = await self._posted(place)
                else:  # so that who posted it, and comes late, does not take it away
                    await self.steps.confirm(turn, ROOT, ts)
            except SlackUnreachable as error:
                if attempt == RESENDS - 1:
                    raise
                log.info("a question could not be posted yet", extra={"error": str(error)})
                await place.pause(attempt)
            else:
                thread = replace(turn.question.thread, thread_ts=ts)
                return replace(turn.question, thread=thread, ts=ts)
        raise AssertionError

    async def _posted(self, place: Place) -> str:
        question = place.question
        part = Part(place, ROOT)
        return await part.post(
            "chat.postMessage",
            streamed=False,
            text=await self._words(question),
            metadata=part.metadata,
            parse="none",
            unfurl_links=False,
            unfurl_media=False,
        )

    async def _words(self, question: Question) -> str:
        if question.kind == "digest":
            name = await self.people.name(question.user, self.web.call)
            return digest_root(read_request(question.text), name or "somebody")
        return f"<@{question.user}> asked: {escape(plain(question.text, {}))}"

    async def _found(self, turn: Turn) -> str | None:
        """Return the ts of the turn's root in the channel, if an earlier attempt has posted it."""
        cursor: str | None = None
        for _ in range(LOOKED_THROUGH // PAGE):
            answer = await self.web.call(
                "conversations.history",
                channel=turn.question.thread.channel,
                include_all_metadata=True,
                limit=PAGE,
                cursor=cursor,
            )
            for message in answer.get("messages") or ():
                if message.get("metadata") == metadata(turn, ROOT):
                    return str(message["ts"])
            cursor = next_cursor(answer)
            if not cursor:
                return None
        return None

    async def _link(self, thread: Thread) -> str:
        try:
            answer = await self.web.call(
                "chat.getPermalink", channel=thread.channel, message_ts=thread.thread_ts
            )
        except SlackError:
            return ""
        link = answer.get("permalink")
        return f"<{link}|here it is>" if link else ""


def _within(turn: Turn, channel: str) -> Turn:
    thread = Thread(team=turn.question.thread.team, channel=channel, thread_ts="")
    return replace(turn, question=replace(turn.question, thread=thread))


def _string(method: str, answer: Any, name: str) -> str:  # noqa: ANN401 - JSON
    """Return a field that the answer to a call must have; without it nobody knows what happened."""
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value:
        raise SlackUnreachable(method, f"no_{name}")
    return value
