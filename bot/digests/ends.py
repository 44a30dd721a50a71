"""How the work on a digest ends. One that nobody waits for may wait, until it would be too late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.digests.request import is_scheduled, read_request
from bot.digests.schedule import catch_up
from bot.errors import SlackRateLimited, SlackUnreachable
from bot.turns.settle import Settling

if TYPE_CHECKING:
    from bot.clock import Clock
    from bot.digests.request import DigestRequest
    from bot.metrics import Metrics
    from bot.turns.answer import Answer
    from bot.turns.settle import Store
    from bot.turns.turn import Turn


class Schedules(Protocol):
    """Digests that come by themselves."""

    async def fail_due(self, turn: Turn, error: BaseException) -> None:
        """Record that a digest failed unseen; the next of its schedule tells of it."""
        ...

    async def finish_due(self, turn: Turn, answer: Answer) -> None:
        """Record a digest; should it have failed unseen before, none tells of that any more."""
        ...


@dataclass(frozen=True, slots=True)
class DigestEnds:
    """Settles digests."""

    store: Store
    schedules: Schedules
    metrics: Metrics
    clock: Clock

    def settling(self) -> Settling:
        """Return what settles one."""
        return Settling(
            self.store, self.metrics, self._fail_unseen, self._finish, may_wait=self._may_wait
        )

    def is_late(self, request: DigestRequest) -> bool:
        """Whether the window in which a scheduled one is made up for is over."""
        return self.clock.now() - request.period.until > catch_up(request.period)

    def _may_wait(self, turn: Turn, error: Exception) -> bool:
        """Whether nobody waits for a digest that Slack does not take now, and there is time."""
        if not isinstance(error, (SlackUnreachable, SlackRateLimited)):
            return False
        text = turn.question.text
        return is_scheduled(text) and not self.is_late(read_request(text))

    async def _finish(self, turn: Turn, answer: Answer) -> None:
        if is_scheduled(turn.question.text):
            await self.schedules.finish_due(turn, answer)
        else:
            await self.store.finish_turn(turn, answer)

    async def _fail_unseen(self, turn: Turn, error: Exception) -> None:
        """Record a failure that nobody could be told of."""
        if is_scheduled(turn.question.text):
            await self.schedules.fail_due(turn, error)
        else:
            await self.store.fail_turn(turn, error)
