"""What people do about a research beside asking: begin one, stop one, look at its trail."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from bot.errors import SlackError
from bot.slack.asker import chosen_by, whisper
from bot.slack.research_blocks import brief_blocks, trail_blocks
from bot.turns.question import OFF_THE_WEB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.web import SlackWeb
    from bot.turns.question import Question, Thread
    from bot.turns.research import Ran, Running

log = logging.getLogger(__name__)

Json = dict[str, Any]

DEEPER = "1"  # behind a question's ts, for the research of the same: Slack's have six decimals
ID_DIGITS = 10  # from here on, no database has such an id
_RESEARCH = re.compile(r"research\s*:\s*(.*)\Z", re.IGNORECASE | re.DOTALL)
_THIS = re.compile(r"research (this|that|it)\b", re.IGNORECASE)
_STOP = re.compile(r"stop[.!]*\Z", re.IGNORECASE)

NOT_BEGUN = "All right, I do not research this."
MAY_NOT_START = "Only the person who asked can have this research begun."
MAY_NOT_STOP = "Only the person who asked, or an administrator, can stop this research."


class Runs(Protocol):
    """What is known of runs."""

    async def ask_stop(self, turn_id: int) -> bool:
        """Have a run stopped; False where none runs."""
        ...

    async def ask_stop_of(self, team: str, channel: str, ts: str) -> bool:
        """Have the run of a deleted question stopped; False where none runs."""
        ...

    async def stop_waiting(self, thread: Thread, user: str | None = None) -> bool:
        """Take back research that waits for its turn there, of this person or of anybody."""
        ...

    async def running_in(self, thread: Thread) -> Running | None:
        """Return the run that goes on in a thread."""
        ...

    async def question(self, turn_id: int) -> Question | None:
        """Return what was asked with a turn."""
        ...

    async def ran(self, turn_id: int) -> Sequence[Ran]:
        """Return what was searched and read in a run."""
        ...

    async def brief(self, turn_id: int) -> str:
        """Return what was to be researched in a run."""
        ...

    async def take_up(self, question: Question) -> bool:
        """Take a message for the answer to what was asked before a run, of the same person."""
        ...


def wanted(question: Question) -> Question:
    """Tell a question that wants research from one that wants an answer."""
    if found := _RESEARCH.match(question.text):
        text = found[1].strip()
        return replace(question, text=text, kind="research" if text else "answer")
    return replace(question, kind="research") if _THIS.match(question.text) else question


def number_of(action: Json) -> int | None:
    """Read the number of the turn, or of the schedule, that a button is about."""
    value = str(action.get("value"))
    return int(value) if value.isdecimal() and len(value) < ID_DIGITS else None


@dataclass(frozen=True, slots=True)
class ResearchControls:
    """Stops runs and shows their trails, for who may."""

    web: SlackWeb
    runs: Runs

    async def deeper(self, body: Json, turn_id: int) -> Question | None:
        """Return the question of an answer, to be researched; to ask twice is to ask once."""
        question = await self._asked_here(body, turn_id)
        if question is None or question.kind in OFF_THE_WEB:
            return None
        ts = f"{question.ts}{DEEPER}"
        asker = chosen_by(body)
        team = asker.team or question.user_team
        return replace(question, ts=ts, user=asker.user, user_team=team, kind="research")

    async def as_answer(self, question: Question) -> Question:
        """Return a message that answers what was asked before a run as the question of that run."""
        if question.is_root or not await self.runs.take_up(question):
            return question
        return replace(question, kind="research")

    async def stop_said(self, question: Question) -> bool:
        """Take a message that says nothing but "stop"; False where it is something else."""
        if question.is_root or not _STOP.match(question.text):
            return False
        if await self.runs.take_up(question):
            await whisper(self.web, question.thread, question.user, text=NOT_BEGUN)
            return True
        running = await self.runs.running_in(question.thread)
        if running is not None and await self._may_stop(running.user, question.user):
            return await self.runs.ask_stop(running.turn_id)
        if await self.runs.stop_waiting(question.thread, question.user):
            await whisper(self.web, question.thread, question.user, text=NOT_BEGUN)
            return True
        return False

    async def stop_session(self, thread: Thread) -> None:
        """Take Slack's own Stop."""
        running = await self.runs.running_in(thread)
        if running is not None:
            await self.runs.ask_stop(running.turn_id)
        else:
            await self.runs.stop_waiting(thread)

    async def stop_deleted(self, team: str, channel: str, ts: str) -> None:
        """Take that a question was deleted."""
        await self.runs.ask_stop_of(team, channel, ts)

    async def stop_pressed(self, body: Json, turn_id: int) -> None:
        """Take a press of the button."""
        user, question = chosen_by(body).user, await self.runs.question(turn_id)
        if question is None:
            return
        if await self._may_stop(question.user, user):
            await self.runs.ask_stop(turn_id)
        else:
            await whisper(self.web, question.thread, user, text=MAY_NOT_STOP)

    async def show_trail(self, body: Json, turn_id: int) -> None:
        """Show to who pressed the button, and nobody else, what was searched and read."""
        if question := await self._asked_here(body, turn_id):
            for blocks in trail_blocks(await self.runs.ran(turn_id)):
                await self._show(question, body, "The search trail", blocks)

    async def show_brief(self, body: Json, turn_id: int) -> None:
        """Show to who pressed the button, and nobody else, what is researched."""
        if question := await self._asked_here(body, turn_id):
            for blocks in brief_blocks(await self.runs.brief(turn_id)):
                await self._show(question, body, "The brief", blocks)

    async def may_start(self, body: Json, turn_id: int) -> bool:
        """Whether who pressed the button may have a research begun; they are told if not."""
        question = await self._asked_here(body, turn_id)
        if question is None:
            return False
        if question.user == chosen_by(body).user:
            return True
        await self._show(question, body, MAY_NOT_START)
        return False

    async def _asked_here(self, body: Json, turn_id: int) -> Question | None:
        """Return what was asked with a turn, if its button stands where that was."""
        question = await self.runs.question(turn_id)
        is_here = question is not None and chosen_by(body).channel == question.thread.channel
        return question if is_here else None

    async def _show(
        self, question: Question, body: Json, text: str, blocks: Sequence[Json] | None = None
    ) -> None:
        user = chosen_by(body).user
        await whisper(self.web, question.thread, user, text=text, blocks=blocks)

    async def _may_stop(self, asker: str, user: str) -> bool:
        if user == asker:
            return True
        try:
            answer = await self.web.call("users.info", user=user)
        except SlackError as error:
            log.info("nobody can say who an administrator is", extra={"code": error.code})
            return False
        person = answer.get("user")
        return isinstance(person, dict) and bool(person.get("is_admin") or person.get("is_owner"))
