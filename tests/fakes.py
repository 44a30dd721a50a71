"""Fakes that do what the real edges promise, remember what they were told, and can fail."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.digests.schedule import Schedule
from bot.turns.question import Asked, Question, Thread
from bot.turns.research import Running
from bot.turns.transcript import Transcript
from bot.turns.turn import Sent, Taken, Turn, TurnLost, TurnState
from bot.turns.unsupported import Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence

    from bot.digests.schedule import ScheduledDigest
    from bot.turns.answer import Answer, Part, Search
    from bot.turns.pieces import Piece
    from bot.turns.research import Ran
    from bot.turns.transcript import Past


def a_question(text: str = "How far is the moon?", *, ts: str = "100.000200") -> Question:
    thread = Thread(team="T1", channel="C1", thread_ts="100.000100")
    return Question(thread=thread, ts=ts, user="U1", user_team="T1", text=text)


@dataclass
class FakeModel:
    """Says the parts it is given; an exception among them is raised at its place."""

    parts: Sequence[Part | Exception] = ()
    then: list[Sequence[Part | Exception]] = field(default_factory=list)  # when asked once more
    asked: list[tuple[Asked, Turn]] = field(default_factory=list)
    hung_up: int = 0
    seconds: float = 10.0
    counts: Callable[[Asked], int | None] = lambda _: None
    counted: list[Asked] = field(default_factory=list)

    async def count_tokens(self, asked: Asked, turn: Turn) -> int | None:
        del turn
        self.counted.append(asked)
        return self.counts(asked)

    def clock(self) -> float:
        """Half a second passes with each part."""
        return self.seconds

    async def respond(self, asked: Asked, turn: Turn) -> AsyncGenerator[Part]:
        self.asked.append((asked, turn))
        parts, self.parts = self.parts, self.then.pop(0) if self.then else self.parts
        try:
            for part in parts:
                if isinstance(part, Exception):
                    raise part
                self.seconds += 0.5
                yield part
                await asyncio.sleep(0)
        finally:
            self.hung_up += 1


@dataclass
class FakeReply:
    """A reply that is a list of what was done to it; `failing` maps a method to its error."""

    failing: dict[str, Exception] = field(default_factory=dict)
    done: list[tuple[object, ...]] = field(default_factory=list)
    text: str = ""

    def _do(self, name: str, *facts: object) -> None:
        if name in self.failing:
            raise self.failing[name]
        self.done.append((name, *facts))

    async def show_wait(self) -> None:
        self._do("wait")

    async def show_search(self, key: str, search: Search | None, *, failed: bool = False) -> None:
        self._do("search", key, search, failed)

    async def write(self, pieces: Sequence[Piece]) -> None:
        if pieces and "write" in self.failing:
            raise self.failing["write"]
        self.text += "".join(piece.text for piece in pieces)

    async def finish(self, answer: Answer) -> None:
        self._do("finish", answer)

    async def fail(self, words: str, reference: str) -> None:
        self._do("fail", words, reference)

    async def help(self) -> None:
        self._do("help")

    async def stopped(self) -> None:
        self._do("stopped")


@dataclass
class FakeSlack:
    """A Slack with one reply, which it counts as left when it is."""

    reply: FakeReply = field(default_factory=FakeReply)
    refuses: Exception | None = None
    left: int = 0
    opened: list[Turn] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def open_reply(self, turn: Turn) -> AsyncIterator[FakeReply]:
        self.opened.append(turn)
        if self.refuses is not None:
            raise self.refuses
        try:
            yield self.reply
        finally:
            self.left += 1

    async def read(self, question: Question) -> Asked:
        return Asked(question.text, "You")

    async def wait(self, question: Question) -> None:
        self.waits.append(question.ts)

    async def place(self, turn: Turn) -> Question:
        if self.refuses is not None:
            raise self.refuses
        thread = replace(turn.question.thread, thread_ts="7.7")
        return replace(turn.question, thread=thread, ts="7.7")


@dataclass
class FakeStore:
    """Turns in a dict, with the promises of the real one."""

    turns: dict[int, Turn] = field(default_factory=dict)
    states: dict[int, TurnState] = field(default_factory=dict)
    ends: list[tuple[object, ...]] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    costs: dict[int, Answer] = field(default_factory=dict)
    left: list[Turn] = field(default_factory=list)  # by processes that died
    last_response_id: str | None = None
    said: Sequence[Past] = ()

    def _may(self, name: str) -> None:
        if name in self.failing:
            raise self.failing[name]

    def _new(self, question: Question, state: TurnState) -> Turn | None:
        if any(turn.question.ts == question.ts for turn in self.turns.values()):
            return None
        turn = Turn(len(self.turns) + 1, question, None)
        self.turns[turn.id], self.states[turn.id] = turn, state
        return turn

    async def take(self, question: Question) -> Taken | None:
        self._may("take")
        turn = self._new(question, TurnState.WAITING)
        return None if turn is None else Taken(turn.id, await self.start_next(question.thread))

    async def take_to_place(self, question: Question) -> Turn | None:
        self._may("take")
        return self._new(question, TurnState.PLACING)

    async def place(self, turn: Turn, question: Question) -> Taken:
        self.turns[turn.id] = replace(turn, question=question)
        self.states[turn.id] = TurnState.WAITING
        return Taken(turn.id, await self.start_next(question.thread))

    async def start_next(self, thread: Thread) -> Turn | None:
        self._may("start_next")
        there = [turn for turn in self.turns.values() if turn.question.thread == thread]
        states = [self.states[turn.id] for turn in there]
        waiting = [turn for turn in there if self.states[turn.id] is TurnState.WAITING]
        if TurnState.RUNNING in states or not waiting:
            return None
        first = min(waiting, key=lambda turn: turn.question.ts)
        self.states[first.id] = TurnState.RUNNING
        return replace(first, previous_response_id=self.last_response_id)

    async def note_cost(self, turn: Turn, answer: Answer) -> None:
        self.costs[turn.id] = answer

    async def start_now(self, turn_id: int) -> Taken | None:
        if self.states[turn_id] is not TurnState.ANSWERED:
            return None
        self.states[turn_id] = TurnState.FAILED
        return await self.try_again(turn_id)

    async def try_again(self, turn_id: int) -> Taken | None:
        if self.states.get(turn_id) is not TurnState.FAILED:
            return None
        self.states[turn_id] = TurnState.WAITING
        return Taken(turn_id, await self.start_next(self.turns[turn_id].question.thread))

    async def withdraw(self, team: str, channel: str, ts: str) -> bool:
        for turn in self.turns.values():
            thread = turn.question.thread
            if (thread.team, thread.channel, turn.question.ts) == (team, channel, ts):
                waits = self.states[turn.id] is TurnState.WAITING
                self.states[turn.id] = TurnState.STOPPED if waits else self.states[turn.id]
                return waits
        return False

    async def recover(self, running: Collection[int]) -> list[Turn]:
        left, self.left = [turn for turn in self.left if turn.id not in running], []
        return left

    async def stranded(self) -> list[Thread]:
        running = {
            turn.question.thread
            for turn in self.turns.values()
            if self.states[turn.id] is TurnState.RUNNING
        }
        waiting = {
            turn.question.thread
            for turn in self.turns.values()
            if self.states[turn.id] is TurnState.WAITING
        }
        return list(waiting - running)

    async def note_response(self, turn: Turn, response_id: str) -> None:
        self.responses.append(f"{turn.id}:{response_id}")

    async def past(self, turn: Turn) -> Sequence[Past]:
        del turn
        return self.said

    async def begun_anew(self, turn: Turn) -> Turn:
        return replace(turn, previous_response_id=None, sent=(Sent(1, "9.9", streamed=True),))

    async def finish_turn(self, turn: Turn, answer: Answer | None) -> None:
        self._may("finish_turn")
        self._end("answered", turn, TurnState.ANSWERED)
        self.last_response_id = answer.finished.response_id if answer else self.last_response_id

    async def fail_turn(self, turn: Turn, error: BaseException) -> None:
        self._end("failed", turn, TurnState.FAILED, type(error).__name__)

    async def stop_turn(self, turn: Turn) -> None:
        self._end("stopped", turn, TurnState.STOPPED)

    async def hand_over(self, turn: Turn) -> None:
        self.ends.append(("handed over", turn.id))

    def _end(self, how: str, turn: Turn, state: TurnState, *facts: object) -> None:
        self.ends.append((how, turn.id, *facts))
        self.states[turn.id] = state


@dataclass
class FakeRuns:
    """Runs that people may stop: by turn, what was asked."""

    running: dict[int, Question] = field(default_factory=dict)
    trail: Sequence[Ran] = ()
    briefs: dict[int, str] = field(default_factory=dict)
    open: dict[Thread, str] = field(default_factory=dict)  # who was asked something there
    waiting: dict[Thread, str] = field(default_factory=dict)  # whose research waits there
    stopped: list[int] = field(default_factory=list)

    async def ask_stop(self, turn_id: int) -> bool:
        if turn_id in self.running:
            self.stopped.append(turn_id)
        return turn_id in self.running

    async def ask_stop_of(self, team: str, channel: str, ts: str) -> bool:
        for turn_id, question in self.running.items():
            thread = question.thread
            if (thread.team, thread.channel, question.ts) == (team, channel, ts):
                return await self.ask_stop(turn_id)
        return False

    async def running_in(self, thread: Thread) -> Running | None:
        for turn_id, question in self.running.items():
            if question.thread == thread:
                return Running(turn_id, question.user)
        return None

    async def question(self, turn_id: int) -> Question | None:
        return self.running.get(turn_id)

    async def ran(self, turn_id: int) -> Sequence[Ran]:
        del turn_id
        return self.trail

    async def stop_waiting(self, thread: Thread, user: str | None = None) -> bool:
        asker = self.waiting.get(thread)
        if asker is None or user not in {None, asker}:
            return False
        del self.waiting[thread]
        return True

    async def brief(self, turn_id: int) -> str:
        return self.briefs.get(turn_id, "")

    async def take_up(self, question: Question) -> bool:
        asker = self.open.pop(question.thread, None)
        if asker not in {None, question.user}:
            self.open[question.thread] = str(asker)
        return asker == question.user


@dataclass
class FakeSchedules:
    """Scheduled digests in a dict."""

    kept: dict[int, Schedule] = field(default_factory=dict)

    async def add(self, new: ScheduledDigest, next_due: datetime) -> Schedule:
        for each in self.kept.values():
            if each.digest == new:
                return each
        each = Schedule(id=len(self.kept) + 1, digest=new, next_due=next_due)
        self.kept[each.id] = each
        return each

    async def get(self, schedule_id: int) -> Schedule | None:
        return self.kept.get(schedule_id)

    async def of_user(self, team: str, user: str) -> Sequence[Schedule]:
        return [e for e in self.kept.values() if (e.digest.team, e.digest.user) == (team, user)]

    async def pause(self, schedule_id: int, why: str) -> bool:
        each = self.kept[schedule_id]
        self.kept[schedule_id] = replace(each, paused_why=why)
        return not each.is_paused

    async def resume(self, schedule_id: int, next_due: datetime) -> bool:
        each = self.kept[schedule_id]
        self.kept[schedule_id] = replace(each, paused_why=None, next_due=next_due)
        return each.is_paused

    async def change(self, schedule_id: int, new: ScheduledDigest, next_due: datetime) -> bool:
        each = self.kept[schedule_id]
        self.kept[schedule_id] = replace(each, digest=new, next_due=next_due, paused_why=None)
        return True

    async def delete(self, schedule_id: int) -> bool:
        return self.kept.pop(schedule_id, None) is not None


@dataclass
class FakeShared:
    """Digests by the ids of their turns, and the threads that they were shared in."""

    asked: dict[int, Question] = field(default_factory=dict)
    shared: list[tuple[int, Thread]] = field(default_factory=list)
    is_written: bool = True
    forgets: bool = False  #: whether it died each time before it could record what was shared

    async def question(self, turn_id: int) -> Question | None:
        return self.asked.get(turn_id)

    async def is_answered(self, turn_id: int) -> bool:
        return self.is_written and turn_id in self.asked

    async def shared_in(self, turn_id: int, channel: str) -> str | None:
        found = (t.thread_ts for n, t in self.shared[::-1] if (n, t.channel) == (turn_id, channel))
        return None if self.forgets else next(found, None)

    async def keep_shared(self, turn_id: int, thread: Thread) -> None:
        self.shared.append((turn_id, thread))


@dataclass
class FakeHistory:
    """Threads as Slack has them: all alike."""

    said: Transcript = field(default_factory=lambda: Transcript((), is_whole=True))
    read_for: list[Question] = field(default_factory=list)

    async def read(self, question: Question) -> Transcript:
        self.read_for.append(question)
        return self.said


@dataclass
class FakeNotes:
    """Where it is noted what a server does not support, with a clock; can fail."""

    now: datetime = datetime(2026, 11, 23, tzinfo=UTC)
    noted: dict[str, datetime] = field(default_factory=dict)
    failing: Exception | None = None

    async def note_unsupported(self, name: str, at: datetime) -> None:
        if self.failing is not None:
            raise self.failing
        self.noted[name] = at

    def unsupported(self) -> Unsupported:
        """Begin with what is noted by now, as a process does that starts."""
        return Unsupported(self.noted, self, lambda: self.now)


@dataclass
class FakeSteps:
    """What is recorded of messages; of turns in `lost`, nothing may be any more."""

    sent: dict[tuple[int, int], str | None] = field(default_factory=dict)
    delivered: dict[tuple[int, int], int] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    lost_after: str | None = None  # the step with which every turn is lost

    def _step(self, name: str, turn: Turn) -> None:
        if name == self.lost_after:
            self.lost.add(turn.id)
        if turn.id in self.lost:
            raise TurnLost(turn.id)

    async def intend(self, turn: Turn, part: int, *, streamed: bool) -> None:
        del streamed
        self._step("intend", turn)
        self.sent[turn.id, part] = None

    async def confirm(self, turn: Turn, part: int, ts: str) -> None:
        self._step("confirm", turn)
        self.sent[turn.id, part] = ts

    async def deliver(self, turn: Turn, part: int, characters: int) -> None:
        self._step("deliver", turn)
        self.delivered[turn.id, part] = characters

    async def forget(self, turn: Turn, part: int) -> None:
        self._step("forget", turn)
        self.sent.pop((turn.id, part), None)

    async def known(self, thread: Thread) -> frozenset[str]:
        del thread
        return frozenset(ts for ts in self.sent.values() if ts is not None)
