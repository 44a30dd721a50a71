"""Schedules in the database: of a due time, exactly one question is taken, whoever looks."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, delete, null, select, update

from bot.digests.recurrence import Recurrence
from bot.digests.request import read_request
from bot.digests.schedule import Schedule, ScheduledDigest
from bot.store.claims import Claims
from bot.store.messages import INSERTS
from bot.store.rows import answer_columns, failure_columns
from bot.store.statements import ANSWERED, FAILED, LOCK, STOPPED
from bot.store.tables import UtcDateTime, schedules
from bot.store.tenure import refuse
from bot.turns.turn import TurnState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy import Connection, Executable, Row

    from bot.digests.schedule import Due
    from bot.store.database import Database
    from bot.store.tenure import Tenure
    from bot.turns.answer import Answer
    from bot.turns.question import Question
    from bot.turns.turn import Turn

LOOKED_AT = 50  # that are due, at one look

_ID = schedules.c.id == bindparam("of_id")
# Of all that look at the same moment, one finds it as it was seen.
_MOVE = (
    update(schedules)
    .where(
        _ID,
        schedules.c.next_due == bindparam("of_due", type_=UtcDateTime),
        schedules.c.skipped == bindparam("of_skipped"),
        schedules.c.paused_why.is_(None),
    )
    .values(
        next_due=bindparam("new_due", type_=UtcDateTime),
        covered_until=bindparam("new_covered", type_=UtcDateTime),
        skipped=bindparam("new_skipped"),
        updated_at=bindparam("new_at", type_=UtcDateTime),
    )
)
# What was written while it was paused is in no digest of its.
_AFRESH: Mapping[str, None] = {"paused_why": None, "covered_until": None}
_SKIPPED = select(schedules.c.skipped).where(_ID).with_for_update()
_TELL = update(schedules).where(_ID).values(skipped=bindparam("new_skipped"))


class ScheduleStore:
    """The schedules of a bot."""

    def __init__(self, database: Database, tenure: Tenure, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._tenure = tenure
        self._clock = clock
        self._add = INSERTS[database.dialect](schedules).returning(*schedules.c)
        self._claims = Claims(database.dialect, tenure, clock)

    async def add(self, new: ScheduledDigest, next_due: datetime) -> Schedule:
        """Keep a new one; the same one twice is one, which comes again if it was paused."""
        at = self._clock()
        row = {**_columns(new), "next_due": next_due, "skipped": "[]"}
        row |= {"created_at": at, "updated_at": at}
        same = select(schedules).where(
            *(schedules.c[name] == value for name, value in _columns(new).items())
        )

        def operation(connection: Connection) -> Schedule:
            if self._database.dialect == "postgresql":  # SQLite has one writer at a time as it is
                connection.execute(LOCK, {"of_key": f"schedules {new.team} {new.user}"})
            found = connection.execute(same).first()
            if found is None:
                return _scheduled(connection.execute(self._add, row).one())
            if found.paused_why is not None:
                again = {**_AFRESH, "next_due": next_due, "updated_at": at}
                connection.execute(update(schedules).where(_ID).values(again), {"of_id": found.id})
            return _scheduled(connection.execute(same).one())

        return await self._database.run(operation)

    async def get(self, schedule_id: int) -> Schedule | None:
        """Return one; None where there is no such."""
        found = select(schedules).where(_ID)
        key = {"of_id": schedule_id}
        row = await self._database.run(lambda c: c.execute(found, key).one_or_none())
        return None if row is None else _scheduled(row)

    async def runs(self, schedule_id: int) -> bool:
        """Whether there is such a schedule, and it is not paused."""
        found = await self.get(schedule_id)
        return found is not None and not found.is_paused

    async def of_user(self, team: str, user: str) -> list[Schedule]:
        """Return those of a person, the oldest first."""
        found = (
            select(schedules)
            .where(schedules.c.team == team, schedules.c.user == user)
            .order_by(schedules.c.id)
        )
        rows = await self._database.run(lambda c: c.execute(found).all())
        return [_scheduled(row) for row in rows]

    async def pause(self, schedule_id: int, why: str) -> bool:
        """Have one come no more until it is resumed; False where it does not come now."""
        return await self._update(
            schedule_id, {"paused_why": why}, schedules.c.paused_why.is_(None)
        )

    async def resume(self, schedule_id: int, next_due: datetime) -> bool:
        """Have one come again from a time on; False where it is not paused."""
        new = {**_AFRESH, "next_due": next_due}
        return await self._update(schedule_id, new, schedules.c.paused_why.is_not(None))

    async def change(self, schedule_id: int, new: ScheduledDigest, next_due: datetime) -> bool:
        """Have one of theirs come as is wanted now, from a time on; False where there is none."""
        covered = case((schedules.c.paused_why.is_(None), schedules.c.covered_until), else_=null())
        at: dict[str, object] = {"next_due": next_due, "covered_until": covered}
        theirs = and_(schedules.c.team == new.team, schedules.c.user == new.user)
        wanted = {**_columns(new), **at, "paused_why": None}
        return await self._update(schedule_id, wanted, theirs)

    async def delete(self, schedule_id: int) -> bool:
        """Forget one; False where there is no such."""
        gone = delete(schedules).where(_ID)
        key = {"of_id": schedule_id}
        return await self._database.run(lambda c: bool(c.execute(gone, key).rowcount))

    async def due(self, now: datetime) -> list[Schedule]:
        """Return some of those that are due, the most overdue first."""
        found = (
            select(schedules)
            .where(schedules.c.next_due <= now, schedules.c.paused_why.is_(None))
            .order_by(schedules.c.next_due)
            .limit(LOOKED_AT)
        )
        rows = await self._database.run(lambda c: c.execute(found).all())
        return [_scheduled(row) for row in rows]

    async def take_due(self, schedule: Schedule, due: Due, question: Question) -> Turn | None:
        """Take the question of a due time, once; None where that was done by now.

        That it is done and the question itself are recorded at once, or neither is.
        """
        key = self._move(schedule, due, skipped=())

        def operation(connection: Connection) -> Turn | None:
            is_moved = connection.execute(_MOVE, key).rowcount
            return self._claims.to_place(connection, question) if is_moved else None

        return await self._database.run(operation)

    async def skip(self, schedule: Schedule, due: Due) -> bool:
        """Record that nothing is made up for; False where that was done by now."""
        key = self._move(schedule, due, skipped=due.skipped)
        return await self._database.run(lambda c: bool(c.execute(_MOVE, key).rowcount))

    async def fail_due(self, turn: Turn, error: BaseException) -> None:
        """Record that a digest failed unseen, and that the next of its schedule tells of it.

        Both are recorded at once, or neither is. What it was to tell of is told then too.
        """
        request = read_request(turn.question.text)
        untold = {*request.skipped, request.period.until}
        columns = failure_columns(error)
        await self._end(turn, FAILED, TurnState.FAILED, lambda told: told | untold, **columns)

    async def stop_due(self, turn: Turn) -> None:
        """Record that a digest is not wanted, and that the next tells of what it was to tell of.

        Both are recorded at once, or neither is.
        """
        untold = {*read_request(turn.question.text).skipped}
        await self._end(turn, STOPPED, TurnState.STOPPED, lambda told: told | untold)

    async def finish_due(self, turn: Turn, answer: Answer) -> None:
        """Record a digest, and that none tells of it, should it have failed unseen before.

        Both are recorded at once, or neither is.
        """
        request = read_request(turn.question.text)
        told_now = {*request.skipped, request.period.until}
        columns = answer_columns(answer)
        await self._end(turn, ANSWERED, TurnState.ANSWERED, lambda told: told - told_now, **columns)

    async def _end(
        self,
        turn: Turn,
        statement: Executable,
        state: TurnState,
        change: Callable[[set[datetime]], set[datetime]],
        **columns: object,
    ) -> None:
        """Record how a turn ended, and change the times that its schedule is to tell of."""
        key = {**self._tenure.key(turn), "new_at": self._clock()}
        key |= {f"new_{name}": value for name, value in columns.items()}
        of_id = {"of_id": read_request(turn.question.text).schedule_id}

        def operation(connection: Connection) -> None:
            if not connection.execute(statement, key).rowcount:
                refuse(connection, key, state, state)
                return  # it was done by then
            row = connection.execute(_SKIPPED, of_id).one_or_none()
            if row is not None:
                skipped = _encoded(sorted(change({*_decoded(row.skipped)})))
                connection.execute(_TELL, {**of_id, "new_skipped": skipped})

        await self._database.run(operation)

    def _move(
        self, schedule: Schedule, due: Due, skipped: tuple[datetime, ...]
    ) -> Mapping[str, object]:
        return {
            "of_id": schedule.id,
            "of_due": schedule.next_due,
            "of_skipped": _encoded(schedule.skipped),
            "new_due": due.next_due,
            "new_covered": due.last,
            "new_skipped": _encoded(skipped),
            "new_at": self._clock(),
        }

    async def _update(self, schedule_id: int, new: Mapping[str, object], where: Any) -> bool:  # noqa: ANN401 - a condition
        at = self._clock()
        statement = update(schedules).where(_ID, where).values(**new, updated_at=at)
        key = {"of_id": schedule_id}
        return await self._database.run(lambda c: bool(c.execute(statement, key).rowcount))


def _columns(new: ScheduledDigest) -> dict[str, str]:
    return {
        "team": new.team,
        "user": new.user,
        "user_team": new.user_team,
        "source": new.source,
        "target": new.target,
        "cron": new.recurrence.cron,
        "zone": new.recurrence.zone,
        "about": new.about,
    }


def _encoded(times: Iterable[datetime]) -> str:
    return json.dumps([at.isoformat() for at in times])


def _decoded(times: str) -> tuple[datetime, ...]:
    return tuple(map(datetime.fromisoformat, json.loads(times)))


def _scheduled(row: Row[Any]) -> Schedule:
    return Schedule(
        id=row.id,
        digest=ScheduledDigest(
            team=row.team,
            user=row.user,
            user_team=row.user_team,
            source=row.source,
            target=row.target,
            recurrence=Recurrence(row.cron, row.zone),
            about=row.about,
        ),
        next_due=row.next_due,
        covered_until=row.covered_until,
        skipped=_decoded(row.skipped),
        paused_why=row.paused_why,
    )
