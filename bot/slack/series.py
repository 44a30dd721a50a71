"""The messages of a reply, one after the other.

Those that an earlier attempt left in the thread are used again, in the same order, before any is
posted; what it had beyond the end of this one is taken away.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from bot.errors import SlackRateLimited, SlackUnreachable
from bot.slack.messages import open_message, post_message, replace_earlier, take_over
from bot.slack.part import Part
from bot.turns.turn import Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.slack.growth import Growth, Json
    from bot.slack.messages import Message
    from bot.slack.place import Place


class Take(Protocol):
    """Goes on with a message that an earlier attempt left behind."""

    async def __call__(self, part: Part, ts: str, *, streamed: bool) -> Message | None:
        """Return it with its new content; None if it is gone by now."""
        ...


class Series:
    """The messages of a reply. Raises a SlackError where the thread takes none."""

    def __init__(self, place: Place) -> None:
        self.number = 0  #: of the last one; roots.py and files.py have parts below
        self._place = place
        self._earlier = {sent.part: sent for sent in place.turn.sent if sent.part > 0}

    @property
    def has_earlier(self) -> bool:
        """Whether an earlier attempt may have left messages that were not used again yet."""
        return bool(self._earlier)

    async def open(self, growth: Growth) -> Message:
        """Begin the next message with this."""
        return await self._next(
            partial(take_over, growth=growth), partial(open_message, growth=growth)
        )

    async def post(self, blocks: Sequence[Json], words: str = "Sources") -> Message:
        """Put blocks into a message of their own; the words are its notification's."""
        return await self._next(
            partial(replace_earlier, words=words, blocks=blocks),
            partial(post_message, words=words, blocks=blocks),
        )

    async def drop_the_rest(self) -> None:
        """Take away what an earlier attempt had beyond the end of this one."""
        for number, earlier in sorted(self._earlier.items()):
            part = Part(self._place, number, streamed=earlier.streamed)
            ts = earlier.ts or await part.find()
            if ts:
                await part.drop(ts)
        self._earlier.clear()

    async def _next(self, take: Take, post: Callable[[Part], Awaitable[Message]]) -> Message:
        number = self.number + 1
        message = await self._next_of_earlier(number, take)
        if message is None:
            part = Part(self._place, number)
            try:
                message = await post(part)
            except (SlackUnreachable, SlackRateLimited):
                if part.doubtful:  # should it be there, then what is said next is said in it
                    self._earlier[number] = Sent(number, None, part.streamed)
                raise
        self._earlier.pop(number, None)
        self.number = number
        return message

    async def _next_of_earlier(self, number: int, take: Take) -> Message | None:
        earlier = self._earlier.get(number)
        if earlier is None:
            return None
        part = Part(self._place, number, streamed=earlier.streamed)
        ts = earlier.ts or await part.find()
        if ts is None:
            return None
        return await take(part, ts, streamed=earlier.streamed)
