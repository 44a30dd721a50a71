"""How the work on a turn ends, whatever it is: recorded, told in its thread, or left to another."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeVar

from bot.errors import FootnoteError, ModelError, StoreUnreachable, public_words
from bot.turns.turn import ThreadForgotten, TurnLost, TurnPutOff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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
        """Record the answer, which the thread's next turn is chained to; None for help."""
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


class End(Enum):
    """How the work on a turn ends without an answer."""

    HELPED = "helped"  #: the person was told how to ask
    STOPPED = "stopped"  #: a person wanted that


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
            with self._putting_off(turn):
                yield
        except TurnPutOff as error:
            log.warning("turn put off", extra={"turn": turn.id, "error": str(error)})
            with contextlib.suppress(FootnoteError):  # it may be lost by now
                await self.store.hand_over(turn)
        except LEFT as error:
            log.warning("turn left to another process", extra={"error": str(error)})
        except asyncio.CancelledError:  # the bot closes, and the reply has said so
            with contextlib.suppress(FootnoteError):  # it may be answered, or lost, by now
                await self.store.hand_over(turn)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is recorded and logged
            log_failure(turn, error)
            await (self.fail_unseen or self.store.fail_turn)(turn, error)
            self.metrics.failed.add()

    async def settle(
        self,
        turn: Turn,
        opened: AbstractAsyncContextManager[R],
        work: Callable[[R], Awaitable[Answer | End]],
    ) -> None:
        """Do the work in the reply that is opened for it, and record how it ended."""
        async with self.recorded(turn), opened as reply:
            with self._putting_off(turn):  # of which the reply hears, as it is left as it is
                await self.settle_in(reply, turn, work)

    async def settle_in(
        self, reply: R, turn: Turn, work: Callable[[R], Awaitable[Answer | End]]
    ) -> None:
        """Do the work in a reply that is open; what is no end of the turn goes on as it is."""
        try:
            with self._putting_off(turn):
                end = await work(reply)
        except (*LEFT, TurnPutOff, ThreadForgotten):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread is told
            log_failure(turn, error)
            await reply.fail(public_words(error), reference(turn, error))
            await self.store.fail_turn(turn, error)
            self.metrics.failed.add()
        else:
            await self._end(turn, end)

    async def _end(self, turn: Turn, end: Answer | End) -> None:
        if end is End.STOPPED:
            await self.store.stop_turn(turn)
            self.metrics.stopped.add()
            return
        if end is End.HELPED:
            await self.store.finish_turn(turn, None)
        else:
            await (self.finish or self.store.finish_turn)(turn, end)
        self.metrics.answered.add()

    @contextlib.contextmanager
    def _putting_off(self, turn: Turn) -> Iterator[None]:
        """Raise TurnPutOff for what the turn may wait for."""
        try:
            yield
        except Exception as error:
            if self.may_wait(turn, error):
                raise TurnPutOff(str(error)) from error
            raise


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
