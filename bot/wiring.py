"""The parts that are not opened and closed, put together for bot.app."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.digests.admission import Admission
from bot.digests.ends import DigestEnds
from bot.digests.gate import Gate
from bot.digests.memory import DigestMemory
from bot.digests.run import DigestRunner
from bot.log import bound
from bot.slack.agent import Agent
from bot.slack.channels import Channels
from bot.slack.command import Commands
from bot.slack.digest_controls import DigestControls
from bot.slack.files import share_text
from bot.slack.hints import Hints
from bot.slack.history import History
from bot.slack.identity import People
from bot.slack.listeners import Listeners
from bot.slack.membership import Membership
from bot.slack.period import PeriodReader
from bot.slack.replies import Replies
from bot.slack.research_controls import ResearchControls
from bot.slack.roots import Roots
from bot.slack.schedule_controls import ScheduleControls
from bot.slack.sharing import Sharing
from bot.slack.words import help_words
from bot.turns.chains import Chains
from bot.turns.memory import Memory
from bot.turns.placing import Placing
from bot.turns.research_run import ResearchRunner
from bot.turns.run import TurnRunner
from bot.turns.settle import Settling

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AbstractContextManager

    from bot.clock import Clock
    from bot.metrics import Metrics
    from bot.responses.model import Models
    from bot.settings import Settings
    from bot.slack.events import Bot
    from bot.slack.pacing import Pacing
    from bot.slack.web import SlackWeb
    from bot.store.leases import Heir
    from bot.store.messages import MessageStore
    from bot.store.runs import RunStore
    from bot.store.schedules import ScheduleStore
    from bot.store.turns import TurnStore
    from bot.turns.inbox import Inbox
    from bot.turns.question import Question
    from bot.turns.turn import Turn
    from bot.turns.unsupported import Unsupported

    Checks = Mapping[str, Callable[[], Awaitable[str]]]


@dataclass(frozen=True, slots=True)
class Stores:
    """What is in the database, and who goes on with what others left there."""

    turns: TurnStore
    messages: MessageStore
    runs: RunStore
    schedules: ScheduleStore
    name_heir: Callable[[Heir], None]
    unsupported: Unsupported
    checks: Checks


class Slack:
    """One workspace: what is said there, and by whom."""

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        settings: Settings,
        web: SlackWeb,
        bot: Bot,
        pacing: Pacing,
        stores: Stores,
        *,
        clock: Clock,
    ) -> None:
        self.web, self.bot, self.pacing, self.clock = web, bot, pacing, clock
        self.hints = Hints()
        self.agent = Agent(web, clock.monotonic)
        self.people = People(web, clock.monotonic, share_names=settings.share_names)
        reader = PeriodReader(web, pacing, self.people, bot)
        self.channels = Channels(reader)
        self.admission = Admission(Membership(web, pacing))
        self.memory = Memory(self.people, History(web, pacing, self.people, bot), stores.turns)
        self.help_words = help_words(bot.user, f"/{settings.command_prefix}ask")

    def replies(self, stores: Stores, metrics: Metrics) -> Replies:
        """Return where answers go."""
        roots = Roots(
            self.web, self.pacing, stores.messages, self.hints, self.people, self.clock.now
        )
        return Replies(
            self.web,
            self.pacing,
            stores.messages,
            self.agent,
            roots,
            metrics,
            self.bot.user,
            self.help_words,
            share_text,
            self.bot.workspace,
        )


class Work:
    """The work on a turn, by what is wanted, with the turn in every line of the log."""

    def __init__(
        self, settings: Settings, slack: Slack, stores: Stores, models: Models, metrics: Metrics
    ) -> None:
        replies, clock = slack.replies(stores, metrics), slack.clock
        chains = Chains(settings.chaining, stores.unsupported)
        ledger, prices = stores.turns, models.prices
        self._answering = TurnRunner(
            replies,
            slack.memory,
            models.answering,
            ledger,
            metrics,
            clock.monotonic,
            chains,
            prices,
        )
        about = DigestMemory(
            slack.people, ledger, slack.channels, slack.admission, models.talking.check
        )
        # Told again each time, and never chained: its server keeps nothing of it.
        self._talking = replace(
            self._answering,
            memory=about,
            model=models.talking,
            chains=Chains("replay", stores.unsupported),
        )
        self._researching = ResearchRunner(
            replies,
            slack.memory,
            models.researching,
            ledger,
            stores.runs,
            models.preparation,
            metrics,
            prices,
            clock.now,
            clock.sleep,
            deadline=timedelta(minutes=settings.research_minutes),
        )
        self._placing = Placing(replies, Settling(ledger, metrics))
        self._digesting = DigestRunner(
            replies,
            slack.channels,
            Gate(slack.admission, stores.schedules),
            models.digesting,
            stores.schedules,
            DigestEnds(ledger, stores.schedules, metrics, clock),
            metrics,
            clock,
        )
        self.wait = self._answering.wait

    async def run(self, turn: Turn) -> None:
        """Do what is wanted."""
        with _bound(turn):
            match turn.question.kind:
                case "research":
                    await self._researching.run(turn)
                case "digest":
                    await self._digesting.run(turn)
                case "about_digest":
                    await self._talking.run(turn)
                case _:
                    await self._answering.run(turn)

    async def place(self, turn: Turn) -> Question | None:
        """Post the thread of a question that a command asked; None when it cannot be had."""
        with _bound(turn):
            if turn.question.kind == "digest":
                return await self._digesting.place(turn)
            return await self._placing.place(turn)


def build_listeners(settings: Settings, slack: Slack, stores: Stores, inbox: Inbox) -> Listeners:
    """Return the ways in."""
    return Listeners(
        slack.bot,
        inbox,
        stores.turns,
        slack.agent,
        Commands(inbox, slack.hints, slack.bot.team),
        ResearchControls(slack.web, stores.runs),
        _digest_controls(settings, slack, stores, inbox),
        Sharing(slack.web, slack.pacing, stores.turns, slack.admission, slack.people),
        settings.follow_ups,
    )


def _digest_controls(
    settings: Settings, slack: Slack, stores: Stores, inbox: Inbox
) -> DigestControls:
    team, now = slack.bot.team, slack.clock.now
    command = f"/{settings.command_prefix}digest"
    schedules = ScheduleControls(
        slack.web, stores.schedules, slack.admission, slack.hints, team, command, now
    )
    return DigestControls(inbox, stores.turns, slack.people, schedules, slack.hints, team, now)


def _bound(turn: Turn) -> AbstractContextManager[None]:
    thread = turn.question.thread
    return bound(turn=turn.id, channel=thread.channel, thread_ts=thread.thread_ts)
