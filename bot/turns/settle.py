"""How the work on a turn ends, whatever it is: recorded, told in its thread, or left to another."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from bot.errors import FootnoteError, ModelError, StoreUnreachable, public_words
from bot.turns.turn import TurnLost, TurnPutOff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from bot.metrics import Metrics
    from bot.turns.answer import Answer
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

# What was recorded so far stands, and who comes next goes on from there: nothing is to be said.
LEFT = (TurnLost, StoreUnreachable)


class Reply(Protocol):
    """What a failure is told in."""

    async def fail(self, words: str, reference: str) -> None:
        """Say what happened, with an id for the operator; "" where nobody can mend it."""
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


def never(turn: Turn, error: Exception) -> bool:
    """Put no turn off: somebody waits for it."""
    del turn, error
    return False


@dataclass(frozen=True, slots=True)
class Settling:
    """Has work done, and settles how it ended."""

    store: Store
    metrics: Metrics
    #: Records a failure that the thread could not be told of; None: as one that it was told of.
    fail_unseen: Callable[[Turn, Exception], Awaitable[None]] | None = None
    #: Records an answer; None: as that of any turn.
    finish: Callable[[Turn, Answer], Awaitable[None]] | None = None
    #: Whether a turn that ran into this is gone on with later, and nobody told.
    may_wait: Callable[[Turn, Exception], bool] = never

    @contextlib.asynccontextmanager
    async def recorded(self, turn: Turn) -> AsyncIterator[None]:
        """Record what keeps the work on a turn from its end, and go on behind it.

        A turn that another process has is left to it; one that may wait is handed over. So is one
        that is cancelled, and CancelledError goes on.
        """
        try:
            yield
        except LEFT as error:
            log.warning("turn left to another process", extra={"error": str(error)})
        except asyncio.CancelledError:  # the bot closes, and the reply has said so
            with contextlib.suppress(FootnoteError):  # it may be answered, or lost, by now
                await self.store.hand_over(turn)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is recorded and logged
            if isinstance(error, TurnPutOff) or self.may_wait(turn, error):
                log.warning("turn put off", extra={"turn": turn.id, "error": str(error)})
                with contextlib.suppress(FootnoteError):  # it may be lost by now
                    await self.store.hand_over(turn)
                return
            log_failure(turn, error)
            await (self.fail_unseen or self.store.fail_turn)(turn, error)
            self.metrics.failed.add()

    async def settle(
        self,
        turn: Turn,
        opened: AbstractAsyncContextManager[R],
        work: Callable[[R], Awaitable[Answer | None]],
    ) -> None:
        """Do the work in the reply that is opened for it, and record its end; None: stopped."""
        async with self.recorded(turn), opened as reply:
            try:
                await self._settle(turn, reply, work)
            except Exception as error:
                if self.may_wait(turn, error):  # the reply is left as it is
                    raise TurnPutOff(str(error)) from error
                raise

    async def _settle(
        self, turn: Turn, reply: R, work: Callable[[R], Awaitable[Answer | None]]
    ) -> None:
        try:
            answer = await work(reply)
        except LEFT:
            raise
        except Exception as error:
            if self.may_wait(turn, error):
                raise
            log_failure(turn, error)
            await reply.fail(public_words(error), reference(turn, error))
            await self.store.fail_turn(turn, error)
            self.metrics.failed.add()
        else:
            await self._end(turn, answer)

    async def _end(self, turn: Turn, answer: Answer | None) -> None:
        if answer is None:
            await self.store.stop_turn(turn)
            self.metrics.stopped.add()
        else:
            await (self.finish or self.store.finish_turn)(turn, answer)
            self.metrics.answered.add()


def reference(turn: Turn, error: Exception) -> str:
    """Return an id by which an operator finds what happened; "" where it is as it has to be."""
    is_final = isinstance(error, FootnoteError) and not error.may_do_better
    return "" if is_final else str(turn.id)


def log_failure(turn: Turn, error: Exception) -> None:
    """Log what kept a turn from its end, without any text of it."""
    request_id = error.request_id if isinstance(error, ModelError) else None
    expected = isinstance(error, FootnoteError)
    log.error(
        "turn failed",
        exc_info=None if expected else error,
        extra={"turn": turn.id, "error": type(error).__name__, "request_id": request_id},
    )
