"""Looks at all that the bot needs, from outside and beside a bot that may be running."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from bot.errors import SettingsError
from bot.findings import Finding, failed, unchecked, warning, well
from bot.log import without_secrets
from bot.responses import checkup as model
from bot.responses.client import open_http
from bot.responses.dialect import server_at
from bot.responses.model import request_options, tells_the_web
from bot.responses.price_list import price_list
from bot.settings import ENV_FILE, Settings, load_settings
from bot.slack import checkup as slack
from bot.slack import checkup_socket as way_in
from bot.slack.connection import open_client
from bot.slack.manifest import COMMANDS
from bot.slack.web import SlackWeb
from bot.store import checkup as store
from bot.turns.unsupported import Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from bot.findings import Looked

SETTINGS = "settings"
SECONDS = 20.0  # for one check
MODEL_SECONDS = 120.0  # for an answer of the model, which may think
NOTICED_SECONDS = 60.0  # of a clock that is wrong
SIGNED_SECONDS = 300.0  # for which Slack's signatures are valid
SLACK_CLOCK, MODEL_CLOCK = "clock (Slack)", "clock (model)"
# How the settings begin that each part needs, and the names of its checks.
STORE_NEEDS = ("DATABASE_URL",)
MODEL_NEEDS = ("OPENAI_", "WEB_SEARCH_", "INSTRUCTIONS_FILE", "CHAINING", "SHARE_NAMES")
SLACK_NEEDS = ("SLACK_", "COMMAND_PREFIX")
STORE_CHECKS = (store.DATABASE, store.MIGRATIONS)
MODEL_CHECKS = (
    model.MODEL,
    MODEL_CLOCK,
    model.ANSWER,
    model.CHAIN,
    model.BACKGROUND,
    model.REQUESTS,
    model.DIGESTS,
)
SLACK_CHECKS = (
    slack.BOT_TOKEN,
    SLACK_CLOCK,
    slack.SCOPE,
    slack.HISTORY,
    slack.EVENT,
    way_in.APP_TOKEN,
    way_in.SOCKET,
    way_in.ONE_APP,
)
FIRST_THE_BOTS = "SLACK_BOT_TOKEN must be accepted first."
# What stands for a setting that is wrong, so that the others can be read. Nobody is asked with it.
STAND_INS = {
    "SLACK_BOT_TOKEN": "xoxb-none",
    "SLACK_SIGNING_SECRET": "none",
    "OPENAI_API_KEY": "none",
}
Learnt = TypeVar("Learnt")


def now() -> datetime:
    """Return the time by this machine's clock."""
    return datetime.now(UTC)


async def examine(
    env_file: Path | None = ENV_FILE, clock: Callable[[], datetime] = now
) -> AsyncGenerator[Finding]:
    """Yield what the checks find, each as it ends, without anything that is secret."""
    settings, wrong = _read(env_file)
    secrets = settings.secrets if settings else ()
    for finding in _settings(settings, wrong):
        yield _clean(finding, secrets)
    async for finding in Examination(settings, wrong, clock).findings():
        yield _clean(finding, secrets)


