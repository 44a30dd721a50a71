"""What a digest's thread remembers has the numbers that its readers see."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.digests.admission import Admission, NotAdmitted
from bot.digests.audience import Person, Place
from bot.digests.digest import Digest, Period
from bot.digests.memory import (
    MOST_BEHIND,
    TOLD,
    Behind,
    DigestMemory,
    Recalled,
    recalled,
    remembered,
)
from bot.digests.output import joined
from bot.digests.request import DigestRequest, request_text
from bot.digests.words import as_text
from bot.errors import ModelSearchesByItself
from bot.turns.question import Asked, Question, Thread
from bot.turns.transcript import BUDGETS, BYTES_PER_TOKEN, CUT, Past, size_of
from bot.turns.turn import Turn
from tests.digests.readings import at, claim, message, reading, topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.digests.digest import Message
    from bot.turns.question import Kind
    from bot.turns.transcript import Transcript

PARTS = [
    Digest(topics=(topic("Roof", claim("It leaks.", 1), actions=[claim("Call.", 2)]),)),
    Digest(topics=(topic("roof", claim("It rains.", 3), decisions=[claim("Mend it.", 4)]),)),
]


def test_what_is_behind_a_point_is_found_by_the_number_that_is_shown() -> None:
    digest, read = joined(PARTS), reading(*(message(number) for number in range(1, 5)))
    found = recalled(remembered(digest, "Read 4 messages.", read))

    assert found.said == f"{as_text(digest)}\n\nRead 4 messages."
    lines = [line for line in found.said.splitlines() if line[:1].isdigit()]
    assert lines == ["1. It leaks.", "2. It rains.", "3. Decided: Mend it.", "4. To do: Call."]
    assert [[behind.ts for behind in point] for point in found.points] == [
        [message(number).ts] for number in (1, 3, 4, 2)
    ]


def test_an_answer_that_is_no_digest_has_no_points() -> None:
    assert recalled("No digest: nobody may.") == Recalled("No digest: nobody may.")


def test_people_keep_their_numbers_and_a_digest_of_an_older_version_has_none() -> None:
    read = replace(reading(*map(message, range(1, 5))), unnamed=("U7", "U3"))
    assert recalled(remembered(joined(PARTS), "Read it.", read)).unnamed == ("U7", "U3")

    older = recalled('1. It leaks.\n\nMessages behind the points: [[["1.1", "1.0"]]]')
    assert older == Recalled("1. It leaks.", ((Behind("1.1", "1.0"),),))


DIRECT = Thread(team="T1", channel="D1", thread_ts="100.000100")
REQUEST = DigestRequest(channel="C1", period=Period(at(0) - timedelta(days=1), at(0)))


def question(text: str, kind: Kind = "about_digest", user: str = "U1") -> Question:
    return Question(thread=DIRECT, ts="100.000200", user=user, user_team="T1", text=text, kind=kind)


@dataclass
class DigestThread:
    """A digest's thread, and the channel behind it."""

    digest: Digest
    read: Sequence[Message]
    after: list[Past] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)  #: ts of messages that were deleted since
    is_in: bool = True  #: whether who asks is in the channel
    searches_by_itself: bool = False  #: whether the model does
    looked_for: list[Behind] = field(default_factory=list)

    async def past(self, turn: Turn) -> list[Past]:
        del turn
        read = replace(reading(*self.read), unnamed=("UAna",))
        text = remembered(self.digest, "Read it.", read)
        return [Past(question(request_text(REQUEST), "digest"), text), *self.after]

    async def behind(
        self, team: str, channel: str, places: Sequence[Behind], unnamed: Sequence[str]
    ) -> tuple[Message, ...]:
        assert (team, channel, unnamed) == ("T1", "C1", ("UAna",))
        self.looked_for += places
        wanted = {place.ts for place in places} - self.gone
        return tuple(message for message in self.read if message.ts in wanted)

    async def facts(self, team: str, channel: str, user: str) -> tuple[Person, Place]:
        del team
        person = Person(id=user, kind="member", is_in_source=self.is_in)
        return person, Place(id=channel, kind="public", is_shared=False, is_readable=True)

    async def place(self, team: str, channel: str) -> Place:
        del team
        return Place(id=channel, kind="direct", is_shared=False, is_readable=True, of_user="U1")

    async def is_gone(self, team: str, user: str) -> bool:
        raise NotImplementedError

    def check(self) -> None:
        if self.searches_by_itself:
            raise ModelSearchesByItself

    @property
    def memory(self) -> DigestMemory:
        return DigestMemory(People(), self, self, Admission(self), self.check)

    async def said(self, text: str) -> Transcript:
        return (await self.all_of(text)).within(BUDGETS[0])

    async def all_of(self, text: str) -> Transcript:
        return await self.memory.said_before(Turn(7, question(text), None))


class People:
    """Nobody is named in these."""

    async def read(self, question: Question) -> Asked:
        return Asked(question.text, "Ana")


def a_thread() -> DigestThread:
    texts = ("It drips.", "It pours.", "Mended on Friday.", "I call them.")
    read = [message(number, text) for number, text in enumerate(texts, 1)]
    return DigestThread(joined(PARTS), read)


