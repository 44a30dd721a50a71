"""Opens replies, and leaves none of them spinning."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from bot.errors import FootnoteError, StoreUnreachable
from bot.slack.digest import DigestReply
from bot.slack.digest_titles import title_of
from bot.slack.place import Place
from bot.slack.reply import ThreadReply
from bot.slack.research import ResearchReply, no_files
from bot.slack.text import plain
from bot.turns.turn import ThreadForgotten, TurnLost, TurnPutOff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from bot.metrics import Metrics
    from bot.slack.agent import Agent
    from bot.slack.pacing import Pacing
    from bot.slack.place import Steps
    from bot.slack.research import Share
    from bot.slack.roots import Roots
    from bot.slack.web import SlackWeb
    from bot.turns.question import Question
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)


class Opened(Protocol):
    """A reply that is opened, and has an end whatever happens."""

    closed: bool  #: whether it has been brought to an end

    @property
    def is_open(self) -> asyncio.Event:
        """Set when its first message is there, or could not be had."""
        ...

    def open(self) -> None:
        """Begin to show it."""
        ...

    async def fail(self, words: str, reference: str) -> None:
        """Say what happened."""
        ...

    async def interrupt(self) -> None:
        """Say that the next process goes on."""
        ...

    async def let_go(self) -> None:
        """Touch nothing any more, once what is on its way has arrived."""
        ...


R = TypeVar("R", bound=Opened)


@dataclass(frozen=True, slots=True)
class Replies:
    """Opens replies in one Slack."""

    web: SlackWeb
    pacing: Pacing
    steps: Steps
    agent: Agent
    roots: Roots
    metrics: Metrics
    bot_user: str
    help_words: str
    share: Share = no_files  #: how a long report becomes a file in its thread
    workspace: str = ""  #: its address, with which those of messages begin

    def open_reply(self, turn: Turn) -> AbstractAsyncContextManager[ThreadReply]:
        """Open a reply; on leaving, nothing of it is left spinning."""
        reply = ThreadReply(self._place(turn), turn, self.help_words)
        return self._opened(reply, turn, self.pacing.live_reply())

    def open_research(self, turn: Turn) -> AbstractAsyncContextManager[ResearchReply]:
        """Open a research run's reply; on leaving, nothing of it is left spinning."""
        reply = ResearchReply(self._place(turn), turn, self.agent, self.share)
        return self._opened(reply, turn, self.pacing.live_run())

    def open_digest(self, turn: Turn) -> AbstractAsyncContextManager[DigestReply]:
        """Open a digest's reply; on leaving, nothing of it is left unfinished."""
        reply = DigestReply(self._place(turn), turn, self.workspace)
        return self._opened(reply, turn, self.pacing.live_run())

    @asynccontextmanager
    async def _opened(
        self, reply: R, turn: Turn, live: AbstractContextManager[None]
    ) -> AsyncIterator[R]:
        with live:
            reply.open()
            greeting = asyncio.create_task(self._greet(turn, reply))
            try:
                yield reply
            except (TurnLost, StoreUnreachable, ThreadForgotten, TurnPutOff):
                await reply.let_go()
                raise
            except asyncio.CancelledError:
                await _leave(reply, reply.interrupt())
                raise
            finally:
                await _leave(reply, reply.fail(FootnoteError.public, str(turn.id)))
                await asyncio.wait({greeting})

    async def wait(self, question: Question) -> None:
        """Tell a thread that a question waits there."""
        await self.agent.wait(question.thread)

    async def place(self, turn: Turn) -> Question:
        """Post the thread of a question that a command asked."""
        return await self.roots.place(turn)

    def _place(self, turn: Turn) -> Place:
        return Place(self.web, self.pacing, self.steps, turn, self.bot_user)

    async def _greet(self, turn: Turn, reply: Opened) -> None:
        """Note when the first sign is there, and name the thread, whose session it has made."""
        question, began = turn.question, self.pacing.clock()
        await reply.is_open.wait()
        self.metrics.first_sign_seconds.observe(self.pacing.clock() - began)
        if question.is_root and turn.epoch <= 1 and not question.wants_help:
            await self.agent.title(question.thread, plain(title_of(question), {}))


async def _leave(reply: Opened, ending: Coroutine[None, None, None]) -> None:
    """Leave nothing spinning, whatever happened."""
    try:
        if reply.closed:
            ending.close()
        else:
            await ending
    except FootnoteError as error:
        log.warning("a reply is left as it was", extra={"error": str(error)})
    finally:
        await reply.let_go()
