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
from bot.responses.price_list import price_list
from bot.settings import ENV_FILE, Settings, load_settings
from bot.slack import checkup as slack
from bot.slack import checkup_socket as way_in
from bot.slack.connection import open_client
from bot.slack.web import SlackWeb
from bot.store import checkup as store

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from bot.findings import Looked

SETTINGS = "settings"
SECONDS = 20.0  # for one check
NOTICED_SECONDS = 60.0  # of a clock that is wrong
SIGNED_SECONDS = 300.0  # for which Slack's signatures are valid
STORE_NEEDS = ("DATABASE_URL",)
SLACK_NEEDS = ("SLACK_", "COMMAND_PREFIX")
SLACK_CLOCK = "clock by Slack"
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
    """One look at everything behind the settings, from the near to the far."""

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
        self._channel: str | None = None  # in which the bot was asked last

    async def findings(self) -> AsyncGenerator[Finding]:
        """Yield what is found."""
        async for finding in self._store():
            yield finding
        settings = self._right(*SLACK_NEEDS)
        if settings is None:
            for finding in self._left_out(SLACK_NEEDS, *SLACK_CHECKS):
                yield finding
            return
        async for finding in self._slack(settings):
            yield finding

    async def _store(self) -> AsyncGenerator[Finding]:
        settings = self._right(*STORE_NEEDS)
        if settings is None:
            for finding in self._left_out(STORE_NEEDS, store.DATABASE, store.MIGRATIONS):
                yield finding
            return
        looked, stored = await _in_time(store.DATABASE, store.check_database(settings.database_url))
        yield looked
        if stored is None:
            yield unchecked(store.MIGRATIONS, "There are no tables that could be looked at.")
            return
        self._channel = stored.channel
        yield store.check_migrations(stored)

    async def _slack(self, settings: Settings) -> AsyncGenerator[Finding]:
        token = settings.slack_bot_token.get_secret_value()
        async with open_client(token, settings.slack_api_url) as client:
            web = SlackWeb(client)
            looked, installed = await _in_time(slack.BOT_TOKEN, slack.check_bot_token(web))
            yield looked
            if installed is None:
                for name in (slack.SCOPE, slack.HISTORY, SLACK_CLOCK):
                    yield unchecked(name, FIRST_THE_BOTS)
            else:
                yield _skew(
                    SLACK_CLOCK, installed.date, self._clock(), is_signed=not settings.socket_mode
                )
                for finding in slack.check_scopes(installed):
                    yield finding
                checks = slack.check_history(web, self._channel)
                yield await _one_in_time(slack.HISTORY, checks)
            yield slack.look_at_events(f"/{settings.command_prefix}ask")
            async for finding in self._way_in(settings, web, installed):
                yield finding

    async def _way_in(
        self, settings: Settings, web: SlackWeb, installed: slack.Installed | None
    ) -> AsyncGenerator[Finding]:
        if settings.slack_app_token is None:
            yield way_in.look_at_posts()
            return
        token = settings.slack_app_token.get_secret_value()
        async with open_client(token, settings.slack_api_url) as client:
            looked, url = await _in_time(way_in.APP_TOKEN, way_in.check_app_token(SlackWeb(client)))
            yield looked
            if url is None:
                for name in (way_in.SOCKET, way_in.ONE_APP):
                    yield unchecked(name, "SLACK_APP_TOKEN must be accepted first.")
                return
            looked, greeting = await _in_time(way_in.SOCKET, way_in.check_socket(client, url))
            yield looked
        if greeting is None or installed is None:
            why = FIRST_THE_BOTS if greeting else "Slack must be heard on a socket first."
            yield unchecked(way_in.ONE_APP, why)
            return
        check = way_in.check_one_app(web, installed.bot_id, greeting)
        yield await _one_in_time(way_in.ONE_APP, check)

    def _right(self, *needed: str) -> Settings | None:
        """Return the settings where none that begins like these is wrong."""
        return None if self._wrong_ones(needed) else self._settings

    def _wrong_ones(self, needed: tuple[str, ...]) -> list[str]:
        return [name for name in self._wrong if name.startswith(needed)]

    def _left_out(self, needed: tuple[str, ...], *names: str) -> list[Finding]:
        first = " and ".join(self._wrong_ones(needed)) or "The settings"
        return [unchecked(name, f"{first} must be put right first.") for name in names]


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


async def _in_time(
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


async def _one_in_time(name: str, check: Awaitable[Finding]) -> Finding:
    async def looked() -> Looked[None]:
        return await check, None

    return (await _in_time(name, looked()))[0]


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
        refused = f"{found} Slack's posts are refused as older than five minutes."
        return failed(name, refused, fix)
    return warning(name, found, fix)


def _clean(finding: Finding, secrets: Collection[str]) -> Finding:
    return replace(
        finding,
        found=without_secrets(finding.found, secrets),
        fix=without_secrets(finding.fix, secrets),
    )
