"""Looks at what Slack makes of the bot's tokens, and posts nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import SlackError, SlackRateLimited, SlackUnreachable
from bot.findings import Finding, failed, unchecked, warning, well
from bot.slack.manifest import EVENTS, SCOPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.findings import Looked
    from bot.slack.web import SlackWeb

BOT_TOKEN, SCOPE, EVENT, HISTORY = "bot token", "scopes", "events", "history"
FEW = 15  # messages a call, where reading is limited; and one call a minute

NETWORK = (
    "Check SLACK_API_URL, this machine's network, and the proxy that HTTPS_PROXY may name: "
    "slack.com and wss-primary.slack.com must be reached."
)
COPY = {
    "SLACK_BOT_TOKEN": "Copy the bot token (xoxb-…) once more from “OAuth & Permissions”.",
    "SLACK_APP_TOKEN": (
        "Create a new app-level token (xapp-…) with connections:write under “Basic Information”."
    ),
}
FIXES = {  # by Slack's error code
    "account_inactive": "Install the app in the workspace again, and copy its new token.",
    "token_revoked": "Install the app in the workspace again, and copy its new token.",
    "token_expired": "Create the app anew from `bot manifest`, which leaves token rotation off.",
    "access_denied": "Take this machine's address up under “OAuth & Permissions”.",
}


@dataclass(frozen=True, slots=True)
class Installed:
    """What Slack says of the bot's token."""

    bot_id: str
    scopes: frozenset[str]  #: that were granted; none where Slack does not say
    date: str | None  #: by Slack's clock, as its header has it


@dataclass(frozen=True, slots=True)
class Greeting:
    """What Slack says first on a socket."""

    app_id: str
    connections: int  #: of the app, this one included


async def check_bot_token(web: SlackWeb) -> Looked[Installed]:
    """Ask Slack whose token it is."""
    try:
        answer = await web.answer("auth.test")
    except SlackError as error:
        return refused(BOT_TOKEN, "SLACK_BOT_TOKEN", error), None
    said = answer.said
    scopes = frozenset(answer.headers.get("x-oauth-scopes", "").replace(",", " ").split())
    installed = Installed(str(said.get("bot_id", "")), scopes, answer.headers.get("Date"))
    return well(
        BOT_TOKEN, f"Slack knows it as {said.get('user')} in {said.get('team')}."
    ), installed


def check_scopes(installed: Installed) -> list[Finding]:
    """Compare what was granted with what the manifest asks for."""
    if not installed.scopes:
        return [unchecked(SCOPE, "Slack does not say which were granted.")]
    missing = [
        f"{name} (for {use})" for name, use in SCOPES.items() if name not in installed.scopes
    ]
    extra = sorted(installed.scopes - SCOPES.keys())
    found = []
    if missing:
        fix = "Add them under “OAuth & Permissions”, and install the app in the workspace again."
        found.append(failed(SCOPE, f"Not granted: {', '.join(missing)}.", fix))
    if extra:
        fix = "Remove them under “OAuth & Permissions”: what the bot may not do, nobody can misuse."
        found.append(warning(SCOPE, f"Granted, and never used: {', '.join(extra)}.", fix))
    return found or [well(SCOPE, f"All {len(SCOPES)} of the manifest are granted, and no others.")]


def look_at_events(commands: Sequence[str]) -> Finding:
    """Say where to look for what no bot may ask."""
    return unchecked(
        EVENT,
        "Slack tells no bot which events and commands its app has.",
        f"If the bot does not answer, look whether “Event Subscriptions” has {', '.join(EVENTS)}, "
        f"and “Slash Commands” has {' and '.join(commands)}; `bot manifest` prints them all.",
    )


async def check_history(web: SlackWeb, channel: str | None) -> Finding:
    """Find out by reading whether Slack lets this app read a few messages a minute only.

    Where it does, this uses up what a running bot may read in this minute.
    """
    if channel is None:
        why = "It shows only where the bot was asked, and no such channel is known yet."
        return unchecked(HISTORY, why)
    try:
        is_limited = await _is_limited(web, channel)
    except SlackError as error:
        return unchecked(HISTORY, f"Where it was asked last, nothing can be read ({error.code}).")
    if not is_limited:
        return well(HISTORY, "Slack sets no limit of a few messages a minute.")
    return warning(
        HISTORY,
        f"Slack lets this app read {FEW} messages a minute: what a killed bot left is mended late.",
        "So it is with apps that are distributed outside Slack's Marketplace. Create one of the "
        "workspace's own from `bot manifest`.",
    )


async def _is_limited(web: SlackWeb, channel: str) -> bool:
    page = await web.call("conversations.history", channel=channel, limit=FEW * 2)
    if len(page.get("messages", ())) > FEW:
        return False
    if page.get("has_more"):
        return True
    try:  # there are few, so their number tells nothing, but the pace does
        await web.call("conversations.history", channel=channel, limit=1)
    except SlackRateLimited:
        return True
    return False


def refused(name: str, setting: str, error: SlackError) -> Finding:
    """Say why Slack did not answer a call that is made with this token."""
    if isinstance(error, SlackUnreachable):
        return failed(name, f"Slack cannot be reached ({error.code}).", NETWORK)
    if isinstance(error, SlackRateLimited):
        return failed(name, "Slack answers no more for a moment.", "Try again in a minute.")
    found = f"Slack does not accept {setting} ({error.code})."
    return failed(name, found, FIXES.get(error.code, COPY[setting]))
