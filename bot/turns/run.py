"""The one path of a question: taken once, answered in its thread, or said there why not.

inbox.take ─► store.take, which starts it │ acknowledged │ open_reply ─► model.respond
                                                               │                 │ parts
                          thread ◄─ messages ◄─ reply ◄─ pieces of text ◄─ draft ◄┘

A turn is recorded as running before the model is asked, and each message before it is shown. So
whoever takes a turn over knows how far it came, and who has lost it notices before it shows more.
"""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from bot.errors import (
    FootnoteError,
    ModelCutOff,
    ModelInputTooLong,
    ModelThreadLost,
    StoppedByUser,
    TurnInterrupted,
)
from bot.turns.answer import Finished, Searched, Searching, Started, Waiting
from bot.turns.draft import Draft
from bot.turns.settle import LEFT, End, Settling
from bot.turns.settle import Store as Ends
from bot.turns.transcript import BUDGETS, bytes_per_token
from bot.turns.turn import ThreadForgotten

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from bot.metrics import Metrics
    from bot.turns.answer import Answer, Part, Search
    from bot.turns.chains import Chains
    from bot.turns.pieces import Piece
    from bot.turns.prices import Prices
    from bot.turns.question import Asked, Question
    from bot.turns.transcript import Transcript
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)


class Model(Protocol):
    """What answers."""

    def respond(self, asked: Asked, turn: Turn) -> AsyncGenerator[Part]:
        """Yield the answer's parts as they come; the last one is `Finished`.

        Raises a ModelError when there is no answer. Closing the generator hangs up.
        """
        ...

    async def count_tokens(self, asked: Asked, turn: Turn) -> int | None:
        """Return how many tokens the question has for the model; None where nobody can say."""
        ...


class Memory(Protocol):
    """Says questions, and what came before them, in plain words."""

    async def read(self, question: Question) -> Asked:
        """Say the question."""
        ...

    async def said_before(self, turn: Turn) -> Transcript:
        """Return what was asked and answered in the thread before, the first one first."""
        ...


class Reply(Protocol):
    """The bot's answer in the thread while it grows.

    Its methods raise StoppedByUser or a SlackError once the thread takes nothing more. What is
    shown and written is on its way when they return; `finish` and `fail` return when Slack has it.
    """

    async def show_search(self, key: str, search: Search | None, *, failed: bool = False) -> None:
        """Show that a search began (None), or what was searched for."""
        ...

    async def show_wait(self) -> None:
        """Show that the model is busy, and is asked again."""
        ...

    async def write(self, pieces: Sequence[Piece]) -> None:
        """Add to the text."""
        ...

    async def finish(self, answer: Answer) -> None:
        """Deliver what is left, then sources, searches and the footer."""
        ...

    async def fail(self, words: str, reference: str) -> None:
        """Deliver what is left, then what happened and an id for the operator, unless it is ""."""
        ...

    async def help(self) -> None:
        """Say how to ask."""
        ...

    async def stopped(self) -> None:
        """Leave it as it is: the person has stopped it."""
        ...


class Replies(Protocol):
    """Where answers go."""

    def open_reply(self, turn: Turn) -> AbstractAsyncContextManager[Reply]:
        """Begin a reply, which shows a first sign in the thread while the caller goes on.

        On leaving, nothing of it is left spinning: left by a CancelledError it says that the answer
        goes on soon, and left by TurnLost it is not touched any more.
        """
        ...

    async def wait(self, question: Question) -> None:
        """Tell a thread that a question waits there."""
        ...


class Store(Ends, Protocol):
    """What the bot remembers of a turn. Raises TurnLost where another process has it by now."""

    async def note_response(self, turn: Turn, response_id: str) -> None:
        """Record which response is being written."""
        ...

    async def begun_anew(self, turn: Turn) -> Turn:
        """Return the turn with the messages it has by now, to be answered in them once more."""
        ...


