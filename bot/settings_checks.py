"""What the value of a setting has to look like, and what to do about one that does not.

Each check returns the value as the bot uses it, or raises ValueError in words for the operator,
which never hold the value itself: that is for who reports it, who knows what is secret.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

if TYPE_CHECKING:
    from pathlib import Path

DOMAINS_LIMIT = 100  # of each list, by the reference of the Responses API
TOOLS = ("auto", "web_search", "web_search_preview", "openrouter:web_search", "none")
COMMAND_PREFIX = re.compile(r"[a-z0-9_-]{0,23}")  # Slack's commands have at most 32 characters
HOST_NAME = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]+")
VISIBLE = re.compile(r"[!-~]+")  # ASCII without blanks

WHERE_FROM = {
    "SLACK_BOT_TOKEN": "copy the bot token (xoxb-…) from “OAuth & Permissions” of your Slack app",
    "SLACK_APP_TOKEN": (
        "create an app-level token (xapp-…) with connections:write under “Basic Information” "
        "of your Slack app"
    ),
    "SLACK_SIGNING_SECRET": "copy the signing secret from “Basic Information” of your Slack app",
    "OPENAI_API_KEY": "create a key with your model provider",
}
BEGINNINGS = {"SLACK_BOT_TOKEN": "xoxb-", "SLACK_APP_TOKEN": "xapp-"}
OWNERS = {"xoxb-": "SLACK_BOT_TOKEN", "xapp-": "SLACK_APP_TOKEN", "sk-": "OPENAI_API_KEY"}


def check_secret(name: str, secret: str) -> None:
    """Refuse a token or key that is in the wrong place or was not copied whole."""
    for beginning, owner in OWNERS.items():
        if secret.startswith(beginning) and owner != name:
            raise ValueError(
                f"begins with {beginning}, so it belongs in {owner}. For {name}, {WHERE_FROM[name]}"
            )
    if not secret.startswith(BEGINNINGS.get(name, "")):
        raise ValueError(f"does not begin with {BEGINNINGS[name]}: {WHERE_FROM[name]}")
    if not VISIBLE.fullmatch(secret):
        raise ValueError("has blanks or letters that none has: copy it once more")


def address(value: str) -> str:
    """Accept the address of a server, with a path or without."""
    try:
        url = urlsplit(value)
        _ = url.port  # raises where it is no number
    except ValueError:
        url = SplitResult("", "", "", "", "")
    if url.scheme not in {"http", "https"} or not url.hostname or not VISIBLE.fullmatch(value):
        raise ValueError("write a whole address, like https://example.com/v1")
    if "@" in url.netloc:
        raise ValueError("leave name and password out of it: the key has its own setting")
    if url.query or url.fragment:
        raise ValueError("leave out what begins with ? or #: paths are put behind it")
    return value.rstrip("/")


def slack_address(value: str) -> str:
    """Accept the address of Slack's Web API, which slack_sdk wants with a slash at its end."""
    return address(value) + "/"


def responses_address(value: str) -> str:
    """Accept the address below which the Responses API is."""
    url = address(value)
    if url.endswith("/responses"):
        raise ValueError("leave /responses off its end: the bot puts it there")
    return url


def is_openai(url: str) -> bool:
    """Tell whether an address is OpenAI's own."""
    host = urlsplit(url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def domains(value: object) -> object:
    """Read host names with commas between them."""
    if not isinstance(value, str):
        return value
    hosts = tuple(dict.fromkeys(_host(part) for part in value.split(",") if part.strip()))
    if len(hosts) > DOMAINS_LIMIT:
        raise ValueError(f"has {len(hosts)} domains: name {DOMAINS_LIMIT} at most")
    return hosts


def _host(part: str) -> str:
    try:
        host = part.strip().lower().encode("idna").decode()
    except UnicodeError:
        host = ""
    if not HOST_NAME.fullmatch(host):
        raise ValueError(
            "write bare host names with commas between them, like example.com,docs.example.org: "
            "no https://, no path, no * (subdomains are included)"
        )
    return host


def tool(value: object) -> object:
    """Read the name of a search tool, or a whole one as JSON."""
    if not isinstance(value, str):
        return value
    if value.lower() in TOOLS:
        return value.lower()
    try:
        written = json.loads(value)
    except ValueError:
        written = None
    kind = written.get("type") if isinstance(written, dict) else None
    if not isinstance(kind, str):
        raise ValueError(  # noqa: TRY004 - read by a person
            f'choose {", ".join(TOOLS[:-1])} or {TOOLS[-1]}, or write a tool as JSON: {{"type": …}}'
        )
    return written


def country(value: str) -> str:
    """Accept a country's two letters."""
    if not re.fullmatch(r"[A-Za-z]{2}", value):
        raise ValueError("write the two letters of ISO 3166, like AT")
    return value.upper()


def timezone(value: str) -> str:
    """Accept the name of a time zone that this machine knows."""
    known = available_timezones()
    if known and value not in known:  # a small image may come without the files of the time zones
        raise ValueError("write the name of an IANA time zone, like Europe/Vienna")
    return value


def command_prefix(value: str) -> str:
    """Accept what may stand before the name of a slash command."""
    if not COMMAND_PREFIX.fullmatch(value):
        raise ValueError("use at most 23 small letters, digits, - and _, like team-")
    return value


def model(value: str) -> str:
    """Accept the name of a model, which readers see below every answer."""
    if value.startswith(tuple(OWNERS)):
        raise ValueError("begins like a token or a key: write a model's name, like gpt-6.1-sol")
    if not VISIBLE.fullmatch(value):
        raise ValueError("write it without blanks, like gpt-6.1-sol")
    return value


def prose(file: Path) -> Path:
    """Accept a file that has text in it."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"cannot be read ({reason}): name a file of text, or none") from None
    if not text.strip():
        raise ValueError("the file is empty: write the instructions into it, or name none")
    return file
