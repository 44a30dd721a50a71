"""Files: an address to upload to, the bytes, and their share, which becomes a message later."""

from __future__ import annotations

import asyncio
import itertools
import mimetypes
import secrets
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web

from bot.playground.slack.arguments import Refusal
from bot.playground.slack.messages import writable
from bot.playground.slack.workspace import BOT_ID, BOT_USER, Message

if TYPE_CHECKING:
    from bot.playground.slack.arguments import Arguments
    from bot.playground.slack.server import LocalSlack
    from bot.playground.slack.workspace import Channel

Json = dict[str, Any]

UPLOAD = "upload_url"  # as which the uploads of bytes stand among the calls
UPLOADS = "/upload/v1/"
FILES = "/files-pri/"


@dataclass
class File:
    """A file that was announced, then uploaded, then completed."""

    id: str
    name: str
    length: int
    title: str
    data: bytes | None = None
    is_complete: bool = False

    def described(self, url: str) -> Json:
        """Return it as Slack's methods do; `url` is the server's."""
        private = f"{url}{FILES}{self.id}/{quote(self.name, safe='')}"
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title,
            "size": self.length,
            "mimetype": mimetypes.guess_type(self.name)[0] or "application/octet-stream",
            "user": BOT_USER,
            "permalink": private,
            "url_private": private,
            "url_private_download": f"{private}?download=1",
        }


@dataclass
class Files:
    """All files of a workspace."""

    stored: dict[str, File] = field(default_factory=dict)  #: by their ids
    _tickets: dict[str, File] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def announce(self, name: str, length: int) -> tuple[File, str]:
        """Expect a file; return it, and the ticket with which it may be uploaded."""
        file = File(f"F0{next(self._numbers):08}", name, length, name)
        ticket = secrets.token_urlsafe()
        self.stored[file.id] = self._tickets[ticket] = file
        return file, ticket

    def take(self, ticket: str, data: bytes) -> web.Response:
        """Take the bytes of a file that is expected, if they are as many as were announced."""
        file = self._tickets.get(ticket)
        if file is None or file.is_complete:
            return web.Response(status=404, text="no such upload")
        if len(data) != file.length:
            return web.Response(status=400, text="not the length that was announced")
        file.data = data
        return web.Response(text=f"OK - {len(data)}")

    def uploaded(self, file_id: object) -> File:
        """Return a file that was uploaded, and not completed yet."""
        if not isinstance(file_id, str):
            raise Refusal("invalid_arguments")
        file = self.stored.get(file_id)
        if file is None or file.data is None or file.is_complete:
            raise Refusal("file_not_found")
        return file


async def get_upload_url(slack: LocalSlack, args: Arguments) -> Json:
    """Say where a file may be uploaded to."""
    if args.from_json:  # the one method here that was seen to refuse a body of JSON
        missing = "[ERROR] missing required field: filename"
        raise Refusal("invalid_arguments", response_metadata={"messages": [missing]})
    name, length = args.text("filename"), args.number("length", 0)
    if length <= 0:
        raise Refusal("missing_argument")
    file, ticket = slack.files.announce(name, length)
    return {"upload_url": f"{slack.url}{UPLOADS}{ticket}", "file_id": file.id}


async def complete_upload(slack: LocalSlack, args: Arguments) -> Json:
    """Complete files, and share them in a channel or a thread, some time after this is answered."""
    given = args.items("files", "invalid_arguments")
    if not given:
        raise Refusal("invalid_arguments")
    channel = writable(slack, args, "channel_id") if args.optional("channel_id") else None
    found = [(slack.files.uploaded(one.get("id")), one.get("title")) for one in given]
    for file, title in found:
        file.is_complete, file.title = True, str(title or file.name)
    described = [file.described(slack.url) for file, _ in found]
    if channel is not None:
        share = partial(_share, slack, channel, args.optional("thread_ts"), described)
        asyncio.get_running_loop().call_later(slack.limits.share_seconds, share)
    return {"files": described}


def _share(slack: LocalSlack, channel: Channel, root: str | None, files: list[Json]) -> None:
    """Put the message with files into its channel; nobody is told if its thread is not there."""
    parent = channel.messages.get(root) if root else None
    if parent is None and root is not None:
        return
    thread_ts = None if parent is None else parent.thread_ts or parent.ts
    ts = slack.workspace.next_ts()
    slack.show_file(channel, Message(ts, BOT_USER, thread_ts=thread_ts, bot_id=BOT_ID, files=files))
