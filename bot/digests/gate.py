"""Whether a digest may be shown where its thread is; a schedule whose digests may not is paused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.digests.admission import NotAdmitted

if TYPE_CHECKING:
    from bot.digests.admission import Admission
    from bot.digests.audience import Refusal
    from bot.digests.request import DigestRequest
    from bot.digests.schedule import Schedule
    from bot.turns.turn import Turn

PAUSED = (
    "Scheduled digest {number} is paused, as {why}. The person who scheduled it can resume it on "
    "my Home tab."
)
HELD_BACK = "There is no digest this time, as {why}."


class ScheduledNotAdmitted(NotAdmitted):
    """A scheduled digest that its owner may not have there, in words for whoever reads it there."""

    def __init__(self, refusal: Refusal, number: int) -> None:
        super().__init__(refusal)
        words = PAUSED if refusal.is_known else HELD_BACK
        self.public = words.format(number=number, why=refusal.of_owner)
        self.may_do_better = not refusal.is_known  # to try it again would not resume it


class Schedules(Protocol):
    """Digests that come by themselves."""

    async def get(self, schedule_id: int) -> Schedule | None:
        """Return one; None where there is no such."""
        ...

    async def pause(self, schedule_id: int, why: str) -> bool:
        """Have one come no more until it is resumed; False where it does not come now."""
        ...


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets digests through, one question each time."""

    admission: Admission
    schedules: Schedules

    async def admit(self, turn: Turn, request: DigestRequest) -> bool:
        """Raise NotAdmitted unless this digest may be had there; return whether it was kept out.

        A schedule whose owner is known not to be allowed it is paused. So is one whose channel does
        not take it any more, of which its owner is told in their direct message.
        """
        question, thread = turn.question, turn.question.thread
        is_elsewhere = await self._is_elsewhere(turn, request)
        targets = (thread.channel, *([request.channel] if is_elsewhere else []))
        try:
            for target in targets:
                await self.admission.check(thread.team, question.user, request.channel, target)
        except NotAdmitted as refused:
            number, refusal = request.schedule_id, refused.refusal
            if number is None:
                raise
            if refusal.is_known:
                await self.schedules.pause(number, refusal.words)
            raise ScheduledNotAdmitted(refusal, number) from refused
        return is_elsewhere

    async def is_gone(self, turn: Turn) -> bool:
        """Whether who wants the digest has left the workspace."""
        return await self.admission.is_gone(turn.question.thread.team, turn.question.user)

    async def _is_elsewhere(self, turn: Turn, request: DigestRequest) -> bool:
        """Whether a digest was scheduled for its channel, and Slack took it somewhere else only."""
        if request.schedule_id is None or turn.question.thread.channel == request.channel:
            return False
        schedule = await self.schedules.get(request.schedule_id)
        return schedule is not None and schedule.digest.target == request.channel
