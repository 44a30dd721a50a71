"""How the work on a turn ends, whatever it is: recorded, told in its thread, or left to another."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from bot.errors import FootnoteError, public_words
from bot.turns.run import LEFT, log_failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from bot.metrics import Metrics
    from bot.turns.answer import Answer
    from bot.turns.turn import Turn

    Fail = Callable[[Turn, Exception], Awaitable[None]]

log = logging.getLogger(__name__)


class Reply(Protocol):
    """What a failure is told in."""

    async def fail(self, words: str, reference: str) -> None:
        """Say what happened, with an id for the operator."""
        ...


class Store(Protocol):
    """What the bot remembers of a turn's end. Raises TurnLost where another process has it."""

    async def finish_turn(self, turn: Turn, answer: Answer | None) -> None:
        """Record the answer."""
        ...

    async def fail_turn(self, turn: Turn, error: BaseException) -> None:
        """Record that the turn ended without an answer."""
        ...

    async def stop_turn(self, turn: Turn) -> None:
        """Record that a person stopped it."""
        ...

    async def hand_over(self, turn: Turn) -> None:
        """Leave it to the next process."""
        ...


R = TypeVar("R", bound=Reply)


@dataclass(frozen=True, slots=True)
class Settling:
    """Has work done, and settles how it ended."""

    store: Store
    metrics: Metrics
    fail_unseen: Fail | None = None  #: records a failure that the thread could not be told of

    async def settle(
        self,
        turn: Turn,
        opened: AbstractAsyncContextManager[R],
        work: Callable[[R], Awaitable[Answer | None]],
    ) -> None:
        """Do the work in the reply that is opened for it, and record its end; None: stopped."""
        try:
            async with opened as reply:
                await self._settle_in(reply, turn, work)
        except LEFT as error:
            log.warning("turn left to another process", extra={"error": str(error)})
        except BaseException as error:
            if not isinstance(error, Exception):  # the bot closes, and the reply has said so
                with contextlib.suppress(FootnoteError):
                    await self.store.hand_over(turn)
                raise
            log.exception("no reply could be opened or closed", extra={"turn": turn.id})
            await (self.fail_unseen or self.store.fail_turn)(turn, error)
            self.metrics.failed.add()

    async def _settle_in(
        self, reply: R, turn: Turn, work: Callable[[R], Awaitable[Answer | None]]
    ) -> None:
        try:
            answer = await work(reply)
        except LEFT:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread is told
            log_failure(turn, error)
            await reply.fail(public_words(error), str(turn.id))
            await self.store.fail_turn(turn, error)
            self.metrics.failed.add()
        else:
            if answer is None:
                await self.store.stop_turn(turn)
                self.metrics.stopped.add()
            else:
                await self.store.finish_turn(turn, answer)
                self.metrics.answered.add()
