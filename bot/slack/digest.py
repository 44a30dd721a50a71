"""A digest in its thread: one message that says what is being done, and then the digest below."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.digests.request import read_request
from bot.digests.words import skipped_words
from bot.slack.blocks import actions, button, failure_blocks, note_block, section
from bot.slack.digest_blocks import SHARE_DIGEST, digest_messages
from bot.slack.digest_titles import digest_title
from bot.slack.digest_words import DIGEST_GOES_ON
from bot.slack.markdown import escape
from bot.slack.notice import Notice, take_away
from bot.slack.permalinks import permalink
from bot.slack.series import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.digests.digest import Digest, Reading
    from bot.slack.messages import Message
    from bot.slack.place import Place
    from bot.turns.turn import Turn

Blocks = list[dict[str, Any]]


class DigestReply:
    """Implements the `Reply` of digests/run.py.

    Its methods raise a SlackError once the thread takes nothing more, and TurnLost or
    StoreUnreachable where the turn is not this process's any more.
    """

    def __init__(self, place: Place, turn: Turn, workspace: str) -> None:
        self.closed = False
        self.is_open = asyncio.Event()  # set when the first message is there, or none will be
        self._turn = turn
        self._workspace = workspace
        self._series = Series(place)
        self._notice = Notice(self._series)
        self._is_shown = True  # whether its end begins in the first message
        self._is_begun = False  # whether that is there: it may be told more than once
        self._more: list[Message] = []  # of its end, likewise

    def open(self) -> None:
        """Begin: the first sign comes with the first word."""

    async def show(self, words: str) -> None:
        """Say what is being done."""
        await self._put(words, [section(escape(words))])

    async def finish(
        self, digest: Digest, reading: Reading, coverage: str, *, may_share: bool
    ) -> None:
        """Deliver the digest of what was read; returns when Slack has it.

        Where that fails, it may be called again, and goes on from what is there.
        """
        request = read_request(self._turn.question.text)
        links = {
            message.ts: permalink(self._workspace, request.channel, message)
            for message in reading.messages
        }
        share = actions(button(SHARE_DIGEST, "Share in the channel", str(self._turn.id)))
        first, *rest = digest_messages(
            digest, links, coverage, digest_title(request), [share] if may_share else []
        )
        await self._end("The digest is ready", first, rest)

    async def fail(self, words: str, reference: str) -> None:
        """Say why there is none, and which others of its schedule there are none of."""
        skipped = skipped_words(read_request(self._turn.question.text))
        words = f"{words} {skipped}".strip()
        self._is_begun = False
        while self._more:  # of a digest that could not be shown whole
            await take_away(self._more.pop())
        await self._end("No digest", failure_blocks(words, reference))

    async def interrupt(self) -> None:
        """Say that the next process goes on."""
        if self._notice.is_there:
            await self._put(DIGEST_GOES_ON, [note_block(DIGEST_GOES_ON)])

    async def let_go(self) -> None:
        """Touch nothing any more: each of its calls has been waited for."""
        self.closed = True
        self.is_open.set()

    async def _end(self, words: str, first: Blocks, rest: Sequence[Blocks] = ()) -> None:
        """Say the last of it: in the message that is there, or below it where that stays as it is.

        That one goes when all is said, so whoever goes on after a death finds one or the other.
        """
        if not self._is_begun:
            await self._begin_end(words, first)
        for blocks in rest[len(self._more) :]:
            self._more.append(await self._series.post(blocks, "More of the digest"))
        await self._series.drop_the_rest()
        if not self._is_shown:
            await self._notice.take_away()
        self.closed = True

    async def _begin_end(self, words: str, first: Blocks) -> None:
        if self._series.has_earlier and not self._notice.is_there:
            await self._put(words, first)  # into what was left there, if that may be changed
        self._is_shown = await self._put(words, first)
        if not self._is_shown:
            await self._series.post(first, words)
        self._is_begun = True

    async def _put(self, words: str, blocks: Blocks) -> bool:
        try:
            return await self._notice.put(words, blocks)
        finally:
            self.is_open.set()
