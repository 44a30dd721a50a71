"""A question that came by a command is posted: its message is the root of the answer's thread.

The question is in the database before that. Whoever takes it over looks for its root, by the turn's
id in the metadata, before posting one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.digests.request import read_request
from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack.caller import RESENDS, Caller, next_cursor
from bot.slack.digest_titles import digest_root
from bot.slack.markdown import escape
from bot.slack.part import Part, metadata
from bot.slack.place import Place
from bot.slack.text import plain
from bot.slack.words import NOT_ASKED, NOT_DIGESTED, elsewhere_words
from bot.turns.question import Thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.slack.hints import Hints
    from bot.slack.identity import People
    from bot.slack.pacing import Pacing
    from bot.slack.place import Steps
    from bot.slack.web import SlackWeb
    from bot.turns.question import Question
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

ROOT = 0  # the part of a turn that its root is
PAGE = 200
SKEW = timedelta(minutes=10)  # by which Slack's clock may be behind ours


@dataclass(frozen=True, slots=True)
class Roots:
    """Posts the roots of threads."""

    web: SlackWeb
    pacing: Pacing
    steps: Steps
    hints: Hints
    people: People
    now: Callable[[], datetime]

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
        if not turn.question.thread.channel:
            return await self._directly(turn)
        try:
            return await self._placed(turn)
        except SlackRefused as refused:
            log.info("a command's question goes to a direct message", extra={"code": refused.code})
        question = await self._directly(turn)
        await self.hints.tell(question, elsewhere_words(await self._link(question.thread)))
        return question

    async def _directly(self, turn: Turn) -> Question:
        """Post it in the direct message with the asker."""
        method, user = "conversations.open", turn.question.user
        opened = await self._caller(turn).until_heard(method, users=user)
        return await self._placed(_within(turn, _string(method, opened.get("channel"), "id")))

    async def _placed(self, turn: Turn) -> Question:
        place = Place(self.web, self.pacing, self.steps, turn, "")
        earlier = next((sent for sent in turn.sent if sent.part == ROOT), None)
        since = self.now() if earlier is None else earlier.intended_at
        part = Part(place, ROOT, doubtful=earlier is not None)
        for attempt in range(RESENDS):
            try:
                ts = await self._found(turn, since) if part.doubtful else None
                if ts is None:
                    ts = await self._posted(part)
                else:  # so that who posted it, and comes late, does not take it away
                    await self.steps.confirm(turn, ROOT, ts)
            except (SlackUnreachable, SlackRateLimited) as error:
                if attempt == RESENDS - 1:
                    raise
                log.info("a question could not be posted yet", extra={"error": str(error)})
                await place.pause(attempt)
            else:
                thread = replace(turn.question.thread, thread_ts=ts)
                return replace(turn.question, thread=thread, ts=ts)
        raise AssertionError

    async def _posted(self, part: Part) -> str:
        question = part.place.question
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

    async def _found(self, turn: Turn, since: datetime | None) -> str | None:
        """Return the ts of the turn's root in the channel, if an earlier attempt has posted it.

        It is looked for among what came since it was first to be posted: that may be read at 15
        messages a minute.
        """
        cursor: str | None = None
        while True:
            answer = await self._caller(turn).until_heard(
                "conversations.history",
                channel=turn.question.thread.channel,
                oldest=since and f"{(since - SKEW).timestamp():.6f}",
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

    def _caller(self, turn: Turn) -> Caller:
        return Caller(self.web, self.pacing, turn.question.thread.team)

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
