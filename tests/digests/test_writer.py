"""A digest is written at once, or in parts that are joined, and nothing of it is believed alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.digests.digest import Period
from bot.digests.output import UnreadableDigest
from bot.digests.request import DigestRequest
from bot.digests.writer import ATTEMPTS, DigestWriter, WrittenDigest
from bot.errors import ModelInputTooLong, ModelOverloaded, ModelTooSmall
from bot.turns.answer import Finished, Usage, Written
from bot.turns.prices import Prices
from bot.turns.turn import Turn
from tests.digests.readings import message, reading
from tests.fakes import a_question

if TYPE_CHECKING:
    from bot.turns.answer import Ending
    from bot.turns.question import Asked

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WEEK = DigestRequest(channel="C1", period=Period(NOON - timedelta(days=7), NOON), about="prices")
TURN = Turn(7, a_question(), None)
NONE: dict[str, list[object]] = {"decisions": [], "open_questions": [], "action_items": []}


def said(title: str, *ids: str) -> str:
    summary = [{"text": f"{title} happened.", "messages": list(ids)}]
    return json.dumps({"topics": [{"title": title, "summary": summary, **NONE}]})


@dataclass
class FakeWriter:
    """Writes one text after the other, and the last one for ever; for ten tokens each."""

    texts: list[str]
    ending: Ending = "completed"
    failing: Exception | None = None
    asked: list[Asked] = field(default_factory=list)

    async def write(self, asked: Asked, turn: Turn) -> Written:
        del turn
        self.asked.append(asked)
        if self.failing is not None:
            raise self.failing
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        return Written(text, Finished("resp_1", "gpt-test", self.ending, Usage(8, 2)))


@dataclass
class SmallModel:
    """Writes a line for each message or line that it is told, if all of it fits."""

    most: int  #: bytes that it takes
    told: list[str] = field(default_factory=list)  #: the lines of requests that it took
    requests: int = 0
    refused: int = 0

    async def write(self, asked: Asked, turn: Turn) -> Written:
        del turn
        if len(asked.text.encode()) > self.most:
            self.refused += 1
            raise ModelInputTooLong
        self.requests += 1
        lines = [line for line in asked.text.splitlines() if line.startswith("{")]
        self.told += lines
        ids = [
            one for line in map(json.loads, lines) for one in line.get("messages") or [line["id"]]
        ]
        claims = [{"text": f"About {one}.", "messages": [one]} for one in ids]
        text = json.dumps({"topics": [{"title": ids[0], "summary": claims, **NONE}]})
        return Written(text, Finished("resp_1", "small", "completed", Usage(8, 2)))


async def write(
    writing: FakeWriter, joining: FakeWriter | None = None, messages: int = 2, tokens: int = 60_000
) -> WrittenDigest:
    writer = DigestWriter(writing, joining or FakeWriter([""]), Prices({}), lambda: None, (tokens,))
    read = reading(*(message(n, f"Message {n}. " + "Words. " * 200) for n in range(messages)))
    return await writer.write(read, WEEK, TURN)


async def test_a_small_channel_takes_one_request_which_says_what_is_wanted() -> None:
    writing = FakeWriter([said("Lunch", "m1", "m2")])
    written = await write(writing)

    [topic] = written.digest.topics
    assert (topic.title, topic.weight) == ("Lunch", 2)
    assert (written.spent.usage, written.is_cut) == (Usage(8, 2), False)
    [asked] = writing.asked
    assert asked.text.startswith("The reader wants to know about: prices\n\nMessages, one JSON")
    assert '"id":"m1"' in asked.text


async def test_a_large_channel_is_written_in_parts_that_are_joined() -> None:
    writing = FakeWriter([said("Lunch", "m1"), said("Dinner", "m5")])
    joining = FakeWriter([said("Meals", "m1", "m5", "m99")])
    written = await write(writing, joining, messages=8, tokens=2_500)

    assert len(writing.asked) > 1
    assert "Lunch happened." in joining.asked[0].text
    assert "Words." not in joining.asked[0].text
    [topic] = written.digest.topics
    assert topic.title == "Meals"
    assert written.digest.dropped_messages == 1
    assert written.spent.usage == Usage(8 * (len(writing.asked) + 1), 2 * (len(writing.asked) + 1))


@pytest.mark.parametrize(
    "joining",
    [FakeWriter(["No."]), FakeWriter([""], failing=ModelOverloaded())],
    ids=["unreadable", "failed"],
)
async def test_parts_that_cannot_be_joined_stay_side_by_side(joining: FakeWriter) -> None:
    writing = FakeWriter([said("Lunch", "m1"), said("Dinner", "m5")])
    written = await write(writing, joining, messages=8, tokens=2_500)

    assert [topic.title for topic in written.digest.topics] == ["Lunch", "Dinner"]


async def test_a_text_that_is_no_digest_is_asked_for_once_more_and_then_given_up() -> None:
    writing = FakeWriter(["I cannot.", said("Lunch", "m1")])
    written = await write(writing)
    assert [topic.title for topic in written.digest.topics] == ["Lunch"]
    assert written.spent.usage == Usage(16, 4)

    writing = FakeWriter(["I cannot."])
    with pytest.raises(UnreadableDigest):
        await write(writing)
    assert len(writing.asked) == ATTEMPTS


async def test_a_model_that_breaks_off_is_noticed() -> None:
    assert (await write(FakeWriter([said("Lunch", "m1")], ending="max_output_tokens"))).is_cut


async def test_of_nothing_nothing_is_written() -> None:
    writing = FakeWriter([said("Lunch", "m1")])
    written = await write(writing, messages=0)

    assert (written.digest.topics, writing.asked) == ((), [])


async def written_by(writing: SmallModel, joining: SmallModel, count: int) -> WrittenDigest:
    """Have a digest written of so many messages of 1,500 bytes."""
    writer = DigestWriter(writing, joining, Prices({}), lambda: None)
    read = reading(*(message(n, f"Message {n}. " + "Words. " * 200) for n in range(count)))
    return await writer.write(read, WEEK, TURN)


@pytest.mark.parametrize(("most", "refused"), [(60_000, 3), (15_000, 3 + 10)])
async def test_a_part_that_is_too_long_for_the_model_is_cut_anew_and_all_is_told_once(
    most: int, refused: int
) -> None:
    writing, joining = SmallModel(most), SmallModel(0)
    written = await written_by(writing, joining, 300)

    told = [json.loads(line) for line in writing.told]
    assert [(one["id"], one["text"].split(".")[0]) for one in told] == [
        (f"m{n + 1}", f"Message {n}") for n in range(300)
    ]
    claims = [claim for topic in written.digest.topics for claim in topic.claims]
    assert sorted((claim.text, claim.rests_on) for claim in claims) == sorted(
        (f"About m{n + 1}.", (message(n).ts,)) for n in range(300)
    )
    assert writing.refused == refused
    assert written.spent.usage == Usage(8 * writing.requests, 2 * writing.requests)


async def test_of_parts_too_long_to_be_joined_at_once_as_many_are_joined_as_fit() -> None:
    writing, joining = SmallModel(60_000), SmallModel(50_000)
    written = await written_by(writing, joining, 2_000)

    assert joining.refused
    assert 1 < joining.requests < writing.requests
    ids = [one for line in map(json.loads, joining.told) for one in line["messages"]]
    assert ids == [f"m{n + 1}" for n in range(2_000)]
    assert len(written.digest.topics) == joining.requests
    assert sum(topic.weight for topic in written.digest.topics) == 2_000


async def test_a_model_with_room_for_next_to_nothing_is_said_to_be_too_small() -> None:
    with pytest.raises(ModelTooSmall):
        await written_by(SmallModel(1_000), SmallModel(0), 300)
    with pytest.raises(ModelTooSmall):
        await written_by(SmallModel(100), SmallModel(0), 1)


async def test_a_message_that_no_part_has_room_for_is_shortened_until_one_has() -> None:
    writing = SmallModel(15_000)
    writer = DigestWriter(writing, SmallModel(0), Prices({}), lambda: None)
    await writer.write(reading(message(1, "Long. " * 20_000), message(2, "Short.")), WEEK, TURN)

    long, short = (json.loads(line)["text"] for line in writing.told)
    assert long.startswith("Long. Long.")
    assert short == "Short."
