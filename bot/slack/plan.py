"""The message that shows a research run while it goes on: posted once, then updated for hours.

What there is to show is told at any time; one task writes, by time, and only the latest of it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import SlackRateLimited, SlackUnreachable
from bot.slack.notice import Notice
from bot.slack.research_blocks import working, working_blocks

if TYPE_CHECKING:
    from bot.slack.agent import Agent
    from bot.slack.place import Place
    from bot.slack.series import Series
    from bot.turns.research import Progress
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

REFRESH_SECONDS = 55.0  # the time that is shown gets older than this only where many runs are shown
STATUS_SECONDS = 45 * 60.0  # Slack takes `processing` back after an hour
LETTING_GO_SECONDS = 5.0  # for a call on its way to arrive


class Plan:
    """The first message of a run. What ends its writer is raised by who has something to show."""

    def __init__(self, place: Place, turn: Turn, agent: Agent, series: Series) -> None:
        self.is_open = asyncio.Event()  # set when the message is there, or could not be had
        self.told = ""  # the brief
        self._place = place
        self._turn = turn
        self._agent = agent
        self.notice = Notice(series)  #: the message
        self._progress: Progress | None = None
        self._progress_at = 0.0
        self._changed = asyncio.Event()
        self._ending = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._opened_at = place.pacing.clock()
        self._status_due = 0.0

    def open(self) -> None:
        """Begin to write."""
        self._writer = asyncio.create_task(self._write())

    def brief(self, text: str) -> None:
        """Show what is going to be researched."""
        self._check()
        self.told = text
        self._changed.set()

    def show(self, progress: Progress) -> None:
        """Show how far the run has come."""
        self._check()
        self._progress, self._progress_at = progress, self._place.pacing.clock()
        self._changed.set()

    def now(self) -> Progress | None:
        """Return what was last said of the run, with the time that has passed since."""
        if self._progress is None:
            return None
        passed = self._place.pacing.clock() - self._progress_at
        return replace(self._progress, seconds=self._progress.seconds + passed)

    async def stop(self) -> None:
        """Show nothing more of what was told; raises what ended the writer."""
        self._end()
        if self._writer is not None:
            await asyncio.wait({self._writer})  # which no cancelling of ours reaches
            self._check()

    async def let_go(self) -> None:
        """Touch nothing any more, once what is on its way has arrived."""
        self.is_open.set()
        if self._writer is not None:
            self._end()
            await asyncio.wait({self._writer}, timeout=LETTING_GO_SECONDS)
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _write(self) -> None:
        pacing = self._place.pacing
        try:
            await self._refresh()
        finally:
            self.is_open.set()
        while not self._ending.is_set():
            shown_at = pacing.clock()
            pause = pacing.seconds_between_updates(self._age)
            if await pacing.set_within(self._ending, pause):
                return
            left = shown_at + REFRESH_SECONDS - pacing.clock()
            await pacing.set_within(self._changed, max(0.0, left))
            if not self._ending.is_set():
                await self._refresh()

    async def _refresh(self) -> None:
        """Show what is known by now. What Slack does not take for the moment, it gets later."""
        self._changed.clear()
        progress = self.now()
        words = working(progress) if progress else self._first_words
        blocks = working_blocks(self._turn.id, words, progress, self.told)
        try:
            await self.notice.put(words, blocks)
        except (SlackUnreachable, SlackRateLimited) as error:
            log.info("the plan message is not up to date", extra={"error": str(error)})
        await self._keep_processing()

    async def _keep_processing(self) -> None:
        now = self._place.pacing.clock()
        if now >= self._status_due:
            self._status_due = now + STATUS_SECONDS
            await self._agent.status(self._place.question.thread, "processing")

    @property
    def _first_words(self) -> str:
        return "Going on with the research" if self._turn.attempt > 1 else "Preparing the research"

    @property
    def _age(self) -> float:
        progress = self.now()
        return progress.seconds if progress else self._place.pacing.clock() - self._opened_at

    def _check(self) -> None:
        if self._writer is not None and self._writer.done():
            self._writer.result()  # raises what ended it

    def _end(self) -> None:
        self._ending.set()
        self._changed.set()
