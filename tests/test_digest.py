"""Digests from the command to the thread, between the local servers."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.clock import Clock
from bot.digests.audience import ARCHIVED, GONE, NOT_VISIBLE, Refusal
from bot.digests.memory import TOLD
from bot.digests.run import ELSEWHERE
from bot.playground.responses import LocalResponses, Profile, Scripted
from bot.playground.slack import LocalSlack
from bot.playground.slack.faults import Fault
from bot.playground.slack.generated import Plan, fill
from bot.playground.slack.workspace import BOT_USER, Channel
from bot.slack.digest_words import IN_CHANNELS_ONLY, THREADS_OF_CHANNELS_ONLY
from bot.slack.markdown import ZERO_WIDTH
from bot.turns.question import Question, Thread
from tests.crash.fast import FastClock
from tests.stage import FAST, Stage, open_bot_between, open_stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bot.playground.slack.workspace import Message

PRIVATE = "G0PRIVATE"
ITSELF = "searches the web by itself"
WRITTEN = {None, "file_share", "thread_broadcast", "me_message"}


@dataclass
class Shifted:
    """A time of day that can be put forward; what is waited for is waited a moment."""

    ahead: timedelta = timedelta()
    slept: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: datetime.now(UTC) + self.ahead, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.set()
        await asyncio.sleep(min(seconds, 0.2))

    async def until(self, is_so: Callable[[], object]) -> None:
        """Look whether it is so each time that something goes to sleep."""
        async with asyncio.timeout(30):
            while not is_so():
                self.slept.clear()
                await self.slept.wait()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path) as stage:
        yield stage


def shown(message: Message) -> str:
    return json.dumps([message.text, message.blocks, message.final_blocks], ensure_ascii=False)


def direct(stage: Stage, user: str = "you") -> list[Message]:
    channel = stage.slack.workspace.dm(stage.slack.users[user])
    return [m for m in channel.messages.values() if m.bot_id]


async def digest(stage: Stage, text: str = "7d", channel: str = PRIVATE) -> list[Message]:
    """Ask for a digest and wait for it; return the root and what stands below it."""
    before = len(direct(stage))
    await stage.slack.command(stage.you, channel, "/digest", text)
    await stage.slack.until(lambda _: "Written by a" in "".join(map(shown, direct(stage)[before:])))
    return direct(stage)[before:]


async def talk(stage: Stage) -> None:
    """Have people talk in the private channel."""
    you, colleague = stage.you, stage.slack.users["colleague"]
    root = await stage.slack.say(you, PRIVATE, "When do we move the billing service?")
    await stage.slack.say(colleague, PRIVATE, "We decided to move billing on Friday.", root)
    await stage.slack.say(you, PRIVATE, "I will tell the customers about billing.", root)


def reads(slack: LocalSlack) -> int:
    """Count what was read in channels."""
    return sum(len(slack.calls_of(f"conversations.{part}")) for part in ("history", "replies"))


def told(stage: Stage) -> list[dict[str, Any]]:
    return [create for create in stage.responses.creates if not create.get("background")]


async def test_a_digest_comes_as_a_direct_message_and_every_line_links_its_messages(
    stage: Stage,
) -> None:
    await talk(stage)
    root, message = await digest(stage)

    assert "Digest" in root.text
    assert f"<#{PRIVATE}>" in root.text
    assert "billing" in shown(message)
    assert f"/archives/{PRIVATE}/p" in shown(message)
    assert "Read 3 messages by 2 people, with replies in 1 thread" in shown(message)
    channel = stage.slack.workspace.channels[PRIVATE]
    links = [part.split("|")[0] for part in shown(message).split("<http")[1:]]
    assert links
    for link in links:
        ts = link.partition("/p")[2].partition("?")[0]
        assert f"{ts[:-6]}.{ts[-6:]}" in channel.messages


async def test_what_was_read_in_slack_never_reaches_a_tool(stage: Stage) -> None:
    await talk(stage)
    root, _ = await digest(stage)
    dm = stage.slack.workspace.dm(stage.you).id
    await stage.slack.say(stage.you, dm, "tell me more about the first point", root.ts)
    await stage.slack.until(lambda _: len(direct(stage)) == 3)
    await stage.responses.until(lambda: len(told(stage)) == 2)
    await stage.slack.say(stage.you, dm, "search the web for sources of an answer", root.ts)
    await stage.responses.until(lambda: len(told(stage)) == 3)

    first, second, third = told(stage)
    for create in (first, second):
        assert "tools" not in create
        assert create["store"] is False
        assert "billing on Friday" in str(create["input"])
    assert f"{TOLD}{{" in json.dumps(second["input"], ensure_ascii=False).replace("\\n", "\n")
    assert third["tools"]
    assert "billing" not in str(third)
    assert "previous_response_id" not in third


async def test_what_a_server_keeps_against_our_wish_is_not_gone_on_from(tmp_path: Path) -> None:
    async with open_stage(tmp_path, profile=Profile(delta_seconds=0, store=True)) as stage:
        await talk(stage)
        root, _ = await digest(stage)
        dm = stage.slack.workspace.dm(stage.you).id
        await stage.slack.say(stage.you, dm, "tell me more", root.ts)
        await stage.slack.until(lambda _: len(direct(stage)) == 3)
        await stage.responses.until(lambda: len(told(stage)) == 2)
        await stage.slack.until(lambda _: bool(direct(stage)[-1].final_blocks))
        assert "go_deeper" not in shown(direct(stage)[-1])
        await stage.slack.say(stage.you, dm, "search the web for sources of an answer", root.ts)
        await stage.responses.until(lambda: len(told(stage)) == 3)

    assert told(stage)[2]["tools"]
    assert "previous_response_id" not in told(stage)[2]
    assert "billing" not in str(told(stage)[2])


async def test_a_model_that_searches_by_itself_is_told_nothing_that_was_read_in_slack(
    tmp_path: Path,
) -> None:
    quick = Profile(delta_seconds=0)
    async with LocalSlack.start(limits=FAST) as slack, LocalResponses.start(profile=quick) as model:
        async with open_bot_between(tmp_path, slack, model) as stage:
            await talk(stage)
            root, _ = await digest(stage)
        asked, read = len(model.creates), reads(slack)
        async with open_bot_between(tmp_path, slack, model, OPENAI_DIALECT="parallel") as stage:
            dm = slack.dm(stage.you)
            await slack.say(stage.you, dm, "tell me more about the first point", root.ts)
            await slack.until(lambda _: len(direct(stage)) == 3)
            await slack.until(lambda _: ITSELF in shown(direct(stage)[2]))
            await slack.command(stage.you, PRIVATE, "/digest", "7d")
            await slack.until(lambda _: ITSELF in "".join(map(shown, direct(stage)[4:])))

    assert "try_again" not in "".join(map(shown, direct(stage)))
    assert (len(model.creates), reads(slack)) == (asked, read)


async def test_a_digest_of_a_quiet_time_says_so(stage: Stage) -> None:
    await stage.slack.command(stage.you, PRIVATE, "/digest", "24h")
    await stage.slack.until(
        lambda _: "Nobody wrote in the channel" in "".join(map(shown, direct(stage)))
    )

    assert not told(stage)


@pytest.mark.parametrize(
    ("user", "channel", "why", "helps"),
    [
        ("guest", "C0GENERAL", "Guests of this workspace", False),
        ("stranger", "C0GENERAL", "you are from another one", False),
        ("colleague", "C0RANDOM", "I am not in that channel", True),
    ],
)
async def test_who_may_not_have_a_digest_is_told_why_and_to_try_again_where_that_may_help(
    stage: Stage, user: str, channel: str, why: str, *, helps: bool
) -> None:
    person = stage.slack.users[user]
    await stage.slack.command(person, channel, "/digest", "7d")
    await stage.slack.until(lambda _: why in "".join(map(shown, direct(stage, user))))

    assert not told(stage)
    assert ("try_again" in shown(direct(stage, user)[-1])) is helps


async def test_somebody_who_left_the_channel_is_told_nothing_more_of_it(stage: Stage) -> None:
    await talk(stage)
    root, _ = await digest(stage)
    stage.slack.workspace.channels[PRIVATE].members.discard(stage.you)
    dm = stage.slack.workspace.dm(stage.you).id
    await stage.slack.say(stage.you, dm, "tell me more", root.ts)
    await stage.slack.until(
        lambda _: "You or I are not in that channel" in "".join(map(shown, direct(stage)))
    )

    assert len(told(stage)) == 1


async def test_who_leaves_while_it_is_written_is_not_shown_it(stage: Stage) -> None:
    await talk(stage)
    stage.responses.stall_after(4)
    await stage.slack.command(stage.you, PRIVATE, "/digest", "7d")
    await stage.responses.until(lambda: told(stage))
    stage.slack.workspace.channels[PRIVATE].members.discard(stage.you)
    stage.responses.resume()
    await stage.slack.until(
        lambda _: "You or I are not in that channel" in "".join(map(shown, direct(stage)))
    )

    assert "billing" not in "".join(map(shown, direct(stage)))


async def test_a_digest_is_shared_in_its_channel_once(stage: Stage) -> None:
    await talk(stage)
    _, message = await digest(stage)
    dm = stage.slack.workspace.dm(stage.you).id
    for _ in range(2):
        await stage.slack.press(stage.you, dm, message.ts, "share_digest")
    await stage.slack.until(lambda s: len(s.calls_of("chat.postEphemeral")) == 2)

    channel = stage.slack.workspace.channels[PRIVATE]
    [shared] = [m for m in channel.messages.values() if m.bot_id]
    assert "billing" in shown(shared)
    assert "Shared by You" in shown(shared)
    assert "share_digest" not in shown(shared)


async def test_a_shared_digest_is_asked_about_below_it_by_who_may_read_the_channel(
    stage: Stage,
) -> None:
    await talk(stage)
    _, message = await digest(stage)
    dm = stage.slack.workspace.dm(stage.you).id
    await stage.slack.press(stage.you, dm, message.ts, "share_digest")
    await stage.slack.until(lambda s: s.calls_of("chat.postEphemeral"))
    channel = stage.slack.workspace.channels[PRIVATE]
    [root] = [m for m in channel.messages.values() if m.bot_id]
    asked = f"<@{stage.slack.bot_user}> tell me more about the first point"
    await stage.slack.say(stage.slack.users["colleague"], PRIVATE, asked, root.ts)
    await stage.responses.until(lambda: len(told(stage)) == 2)
    channel.members.add(stage.slack.users["guest"])
    await stage.slack.say(stage.slack.users["guest"], PRIVATE, asked, root.ts)
    await stage.slack.until(
        lambda _: "Guests of this workspace" in "".join(map(shown, channel.messages.values()))
    )

    _, second = told(stage)
    assert "tools" not in second
    assert "billing on Friday" in str(second["input"])


@pytest.mark.parametrize("follow_ups", ["asker", "anyone"])
async def test_what_people_say_to_each_other_below_a_scheduled_digest_is_left_alone(
    tmp_path: Path, follow_ups: str
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock, FOLLOW_UPS=follow_ups) as stage:
        await saved(stage, soon())
        await talk(stage)
        clock.ahead = timedelta(minutes=5)
        channel = stage.slack.workspace.channels[PRIVATE]

        def posted() -> list[Message]:
            return [m for m in channel.messages.values() if m.bot_id]

        await stage.slack.until(lambda _: "Written by a" in "".join(map(shown, posted())), 30)
        root = posted()[0].ts
        await stage.slack.say(stage.you, PRIVATE, "Let us talk about it at lunch.", root)
        asked = f"<@{stage.slack.bot_user}> who tells the customers?"
        await stage.slack.say(stage.you, PRIVATE, asked, root)
        await stage.responses.until(lambda: len(told(stage)) == 2)

    assert "who tells the customers?" in str(told(stage)[1]["input"])


async def test_a_scheduled_digest_is_written_once_however_its_showing_fails(
    tmp_path: Path,
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        await talk(stage)
        line = {"text": "word " * 100, "messages": ["m1"]}
        topics = [{"title": f"Topic {n}", "summary": [line] * 12} for n in range(4)]
        stage.responses.script(Scripted(json.dumps({"topics": topics})))
        # Its root, and what is being done, and its first message are shown, and the second is not.
        stage.slack.fail("chat.postMessage", error="internal_error", skip=2, times=10**6)
        clock.ahead = timedelta(minutes=5)
        await clock.until(lambda: len(stage.slack.calls_of("chat.postMessage")) > 20)
        assert states(tmp_path) == ["running"]
        clock.ahead += timedelta(hours=6)
        await clock.until(lambda: states(tmp_path) == ["failed"])

    there = "".join(map(shown, stage.slack.workspace.channels[PRIVATE].messages.values()))
    assert len(told(stage)) == 1
    assert "try_again" in there
    assert "Topic 0" not in there
    assert given_back(tmp_path) == []  # as its thread says why there is none


async def test_nobody_else_shares_a_digest(stage: Stage) -> None:
    await talk(stage)
    _, message = await digest(stage)
    dm = stage.slack.workspace.dm(stage.you).id
    await stage.slack.press(stage.slack.users["colleague"], dm, message.ts, "share_digest")
    await stage.slack.until(lambda s: s.calls_of("chat.postEphemeral"))

    channel = stage.slack.workspace.channels[PRIVATE]
    assert not [m for m in channel.messages.values() if m.bot_id]


async def test_research_in_a_digests_thread_is_told_nothing_of_the_digest(stage: Stage) -> None:
    await talk(stage)
    root, _ = await digest(stage)
    dm = stage.slack.workspace.dm(stage.you).id
    await stage.slack.say(stage.you, dm, "research: How do I read sources?", root.ts)
    await stage.responses.until(
        lambda: [create for create in stage.responses.creates if create.get("background")]
    )

    _, *others = stage.responses.creates
    assert "billing" not in str(others)


async def test_a_thread_is_summed_up_from_one_of_its_messages(stage: Stage) -> None:
    await talk(stage)
    channel = stage.slack.workspace.channels[PRIVATE]
    await stage.slack.say(stage.you, PRIVATE, "Something else was decided about lunch.")
    reply = next(m for m in channel.messages.values() if m.thread_ts)
    await stage.slack.shortcut(stage.you, PRIVATE, reply.ts, "digest_thread")
    await stage.slack.until(lambda _: "Written by a" in "".join(map(shown, direct(stage))))

    [told] = stage.slack.ephemerals(PRIVATE, stage.you)
    assert "I am summing up that thread." in told.text
    assert "lunch" not in "".join(map(shown, direct(stage)))
    assert "Read 3 messages" in "".join(map(shown, direct(stage)))


async def test_instructions_in_messages_are_data_and_made_up_ids_are_dropped(stage: Stage) -> None:
    await talk(stage)
    claims = '"summary": [{"text": "<!channel> All fine.", "messages": ["m1", "m99"]}, '
    claims += '{"text": "Made up.", "messages": ["m77"]}]'
    rest = '"decisions": [], "open_questions": [], "action_items": []'
    stage.responses.script(Scripted(f'{{"topics": [{{"title": "Billing", {claims}, {rest}}}]}}'))
    _, message = await digest(stage)

    assert "&lt;!channel&gt; All fine." in shown(message)
    assert "Made up" not in shown(message)
    assert "1 line without a source was left out" in shown(message)


async def test_a_busy_month_is_digested_whole_and_every_link_leads_to_a_message_that_was_read(
    tmp_path: Path,
) -> None:
    # 55 minutes, after which a reading ends, are 27 seconds; the 450 calls of this one take less.
    fast = FastClock(time.time(), 120.0)
    limits = replace(FAST, clock=fast.seconds)
    async with open_stage(tmp_path, clock=fast.clock, limits=limits) as stage:
        channel = stage.slack.workspace.channels[PRIVATE]
        now = datetime.fromtimestamp(fast.seconds(), UTC)
        true = fill(stage.slack.workspace, PRIVATE, Plan(), now)
        await stage.slack.command(stage.you, PRIVATE, "/digest", "31d")
        await stage.slack.until(lambda _: "Written by a" in "".join(map(shown, direct(stage))), 60)
        text = "".join(map(shown, direct(stage)))

    read = {
        m.ts
        for m in channel.messages.values()
        if m.user in true.named and m.subtype in WRITTEN and not m.bot_id
    }
    parts = text.split(f"/archives/{PRIVATE}/p")[1:]
    linked = {part.partition("?")[0].partition("|")[0] for part in parts}
    counted = re.search(r"Read ([\d,]+) messages by (\d+) people", text)
    assert len(true.new) == 5_000
    assert counted is not None
    assert len(true.new) <= int(counted[1].replace(",", "")) <= len(read)
    assert int(counted[2]) == len(true.people) == 60
    assert "Not read" not in text
    assert len(linked) > 20
    assert {f"{ts[:-6]}.{ts[-6:]}" for ts in linked} <= read
    assert len(told(stage)) > 2  # in parts, and once more to join them


async def scheduled(stage: Stage, text: str = "weekdays 9:00") -> Message:
    """Type a schedule, and return what only who typed it sees."""
    await stage.slack.command(stage.you, PRIVATE, "/digest", f"schedule {text}")
    return stage.slack.ephemerals(PRIVATE, stage.you)[-1]


async def saved(stage: Stage, when: str = "weekdays 9:00") -> None:
    """Schedule a digest of the private channel."""
    preview = await scheduled(stage, when)
    await stage.slack.press(stage.you, PRIVATE, preview.ts, "save_schedule")
    await stage.slack.until(lambda _: "Saved as number 1" in shown(preview))


async def test_a_schedule_is_said_back_and_kept_once_it_is_saved(stage: Stage) -> None:
    preview = await scheduled(stage, "weekdays 9:00 about prices")
    assert "every weekday at 09:00 (Etc/UTC), in the channel" in shown(preview)
    assert shown(preview).count("• ") == 3
    await stage.slack.command(stage.you, PRIVATE, "/digest", "list")
    assert "You have no scheduled digests" in shown(stage.slack.ephemerals(PRIVATE, stage.you)[-1])

    again = await scheduled(stage, "weekdays 9:00 about prices")
    for each in (preview, again):
        await stage.slack.press(stage.you, PRIVATE, each.ts, "save_schedule")
    await stage.slack.until(lambda _: "Saved as number 1" in shown(preview))
    await stage.slack.until(lambda _: "Saved as number 1" in shown(again))
    await stage.slack.command(stage.you, PRIVATE, "/digest", "list")
    listed = shown(stage.slack.ephemerals(PRIVATE, stage.you)[-1])
    assert "*1.* Digest of <#G0PRIVATE>, about prices" in listed
    assert "*2.*" not in listed


async def test_a_schedule_is_read_as_it_was_typed_before_slack_escaped_it(stage: Stage) -> None:
    preview = await scheduled(stage, "Mon &amp; Thu 9:00 about R&amp;D")

    assert "about R&amp;D, every Monday and Thursday at 09:00" in shown(preview)


async def test_to_save_a_paused_schedule_again_has_it_come_again(stage: Stage) -> None:
    await saved(stage)
    await stage.slack.command(stage.you, PRIVATE, "/digest", "pause 1")
    await saved(stage)
    await stage.slack.command(stage.you, PRIVATE, "/digest", "list")

    listed = shown(stage.slack.ephemerals(PRIVATE, stage.you)[-1])
    assert "next " in listed
    assert "paused" not in listed


async def test_what_is_no_channel_is_refused_before_anything_is_promised(stage: Stage) -> None:
    dm = stage.slack.dm(stage.you)
    for text in ("7d", "schedule weekdays 9:00"):
        await stage.slack.command(stage.you, dm, "/digest", text)
        refused = stage.slack.ephemerals(dm, stage.you)[-1]

        assert refused.text == IN_CHANNELS_ONLY
        assert not refused.blocks
    asked = await stage.slack.say(stage.you, dm, "a question")
    await stage.answers(dm, asked)
    await stage.slack.shortcut(stage.you, dm, asked, "digest_thread")
    await stage.slack.until(
        lambda s: s.ephemerals(dm, stage.you)[-1].text == THREADS_OF_CHANNELS_ONLY
    )


async def test_what_was_understood_is_said_back(stage: Stage) -> None:
    await stage.slack.command(stage.you, PRIVATE, "/digest", "7d about the <!here> *price*")
    words = stage.slack.ephemerals(PRIVATE, stage.you)[-1].text

    assert f"about the @{ZERO_WIDTH}here" in words
    assert "<!here>" not in words
    assert "*price*" not in words


async def test_schedules_are_paused_resumed_and_deleted(stage: Stage) -> None:
    await saved(stage)
    said = []
    for text in ("pause 1", "pause 1", "resume 1", "delete 1", "delete 1"):
        await stage.slack.command(stage.you, PRIVATE, "/digest", text)
        said.append(stage.slack.ephemerals(PRIVATE, stage.you)[-1].text)

    assert said == [
        "Scheduled digest 1 is paused.",
        "Scheduled digest 1 is already paused.",
        "Scheduled digest 1 is running.",
        "Scheduled digest 1 is deleted.",
        "You have no scheduled digest with the number 1.",
    ]


async def test_a_schedule_is_changed_once_that_is_saved(stage: Stage) -> None:
    await saved(stage, "weekdays 9:00 about prices")
    await stage.slack.command(stage.you, PRIVATE, "/digest", "pause 1")
    await stage.slack.command(stage.you, stage.general, "/digest", "change 1 Mondays 8:30")
    changed = stage.slack.ephemerals(stage.general, stage.you)[-1]
    assert "<#G0PRIVATE>, about prices, every Monday at 08:30" in shown(changed)
    assert "Number 1 stays paused until you press Save; then it starts again" in shown(changed)
    await stage.slack.press(stage.you, stage.general, changed.ts, "save_schedule")
    await stage.slack.until(lambda _: "Saved as number 1: every Monday at 08:30" in shown(changed))
    await stage.slack.command(stage.you, PRIVATE, "/digest", "list")

    listed = shown(stage.slack.ephemerals(PRIVATE, stage.you)[-1])
    assert "about prices, every Monday at 08:30" in listed
    assert "next Monday" in listed
    assert "*2.*" not in listed


async def test_a_change_of_a_schedule_that_is_gone_or_somebody_elses_is_refused(
    stage: Stage,
) -> None:
    await saved(stage)
    colleague = stage.slack.users["colleague"]
    refused = await stage.slack.command(colleague, PRIVATE, "/digest", "change 1 Mondays 8:30")
    await stage.slack.command(stage.you, PRIVATE, "/digest", "change 1 Mondays 8:30")
    changed = stage.slack.ephemerals(PRIVATE, stage.you)[-1]
    await stage.slack.command(stage.you, PRIVATE, "/digest", "delete 1")
    await stage.slack.press(stage.you, PRIVATE, changed.ts, "save_schedule")
    await stage.slack.until(lambda _: "You have no scheduled digest" in shown(changed))

    assert refused.text == "You have no scheduled digest with the number 1."


async def test_nobody_else_may_change_a_schedule(stage: Stage) -> None:
    await saved(stage)
    colleague = stage.slack.users["colleague"]
    result = await stage.slack.command(colleague, PRIVATE, "/digest", "delete 1")

    assert result.text == "You have no scheduled digest with the number 1."


async def test_its_help_names_the_command_as_it_is_typed_here(stage: Stage) -> None:
    for name in ("/digest", "/team-digest"):
        await stage.slack.command(stage.you, PRIVATE, name, "help")
        words = stage.slack.ephemerals(PRIVATE, stage.you)[-1].text

        assert words.count(f"`{name}") == len(re.findall(r"`/", words)) > 10


async def test_a_digest_that_slack_takes_nowhere_is_told_of_in_its_own_words(
    stage: Stage,
) -> None:
    stage.slack.fail("conversations.open", error="no_dm")
    await stage.slack.command(stage.you, PRIVATE, "/digest", "7d")
    await stage.slack.until(
        lambda s: "kept me from beginning your digest" in str(s.ephemerals(PRIVATE, stage.you))
    )


async def test_in_slack_people_are_named_whatever_the_model_is_told(tmp_path: Path) -> None:
    async with open_stage(tmp_path, SHARE_NAMES="false") as stage:
        await talk(stage)
        _, message = await digest(stage)
        await stage.slack.press(stage.you, stage.slack.dm(stage.you), message.ts, "share_digest")
        channel = stage.slack.workspace.channels[PRIVATE].messages
        await stage.slack.until(lambda _: "Shared by You" in "".join(map(shown, channel.values())))

    assert "person 1" in str(told(stage)[0]["input"])


async def test_who_is_not_named_is_the_same_person_in_what_is_asked_on_below_a_digest(
    tmp_path: Path,
) -> None:
    async with open_stage(tmp_path, SHARE_NAMES="false") as stage:
        await talk(stage)
        claims = '"decisions": [{"text": "person 2: on Friday.", "messages": ["m2"]}]'
        stage.responses.script(Scripted(f'{{"topics": [{{"title": "Billing", {claims}}}]}}'))
        root, _ = await digest(stage)
        dm = stage.slack.dm(stage.you)
        await stage.slack.say(stage.you, dm, "tell me more about the first point", root.ts)
        await stage.responses.until(lambda: len(told(stage)) == 2)

    for create in told(stage):
        lines = str(create["input"]).replace("\\n", "\n").splitlines()
        [decided] = [line for line in lines if "We decided to move billing" in line]
        assert '"name":"person 2"' in decided
        assert stage.slack.users["colleague"] not in str(create)


async def test_who_may_not_have_a_digest_cannot_schedule_one(stage: Stage) -> None:
    guest = stage.slack.users["guest"]
    await stage.slack.command(guest, stage.general, "/digest", "schedule daily")
    [preview] = stage.slack.ephemerals(stage.general, guest)
    await stage.slack.press(guest, stage.general, preview.ts, "save_schedule")
    await stage.slack.until(lambda _: "Guests of this workspace" in shown(preview))


async def test_schedules_are_in_the_home_and_can_be_changed_there(stage: Stage) -> None:
    await saved(stage)
    await stage.slack.open_home(stage.you)
    await stage.slack.until(lambda s: "*1.* Digest of" in json.dumps(s.views.get(stage.you)))
    await stage.slack.press_at_home(stage.you, "pause_schedule")
    await stage.slack.until(lambda s: "paused" in json.dumps(s.views[stage.you]))


def soon() -> str:
    """A time of day that is about to come."""
    return f"daily {datetime.now(UTC) + timedelta(minutes=2):%H:%M}"


async def test_a_scheduled_digest_is_posted_in_its_channel_and_names_who_scheduled_it(
    tmp_path: Path,
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        await talk(stage)
        clock.ahead = timedelta(minutes=5)
        channel = stage.slack.workspace.channels[PRIVATE]

        def posted() -> list[Message]:
            return [m for m in channel.messages.values() if m.bot_id]

        await stage.slack.until(lambda _: "Written by a" in "".join(map(shown, posted())), 30)

    root, message = posted()
    assert "scheduled by You" in root.text
    assert "<@" not in root.text
    assert "billing" in shown(message)
    assert "share_digest" not in shown(message)


@pytest.mark.parametrize(
    "faults",
    [
        {"chat.postMessage": Fault(error="is_archived"), "conversations.open": Fault("no_dm")},
        {"chat.postMessage": Fault(error="thread_not_found", skip=1, times=2)},
    ],
    ids=["its root", "what is below it"],
)
async def test_a_scheduled_digest_that_slack_does_not_take_is_told_of_with_the_next(
    tmp_path: Path, faults: dict[str, Fault]
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        for method, fault in faults.items():
            stage.slack.fail(method, **asdict(fault))
        clock.ahead = timedelta(minutes=5)
        await clock.until(lambda: given_back(tmp_path))
        clock.ahead += timedelta(days=1)
        channel = stage.slack.workspace.channels[PRIVATE].messages
        told = "Missed before this one, and not made up for: "
        await stage.slack.until(lambda _: told in "".join(map(shown, channel.values())), 30)

    assert given_back(tmp_path) == []


async def test_a_scheduled_digest_is_posted_once_slack_is_there_again(tmp_path: Path) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        stage.slack.fail("chat.postMessage", status=503, times=10**6)
        clock.ahead = timedelta(minutes=5)
        await clock.until(lambda: len(stage.slack.calls_of("chat.postMessage")) > 10)
        stage.slack.mend("chat.postMessage")
        channel = stage.slack.workspace.channels[PRIVATE].messages
        await stage.slack.until(
            lambda _: "Nobody wrote in the channel" in "".join(map(shown, channel.values())), 30
        )

    assert given_back(tmp_path) == []
    assert [m.thread_ts for m in channel.values() if m.bot_id].count(None) == 1


async def test_a_scheduled_digest_that_could_not_be_posted_in_time_is_told_of_with_the_next(
    tmp_path: Path,
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        stage.slack.fail("chat.postMessage", status=503, times=10**6)
        clock.ahead = timedelta(minutes=5)
        await clock.until(lambda: len(stage.slack.calls_of("chat.postMessage")) > 10)
        clock.ahead += timedelta(hours=6)
        await clock.until(lambda: given_back(tmp_path))


async def test_a_scheduled_digest_that_is_deleted_before_it_is_posted_does_not_come(
    tmp_path: Path,
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        asked = len(stage.slack.calls_of("users.info"))
        stage.slack.fail("users.info", status=503, times=10**6)
        clock.ahead = timedelta(minutes=5)
        await clock.until(lambda: len(stage.slack.calls_of("users.info")) > asked)
        await stage.slack.command(stage.you, PRIVATE, "/digest", "delete 1")
        stage.slack.mend("users.info")
        await clock.until(lambda: states(tmp_path) == ["stopped"])

    channel = stage.slack.workspace.channels[PRIVATE].messages
    assert not [message for message in channel.values() if message.bot_id]


async def test_what_a_scheduled_digest_was_to_tell_of_outlasts_a_pause(tmp_path: Path) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        asked = len(stage.slack.calls_of("users.info"))
        stage.slack.fail("users.info", status=503, times=10**6)
        clock.ahead = timedelta(days=1, minutes=5)
        await clock.until(lambda: len(stage.slack.calls_of("users.info")) > asked)
        await stage.slack.command(stage.you, PRIVATE, "/digest", "pause 1")
        stage.slack.mend("users.info")
        await clock.until(lambda: states(tmp_path) == ["stopped"])

    assert len(given_back(tmp_path)) == 1


async def test_a_scheduled_digest_that_was_begun_waits_for_slack_and_comes_once(
    tmp_path: Path,
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        await talk(stage)
        stage.responses.stall_after(4)
        clock.ahead = timedelta(minutes=5)
        await stage.responses.until(lambda: told(stage))
        away = ("chat.postMessage", "chat.update", "conversations.info", "users.info")
        for method in away:
            stage.slack.fail(method, status=503, times=10**6)
        stage.responses.resume()
        await clock.until(lambda: len(stage.slack.calls_of("conversations.info")) > 20)
        for method in away:
            stage.slack.mend(method)
        channel = stage.slack.workspace.channels[PRIVATE].messages
        await stage.slack.until(lambda _: "Written by a" in "".join(map(shown, channel.values())))
        posted = [message for message in channel.values() if message.bot_id]
        await clock.until(lambda: states(tmp_path) == ["answered"])

    assert len(posted) == 2
    assert len(told(stage)) == 1
    assert given_back(tmp_path) == []


async def test_a_scheduled_digest_that_comes_after_all_is_not_told_of_as_missed(
    tmp_path: Path,
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        stage.slack.fail("chat.postMessage", error="thread_not_found", skip=1, times=2)
        clock.ahead = timedelta(minutes=5)
        await clock.until(lambda: given_back(tmp_path))
        channel = stage.slack.workspace.channels[PRIVATE].messages
        await stage.slack.until(lambda _: "try_again" in "".join(map(shown, channel.values())))
        [failed] = [ts for ts, message in channel.items() if "try_again" in shown(message)]
        await stage.slack.press(stage.you, PRIVATE, failed, "try_again")
        await clock.until(lambda: states(tmp_path) == ["answered"])

    assert given_back(tmp_path) == []


async def test_whoever_left_the_workspace_the_channel_is_told_once_slack_takes_it(
    tmp_path: Path,
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        users = stage.slack.workspace.users
        users[stage.you] = replace(users[stage.you], deleted=True)
        stage.slack.fail("chat.postMessage", status=429, retry_after=0.01, times=10**6)
        clock.ahead = timedelta(minutes=5)
        await clock.until(lambda: len(stage.slack.calls_of("chat.postMessage")) > 10)
        stage.slack.mend("chat.postMessage")
        channel = stage.slack.workspace.channels[PRIVATE].messages
        why = "is paused, as the person who scheduled it has left this workspace"
        await stage.slack.until(lambda _: why in "".join(map(shown, channel.values())))

    assert paused(tmp_path) == GONE.words


async def test_a_digest_whose_request_cannot_be_read_fails_and_is_not_tried_for_ever(
    tmp_path: Path,
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        asked = Question(
            thread=Thread(team=stage.slack.team, channel="", thread_ts=""),
            ts="/unreadable",
            user=stage.you,
            user_team=stage.slack.team,
            text="{}",
            kind="digest",
        )
        await stage.bot.inbox.take_to_place(asked)
        await clock.until(lambda: states(tmp_path) == ["failed"])

    assert not direct(stage)


async def test_a_schedule_whose_owner_left_the_channel_is_paused_and_the_channel_told(
    tmp_path: Path,
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        await talk(stage)
        channel = stage.slack.workspace.channels[PRIVATE]
        channel.members.discard(stage.you)
        clock.ahead = timedelta(minutes=5)
        await stage.slack.until(
            lambda _: (
                "or I, cannot read the channel" in "".join(map(shown, channel.messages.values()))
            ),
            30,
        )
        channel.members.add(stage.you)
        await stage.slack.command(stage.you, PRIVATE, "/digest", "list")

    notice = shown(list(channel.messages.values())[-1])
    assert "Scheduled digest 1 is paused, as the person who scheduled it, or I, cannot" in notice
    assert "try_again" not in notice
    assert "paused: You or I are not in that channel" in shown(
        stage.slack.ephemerals(PRIVATE, stage.you)[-1]
    )
    assert "billing on Friday" not in str(stage.responses.creates)


async def test_a_schedule_is_not_paused_where_slack_does_not_say_who_may_have_it(
    tmp_path: Path,
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        stage.slack.fail("conversations.members", error="access_denied")
        clock.ahead = timedelta(minutes=5)
        channel = stage.slack.workspace.channels[PRIVATE].messages
        why = "I could not find out whether the person who scheduled it is in the channel"
        await stage.slack.until(lambda _: why in "".join(map(shown, channel.values())), 30)
        clock.ahead += timedelta(days=1)
        await stage.slack.until(
            lambda _: "Nobody wrote in the channel" in "".join(map(shown, channel.values())), 30
        )

    assert paused(tmp_path) is None


@pytest.mark.parametrize(
    ("keep_out", "why"),
    [
        (lambda channel: setattr(channel, "is_archived", True), ARCHIVED),
        (lambda channel: channel.members.discard(BOT_USER), NOT_VISIBLE),
    ],
    ids=["archived", "removed"],
)
async def test_a_schedule_whose_channel_takes_it_no_more_is_paused_and_its_owner_told_why(
    tmp_path: Path, keep_out: Callable[[Channel], None], why: Refusal
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        await talk(stage)
        keep_out(stage.slack.workspace.channels[PRIVATE])
        clock.ahead = timedelta(minutes=5)
        said = f"Scheduled digest 1 is paused, as {why.of_owner}"
        await stage.slack.until(lambda _: said in "".join(map(shown, direct(stage))), 30)

    assert paused(tmp_path) == why.words
    assert not told(stage)


async def test_a_scheduled_digest_that_its_channel_does_not_let_me_post_says_why_it_is_elsewhere(
    tmp_path: Path,
) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await saved(stage, soon())
        await talk(stage)
        stage.slack.fail("chat.postMessage", error="restricted_action")
        clock.ahead = timedelta(minutes=5)
        await stage.slack.until(lambda _: "Written by a" in "".join(map(shown, direct(stage))), 30)

    assert ELSEWHERE in "".join(map(shown, direct(stage)))
    assert paused(tmp_path) is None


async def test_a_schedule_whose_owner_left_the_workspace_is_paused(tmp_path: Path) -> None:
    clock = Shifted()
    async with open_stage(tmp_path, clock=clock.clock) as stage:
        await stage.slack.command(
            stage.you, stage.general, "/digest", f"schedule {soon()} in <#{PRIVATE}>"
        )
        preview = stage.slack.ephemerals(stage.general, stage.you)[-1]
        assert "as a direct message to you" in shown(preview)
        await stage.slack.press(stage.you, stage.general, preview.ts, "save_schedule")
        await stage.slack.until(lambda _: "Saved as number 1" in shown(preview))
        users = stage.slack.workspace.users
        users[stage.you] = replace(users[stage.you], deleted=True)
        clock.ahead = timedelta(minutes=5)
        await clock.until(
            lambda: given_back(tmp_path)
        )  # as Slack opens no direct message with them

    assert paused(tmp_path) == GONE.words
    assert direct(stage) == []
    assert not told(stage)


def states(folder: Path) -> list[str]:
    """Read from the file where the turns stand."""
    with closing(sqlite3.connect(folder / "footnote.db")) as connection:
        return [row[0] for row in connection.execute("SELECT state FROM turns ORDER BY id")]


def given_back(folder: Path) -> list[str]:
    """Read from the file which times are to be told of with the next digest."""
    with closing(sqlite3.connect(folder / "footnote.db")) as connection:
        [found] = connection.execute("SELECT skipped FROM schedules").fetchone()
    times: list[str] = json.loads(found)
    return times


def paused(folder: Path) -> str | None:
    """Read from the file why a schedule is paused."""
    with closing(sqlite3.connect(folder / "footnote.db")) as connection:
        found = connection.execute("SELECT paused_why FROM schedules").fetchone()
    return str(found[0]) if found and found[0] is not None else None
