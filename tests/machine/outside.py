"""The world outside of a process, each call behind a gate: Slack, the database, the model."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bot.errors import ModelCutOff, ModelOverloaded, SlackRefused, SlackUnreachable
from bot.playground.slack.arguments import Arguments, Refusal
from bot.playground.slack.limits import Limits
from bot.playground.slack.server import METHODS, LocalSlack
from bot.playground.slack.workspace import Workspace
from bot.slack.web import SlackWeb
from bot.store.database import FileDatabase
from bot.turns.answer import Finished, Started, TextDelta
from bot.turns.question import Asked, Question
from tests.machine.gates import Gates, Killed, Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import aiosqlite
    from sqlalchemy import Connection

    from bot.store.database import Database
    from bot.turns.answer import Part
    from bot.turns.turn import Turn
    from tests.machine.loop import StepLoop
    from tests.machine.watch import Watch

Json = dict[str, Any]
Result = TypeVar("Result")

SENTENCES = 3
LATER = 2_000_000_000  # than any time of the processes, so that no message is too old for them
# These show something of a turn; each is to be made by its owner alone.
SHOWING = {"chat.postMessage", "chat.startStream", "chat.appendStream", "chat.update"}


class CountedWorkspace(Workspace):
    """Numbers its messages from the beginning of the world."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)

    def next_ts(self) -> str:
        """Return a ts later than all before it."""
        return f"{LATER + next(self._numbers)}.000100"


def local_slack(clock: Callable[[], float]) -> LocalSlack:
    """Return a Slack that is called without a socket, and slows nobody down."""
    slack = LocalSlack(Limits(clock=clock), None)
    slack.workspace = CountedWorkspace()
    return slack


class GatedWeb(SlackWeb):
    """The Web API of the local Slack, as one process has it."""

    def __init__(self, slack: LocalSlack, gates: Gates, watch: Watch) -> None:
        self._slack = slack
        self._gates = gates
        self._watch = watch

    async def call(self, method: str, **params: Any) -> Json:  # noqa: ANN401 - JSON
        """Call a method when the gate opens, and return its answer."""
        if method in SHOWING:
            self._watch.shows(method)
        try:
            outcome = await self._gates.at("slack", method)
        except (asyncio.CancelledError, Killed) as end:
            if end.acts if isinstance(end, Killed) else self._gates.acts_at_last:
                with contextlib.suppress(SlackRefused):
                    await self._answer(method, params)
            raise
        if outcome is Outcome.UNHEARD:
            raise SlackUnreachable(method, "unheard")
        if outcome is Outcome.FULL and (params.get("chunks") or params.get("blocks")):
            raise SlackRefused(method, "msg_too_long")
        answer = await self._answer(method, params)
        if outcome is Outcome.LOST:
            raise SlackUnreachable(method, "lost")
        return answer

    async def _answer(self, method: str, params: Json) -> Json:
        given = {name: value for name, value in params.items() if value is not None}
        try:
            return await METHODS[method](self._slack, Arguments(json.loads(json.dumps(given))))
        except Refusal as refusal:
            raise SlackRefused(method, refusal.code) from refusal


class GatedDatabase:
    """A database as one process has it; whoever watches looks at it after each operation."""

    def __init__(self, database: Database, gates: Gates, watch: Watch, loop: StepLoop) -> None:
        self.dialect = database.dialect
        self._database = database
        self._gates = gates
        self._watch = watch
        self._loop = loop

    async def run(
        self, operation: Callable[[Connection], Result], *, ahead: bool = False
    ) -> Result:
        """Run an operation when the gate opens, and again if the answer to its commit gets lost."""
        del ahead
        outcome = await self._gates.at("store", operation.__qualname__)
        with self._loop.outside():
            result = await self._database.run(operation)
            await self._watch.look()
            if outcome is Outcome.LOST:
                result = await self._database.run(operation)
                await self._watch.look()
        return result


@dataclass
class ScriptedModel:
    """Answers each question with sentences that say which they are."""

    gates: Gates
    watch: Watch

    async def respond(self, asked: Asked, turn: Turn) -> AsyncGenerator[Part]:
        number = asked.text.removeprefix("Q").removesuffix("?")
        self.watch.asks(turn)
        if await self.gates.at("model", "request") is Outcome.FULL:
            raise ModelOverloaded
        response_id = f"resp_{turn.id}_{turn.epoch}"
        yield Started(response_id)
        for place in range(SENTENCES):
            yield TextDelta(f"Q{number}-{place} is said here. ")
            if place < SENTENCES - 1 and await self.gates.at("model", "text") is Outcome.FULL:
                raise ModelCutOff
        yield Finished(response_id, "gpt-test", "completed")

    async def count_tokens(self, asked: Asked, turn: Turn) -> int | None:
        del asked, turn
        return None


class NobodyUnknown:
    """Reads questions as they are written."""

    async def read(self, question: Question) -> Asked:
        return Asked(question.text, None)


class InOneThread:
    """Stands in for aiosqlite's connection, whose thread would make every run another one."""

    def __init__(self) -> None:
        self._conn = sqlite3.connect(":memory:", isolation_level=None)

    async def _execute(self, act: Callable[..., Result], *args: object) -> Result:
        return act(*args)

    def close(self) -> None:
        self._conn.close()

    def opened(self) -> FileDatabase:
        """Open the file, as each process does."""
        connection: aiosqlite.Connection = self  # type: ignore[assignment]
        return FileDatabase(connection)