async def test_the_messages_behind_a_point_are_told_and_no_others() -> None:
    thread = a_thread()
    first, behind = (await thread.said("tell me more about the third point")).exchanges

    assert first.answer == f"{as_text(thread.digest)}\n\nRead it."
    assert behind.text.startswith(TOLD)
    assert "I call them." in behind.text
    assert "It drips." not in behind.text
    assert [place.ts for place in thread.looked_for] == [message(4).ts]


async def test_where_no_point_is_named_all_that_is_behind_the_digest_is_told() -> None:
    behind = (await a_thread().said("who said what?")).exchanges[-1].text

    for text in ("It drips.", "It pours.", "Mended on Friday.", "I call them."):
        assert text in behind


async def test_what_was_asked_about_it_before_is_told_too_but_not_what_was_asked_of_the_web() -> (
    None
):
    thread = a_thread()
    thread.after = [
        Past(question("who?"), "Ben."),
        Past(question("prices of roofs", "answer"), "Ten."),
    ]
    _, second, _ = (await thread.said("and when?")).exchanges

    assert (second.text, second.answer) == ("who?", "Ben.")


async def test_the_model_is_told_how_many_of_the_messages_are_missing() -> None:
    thread = a_thread()
    thread.gone = {message(2).ts}
    behind = (await thread.said("who said what?")).exchanges[-1].text
    assert behind.startswith(f"(Of 4 messages behind that, 1 are not told here.)\n{TOLD}")

    thread.gone = {each.ts for each in thread.read}
    behind = (await thread.said("who said what?")).exchanges[-1].text
    assert behind == "(Of 4 messages behind that, 4 are not told here.)\n"


async def test_so_many_messages_are_read_and_no_more() -> None:
    numbers = range(1, MOST_BEHIND + 11)
    everything = Digest(topics=(topic("Much", claim("A lot.", *numbers)),))
    thread = DigestThread(everything, [message(number) for number in numbers])
    behind = (await thread.said("who said what?")).exchanges[-1].text

    assert len(thread.looked_for) == MOST_BEHIND
    assert behind.startswith("(Of 70 messages behind that, 10 are not told here.)")


def told_of(behind: str) -> tuple[list[str], int]:
    """Return the texts of the messages that are told, and how many are said to be missing."""
    lines = [json.loads(line)["text"] for line in behind.splitlines() if line.startswith("{")]
    missing = re.search(r"messages behind that, (\d+) are not", behind)
    return lines, int(missing[1]) if missing else 0


@pytest.mark.parametrize("tokens", BUDGETS)
@pytest.mark.parametrize("length", [40, 400, 4_000, 40_000])
async def test_messages_push_the_digest_out_of_no_room_and_those_without_any_are_counted(
    tokens: int, length: int
) -> None:
    numbers = range(1, 51)
    texts = {number: f"{number} " + "x" * length for number in numbers}
    everything = Digest(topics=(topic("Much", claim("A lot.", *numbers)),))
    thread = DigestThread(everything, [message(number, texts[number]) for number in numbers])
    thread.after = [Past(question(f"who? {n}"), "Ben. " * 100) for n in range(4)]
    told = (await thread.all_of("who said what?")).within(tokens)

    digest, *talk, behind = told.exchanges
    assert size_of(told.exchanges) <= tokens * BYTES_PER_TOKEN
    assert digest.answer == f"{as_text(everything)}\n\nRead it."
    assert [each.text for each in talk] == [f"who? {n}" for n in range(4)]
    assert told.is_whole
    lines, missing = told_of(behind.text)
    assert lines == [texts[number] for number in numbers][: len(lines)]
    assert missing == len(numbers) - len(lines)
    assert bool(lines) is (length < tokens * BYTES_PER_TOKEN - 3_000)


async def test_a_digest_without_room_is_shortened_before_it_is_left_out_for_what_was_asked() -> (
    None
):
    digest = Digest(topics=(topic("Much", *(claim("A lot. " * 100, 1) for _ in range(50))),))
    thread = DigestThread(digest, [message(1, "It drips.")])
    thread.after = [Past(question("who?"), "Ben.")]
    told = (await thread.all_of("and when?")).within(BUDGETS[-1])

    first, last = told.exchanges
    assert first.answer.startswith("## Much\n1. A lot.")
    assert first.answer.endswith(CUT)
    assert told_of(last.text) == (["It drips."], 0)
    assert size_of(told.exchanges) > BUDGETS[-1] * BYTES_PER_TOKEN * 0.99
    assert not told.is_whole


async def test_who_may_not_read_the_channel_any_more_is_told_nothing() -> None:
    thread = replace(a_thread(), is_in=False)
    with pytest.raises(NotAdmitted):
        await thread.said("who said what?")

    assert thread.looked_for == []


async def test_for_a_model_that_searches_by_itself_nothing_is_read() -> None:
    thread = replace(a_thread(), searches_by_itself=True)
    with pytest.raises(ModelSearchesByItself):
        await thread.memory.read(question("who said what?"))
    with pytest.raises(ModelSearchesByItself):
        await thread.said("who said what?")

    assert thread.looked_for == []
