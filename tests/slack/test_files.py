"""A text is shared into a thread as one file, whatever gets lost on the way."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable
from bot.playground.slack import Limits, LocalSlack
from bot.slack.caller import RESENDS
from bot.slack.files import ANNOUNCE, COMPLETE, FILE, share_text
from bot.slack.pacing import Pacing
from bot.slack.part import Part
from bot.slack.place import Place
from bot.slack.series import Series
from bot.slack.web import UPLOAD, SlackWeb
from bot.turns.question import Question, Thread
from bot.turns.turn import Sent, Turn, TurnLost
from tests.fakes import FakeSteps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAME, TITLE, TEXT = "report-5.md", "Heat pumps", "# Heat pumps\n\nThey *move* heat.\n"
THREE = [ANNOUNCE, UPLOAD, COMPLETE]
SOON = Limits(share_seconds=0.01)
NEVER = Limits(share_seconds=600.0)


class Clock:
    """Real time, and what was slept for, but not waited for: seconds that nobody would mind."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead

    async def sleep(self, seconds: float) -> None:
        waited = min(seconds, 0.05)
        self.ahead += seconds - waited
        await asyncio.sleep(waited)


class Stage:
    """A local Slack with a question in it, and a turn that is to share a file there."""

    def __init__(self, slack: LocalSlack, question: Question) -> None:
        self.slack = slack
        self.question = question
        self.steps = FakeSteps()
        self.web = SlackWeb(AsyncWebClient(token=slack.bot_token, base_url=slack.api_url))

    def place(self, *sent: Sent) -> Place:
        turn = Turn(5, self.question, None, epoch=1 + bool(sent), sent=sent)
        clock = Clock()
        pacing = Pacing(clock=clock, sleep=clock.sleep)
        return Place(self.web, pacing, self.steps, turn, self.slack.bot_user)

    async def share(self, text: str = TEXT, *sent: Sent) -> None:
        await share_text(self.place(*sent), NAME, TITLE, text)

    @property
    def files(self) -> list[dict[str, Any]]:
        """The files that stand in the thread."""
        thread = self.question.thread
        messages = self.slack.thread(thread.channel, thread.thread_ts)
        return [file for message in messages for file in message.files]

    def shown(self) -> list[str]:
        """What the files in the thread say."""
        stored = self.slack.files.stored
        return [(stored[file["id"]].data or b"").decode() for file in self.files]


@asynccontextmanager
async def stage(limits: Limits = SOON) -> AsyncIterator[Stage]:
    async with LocalSlack.start(limits=limits) as slack:
        you, general = slack.users["you"], slack.channels["general"]
        ts = await slack.say(you, general, "A question")
        thread = Thread(team=slack.team, channel=general, thread_ts=ts)
        question = Question(thread=thread, ts=ts, user=you, user_team=slack.team, text="A question")
        yield Stage(slack, question)


async def test_a_text_becomes_a_file_in_the_thread_and_is_recorded() -> None:
    async with stage() as s:
        await s.share()
        [message] = s.slack.thread(s.question.thread.channel, s.question.thread.thread_ts)[1:]

        assert s.shown() == [TEXT]
        assert [(file["name"], file["title"]) for file in s.files] == [(NAME, TITLE)]
        assert s.steps.sent == {(5, FILE): message.ts}
        assert s.steps.delivered == {(5, FILE): len(TEXT)}


async def test_the_channel_goes_only_to_the_method_that_takes_it() -> None:
    async with stage() as s:
        await s.share()
        [announced], [completed] = s.slack.calls_of(ANNOUNCE), s.slack.calls_of(COMPLETE)

        assert set(announced.params) == {"filename", "length"}
        assert set(completed.params) == {"files", "channel_id", "thread_ts"}


