"""The messages of a reply, one after the other.

Those that an earlier attempt left in the thread are used again, in the same order, before any is
posted; what it had beyond the end of this one is taken away.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.errors import SlackUnreachable
from bot.slack.growth import Growth
from bot.slack.messages import open_message, post_message, take_over
from bot.slack.part import Part
from bot.turns.turn import Sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.slack.growth import Json
    from bot.slack.messages import Message
    from bot.slack.place import Place


class Series:
    """The messages of a reply. Raises a SlackError where the thread takes none."""

    def __init__(self, place: Place) -> None:
        self.number = 0  #: of the last one; part 0 is the root that a command posts
        self._place = place
        self._earlier = {sent.part: sent for sent in place.turn.sent if sent.part}

    async def open(self, growth: Growth) -> Message:
        """Begin the next message with this."""
        return await self._next(growth, partial(open_message, growth=growth))

    async def post(self, blocks: Sequence[Json]) -> None:
        """Put blocks into a message of their own."""
        may_be_there = self.number + 1 in self._earlier
        message = await self._next(Growth(plan="Sources"), partial(post_message, blocks=blocks))
        if may_be_there:
            await message.close(Growth(), blocks)

    async def drop_the_rest(self) -> None:
        """Take away what an earlier attempt had beyond the end of this one."""
        for number, earlier in sorted(self._earlier.items()):
            part = Part(self._place, number, streamed=earlier.streamed)
            ts = earlier.ts or await part.find()
            if ts:
                await part.drop(ts)
        self._earlier.clear()

    async def _next(self, growth: Growth, post: Callable[[Part], Awaitable[Message]]) -> Message:
        number = self.number + 1
        message = await self._next_of_earlier(number, growth)
        if message is None:
            part = Part(self._place, number)
            try:
                message = await post(part)
            except SlackUnreachable:
                if part.doubtful:  # should it be there, then what is said next is said in it
                    self._earlier[number] = Sent(number, None, part.streamed)
                raise
        self._earlier.pop(number, None)
        self.number = number
        return message

    async def _next_of_earlier(self, number: int, growth: Growth) -> Message | None:
        earlier = self._earlier.get(number)
        if earlier is None:
            return None
        part = Part(self._place, number, streamed=earlier.streamed)
        ts = earlier.ts or await part.find()
        if ts is None:
            return None
        return await take_over(part, ts, growth, streamed=earlier.streamed)
