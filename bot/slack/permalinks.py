"""Where a message is found, without asking Slack for each one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from bot.digests.digest import Message

_WORKSPACE = re.compile(r"https?://[^\s<>|\"]+")


def permalink(workspace_url: str, channel: str, message: Message) -> str:
    """Return the address of a message in a workspace; auth.test tells the workspace's `url`.

    It is "" where that is none. The form is that of the two examples on Slack's page about
    chat.getPermalink: `p` and the ts without its dot, and for a reply its thread behind it.
    """
    if not _WORKSPACE.fullmatch(workspace_url):
        return ""
    thread = {"thread_ts": message.thread_ts, "cid": channel}
    query = f"?{urlencode(thread)}" if message.is_reply else ""
    place = f"archives/{channel}/p{message.ts.replace('.', '')}"
    return f"{workspace_url.rstrip('/')}/{place}{query}"
