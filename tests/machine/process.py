"""A process of the bot: everything real but what is outside of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.metrics import Metrics
from bot.playground.slack.workspace import BOT_ID, BOT_USER, TEAM
from bot.slack.agent import Agent
from bot.slack.command import Commands
from bot.slack.events import Bot
from bot.slack.hints import Hints
from bot.slack.identity import People
from bot.slack.listeners import Listeners
from bot.slack.pacing import Pacing
from bot.slack.replies import Replies
from bot.slack.research_controls import ResearchControls
from bot.slack.roots import Roots
from bot.store.leases import Beat, hold_lease
from bot.store.messages import MessageStore
from bot.store.tenure import Tenure
from bot.store.turns import TurnStore
from bot.turns.chains import Chains
from bot.turns.inbox import Inbox
from bot.turns.memory import Memory
from bot.turns.placing import Placing
from bot.turns.prices import Prices
from bot.turns.run import TurnRunner
from bot.turns.settle import Settling
from tests.fakes import FakeHistory, FakeNotes, FakeRuns
from tests.machine.gates import WORKED_ON, Gates
from tests.machine.outside import GatedDatabase, GatedWeb, NobodyUnknown, ScriptedModel
from tests.slack.digest_ways import digest_ways

if TYPE_CHECKING:
    from bot.store.database import Database
    from bot.turns.question import Question
    from bot.turns.turn import Turn
    from tests.machine.people import Delivery
    from tests.machine.world import World

BEAT = Beat(lease=1_000.0, pause=2.0)  # what lapses does so because a rule says so
STALL_SECONDS = 2_000.0


class Told(Hints):
    """Takes note of what people are told alone."""

    def __init__(self, told: list[str]) -> None:
        super().__init__()
        self._told = told

    async def tell(self, question: Question, words: str) -> None:
        """Tell the asker."""
        del words
        self._told.append(question.text)


class Process:
    """One life of the bot, until it is killed or stopped."""

    def __init__(self, world: World, database: Database) -> None:
        self.gates = Gates()
        self.is_stalled = False  #: others may take its turns over, or have done so
        self.is_stopping = False
        self.listeners: Listeners | None = None
        self._world = world
        self._loop = world.loop
        self._ahead = 0.0
        self._paced = 0.0
        self._stop = asyncio.Event()
        self.tenure = Tenure(self._clock)
        self._database = GatedDatabase(database, self.gates, world.watch, world.loop)
        self._life = world.loop.create_task(self._live())
        self._deliveries: set[asyncio.Task[None]] = set()

    @property
    def is_dead(self) -> bool:
        """Whether nothing of it is left."""
        return self.gates.is_dead

    @property
    def hears(self) -> bool:
        """Whether Slack delivers to it."""
        return self.listeners is not None and not self.is_stopping and not self.is_dead

    def deliver(self, delivery: Delivery) -> None:
        """Give it something of Slack's."""
        task = self._loop.create_task(self._take(delivery))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)
        self._loop.run_until_idle()

    def kill(self, *, acts: bool) -> None:
        """End it without letting it do anything more."""
        self.gates.kill(acts=acts)
        self._life.cancel()
        self._loop.run_until_idle()

    def stop(self, *, acts: bool) -> None:
        """Ask it to end."""
        self.is_stopping, self.gates.acts_at_last = True, acts
        self._stop.set()
        self._loop.run_until_idle()

    def stall(self, *, knows: bool) -> None:
        """Let it stand still for so long that its lease lapses; it may see that by its clock."""
        self.is_stalled = True
        self._ahead += STALL_SECONDS if knows else 0.0

    async def _take(self, delivery: Delivery) -> None:
        assert self.listeners is not None

        async def ack(*_said: object) -> None:
            delivery.is_acknowledged = True

        match delivery.kind:
            case "event":
                await self.listeners.on_message(delivery.body)
                await ack()
                if "deleted_ts" in delivery.body["event"]:
                    self._world.watch.withdrawn(delivery.body["event"]["deleted_ts"])
            case "command":
                await self.listeners.on_ask(ack, delivery.body)  # type: ignore[arg-type]
            case "press":
                await self.listeners.on_try_again(ack, delivery.body)  # type: ignore[arg-type]

    async def _live(self) -> None:
        async with hold_lease(self._database, self.tenure, BEAT, self._clock) as name_heir:
            inbox = self._build()
            name_heir(inbox)
            await self._stop.wait()
            await inbox.close(0.0)
        self.gates.kill()

    def _build(self) -> Inbox:
        """Build it as bot.app does."""
        gates, world, metrics = self.gates, self._world, Metrics(0.0)
        turns = TurnStore(self._database, self.tenure, world.now)
        steps = MessageStore(self._database, self.tenure, world.now)
        web, hints = GatedWeb(world.slack, gates, world.watch), Told(world.told)
        agent = Agent(web, self._clock)
        pacing = Pacing(
            flush_seconds=0.0, update_seconds=0.0, clock=lambda: self._paced, sleep=self._sleep
        )
        people = People(web, self._clock, share_names=True)
        roots = Roots(web, pacing, steps, hints, people, world.now)
        replies = Replies(web, pacing, steps, agent, roots, metrics, BOT_USER, "Ask me things.")
        model = ScriptedModel(gates, world.watch)
        runner = TurnRunner(
            replies,
            Memory(NobodyUnknown(), FakeHistory(), turns),
            model,
            turns,
            metrics,
            self._clock,
            Chains("auto", FakeNotes().unsupported()),
            Prices({}),
        )
        inbox = Inbox(turns, _Noted(runner, Placing(replies, Settling(turns, metrics))), metrics)
        commands = Commands(inbox, hints, TEAM)
        bot = Bot(BOT_USER, BOT_ID, TEAM)
        controls, digests = (
            ResearchControls(web, FakeRuns()),
            digest_ways(web, bot, inbox, turns),
        )
        self.listeners = Listeners(
            bot, inbox, turns, agent, commands, controls, *digests, "mention"
        )
        return inbox

    def _clock(self) -> float:
        return self._loop.time() + self._ahead

    async def _sleep(self, seconds: float) -> None:
        self._paced += seconds
        await asyncio.sleep(0)


class _Noted:
    """The work on a turn, with a note of which one it is."""

    def __init__(self, runner: TurnRunner, placing: Placing) -> None:
        self._runner = runner
        self._placing = placing
        self.wait = runner.wait

    async def run(self, turn: Turn) -> None:
        token = WORKED_ON.set(turn)
        try:
            await self._runner.run(turn)
        finally:
            WORKED_ON.reset(token)

    async def place(self, turn: Turn) -> Question | None:
        token = WORKED_ON.set(turn)
        try:
            return await self._placing.place(turn)
        finally:
            WORKED_ON.reset(token)