@pytest.mark.parametrize("method", THREE)
@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"after": True}, id="its answer is lost"),
        pytest.param({"drop": True}, id="it is lost"),
        pytest.param({"status": 503}, id="it meets trouble"),
    ],
)
async def test_a_step_that_gets_lost_makes_no_second_file(
    method: str, how: dict[str, object]
) -> None:
    async with stage() as s:
        s.slack.fail(method, times=2, **how)
        await s.share()

        assert s.shown() == [TEXT]


async def test_a_file_that_comes_late_after_a_lost_answer_is_waited_for() -> None:
    async with stage(Limits(share_seconds=0.15)) as s:
        s.slack.fail(COMPLETE, after=True)
        await s.share()

        assert s.shown() == [TEXT]
        assert len(s.slack.calls_of(ANNOUNCE)) == 1


@pytest.mark.parametrize("code", ["file_not_found", "file_update_failed"])
async def test_bytes_that_slack_itself_has_lost_are_uploaded_again(code: str) -> None:
    async with stage() as s:
        s.slack.fail(COMPLETE, error=code)
        await s.share()

        assert s.shown() == [TEXT]


async def test_an_address_that_has_lapsed_is_asked_for_anew() -> None:
    async with stage() as s:
        s.slack.fail(UPLOAD, status=404)
        await s.share()

        assert s.shown() == [TEXT]
        assert len(s.slack.calls_of(ANNOUNCE)) == 2


async def test_who_was_killed_before_the_record_finds_the_file_and_shares_no_other() -> None:
    async with stage() as s:
        s.steps.lost_after = "confirm"
        with pytest.raises(TurnLost):
            await s.share()
        s.steps.lost_after, s.steps.lost = None, set()
        await s.share(TEXT, Sent(FILE, None, streamed=False))
        [message] = s.slack.thread(s.question.thread.channel, s.question.thread.thread_ts)[1:]

        assert s.shown() == [TEXT]
        assert s.steps.sent == {(5, FILE): message.ts}


async def test_who_was_killed_before_the_file_came_waits_for_it() -> None:
    async with stage(Limits(share_seconds=0.15)) as s:
        sharing = asyncio.create_task(s.share())
        await s.slack.until(lambda slack: slack.calls_of(COMPLETE))
        sharing.cancel()
        await asyncio.gather(sharing, return_exceptions=True)
        assert s.files == []
        await s.share(TEXT, Sent(FILE, None, streamed=False))

        assert s.shown() == [TEXT]
        assert len(s.slack.calls_of(ANNOUNCE)) == 1


@pytest.mark.parametrize("method", THREE)
async def test_who_was_killed_at_any_step_leaves_one_file_to_the_next(method: str) -> None:
    async with stage() as s:
        sharing = asyncio.create_task(s.share())
        await s.slack.until(lambda slack: slack.calls_of(method))
        sharing.cancel()
        await asyncio.gather(sharing, return_exceptions=True)
        await s.share(TEXT, Sent(FILE, None, streamed=False))

        assert s.shown() == [TEXT]


async def test_to_share_a_second_time_changes_nothing() -> None:
    async with stage() as s:
        await s.share()
        await s.share()

        assert s.shown() == [TEXT]


async def test_a_file_of_this_name_that_a_person_shared_is_not_taken_for_it() -> None:
    async with stage() as s:
        channel = s.question.thread.channel
        theirs = await s.slack.say(s.question.user, channel, "mine", s.question.thread.thread_ts)
        [*_, message] = s.slack.thread(channel, s.question.thread.thread_ts)
        message.files = [{"id": "F1", "name": NAME}]
        await s.share()

        assert [m.user for m in s.slack.thread(channel, theirs)] == [s.question.user]
        assert [file["name"] for file in s.files] == [NAME, NAME]


