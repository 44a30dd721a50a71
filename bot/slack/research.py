"""A research run in its thread: a plan message while it goes on, and the report below.

    progress ──► plan message, updated by one writer, by time ──► summary ──► report

The plan message is the turn's first, the report is in the next ones. All are posted and, by a
process that takes the run over, replaced in the same order: so the asker is notified once.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from bot.errors import SlackRefused
from bot.slack.blocks import markdown_blocks
from bot.slack.markdown import notification
from bot.slack.place import Place
from bot.slack.plan import Plan
from bot.slack.report import pages_of, report_file, report_name, report_title, safe_markdown
from bot.slack.research_blocks import (
    asking_blocks,
    done,
    done_blocks,
    ended,
    failed_blocks,
    interrupted_blocks,
    stopped_blocks,
    summary_blocks,
)
from bot.slack.series import Series
from bot.slack.words import REPORT_READY, RESEARCH_BEGINS_ANEW, RESEARCH_GOES_ON

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from bot.slack.agent import Agent, Status
    from bot.slack.blocks import Json
    from bot.turns.research import Progress, Report
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

Share = Callable[[Place, str, str, str], Awaitable[None]]  # place, name, title, text

PAGES_IN_THREAD = 2  # a longer report is a file


async def no_files(place: Place, name: str, title: str, text: str) -> None:
    """Share nothing: the report is posted in messages."""
    del place, name, title, text
    raise SlackRefused("files.getUploadURLExternal", "not_allowed")


class ResearchReply:
    """A research run in its thread.

    Its methods raise a SlackError once the thread takes nothing more, and TurnLost or
    StoreUnreachable where the turn is not this process's any more.
    """

    def __init__(self, place: Place, turn: Turn, agent: Agent, share: Share) -> None:
        self.closed = False
        self._place = place
        self._turn = turn
        self._agent = agent
        self._share = share
        self._series = Series(place)
        self._plan = Plan(place, turn, agent, self._series)
        self._shared: bool | None = None

    @property
    def is_open(self) -> asyncio.Event:
        """Set when the plan message is there, or could not be had."""
        return self._plan.is_open

    def open(self) -> None:
        """Begin to show the run: first of all a first sign."""
        self._plan.open()

    async def brief(self, text: str) -> None:
        """Show what is going to be researched."""
        self._plan.brief(text)

    async def show(self, progress: Progress) -> None:
        """Show how far the run has come."""
        self._plan.show(progress)

    async def ask(self, questions: Sequence[str]) -> None:
        """Ask the person before the run begins."""
        await self._plan.stop()
        await self._rest("suspended")
        await self._plan.notice.put("I have questions", asking_blocks(self._turn.id, questions))
        self.closed = True

    async def finish(self, report: Report) -> None:
        """Deliver the report; returns when Slack has it.

        May be called again where Slack could not be reached: it goes on from there.
        """
        await self._plan.stop()
        await self._plan.notice.put(
            done(report), done_blocks(self._turn.id, report, self._plan.told)
        )
        await self._deliver(report)
        await self._series.drop_the_rest()
        self.closed = True
        await self._rest("active")

    async def fail(self, words: str, reference: str) -> None:
        """Say what happened."""
        with contextlib.suppress(Exception):  # what ended the writer is being told right now
            await self._plan.stop()
        progress = self._plan.now()
        headline = ended("Not finished", progress)
        await self._rest("active")
        await self._plan.notice.put(headline, failed_blocks(headline, words, reference, progress))
        self.closed = True

    async def stopped(self, progress: Progress) -> None:
        """Say that a person has stopped it, and how far it came."""
        await self._plan.stop()
        await self._rest("active")
        await self._plan.notice.put(
            ended("Stopped", progress), stopped_blocks(self._turn.id, progress)
        )
        self.closed = True

    async def let_go(self) -> None:
        """Touch nothing any more, once what is on its way has arrived."""
        self.closed = True
        await self._plan.let_go()

    async def interrupt(self) -> None:
        """Say that the next process goes on."""
        with contextlib.suppress(Exception):  # what ended the writer may not end this
            await self._plan.stop()
        progress = self._plan.now()
        is_kept = progress is None or progress.is_kept
        words = RESEARCH_GOES_ON if is_kept else RESEARCH_BEGINS_ANEW
        headline = ended("Interrupted", progress)
        if self._plan.notice.is_there:
            await self._plan.notice.put(headline, interrupted_blocks(headline, words, progress))
        await self._rest("active")

    async def _rest(self, status: Status) -> None:
        """Have Slack no longer show that the bot works in the thread."""
        await self._agent.status(self._place.question.thread, status)

    async def _deliver(self, report: Report) -> None:
        answer = report.answer
        summary = safe_markdown(report.summary, answer.citations)
        has_more = report.summary.strip() != answer.text.strip()
        user, turn_id = self._place.question.user, self._turn.id
        groups = summary_blocks(user, report, summary, has_more=has_more, turn_id=turn_id)
        words = [f"{REPORT_READY.capitalize()} {notification(summary)}", *["Sources"] * len(groups)]
        messages = list(zip(words, groups, strict=False))
        await self._post_on(messages)
        pages = pages_of(safe_markdown(answer.text, answer.citations)) if has_more else []
        if len(pages) > PAGES_IN_THREAD and await self._is_shared(report):
            return
        await self._post_on(
            [*messages, *((notification(page), markdown_blocks(page)) for page in pages)]
        )

    async def _post_on(self, messages: Sequence[tuple[str, list[Json]]]) -> None:
        """Post those of the messages below the plan that are not there yet."""
        for words, blocks in messages[self._series.number - 1 :]:
            await self._series.post(blocks, words)

    async def _is_shared(self, report: Report) -> bool:
        """Share the report as a file, once; False where that is not allowed."""
        if self._shared is None:
            question = self._place.question
            name, title = report_name(question), report_title(question)
            try:
                await self._share(self._place, name, title, report_file(report))
                self._shared = True
            except SlackRefused as error:
                log.info("no file here, posting instead", extra={"code": error.code})
                self._shared = False
        return self._shared
