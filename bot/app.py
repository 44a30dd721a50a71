"""Opens everything, and closes it in the reverse order; wiring.py says what is made of what."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.clock import CLOCK
from bot.digests.timetable import Timetable
from bot.errors import ConnectionLost, SettingsError, SlackError, SlackRefused
from bot.exposition import exposition
from bot.health import Health, health_routes, open_server
from bot.metrics import Metrics
from bot.responses.client import open_http
from bot.responses.dialect import server_at
from bot.responses.model import build_models
from bot.responses.patience import Pace
from bot.slack.connection import build_app, open_client, open_way_in
from bot.slack.events import Bot
from bot.slack.listeners import add_listeners
from bot.slack.pacing import Pacing
from bot.slack.web import SlackWeb
from bot.store.checks import check_database, check_migrations
from bot.store.database import open_database
from bot.store.leases import Beat, hold_lease
from bot.store.messages import MessageStore
from bot.store.migrate import upgrade
from bot.store.runs import RunStore
from bot.store.schedules import ScheduleStore
from bot.store.tenure import Tenure
from bot.store.turns import TurnStore
from bot.store.unsupported import UnsupportedStore
from bot.turns.inbox import Inbox
from bot.turns.unsupported import Unsupported
from bot.wiring import Slack, Stores, Work, build_listeners

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from pydantic import SecretStr

    from bot.clock import Clock
    from bot.settings import Settings
    from bot.slack.connection import WayIn
    from bot.slack.socket import Patience

    Checks = Mapping[str, Callable[[], Awaitable[str]]]

log = logging.getLogger(__name__)

# How long a busy thread keeps the interpreter from another that asks for it. The one of the SQLite
# file asks at each of its calls; Python's own 5 ms showed in the slowest hundredth of the answers.
SWITCH_SECONDS = 0.0005


@dataclass(frozen=True, slots=True)
class Running:
    """A bot that is running."""

    inbox: Inbox
    port: int | None  #: where it listens, if it does
    way_in: WayIn  #: for Slack
    metrics: Metrics


async def run(settings: Settings, patience: Patience | None = None) -> None:
    """Run the bot until it is told to stop. Raises ConnectionLost where Slack is heard no more."""
    async with open_bot(settings, patience=patience) as bot:
        stop = _stop_signal()
        log.info("ready")
        if not await _comes_first(stop.wait(), bot.way_in.lost()):
            log.critical("slack is heard no more; ending, to be started anew")
            raise ConnectionLost
        log.info("stopping; what is being answered is finished first")


async def _comes_first(one: Awaitable[object], other: Awaitable[object]) -> bool:
    both = [asyncio.ensure_future(each) for each in (one, other)]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return both[0].done()
    finally:
        for each in both:
            each.cancel()


async def until_stopped() -> None:
    """Wait for SIGTERM or SIGINT."""
    await _stop_signal().wait()


def _stop_signal() -> asyncio.Event:
    """Return what is set by SIGTERM or SIGINT from now on."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


@asynccontextmanager
async def open_bot(
    settings: Settings,
    pacing: Pacing | None = None,
    beat: Beat | None = None,
    patience: Patience | None = None,
    clock: Clock = CLOCK,
) -> AsyncIterator[Running]:
    """Run a bot. Raises SettingsError where the settings do not let it."""
    async with AsyncExitStack() as stack:
        enter, metrics = stack.enter_async_context, Metrics(time.time())
        stores = await enter(_open_stores(settings, beat or Beat(), clock))
        # Before the client of Slack, which takes a proxy's address away where Slack is local.
        http = await enter(
            open_http(
                settings.openai_base_url,
                _secret(settings.openai_api_key),
                server_at(settings.openai_base_url, settings.openai_dialect),
                silence_seconds=settings.openai_silence_seconds,
            )
        )
        client = await enter(
            open_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
        )
        web, secret = SlackWeb(client), _secret(settings.slack_signing_secret)
        pacing = pacing or Pacing(clock=clock.monotonic, sleep=clock.sleep)
        slack = Slack(settings, web, await _who_am_i(web), pacing, stores, clock=clock)
        models = build_models(
            settings,
            http,
            stores.unsupported,
            slack.bot.installation,
            Pace(clock.monotonic, clock.sleep),
        )
        inbox = Inbox(stores.turns, Work(settings, slack, stores, models, metrics), metrics)
        stack.push_async_callback(inbox.close, settings.grace_seconds)
        stores.name_heir(inbox)
        app = build_app(client, slack.bot, secret, metrics.redelivered.add)
        add_listeners(app, build_listeners(settings, slack, stores, inbox))
        way_in = await enter(open_way_in(app, _secret(settings.slack_app_token), secret, patience))
        port = await enter(_open_server(settings, way_in, stores.checks, metrics))
        timetable = Timetable(stores.schedules, inbox, clock.now, clock.sleep)
        keeping = asyncio.create_task(timetable.keep())
        stack.push_async_callback(_end, keeping)
        yield Running(inbox, port, way_in, metrics)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _open_stores(settings: Settings, beat: Beat, clock: Clock) -> AsyncIterator[Stores]:
    sys.setswitchinterval(SWITCH_SECONDS)
    async with open_database(settings.database_url) as database:
        await upgrade(database)
        checks = {
            "database": partial(check_database, database),
            "migrations": partial(check_migrations, database),
        }
        tenure = Tenure(time.monotonic)
        async with hold_lease(database, tenure, beat, time.monotonic) as name_heir:
            turns = TurnStore(database, tenure, clock.now)
            messages = MessageStore(database, tenure, clock.now)
            notes = UnsupportedStore(database, settings.openai_base_url, settings.openai_model)
            unsupported = Unsupported(await notes.noted(), notes, clock.now)
            runs = RunStore(database, tenure, clock.now)
            schedules = ScheduleStore(database, tenure, clock.now)
            yield Stores(turns, messages, runs, schedules, name_heir, unsupported, checks)


@asynccontextmanager
async def _open_server(
    settings: Settings, way_in: WayIn, checks: Checks, metrics: Metrics
) -> AsyncIterator[int | None]:
    """Listen where a port is needed or wanted; yields it."""
    if settings.listen_port is None:
        yield None
        return
    health = Health(
        checks={**checks, "slack": way_in.check},
        heard_seconds_ago=way_in.heard_seconds_ago,
        metrics=lambda: exposition(metrics, way_in.heard_seconds_ago()),
    )
    routes = [*health_routes(health), *way_in.routes]
    async with open_server(routes, settings.host, settings.listen_port) as port:
        yield port


async def _who_am_i(web: SlackWeb) -> Bot:
    try:
        me = await web.call("auth.test")
    except SlackRefused as error:
        raise SettingsError(
            f"Slack does not accept SLACK_BOT_TOKEN ({error.code}): copy the bot token once more."
        ) from error
    except SlackError as error:
        raise SettingsError(
            f"Slack could not be reached at SLACK_API_URL ({error.code}): check the address and "
            "this machine's network."
        ) from error
    user, bot_id, team = str(me["user_id"]), str(me.get("bot_id", "")), str(me["team_id"])
    return Bot(user, bot_id, team, str(me.get("url", "")))


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None