@dataclass(frozen=True, slots=True)
class TurnRunner:
    """Runs turns, one call each."""

    replies: Replies
    memory: Memory
    model: Model
    store: Store
    metrics: Metrics
    clock: Callable[[], float]  #: seconds, for the time an answer took
    chains: Chains
    prices: Prices

    async def run(self, turn: Turn) -> None:
        """Answer a question in its thread, or say there that it failed."""
        settling = Settling(self.store, self.metrics)
        async with settling.recorded(turn):
            try:
                await self._run(turn, settling)
            except ThreadForgotten:
                await self._run(await self.store.begun_anew(turn), settling)

    async def wait(self, question: Question) -> None:
        """Tell a thread that a question waits there."""
        await self.replies.wait(question)

    async def _run(self, turn: Turn, settling: Settling) -> None:
        async def work(reply: Reply) -> Answer | End:
            draft = Draft()
            try:
                return await self._answer(turn, reply, draft)
            except StoppedByUser:
                await reply.stopped()
                return End.STOPPED
            except (*LEFT, ThreadForgotten):
                raise
            except Exception:
                await _show_the_rest(reply, draft)
                raise

        async with self.replies.open_reply(turn) as reply:
            await settling.settle_in(reply, turn, work)

    async def _answer(self, turn: Turn, reply: Reply, draft: Draft) -> Answer | End:
        if turn.is_given_up:
            raise TurnInterrupted
        if turn.question.wants_help:
            await reply.help()
            return End.HELPED
        began = self.clock()
        finished, is_told_whole = await self._write(turn, reply, draft, began)
        await reply.write(draft.close())
        seconds = self.clock() - began
        answer = draft.answer(
            finished, draft.searches, seconds, self.prices, is_told_whole=is_told_whole
        )
        await reply.finish(answer)
        self.metrics.answer_seconds.observe(self.clock() - began)
        return answer

    async def _write(
        self, turn: Turn, reply: Reply, draft: Draft, began: float
    ) -> tuple[Finished, bool]:
        """Have the question answered, chained to the thread's last response or told it again.

        Returns the end, and whether the model was told the whole thread.
        """
        asked = await self.memory.read(turn.question)
        if turn.previous_response_id is None or not self.chains.may_name:
            return await self._tell_again(asked, turn, reply, draft, began)
        try:
            finished = await self._pass_on(asked, turn, reply, draft, began)
        except ModelInputTooLong:
            if draft.text:
                raise
            log.info("the thread has grown too long, and is told again in parts")
            return await self._tell_again(asked, turn, reply, draft, began)
        except ModelThreadLost as error:
            if not self.chains.may_tell_again:
                raise
            if draft.text:
                await self.chains.lost()
                raise ThreadForgotten from error
            log.info("the thread is told again", extra={"detail": str(error)})
            keeps_none = error.keeps_none
        else:
            self.chains.kept()
            return finished, True
        told_again = await self._tell_again(asked, turn, reply, draft, began)
        await self.chains.lost(keeps_none=keeps_none)  # as the request by itself is not refused
        return told_again

    async def _tell_again(
        self, asked: Asked, turn: Turn, reply: Reply, draft: Draft, began: float
    ) -> tuple[Finished, bool]:
        """Ask with what was said before, and with less of it where that is too much."""
        turn = replace(turn, previous_response_id=None)
        before = await self.memory.said_before(turn)
        told = before.within(BUDGETS[0])
        if not told.is_whole:
            told = await self._measured(asked, turn, before, told)
        smaller = [before.within(tokens) for tokens in BUDGETS[1:]]
        tellings = list(dict.fromkeys([told, *smaller]))  # a short thread has but one
        while True:
            told = tellings.pop(0)
            once_more = replace(asked, earlier=told.exchanges)
            try:
                finished = await self._pass_on(once_more, turn, reply, draft, began)
            except ModelInputTooLong:
                if draft.text or not tellings:
                    raise
            else:
                return finished, told.is_whole and before.is_whole

    async def _measured(
        self, asked: Asked, turn: Turn, before: Transcript, told: Transcript
    ) -> Transcript:
        """Tell as much more as there is room for, where the server counts the tokens itself."""
        tokens = await self.model.count_tokens(replace(asked, earlier=told.exchanges), turn)
        if tokens is None:
            return told
        return before.within(BUDGETS[0], bytes_per_token(told, tokens))

    async def _pass_on(
        self, asked: Asked, turn: Turn, reply: Reply, draft: Draft, began: float
    ) -> Finished:
        """Pass the model's parts on as they come."""
        async with aclosing(self.model.respond(asked, turn)) as parts:  # hang up if Slack fails
            async for part in parts:
                match part:
                    case Started(response_id):
                        await self.store.note_response(turn, response_id)
                    case Waiting():
                        await reply.show_wait()
                    case Searching(key):
                        await reply.show_search(key, None)
                    case Searched(key, search, failed):
                        await reply.show_search(key, search, failed=failed)
                    case Finished():
                        return part
                is_first = not draft.text
                pieces = draft.add(part)
                if pieces and is_first:
                    self.metrics.first_text_seconds.observe(self.clock() - began)
                await reply.write(pieces)
        raise ModelCutOff


async def _show_the_rest(reply: Reply, draft: Draft) -> None:
    """Show what was written before something happened."""
    try:
        await reply.write(draft.close())
    except FootnoteError as error:  # Slack failed, and that is what is being told
        log.info("the rest of a text could not be written", extra={"error": type(error).__name__})
