"""Opens replies, and leaves none of them spinning."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.slack.place import Place
from bot.slack.reply import ThreadReply
from bot.slack.text import plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.slack.agent import Agent
    from bot.slack.pacing import Pacing
    from bot.slack.web import SlackWeb
    from bot.turns.question import Question
    from bot.turns.turn import Turn


class Replies:
    """Opens replies in one Slack."""

    def __init__(self, web: SlackWeb, pacing: Pacing, help_words: str, agent: Agent) -> None:
        self._web = web
        self._pacing = pacing
        self._help_words = help_words
        self._agent = agent

    @asynccontextmanager
    async def open_reply(self, turn: Turn) -> AsyncIterator[ThreadReply]:
        """Open a reply; on leaving, nothing of it is left spinning."""
        place = Place(self._web, self._pacing, turn.question)
        reply = ThreadReply(place, turn, self._help_words)
        with self._pacing.live_reply():
            opening = asyncio.create_task(reply.open())
            title = asyncio.create_task(self._name_thread(turn.question))
            try:
                await asyncio.shield(opening)
                yield reply
            finally:
                # A message that is just being opened can be closed once it is there.
                await asyncio.wait({opening, title})
                await reply.abandon()

    async def _name_thread(self, question: Question) -> None:
        if question.is_root and not question.wants_help:
            await self._agent.title(question.thread, plain(question.text, {}))
