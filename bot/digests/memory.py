"""What is asked on in a digest's thread: told with the digest and the messages behind it.

It goes to a model without a tool, as all that was read in Slack. The messages are read anew for
each question, and only for who may read them then.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from bot.digests.points import points_asked
from bot.digests.prompt import numbered, told
from bot.digests.request import read_request
from bot.digests.words import as_text, by_heading
from bot.turns.question import Exchange
from bot.turns.transcript import BYTES_PER_TOKEN, Transcript, size_of, transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.digests.admission import Admission
    from bot.digests.digest import Digest, Message, Reading
    from bot.turns.question import Asked, Question
    from bot.turns.transcript import Past
    from bot.turns.turn import Turn

MOST_BEHIND = 60  # messages that are read for one question
_MARK = "\n\nMessages behind the points: "
TOLD = "What was written in the channel behind that, one JSON object on each line, as data:\n"
MISSING = "(Of {count} messages behind that, {missing} are not told here.)\n"
HEADINGS = 200  # bytes of the two above, with their numbers
WANTED = "Sum up what was written in the channel."


@dataclass(frozen=True, slots=True)
class Behind:
    """Where a message is that a point rests on."""

    ts: str
    thread_ts: str


class People(Protocol):
    """Who is meant by what was written."""

    async def read(self, question: Question) -> Asked:
        """Say the question in plain words, with names instead of ids."""
        ...


class Store(Protocol):
    """What the bot remembers of a thread."""

    async def past(self, turn: Turn) -> Sequence[Past]:
        """Return what was answered in the thread before, the first one first."""
        ...


class Channels(Protocol):
    """What was written in channels."""

    async def behind(
        self, team: str, channel: str, places: Sequence[Behind], unnamed: Sequence[str]
    ) -> tuple[Message, ...]:
        """Return the messages at these places that are still there.

        The first of `unnamed` is "person 1" in them, and so on, as in the digest.
        """
        ...


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is remembered of a digest."""

    said: str
    points: tuple[tuple[Behind, ...], ...] = ()  #: what is behind each, in their order
    unnamed: tuple[str, ...] = ()  #: users, whom it calls "person 1" and so on


def remembered(digest: Digest, coverage: str, reading: Reading) -> str:
    """Return a digest as a text for its thread's memory, for `recalled`."""
    threads = {message.ts: message.thread_ts for message in reading.messages}
    points = [
        [[ts, threads[ts]] for ts in claim.rests_on]
        for topic in digest.topics
        for _, claims in by_heading(topic)
        for claim in claims
    ]
    behind = json.dumps({"points": points, "unnamed": reading.unnamed})
    return f"{as_text(digest)}\n\n{coverage}{_MARK}{behind}"


def recalled(text: str) -> Recalled:
    """Return what is remembered of a digest."""
    said, mark, behind = text.rpartition(_MARK)
    if not mark:
        return Recalled(text)
    known = json.loads(behind)
    if isinstance(known, list):  # an older version kept the points alone
        known = {"points": known, "unnamed": []}
    points = tuple(tuple(Behind(*pair) for pair in pairs) for pairs in known["points"])
    return Recalled(said, points, tuple(known["unnamed"]))


@dataclass(frozen=True, slots=True)
class DigestTranscript(Transcript):
    """A digest and what was asked about it, to be told with messages that are behind it."""

    lines: tuple[str, ...]  #: of the messages, one each
    behind: int  #: how many messages there are behind it, with those that could not be read

    def within(self, tokens: int, bytes_per_token: float = BYTES_PER_TOKEN) -> Transcript:
        """Choose what is told: the digest before what was asked about it, the newest before others.

        The messages take half of the room, and what the digest and the questions leave of theirs.
        """
        room = int(tokens * bytes_per_token)
        behind = self._behind(max(room // 2, room - size_of(self.exchanges)))
        left = tokens - math.ceil(size_of(behind) / bytes_per_token)
        digest, talk = self.exchanges[:1], self.exchanges[1:]
        told = transcript((*talk, *digest), left, bytes_per_token)
        kept = (*told.exchanges[-1:], *told.exchanges[:-1])
        return Transcript((*kept, *behind), is_whole=told.is_whole)

    def _behind(self, room: int) -> tuple[Exchange, ...]:
        """Tell the first messages that fit, and how many are not told."""
        sizes = accumulate(len(line.encode()) + 1 for line in self.lines)
        kept = sum(size <= room - HEADINGS for size in sizes)
        lines, missing = "\n".join(self.lines[:kept]), self.behind - kept
        text = MISSING.format(count=self.behind, missing=missing) if missing else ""
        text += f"{TOLD}{lines}" if lines else ""
        return (Exchange(text, None, ""),) if text else ()


@dataclass(frozen=True, slots=True)
class DigestMemory:
    """Says what came before a question in a digest's thread."""

    people: People
    store: Store
    channels: Channels
    admission: Admission
    check: Callable[[], None]  #: raises where the model may not be told what was read in Slack

    async def read(self, question: Question) -> Asked:
        """Say the question in plain words."""
        self.check()
        return await self.people.read(question)

    async def said_before(self, turn: Turn) -> Transcript:
        """Return the digest, what was asked about it, and the messages that this question is about.

        Raises NotAdmitted where the person may not read them, or may not any more.
        """
        self.check()
        past = await self.store.past(turn)
        digests = [each for each in past if each.question.kind == "digest"]
        if not digests:  # it is not in the database any more, and nobody knows what was read
            return Transcript((), is_whole=False)
        thread, last = turn.question.thread, digests[-1]
        request = read_request(last.question.text)
        await self.admission.check(thread.team, turn.question.user, request.channel, thread.channel)
        digest = recalled(last.answer or "")
        asked = points_asked(turn.question.text, len(digest.points))
        chosen = [digest.points[number - 1] for number in asked] if asked else digest.points
        places = list(dict.fromkeys(place for point in chosen for place in point))
        messages = await self.channels.behind(
            thread.team, request.channel, places[:MOST_BEHIND], digest.unnamed
        )
        lines = told(messages, numbered(messages), ZoneInfo(request.zone))
        talk = [await self._exchange(each) for each in past if each.question.kind == "about_digest"]
        return DigestTranscript(
            (Exchange(WANTED, None, digest.said), *talk),
            is_whole=True,
            lines=tuple(lines.splitlines()),
            behind=len(places),
        )

    async def _exchange(self, past: Past) -> Exchange:
        asked = await self.people.read(past.question)
        return Exchange(asked.text, asked.name, past.answer or "")
