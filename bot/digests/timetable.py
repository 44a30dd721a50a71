"""Has scheduled digests come: looks again and again which are due, and begins them.

Which process begins one, and that no other does, is decided in the database.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.digests.recurrence import UnknownRecurrence
from bot.digests.schedule import plan, question_of
from bot.errors import FootnoteError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.digests.schedule import Due, Schedule
    from bot.turns.question import Question
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

LOOK_SECONDS = 20.0
UNREADABLE = "its time could not be read"


class Schedules(Protocol):
    """Digests that come by themselves."""

    async def due(self, now: datetime) -> Sequence[Schedule]:
        """Return some of those that are due."""
        ...

    async def take_due(self, schedule: Schedule, due: Due, question: Question) -> Turn | None:
        """Take the question of a due time, once; None where that was done by now."""
        ...

    async def skip(self, schedule: Schedule, due: Due) -> bool:
        """Record that nothing is made up for; False where that was done by now."""
        ...

    async def pause(self, schedule_id: int, why: str) -> bool:
        """Have one come no more until it is resumed."""
        ...


class Inbox(Protocol):
    """Works on turns."""

    def begin_placing(self, turn: Turn) -> None:
        """Begin with a turn that was taken, whose thread is still to be posted."""
        ...


@dataclass(frozen=True, slots=True)
class Timetable:
    """Begins what is due."""

    schedules: Schedules
    inbox: Inbox
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]

    async def keep(self) -> None:
        """Look for ever; what fails is tried again at the next look."""
        while True:
            try:
                await self.look()
            except FootnoteError as error:
                log.warning("what is due cannot be seen", extra={"error": type(error).__name__})
            except Exception:  # digests that come by themselves must not end in silence
                log.exception("looking for what is due ended in an unforeseen way")
            await self.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Begin what is due by now."""
        now = self.now()
        for schedule in await self.schedules.due(now):
            try:
                await self._begin(schedule, now)
            except UnknownRecurrence:
                log.exception("a schedule cannot be read", extra={"schedule": schedule.id})
                await self.schedules.pause(schedule.id, UNREADABLE)
            except FootnoteError:
                raise
            except Exception:  # a fault of the bot's own is no reason to pause it
                log.exception("a schedule cannot be begun", extra={"schedule": schedule.id})

    async def _begin(self, schedule: Schedule, now: datetime) -> None:
        due = plan(schedule, now)
        facts: dict[str, object] = {"schedule": schedule.id, "skipped": len(due.skipped)}
        if due.run is None:
            if await self.schedules.skip(schedule, due):
                log.warning("scheduled digests came too late and are skipped", extra=facts)
            return
        question = question_of(schedule, due, due.run)
        turn = await self.schedules.take_due(schedule, due, question)
        if turn is not None:
            log.info("a scheduled digest is due", extra=facts | {"turn": turn.id})
            self.inbox.begin_placing(turn)
