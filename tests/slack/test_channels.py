"""A thread is read to its end, and so are the messages behind a point; what is missing is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.digests.memory import Behind
from bot.digests.request import DigestRequest
from bot.playground.slack.workspace import BOT_ID, BOT_USER
from bot.slack.channels import BEHIND_SECONDS, Channels
from tests.slack.reading import GENERAL, WEEK, Place, day, open_place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.digests.digest import Message, Reading

THREAD = DigestRequest(channel=GENERAL, period=WEEK, thread_ts=day(1))


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with open_place() as place:
        yield place


@pytest.fixture
async def slow() -> AsyncIterator[Place]:
    async with open_place(is_sold=True) as place:
        yield place


def talk(place: Place, replies: int) -> list[str]:
    """Have a thread with so many replies; return the ts of its messages."""
    root = place.post(day(1), "The beginning.")
    written = [place.post(day(2 + n / 1_000), f"Reply {n}.", root) for n in range(1, replies + 1)]
    return [root, *written]


async def read(place: Place, request: DigestRequest = THREAD) -> tuple[Reading, list[str]]:
    """Read a thread; return what was told meanwhile too."""
    told: list[str] = []

    async def tell(words: str) -> None:
        told.append(words)

    return await Channels(place.reader).read(place.slack.team, request, tell), told


async def behind(place: Place, root: str, *all_ts: str) -> list[str]:
    """Read the texts of messages of a thread."""
    places = [Behind(ts, root) for ts in all_ts]
    found: tuple[Message, ...] = await Channels(place.reader).behind(
        place.slack.team, GENERAL, places, ()
    )
    return [message.text for message in found]


async def test_a_thread_is_read_whole_and_apps_are_left_out(place: Place) -> None:
    talk(place, 1_200)
    place.post(day(4), "Built.", THREAD.thread_ts, user="U0CI", bot_id="B0CI")
    place.post(day(5), "A digest.", THREAD.thread_ts, user=BOT_USER, bot_id=BOT_ID)
    reading, told = await read(place)

    assert len(reading.messages) == 1_201
    assert reading.by_apps == 1
    assert reading.unread == ()
    assert told == []


async def test_where_slack_lets_little_be_read_a_thread_takes_its_time_and_says_so(
    slow: Place,
) -> None:
    talk(slow, 400)
    reading, told = await read(slow)

    assert len(reading.messages) == 401
    assert told[0].endswith("15 of them a minute here, so this will take about 25 more minutes")
    assert told[-1].endswith("about 5 more minutes")
    assert slow.clock.now < 60 * 60


async def test_of_a_thread_too_long_for_the_time_it_is_said_where_the_reading_ended(
    slow: Place,
) -> None:
    talk(slow, 900)
    reading, _ = await read(slow)

    count = len(reading.messages)
    assert 700 < count < 900
    assert reading.unread == (f"all after the first {count} messages, for lack of time",)
    assert slow.clock.now < 60 * 60


@pytest.mark.parametrize("request_", [THREAD, replace(THREAD, thread_ts="")])
async def test_what_slack_lets_nobody_read_is_said_to_be_unread(
    place: Place, request_: DigestRequest
) -> None:
    for method in ("conversations.history", "conversations.replies"):
        place.slack.fail(method, error="missing_scope")
    reading, _ = await read(place, request_)

    assert reading.messages == ()
    assert reading.unread == ("Slack does not let me read it (missing_scope)",)


async def test_messages_behind_a_point_are_found_however_many_are_between(place: Place) -> None:
    root, *replies = talk(place, 1_100)

    assert await behind(place, root, replies[0], replies[-1]) == ["Reply 1.", "Reply 1100."]
    assert await behind(place, root, root) == ["The beginning."]


async def test_what_cannot_be_read_in_time_is_left_out(slow: Place) -> None:
    root, *replies = talk(slow, 40)

    assert await behind(slow, root, replies[1], replies[29]) == ["Reply 2."]
    assert slow.clock.now < BEHIND_SECONDS + 61


async def test_nobody_waits_an_hour_for_the_messages_behind_many_points(slow: Place) -> None:
    roots = [slow.post(day(number / 10), f"Root {number}.") for number in range(1, 40)]
    places = [Behind(root, root) for root in roots]
    found = await Channels(slow.reader).behind(slow.slack.team, GENERAL, places, ())

    assert 0 < len(found) < len(roots)
    assert slow.clock.now < BEHIND_SECONDS + 2 * 61


async def test_what_is_gone_by_now_is_left_out(place: Place) -> None:
    root, reply = talk(place, 1)

    assert await behind(place, day(6), day(6)) == []
    assert await behind(place, root, reply, day(5)) == ["Reply 1."]


@pytest.mark.parametrize("share_names", [True, False])
async def test_people_have_behind_a_point_the_numbers_that_the_digest_gave_them(
    *, share_names: bool
) -> None:
    async with open_place(share_names=share_names) as place:
        root = place.post(day(1), "Ask <@U0COLLEAGUE> or <@U0GUEST>.")
        first = place.post(day(2), "Yes, <@U0YOU>.", root, user="U0COLLEAGUE")
        place.post(day(3), "No.", root, user="U0GUEST")
        places = [Behind(first, root), Behind(day(3), root)]
        known = ("U0NOBODY", "U0YOU", "U0COLLEAGUE")
        channels = Channels(place.reader)
        messages = await channels.behind(place.slack.team, GENERAL, places, known)

    new = "Guest" if share_names else "person 4"
    assert [(m.name, m.text) for m in messages] == [("person 3", "Yes, @person 2."), (new, "No.")]
