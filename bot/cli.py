"""The command line: parse, call, print."""

from __future__ import annotations

import asyncio
import json
import textwrap
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.errors import ConnectionLost, SettingsError, StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.findings import Finding

# What a command needs is imported by that command, so that `--help` and `--version` need nothing.
# ruff: noqa: PLC0415

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
LOST = 1  # what supervises the bot is to start it anew
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
MARK, NAME, WIDTH = 13, 15, 72  # columns of what `doctor` prints
COLOURS = {"ok": "green", "warning": "yellow", "failed": "red", "not checked": "blue"}


class CannotStart(click.ClickException):
    """Ends a command with a message that is complete as it is, and exit status 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:  # noqa: ANN401 - click's signature
        """Print the message to stderr."""
        click.echo(self.message, file=file, err=True)


class CannotGoOn(CannotStart):
    """Ends a command likewise, and with the status after which it may be started anew."""

    exit_code = LOST


class Commands(click.Group):
    """Ends every command in the same way when it cannot start or go on, or on Ctrl-C."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise CannotStart(str(error)) from None
        except StoreUnreachable as error:
            raise CannotGoOn(f"The database does not answer: {error}. Try again.") from None
        except ConnectionLost:  # the log says so
            ctx.exit(LOST)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)


def _show_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        # From the source tree, as the bot is run from there, installed or not.
        project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
        click.echo(f"{project['name']} {project['version']}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Footnote answers questions in Slack, with sources."""


@main.command()
def run() -> None:
    """Run the bot with the settings of the environment and .env."""
    from bot.log import set_up_logging
    from bot.settings import load_settings

    settings = load_settings()
    set_up_logging(settings.log_level, settings.log_format, settings.secrets)

    from bot import app

    asyncio.run(app.run(settings))


@main.command()
@click.option("--once", metavar="TEXT", help="Ask this, print the answered thread and exit.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of the page on this machine; without it, a free one.",
)
def demo(once: str | None, port: int) -> None:
    """Try the bot in a Slack that runs on this machine: no workspace, no key."""
    if once is not None and not once.strip():
        raise click.BadParameter("there is no question in it", param_hint="--once")

    from bot import demo as local
    from bot.log import set_up_logging

    set_up_logging("WARNING")
    asyncio.run(local.demo(once=once, port=port))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check settings, database, Slack and the model, and say what to do.

    It changes nothing, and may be used beside a bot that runs. The model is asked two small
    questions, at the price of these. Ends with status 1 where something failed.
    """
    from bot.findings import is_well
    from bot.log import set_up_logging

    set_up_logging("CRITICAL")  # what fails is said below
    findings = asyncio.run(_examined(as_json=as_json))
    if as_json:
        said = {"ok": is_well(findings), "findings": [asdict(finding) for finding in findings]}
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
    ctx.exit(0 if is_well(findings) else LOST)


async def _examined(*, as_json: bool) -> list[Finding]:
    """Run the checks, and print for people what each has found as it ends."""
    from bot.doctor import examine
    from bot.findings import summary

    findings = []
    async for finding in examine():
        findings.append(finding)
        if not as_json:
            click.echo(_printed(finding))
    if not as_json:
        click.echo(f"\n{summary(findings)}")
    return findings


def _printed(finding: Finding) -> str:
    mark = click.style(f"{finding.state:<{MARK}}", fg=COLOURS[finding.state])
    found, *more = _wrapped(finding.found, "") or [""]
    below = " " * (MARK + NAME)
    lines = [f"{mark}{finding.name:<{NAME}}{found}"]
    return "\n".join(lines + [below + part for part in [*more, *_wrapped(finding.fix, "→ ")]])


def _wrapped(text: str, first: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _web_address(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    from bot.settings_checks import address

    return None if value is None else _checked(address, value)


def _prefix(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    from bot.settings_checks import command_prefix

    return None if value is None else _checked(command_prefix, value)


def _checked(check: Callable[[str], str], value: str) -> str:
    try:
        return check(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@main.command()
@click.option(
    "--url",
    metavar="URL",
    callback=_web_address,
    help="Address of the bot, for HTTP instead of Socket Mode.",
)
@click.option(
    "--command-prefix",
    metavar="PREFIX",
    callback=_prefix,
    help="What stands before `ask`, where another app has it; else COMMAND_PREFIX.",
)
def manifest(url: str | None, command_prefix: str | None) -> None:
    """Print the manifest to create the Slack app from."""
    from bot.settings import load_local_settings
    from bot.slack.manifest import build_manifest

    if command_prefix is None:
        command_prefix = load_local_settings().command_prefix
    document = build_manifest(url=url, command_prefix=command_prefix)
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


@main.command()
@click.option(
    "--down",
    metavar="REVISION",
    help="Take migrations back to this one; `base` takes back all, with everything stored.",
)
def migrate(down: str | None) -> None:
    """Bring the database of DATABASE_URL to this version. `run` does so too."""
    from bot.log import set_up_logging
    from bot.settings import load_local_settings

    settings = load_local_settings()
    set_up_logging("WARNING")
    click.echo(asyncio.run(_migrate(settings.database_url, down)))


async def _migrate(url: str, down: str | None) -> str:
    from bot.store.database import open_database
    from bot.store.migrate import downgrade, pending, upgrade

    async with open_database(url) as database:
        if down is not None:
            await downgrade(database, down)
            return f"Taken back to {down}."
        missing = await pending(database)
        await upgrade(database)
    return f"Applied: {', '.join(missing)}" if missing else "There is nothing to apply."


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
def move(file: str) -> None:
    """Move an SQLite FILE with all turns into the empty PostgreSQL of DATABASE_URL.

    Stop the bot before. The file stays as it is.
    """
    from bot.log import set_up_logging
    from bot.settings import load_local_settings

    settings = load_local_settings()
    set_up_logging("WARNING")
    moved = asyncio.run(_move(file, settings.database_url))
    counts = " and ".join(f"{count:,} {name}" for name, count in moved.items())
    click.echo(f"Moved {counts}. The file is as it was; start the bot with this DATABASE_URL.")


async def _move(file: str, url: str) -> Mapping[str, int]:
    from bot.store.database import open_database
    from bot.store.migrate import upgrade
    from bot.store.move import move
    from bot.store.sqlite import address_of

    if url.startswith("sqlite"):
        raise SettingsError(
            "DATABASE_URL names an SQLite file: set it to the PostgreSQL to move to, "
            "like postgresql://user:password@host/name"
        )
    # Opened though only read, so that no bot writes to it meanwhile.
    async with open_database(address_of(file)) as source, open_database(url) as target:
        await upgrade(source)
        await upgrade(target)
        return await move(file, target)