class Examination:
    """One look at everything behind the settings."""

    def __init__(
        self,
        settings: Settings | None,
        wrong: Collection[str],
        clock: Callable[[], datetime],
    ) -> None:
        """Take the settings as far as they are right, and the names of those that are wrong."""
        self._settings = settings
        self._wrong = wrong
        self._clock = clock
        self._stored: store.Stored | None = None

    async def findings(self) -> AsyncGenerator[Finding]:
        """Yield what is found."""
        # The model before Slack, whose client takes a proxy's address away where Slack is local.
        for needs, names, look in (
            (STORE_NEEDS, STORE_CHECKS, self._store),
            (MODEL_NEEDS, MODEL_CHECKS, self._model),
            (SLACK_NEEDS, SLACK_CHECKS, self._slack),
        ):
            wrong = [name for name in self._wrong if name.startswith(needs)]
            if self._settings is None or wrong:
                first = f"{' and '.join(wrong) or 'The settings'} must be put right first."
                for name in names:
                    yield unchecked(name, first)
            else:
                async for finding in look(self._settings):
                    yield finding

    async def _store(self, settings: Settings) -> AsyncGenerator[Finding]:
        check = store.check_database(settings.database_url)
        looked, stored = await in_time(store.DATABASE, check)
        yield looked
        if stored is None:
            yield unchecked(store.MIGRATIONS, "There are no tables that could be looked at.")
            return
        self._stored = stored
        yield store.check_migrations(stored)

    async def _model(self, settings: Settings) -> AsyncGenerator[Finding]:
        key = settings.openai_api_key
        try:
            server = server_at(settings.openai_base_url, settings.openai_dialect)
            secret = key.get_secret_value() if key else None
            http = open_http(settings.openai_base_url, secret, server)
            options = request_options(settings, "doctor")
        except SettingsError as error:
            yield failed(model.MODEL, str(error), "Correct it.")
            for name in MODEL_CHECKS[1:]:
                yield unchecked(name, "The server must have an address first.")
            return
        async with http:
            check = model.check_model(http, settings.openai_model, self._clock().date())
            looked, served = await in_time(model.MODEL, check)
            yield looked
            if served is None:
                yield unchecked(MODEL_CLOCK, "The server must be reached first.")
            else:
                yield _skew(MODEL_CLOCK, served.date, self._clock())
            subject = model.Subject(http, options, self._unsupported(settings))
            async for finding in _asked(subject, settings):
                yield finding
        yield model.look_at_digests(searches_by_itself=tells_the_web(settings))

    def _unsupported(self, settings: Settings) -> Unsupported:
        """Begin with what a bot has noted of this server and model; nothing new is kept."""
        own = (settings.openai_base_url, settings.openai_model)
        stored = self._stored.unsupported if self._stored else ()
        noted = {name: at for server, named, name, at in stored if (server, named) == own}
        return Unsupported(noted, None, self._clock)

    async def _slack(self, settings: Settings) -> AsyncGenerator[Finding]:
        token = settings.slack_bot_token.get_secret_value()
        async with open_client(token, settings.slack_api_url) as client:
            web = SlackWeb(client)
            looked, installed = await in_time(slack.BOT_TOKEN, slack.check_bot_token(web))
            yield looked
            if installed is None:
                for name in (SLACK_CLOCK, slack.SCOPE, slack.HISTORY):
                    yield unchecked(name, FIRST_THE_BOTS)
            else:
                is_signed = not settings.socket_mode
                yield _skew(SLACK_CLOCK, installed.date, self._clock(), is_signed=is_signed)
                for finding in slack.check_scopes(installed):
                    yield finding
                read = slack.check_history(web, self._stored.channel if self._stored else None)
                yield await one_in_time(slack.HISTORY, read)
            yield slack.look_at_events([f"/{settings.command_prefix}{name}" for name in COMMANDS])
            async for finding in _way_in(settings, web, installed):
                yield finding


async def _asked(subject: model.Subject, settings: Settings) -> AsyncGenerator[Finding]:
    looked, answer = await in_time(model.ANSWER, model.check_answer(subject), MODEL_SECONDS)
    yield looked
    if answer is None:
        for name in (model.CHAIN, model.BACKGROUND, model.REQUESTS):
            yield unchecked(name, "The model must answer first.")
        return
    chain = model.check_chain(subject, settings.chaining, answer)
    yield await one_in_time(model.CHAIN, chain, MODEL_SECONDS)
    yield await one_in_time(model.BACKGROUND, model.check_background(subject), MODEL_SECONDS)
    yield model.look_at_requests(subject)