@pytest.mark.parametrize("step", ["intend", "deliver"])
async def test_who_has_lost_the_turn_shares_nothing(step: str) -> None:
    async with stage() as s:
        s.steps.lost_after = step
        with pytest.raises(TurnLost):
            await s.share()

        assert s.files == []
        assert s.slack.calls_of(COMPLETE) == []


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("conversations.replies", "missing_scope"),
        (ANNOUNCE, "missing_scope"),
        (ANNOUNCE, "file_uploads_disabled"),
        (COMPLETE, "posting_to_channel_denied"),
    ],
)
async def test_what_slack_does_not_take_is_refused_with_its_code(method: str, code: str) -> None:
    async with stage() as s:
        s.slack.fail(method, error=code)
        with pytest.raises(SlackRefused) as caught:
            await s.share()

        assert (caught.value.method, caught.value.code) == (method, code)
        assert s.files == []
        assert s.steps.sent == {}


async def test_a_thread_that_is_gone_is_given_no_file() -> None:
    async with stage() as s:
        await s.slack.delete(s.question.thread.channel, s.question.ts)
        with pytest.raises(SlackRefused, match="thread_not_found"):
            await s.share()

        assert s.slack.calls_of(ANNOUNCE) == []


async def test_bytes_that_are_not_taken_are_refused() -> None:
    async with stage() as s:
        s.slack.fail(UPLOAD, status=413)
        with pytest.raises(SlackRefused, match="http_413"):
            await s.share()

        assert len(s.slack.calls_of(UPLOAD)) == 1


@pytest.mark.parametrize("method", THREE)
async def test_a_slack_that_never_hears_is_unreachable(method: str) -> None:
    async with stage() as s:
        s.slack.fail(method, drop=True, times=99)
        with pytest.raises(SlackUnreachable):
            await s.share()

        assert s.files == []
        assert s.steps.sent == {(5, FILE): None}


async def test_a_slack_that_loses_the_bytes_each_time_is_told_of() -> None:
    async with stage() as s:
        s.slack.fail(COMPLETE, error="file_not_found", times=RESENDS)
        with pytest.raises(SlackRefused, match="file_not_found"):
            await s.share()

        assert s.files == []


async def test_a_file_that_never_comes_though_slack_says_so_is_told_of_and_not_repeated() -> None:
    async with stage(NEVER) as s:
        with pytest.raises(SlackUnreachable, match="not_in_thread"):
            await s.share()

        assert len(s.slack.calls_of(COMPLETE)) == 1


async def test_a_slack_that_slows_the_bot_down_is_heeded() -> None:
    async with stage() as s:
        s.slack.fail(ANNOUNCE, status=429, retry_after=0.01, times=2)
        s.slack.fail(COMPLETE, status=429, retry_after=0.01, times=2)
        await s.share()

        assert s.shown() == [TEXT]


async def test_a_slack_that_slows_the_bot_down_for_ever_has_nothing_recorded() -> None:
    async with stage() as s:
        s.slack.fail(COMPLETE, status=429, retry_after=0.01, times=RESENDS)
        with pytest.raises(SlackRateLimited):
            await s.share()

        assert s.steps.sent == {}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Wärme 🔥 – 熱ポンプ\n", "Wärme 🔥 – 熱ポンプ\n", id="beyond ASCII"),
        pytest.param("one\0two", "onetwo", id="a NUL"),
        pytest.param("half \ud83d of a pair", "half ? of a pair", id="half a surrogate pair"),
        pytest.param("a\r\nb\rc", "a\r\nb\rc", id="other ends of lines"),
        pytest.param("Wärme. " * 112_500, "Wärme. " * 112_500, id="900 kB"),
    ],
)
async def test_any_text_arrives_as_it_is_but_for_what_no_text_has(text: str, shown: str) -> None:
    async with stage() as s:
        await s.share(text)

        assert s.shown() == [shown]
        assert s.files[0]["size"] == len(shown.encode())


async def test_a_file_is_not_taken_for_a_lost_message_nor_for_one_too_many() -> None:
    async with stage() as s:
        await s.share()
        [file] = s.steps.sent.values()
        s.steps.sent.clear()
        place = s.place(Sent(FILE, file, streamed=False))

        assert await Part(place, 1, streamed=True).find() is None
        await Series(place).drop_the_rest()
        assert s.shown() == [TEXT]
