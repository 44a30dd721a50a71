"""The bot's answer in a thread while it grows.

    search, text ──► pages ──► writer, one per reply ──► message 1, message 2, … ──► blocks below

One task writes, by time: what has gathered since the last call goes out as one call. A message
is left for the next one when the page is full, when it gets old, or when Slack refuses more of
it; what was refused goes out again in the next one, so what Slack has accepted is, in the end,
what was produced.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from bot.errors import FootnoteError, SlackRefused
from bot.slack.blocks import (
    MESSAGE_BYTES,
    below_answer,
    counted,
    failure_blocks,
    note_block,
    size,
)
from bot.slack.cards import Cards
from bot.slack.cards import size as cards_size
from bot.slack.growth import Growth
from bot.slack.markdown import ZERO_WIDTH, SlackMarkdown
from bot.slack.pages import PageBreak, Pages, fence_mark, open_fence, split_for_append
from bot.slack.place import MessageFull
from bot.slack.series import Series
from bot.slack.words import GOING_ON
from bot.turns.question import OFF_THE_WEB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.growth import Task
    from bot.slack.messages import Message
    from bot.slack.place import Place
    from bot.turns.answer import Answer, Search
    from bot.turns.pieces import Piece
    from bot.turns.turn import Turn

log = logging.getLogger(__name__)

Json = dict[str, Any]

# Slack closes a stream about 300 s after its start, whatever is appended meanwhile (measured by
# third parties at 303 to 320 s, python-slack-sdk issues 1859 and 1880).
PAGE_SECONDS = 240.0
PAGE_SECONDS_CALM = 210.0  # from here on, the next paragraph's end is taken
QUIET_SECONDS = 20.0  # a stream that is silent for longer is said to be closed early

LETTING_GO_SECONDS = 5.0  # for a message on its way to arrive, and to be taken back
RESENDS = 3  # of what a message refused, each in a new one


class ThreadReply:
    """Implements the `Reply` of turns/run.py."""

    def __init__(self, place: Place, turn: Turn, help_words: str) -> None:
        self.closed = False
        self.produced = 0  # characters of text
        self.delivered = 0  # of them, what Slack has accepted
        self._place = place
        self._turn = turn
        self._help_words = help_words
        self._markdown = SlackMarkdown()
        self._pages = Pages()
        self._ready = ""  # belongs on the current page, not sent yet
        self._page_text = ""  # what Slack has accepted of the current page
        self._cards = Cards()
        self._plan = "Looking into it"
        self._message: Message | None = None
        self._series = Series(place)
        self._wake = asyncio.Event()
        self._ending = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self.is_open = asyncio.Event()  # set when the first message is there, or none will be

    def open(self) -> None:
        """Begin to write: first of all a first sign."""
        self._writer = asyncio.create_task(self._write())

    async def show_search(self, key: str, search: Search | None, *, failed: bool = False) -> None:
        """Show a card for a search."""
        self._check()
        self._cards.read()
        self._cards.show_search(key, search, failed=failed)
        self._wake.set()

    async def show_wait(self) -> None:
        """Show a card for waiting."""
        self._check()
        self._cards.wait()
        self._wake.set()

    async def write(self, pieces: Sequence[Piece]) -> None:
        """Add to the text."""
        self._check()
        text = self._markdown.write(pieces)
        if text:
            self._cards.read()
            self.produced += len(text)
            self._pages.feed(text)
            self._wake.set()

    async def finish(self, answer: Answer) -> None:
        """Deliver the rest and what stands below the answer."""
        searches = sum(search.kind == "search" for search in answer.searches)
        self._plan = (
            f"Researched with {counted(searches, 'search', 'searches')}"
            if answer.searches
            else "Answered without a search"
        )
        self._cards.end()
        may_deepen = answer.note is None and self._turn.question.kind not in OFF_THE_WEB
        deeper = str(self._turn.id) if may_deepen else ""
        await self._end(below_answer(answer, answer.note, deeper))

    async def fail(self, words: str, reference: str) -> None:
        """Deliver what there is, and say what happened."""
        self._cards.end("error")
        self._plan = "Not finished"
        with contextlib.suppress(Exception):  # what ended the writer is being told right now
            await self._stop_writing()
        with contextlib.suppress(FootnoteError):  # Slack may take by now what it did not then
            await self._flush(final=True)
        await self._close([failure_blocks(words, reference)])

    async def help(self) -> None:
        """Say how to ask."""
        self._pages.feed(self._help_words)
        self.produced += len(self._help_words)
        self._plan = "How to ask"
        self._cards.end()
        await self._end([[]])

    async def stopped(self) -> None:
        """Leave the reply as it is: Slack has closed it at the person's wish."""
        self.closed = True

    async def let_go(self) -> None:
        """Touch nothing any more, once what is on its way has arrived.

        Who takes the turn over may have looked for a message before that came, so whoever posted
        it is the only one to take it back.
        """
        self.closed = True
        self.is_open.set()
        if self._writer is not None:
            self._ending.set()
            self._wake.set()
            await asyncio.wait({self._writer}, timeout=LETTING_GO_SECONDS)
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)

    async def interrupt(self) -> None:
        """Leave nothing spinning for a while, until the next process goes on."""
        self._cards.end("complete")
        self._plan = "Interrupted"
        with contextlib.suppress(Exception):  # what ended the writer may not end this
            await self._stop_writing()
        with contextlib.suppress(MessageFull):
            await self._close_message(self._last_growth(), [note_block(GOING_ON)])

    def _check(self) -> None:
        if self._writer is not None and self._writer.done():
            self._writer.result()  # raises what ended it

    async def _end(self, groups: Sequence[list[Json]]) -> None:
        await self._stop_writing()
        await self._flush(final=True)
        await self._close(groups)
        self.produced += self._pages.repeated
        if self.delivered != self.produced:
            facts = {"produced": self.produced, "delivered": self.delivered}
            log.error("slack has other text than was produced", extra=facts)

    async def _stop_writing(self) -> None:
        self._ending.set()
        self._wake.set()
        if self._writer is not None:
            await asyncio.wait({self._writer})  # which no cancelling of ours reaches
            self._check()

    async def _write(self) -> None:
        try:
            await self._open_message()
        finally:
            self.is_open.set()
        while not self._ending.is_set():
            if not await _set_within(self._wake, QUIET_SECONDS):
                self._cards.repeat()
            self._wake.clear()
            await self._flush(final=False)
            if self._message is not None:
                pause = self._place.pacing.seconds_between(streamed=self._message.streamed)
                await _set_within(self._ending, pause)

    async def _flush(self, *, final: bool) -> None:
        await self._heed_age()
        while (taken := self._pages.take(final=final)) is not None:
            if isinstance(taken, PageBreak):
                await self._send(final=True)
                await self._next_message()
            else:
                self._ready += taken
        await self._send(final=final)

    async def _heed_age(self) -> None:
        if self._message is None or not self._message.streamed:
            return
        age = self._place.pacing.clock() - self._message.opened_at
        if age > PAGE_SECONDS:
            old = self._message
            await self._send(final=True)
            if self._message is old:
                await self._next_message()
        elif age > PAGE_SECONDS_CALM:
            self._pages.turn_soon()

    async def _send(self, *, final: bool) -> None:
        for _ in range(RESENDS):
            now, later = (self._ready, "") if final else split_for_append(self._ready)
            growth = Growth(now, self._take_changed())
            if not growth or self._message is None:
                return
            try:
                await self._message.append(growth)
            except MessageFull:
                log.info("message takes no more", extra={"part": self._series.number})
                await self._next_message(growth.tasks)
            else:
                self._accepted(now)
                self._ready = later
                return
        raise SlackRefused("chat.appendStream", "msg_too_long")

    def _accepted(self, text: str) -> None:
        self.delivered += len(text)
        self._page_text += text

    def _take_changed(self) -> tuple[Task, ...]:
        tasks = self._cards.take()
        self._pages.used += cards_size(tasks)
        return tasks

    async def _next_message(self, refused: Sequence[Task] = ()) -> None:
        """Close this message in good order and open the next one."""
        fence = open_fence(self._page_text)
        left = self._cards.turn_over(refused)
        if self._message is not None:
            with contextlib.suppress(MessageFull):  # it is closed already
                growth = Growth(_closing(fence, self._page_text), left, "Continued below")
                await self._message.close(growth, ())
        self._pages.turn_now(len(self._ready.encode()))
        await self._open_message(f"{fence}\n" if fence else "")

    async def _open_message(self, text: str = "") -> None:
        plan = self._plan if self._cards.any_new else ""
        growth = Growth(text, self._take_changed(), plan)
        self._message = await self._series.open(growth)
        self._page_text = text
        self._pages.go_on_with(text)

    def _last_growth(self) -> Growth:
        fence = open_fence(self._page_text)
        return Growth(_closing(fence, self._page_text), self._take_changed(), self._plan)

    async def _close(self, groups: Sequence[list[Json]]) -> None:
        if self._message is None:  # Slack did not take it then
            await self._open_message()
        last = self._last_growth()
        first, rest = groups[0], groups[1:]
        if self._pages.used + size(first) > MESSAGE_BYTES:
            first, rest = [], groups
        try:
            await self._close_message(last, first)
        except MessageFull:
            await self._close_in_new_message(first)
        self.closed = True
        for blocks in rest:
            await self._series.post(blocks)
        await self._series.drop_the_rest()

    async def _close_in_new_message(self, blocks: Sequence[Json]) -> None:
        with contextlib.suppress(MessageFull):  # it is closed already
            await self._close_message(Growth(), ())
        await self._open_message()
        try:
            await self._close_message(Growth(plan=self._plan), blocks)
        except MessageFull as error:
            raise SlackRefused("chat.stopStream", "msg_too_long") from error

    async def _close_message(self, growth: Growth, blocks: Sequence[Json]) -> None:
        if self._message is not None:
            await self._message.close(growth, blocks)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _closing(fence: str, text: str) -> str:
    if not fence:
        return ""
    # A chunk that began with the line's end would lose it.
    return ("" if text.endswith("\n") else ZERO_WIDTH + "\n") + fence_mark(fence)