async def _way_in(
    settings: Settings, web: SlackWeb, installed: slack.Installed | None
) -> AsyncGenerator[Finding]:
    if settings.slack_app_token is None:
        yield way_in.look_at_posts()
        return
    token = settings.slack_app_token.get_secret_value()
    async with open_client(token, settings.slack_api_url) as client:
        looked, url = await in_time(way_in.APP_TOKEN, way_in.check_app_token(SlackWeb(client)))
        yield looked
        if url is None:
            for name in (way_in.SOCKET, way_in.ONE_APP):
                yield unchecked(name, "SLACK_APP_TOKEN must be accepted first.")
            return
        looked, greeting = await in_time(way_in.SOCKET, way_in.check_socket(client, url))
        yield looked
    if greeting is None or installed is None:
        why = FIRST_THE_BOTS if greeting else "Slack must be heard on a socket first."
        yield unchecked(way_in.ONE_APP, why)
        return
    check = way_in.check_one_app(web, installed.bot_id, greeting)
    yield await one_in_time(way_in.ONE_APP, check)


def _read(env_file: Path | None) -> tuple[Settings | None, Mapping[str, str]]:
    """Read the settings; return them as far as they are right, and what is wrong by its name."""
    wrong: Mapping[str, str] | None = None
    given: dict[str, str] = {}
    for _ in range(3):  # what stands for one may put another in the wrong
        try:
            return load_settings(env_file, **given), wrong or {}
        except SettingsError as error:
            wrong = wrong or error.problems or {"": str(error)}
            given |= {name: STAND_INS.get(name, "") for name in error.problems}
    return None, wrong or {}


def _settings(settings: Settings | None, wrong: Mapping[str, str]) -> Iterable[Finding]:
    fix = "Set it in .env or in the environment; .env.example describes it."
    yield from (failed(SETTINGS, line, fix) for line in wrong.values())
    if settings is None:
        return
    try:
        price_list(settings.prices_file)
    except SettingsError as error:
        yield failed(SETTINGS, str(error), "Correct the file, or leave PRICES_FILE empty.")
    else:
        if not wrong:
            yield well(SETTINGS, "All that are needed are set, and none is wrong.")


async def in_time(
    name: str, check: Awaitable[Looked[Learnt]], seconds: float = SECONDS
) -> Looked[Learnt]:
    """Let a check end in time and in words, whatever it meets."""
    try:
        async with asyncio.timeout(seconds):
            return await check
    except TimeoutError:
        found = f"There was no end to it within {seconds:g} seconds."
        return failed(name, found, "Look at what is on the way there, and try again."), None
    except Exception as error:  # noqa: BLE001 - whatever it is, the others are still to be looked at
        found = f"It broke off with {type(error).__name__}, which nobody foresaw."
        return failed(name, found, "Try again; if it stays, report it as a bug."), None


async def one_in_time(name: str, check: Awaitable[Finding], seconds: float = SECONDS) -> Finding:
    """Do so with a check of which nothing later needs anything."""

    async def looked() -> Looked[None]:
        return await check, None

    return (await in_time(name, looked(), seconds))[0]


def _skew(name: str, date: str | None, at: datetime, *, is_signed: bool = False) -> Finding:
    """Compare this machine's clock with the date that a server's answer had."""
    try:
        seconds = (at - parsedate_to_datetime(date or "")).total_seconds()
    except (ValueError, TypeError):
        return unchecked(name, "Its answers do not say what time it is.")
    if abs(seconds) <= NOTICED_SECONDS:
        return well(name, f"This machine's clock differs by {abs(seconds):.0f} s.")
    where = "ahead" if seconds > 0 else "behind"
    found = f"This machine's clock is {abs(seconds):,.0f} s {where}."
    fix = "Set this machine's clock by the network's time (NTP)."
    if is_signed and abs(seconds) > SIGNED_SECONDS:
        refused = f"{found} More than five minutes, and Slack's posts are refused as forged."
        return failed(name, refused, fix)
    return warning(name, found, fix)


def _clean(finding: Finding, secrets: Collection[str]) -> Finding:
    return replace(
        finding,
        found=without_secrets(finding.found, secrets),
        fix=without_secrets(finding.fix, secrets),
    )
