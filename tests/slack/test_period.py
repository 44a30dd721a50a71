"""A channel's period is read whole, with the least calls, and what is not read is said."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.digests.digest import Message, Period, Reading
from bot.digests.request import DigestRequest
from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable
from bot.playground.slack.generated import Plan, fill
from bot.playground.slack.workspace import BOT_ID, BOT_USER, User
from bot.slack.events import Bot
from bot.slack.identity import People
from bot.slack.pacing import Pacing
from bot.slack.period import PeriodReader, Progress
from tests.slack.reading import GENERAL, SINCE, UNTIL, WEEK, Place, day, open_place, ts
from tests.slack.servers import slack_web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with open_place() as place:
        yield place


def texts(reading: Reading) -> list[str]:
    return [message.text for message in reading.messages]


OLDER = "replies since 16 Nov 09:00 in threads older than {}"


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_busy_channel_is_read_to_the_last_message_with_the_least_calls(
    place: Place, seed: int
) -> None:
    plan = Plan(seed=seed)
    truth = fill(place.slack.workspace, GENERAL, plan, UNTIL)
    reading = await place.read(Period(truth.since, truth.until))

    assert {m.ts for m in reading.new} == truth.new
    assert {m.ts for m in reading.messages if m.is_before} == truth.before
    assert {m.thread_ts for m in reading.new if m.is_reply} == truth.threads
    assert {m.user for m in reading.new} == truth.people
    assert (len(reading.new), reading.threads, reading.people) == (5_000, 400, 60)
    assert reading.unread == ()
    assert len(reading.messages) == len({m.ts for m in reading.messages})
    assert place.calls() == {
        "conversations.history": math.ceil((truth.standing + truth.earlier) / 999),
        "conversations.replies": len(truth.stirred),
        "users.info": len(truth.named),
    }
    assert {call.error for call in place.slack.calls} == {None}
    assert place.clock.now < 10 * 60


async def test_a_busy_channel_is_read_newest_first_where_slack_lets_little_be_read() -> None:
    async with open_place(is_sold=True) as place:
        truth = fill(place.slack.workspace, GENERAL, Plan(), UNTIL)
        reading = await place.read(Period(truth.since, truth.until))
    channel = place.slack.workspace.channels[GENERAL]
    pages = [call for call in place.slack.calls_of("conversations.history") if not call.error]
    standing = [m for m in channel.messages.values() if m.is_in_channel and m.ts < ts(UNTIL)]
    seen = {m.ts for m in standing[-15 * len(pages) :]}
    told = {str(channel.messages[ts].thread_ts) for ts in seen if channel.messages[ts].thread_ts}
    worth_a_call = (seen & truth.stirred) | told
    called = {str(params["ts"]) for params in place.asked("conversations.replies")}
    threads = {ts for ts in truth.new if (channel.messages[ts].thread_ts or ts) in called}

    assert place.clock.now < 60 * 60
    assert {m.ts for m in reading.new} == (seen & truth.new) | threads
    assert called < worth_a_call
    reached = "15 Nov 18:47"
    assert reading.unread == (
        f"messages before {reached}",
        "replies of 39 threads, for lack of time",
    )
    assert reading.unseen == (f"replies since 24 Oct 09:00 in threads older than {reached}",)
    assert len(worth_a_call - called) == 39
    assert len([call for call in place.slack.calls if call.error]) == 1


async def test_who_waits_is_told_that_slack_lets_little_be_read_and_how_long_it_takes() -> None:
    async with open_place(is_sold=True) as place:
        for number in range(60):
            place.post(day(3 + number / 20))
        await place.read()

    assert place.told == [
        Progress(messages=15, minutes=1, a_minute=None),
        Progress(messages=30, minutes=4, a_minute=15),
        Progress(messages=45, minutes=4, a_minute=15),
        Progress(messages=60, minutes=0, a_minute=15),
    ]
    assert place.clock.now < 4 * 60


async def test_a_quiet_channel_takes_one_call_and_one_for_each_name(place: Place) -> None:
    place.post(day(1), "to <@U0GUEST>")
    reading = await place.read()

    assert place.calls() == {"conversations.history": 1, "users.info": 2}
    assert reading == Reading(
        messages=(Message(ts=day(1), thread_ts=day(1), user="U0YOU", name="You", text="to @Guest"),)
    )


async def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(place: Place) -> None:
    root = place.post(ts(SINCE - timedelta(days=1)), "old root")
    place.post(ts(SINCE - timedelta(seconds=1), 999_999), "too early", root)
    place.post(ts(SINCE), "first reply", root)
    place.post(ts(SINCE, 1), "first")
    place.post(ts(UNTIL - timedelta(seconds=1), 999_999), "last")
    place.post(ts(UNTIL), "too late")
    place.post(ts(UNTIL, 1), "too late", root)
    reading = await place.read()

    assert texts(reading) == ["old root", "first reply", "first", "last"]
    assert [message.is_before for message in reading.messages] == [True, False, False, False]


async def test_of_an_older_thread_only_what_is_new_is_asked_for(place: Place) -> None:
    root = place.post(ts(SINCE - timedelta(days=9)), "old root")
    quiet = place.post(ts(SINCE - timedelta(days=8)), "quiet root")
    place.post(ts(SINCE - timedelta(days=7)), "old reply", quiet)
    place.post(day(2), "new reply", root)
    young = place.post(day(3), "young root")
    place.post(day(4), "young reply", young)
    reading = await place.read()

    assert texts(reading) == ["old root", "new reply", "young root", "young reply"]
    calls = place.asked("conversations.replies")
    assert [(call["ts"], call.get("oldest")) for call in calls] == [
        (young, None),
        (root, ts(SINCE - timedelta(seconds=1), 999_999)),
    ]
    all_calls = [*calls, *place.asked("conversations.history")]
    assert {call["latest"] for call in all_calls} == {ts(UNTIL)}


async def test_only_what_people_write_is_read(place: Place) -> None:
    bots = {"user": place.slack.bot_user, "bot_id": place.slack.bot_id}
    posts: list[tuple[str, dict[str, Any]]] = [
        ("joined", {"subtype": "channel_join"}),
        ("a topic", {"subtype": "channel_topic"}),
        ("another bot", {"bot_id": "B9"}),
        ("a bot by its name", {"bot_id": "B9", "subtype": "bot_message"}),
        ("mine", bots),
        ("mine, of a stream", {"user": place.slack.bot_user}),
        ("waves", {"subtype": "me_message"}),
        ("a file", {"files": [{"name": "a.txt"}]}),
    ]
    for number, (text, more) in enumerate(posts):
        place.post(ts(SINCE + timedelta(hours=number)), text, **more)
    deleted = place.post(day(2), "This message was deleted.", user="USLACKBOT", subtype="tombstone")
    place.post(day(3), "a reply to what is gone", deleted)
    old_bots = place.post(ts(SINCE - timedelta(days=2)), "old and mine", **bots)
    place.post(day(4), "a reply to a bot", old_bots)
    woken = place.post(ts(SINCE - timedelta(days=3)), "woken by a bot")
    place.post(day(5), "a bot's reply", woken, **bots)
    reading = await place.read()

    assert sorted(texts(reading)) == [
        "a file", "a reply to a bot", "a reply to what is gone", "waves",
    ]  # fmt: skip
    assert reading.by_apps == 2
    assert reading.threads == 2


async def test_each_message_is_read_once_however_often_slack_gives_it(place: Place) -> None:
    root = place.post(day(1), "root")
    told = place.post(day(2), "told to all", root, subtype="thread_broadcast")
    replies = [place.post(ts(SINCE + timedelta(days=3), n), f"{n}", root) for n in range(1_200)]
    reading = await place.read()

    assert [m.ts for m in reading.messages] == [root, told, *replies]
    assert place.calls()["conversations.replies"] == 2


async def test_messages_stand_by_thread_in_the_order_of_beginnings(place: Place) -> None:
    first, second = place.post(day(1), "first"), place.post(day(2), "second")
    place.post(day(3), "to the second", second)
    place.post(day(4), "to the first", first)
    place.post(day(5), "third")
    reading = await place.read()

    assert texts(reading) == ["first", "to the first", "second", "to the second", "third"]


async def test_words_are_plain_and_titles_of_files_and_pages_are_kept(place: Place) -> None:
    place.post(
        day(1),
        "<@U0GUEST> &amp; <!here>: <https://example.org|a page>",
        files=[{"title": "Plan", "name": "plan.pdf"}, {"name": "raw.csv"}, {"id": "F3"}],
        attachments=[{"title": "Q &amp; A"}, {"text": "no title"}],
    )
    [message] = (await place.read()).messages

    assert message.text == "@Guest & @here: a page (https://example.org)"
    assert message.files == ("Plan", "raw.csv", "Q & A")


async def test_people_who_are_not_to_be_named_are_told_from_each_other() -> None:
    async with open_place(share_names=False) as place:
        place.post(day(1), "ask <@U0GUEST>")
        place.post(day(2), "yes, <@U0YOU>", user="U0GUEST")
        reading = await place.read()

    assert [(m.name, m.text) for m in reading.messages] == [
        ("person 1", "ask @person 2"),
        ("person 2", "yes, @person 1"),
    ]
    assert reading.unnamed == ("U0YOU", "U0GUEST")
    assert "users.info" not in place.calls()


async def test_threads_from_before_what_was_looked_at_are_said_to_be_unread(place: Place) -> None:
    root = place.post(ts(SINCE - timedelta(days=90)), "very old")
    for number in range(1_000):
        place.post(ts(SINCE - timedelta(days=60), number), "old")
    place.post(day(1), "not to be found", root)
    reading = await place.read(zone="Europe/Berlin")

    assert reading.messages == ()
    older = "replies since 16 Nov 10:00 in threads older than 17 Sep 11:01"
    assert reading.unread == ()
    assert reading.unseen == (older,)
    assert place.calls() == {"conversations.history": 1}


async def test_the_year_is_said_of_a_time_in_another_one(place: Place) -> None:
    for number in range(1_000):
        place.post(ts(SINCE - timedelta(days=400), number), "old")
    reading = await place.read()

    assert reading.unseen == ("replies since 16 Nov 09:00 in threads older than 12 Oct 2025 09:01",)


async def test_who_reads_next_knows_that_slack_lets_little_be_read() -> None:
    async with open_place(is_sold=True) as place:
        for number in range(40):
            place.post(day(number / 10), "words")
        await place.read()
        place.told.clear()
        for number in range(40):
            root = place.post(day(5 + number / 100), "a root")
            place.post(day(6 + number / 100), "a reply", root)
        reading = await place.read()

    assert place.told[0].a_minute == 15
    assert len([text for text in texts(reading) if text == "a reply"]) == 40


async def test_threads_in_which_only_this_bot_replied_cost_no_call(place: Place) -> None:
    ours = {"user": BOT_USER, "bot_id": BOT_ID}
    for number in range(3):
        root = place.post(day(number), f"Digest {number}", **ours)
        place.post(day(number + 0.1), "The digest is ready", root, **ours)
    place.post(day(3), "I will do that.", place.post(day(2.9), "Digest 3", **ours))
    asked = place.post(day(4), "How far is the moon?")
    place.post(day(4.1), "Far.", asked, **ours)
    reading = await place.read()

    assert texts(reading) == ["I will do that.", "How far is the moon?"]
    assert place.calls()["conversations.replies"] == 1


async def test_a_root_that_does_not_name_all_who_replied_is_read(place: Place) -> None:
    root = place.post(day(1), "Digest", user=BOT_USER, bot_id=BOT_ID)
    for number in range(6):
        user = f"U0P{number}"
        place.slack.workspace.users[user] = User(user, f"Person {number}")
        place.post(day(2 + number / 10), "words", root, user=user)
    reading = await place.read()

    assert len(reading.messages) == 6


async def test_threads_are_looked_for_in_the_month_before_the_period(place: Place) -> None:
    root = place.post(ts(SINCE - timedelta(days=29)), "a month old")
    for number in range(1_000):
        place.post(ts(SINCE - timedelta(days=1), number), "old")
    place.post(day(1), "a new reply", root)
    reading = await place.read()

    assert texts(reading) == ["a month old", "a new reply"]
    assert (reading.unread, reading.unseen) == ((), ())


async def test_a_thread_from_before_that_is_read_where_the_channel_was_told_of_it(
    place: Place,
) -> None:
    root = place.post(ts(SINCE - timedelta(days=90)), "very old")
    for number in range(1_000):
        place.post(ts(SINCE - timedelta(days=60), number), "old")
    place.post(day(1), "told to all", root, subtype="thread_broadcast")
    place.post(day(2), "and said there", root)
    reading = await place.read()

    assert texts(reading) == ["very old", "told to all", "and said there"]


async def test_a_thread_that_slack_does_not_give_is_said_to_be_unread(
    place: Place, whole_log: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        root = place.post(day(number), f"root {number}")
        place.post(day(number + 0.5), f"reply {number}", root)
    place.slack.fail("conversations.replies", error="thread_not_found")
    reading = await place.read()

    assert texts(reading) == ["root 0", "reply 0", "root 1", "reply 1", "root 2"]
    assert reading.unread == ("replies of 1 thread that Slack did not give",)
    assert "thread_not_found" in str([record.__dict__ for record in whole_log.records])
    assert "root" not in whole_log.text


async def test_a_thread_that_slack_has_trouble_with_is_asked_for_again_and_then_left(
    place: Place,
) -> None:
    for number in range(2):
        root = place.post(day(number), f"root {number}")
        place.post(day(number + 0.5), f"reply {number}", root)
    place.slack.fail("conversations.replies", status=503, times=5)
    reading = await place.read()

    assert texts(reading) == ["root 0", "reply 0", "root 1"]
    assert reading.unread == ("replies of 1 thread that Slack did not give",)


async def test_a_slack_that_is_not_to_be_heard_ends_the_reading(place: Place) -> None:
    for number in range(4):
        root = place.post(day(number), f"root {number}")
        place.post(day(number + 0.5), f"reply {number}", root)
    place.slack.fail("conversations.replies", status=503, times=15)

    with pytest.raises(SlackUnreachable):
        await place.read()


async def test_an_answer_that_gets_lost_is_asked_for_again(place: Place) -> None:
    place.post(day(1), "words")
    place.slack.fail("conversations.history", drop=True)
    place.slack.fail("conversations.history", status=429, retry_after=30)
    reading = await place.read()

    assert texts(reading) == ["words"]
    assert place.clock.now > 30


@pytest.mark.parametrize(
    ("channel", "code"), [("C0NONE", "channel_not_found"), ("C0RANDOM", "not_in_channel")]
)
async def test_a_channel_that_may_not_be_read_is_refused(
    place: Place, channel: str, code: str
) -> None:
    with pytest.raises(SlackRefused, match=code):
        await place.read(channel=channel)


async def test_a_slack_that_only_slows_down_gives_nothing_or_what_there_is(place: Place) -> None:
    root = place.post(day(1), "root")
    place.post(day(2), "reply", root)
    place.slack.fail("conversations.history", status=429, retry_after=9, times=5)
    with pytest.raises(SlackRateLimited):
        await place.read()
    place.slack.fail("conversations.replies", status=429, retry_after=9, times=5)
    reading = await place.read()

    assert texts(reading) == ["root"]
    assert reading.unread == ("replies of 1 thread, for lack of time",)


@pytest.mark.parametrize(
    "message",
    [
        "text",
        {},
        {"ts": 5, "user": "U1"},
        {"ts": "x.y", "user": "U1"},
        {"ts": day(1)},
        {"ts": day(1), "user": ["U1"]},
        {"ts": day(1), "user": "U1", "subtype": ["x"]},
        {"ts": day(1), "user": "U1", "bot_id": 5},
        {"ts": day(1), "user": "U1", "hidden": True},
    ],
    ids=str,
)
async def test_a_message_of_another_shape_is_passed_over(message: object) -> None:
    good = {"ts": day(2), "user": "U1", "text": 7, "thread_ts": 5, "files": [1], "attachments": 2}
    reading = await read_page(message, good)

    assert [m.ts for m in reading.messages] == [day(2)]


async def test_what_slack_gives_beyond_what_was_asked_for_is_not_read() -> None:
    late, early = {"ts": ts(UNTIL), "user": "U1"}, {"ts": day(-1), "user": "U1"}

    assert (await read_page(late, early)).messages == ()


async def test_halves_of_characters_are_not_passed_on() -> None:
    reading = await read_page({"ts": day(1), "user": "U1", "text": "half \ud83d"})

    assert texts(reading) == ["half \N{REPLACEMENT CHARACTER}"]


async def tell_nobody(_: Progress) -> None:
    """Tell nobody how far it has come."""


async def read_page(*messages: object) -> Reading:
    async with slack_web() as (web, answers):
        answers.next = [{"json": {"ok": True, "messages": messages}}]
        people = People(web, lambda: 0.0, share_names=False)
        reader = PeriodReader(web, Pacing(), people, Bot("UBOT", "BBOT", "T1"))
        return await reader.read("T1", DigestRequest(channel="C1", period=WEEK), tell_nobody)
