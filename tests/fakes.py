"""Fakes that do what the real edges promise, remember what they were told, and can fail."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.turns.question import Asked, Question, Thread
from bot.turns.turn import Turn

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from bot.turns.answer import Answer, Part, Search
    from bot.turns.pieces import Piece


def a_question(text: str = "How far is the moon?", *, ts: str = "100.000200") -> Question:
    thread = Thread(team="T1", channel="C1", thread_ts="100.000100")
    return Question(thread=thread, ts=ts, user="U1", user_team="T1", text=text)


@dataclass
class FakeModel:
    """Says the parts it is given; an exception among them is raised at its place."""

    parts: Sequence[Part | Exception] = ()
    asked: list[tuple[Asked, Turn]] = field(default_factory=list)
    hung_up: int = 0

    async def respond(self, asked: Asked, turn: Turn) -> AsyncGenerator[Part]:
        self.asked.append((asked, turn))
        try:
            for part in self.parts:
                if isinstance(part, Exception):
                    raise part
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

    @asynccontextmanager
    async def open_reply(self, turn: Turn) -> AsyncIterator[FakeReply]:
        del turn
        if self.refuses is not None:
            raise self.refuses
        try:
            yield self.reply
        finally:
            self.left += 1

    async def read(self, question: Question) -> Asked:
        return Asked(question.text, "You")


@dataclass
class FakeStore:
    """Turns in a dict, with the promises of the real one."""

    turns: dict[int, Turn] = field(default_factory=dict)
    ends: list[tuple[object, ...]] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    last_response_id: str | None = None

    async def take(self, question: Question) -> int | None:
        if "take" in self.failing:
            raise self.failing["take"]
        if any(turn.question.ts == question.ts for turn in self.turns.values()):
            return None
        turn_id = len(self.turns) + 1
        self.turns[turn_id] = Turn(turn_id, question, None)
        return turn_id

    async def start(self, turn_id: int) -> Turn:
        return replace(self.turns[turn_id], previous_response_id=self.last_response_id)

    async def note_response(self, turn: Turn, response_id: str) -> None:
        self.responses.append(f"{turn.id}:{response_id}")

    async def finish_turn(self, turn: Turn, answer: Answer | None) -> None:
        if "finish_turn" in self.failing:
            raise self.failing["finish_turn"]
        self.ends.append(("answered", turn.id))
        self.last_response_id = answer.finished.response_id if answer else self.last_response_id

    async def fail_turn(self, turn: Turn, error: BaseException) -> None:
        self.ends.append(("failed", turn.id, type(error).__name__))

    async def stop_turn(self, turn: Turn) -> None:
        self.ends.append(("stopped", turn.id))
