"""A text that is shared into a thread as a file, once, whatever gets lost on the way.

Slack shares a file some time after it has said that it will, and says so only in the thread. So
that is where a file is looked for by its name: before anything is uploaded, and until it is there.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack.caller import RESENDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.errors import SlackError
    from bot.slack.place import Json, Place

log = logging.getLogger(__name__)

FILE = -1  # the part of a turn that its file is
ANNOUNCE = "files.getUploadURLExternal"
COMPLETE = "files.completeUploadExternal"
AT_ONCE = (0.0,)
# Seconds between looks for a file that Slack may have: it is scanned before it is shared.
PATIENTLY = (0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0)
# The bytes have not arrived after all, or were lost on their way through Slack (method page).
LOST_BY_SLACK = {"file_not_found", "file_update_failed"}


async def share_text(place: Place, name: str, title: str, text: str) -> None:
    """Share a text as a file into the thread of a place, unless a file of this name is there.

    Raises SlackRefused where Slack does not take it, with its code; SlackUnreachable where it
    stays unknown whether it comes; SlackRateLimited where Slack goes on slowing the bot down.
    """
    content = text.replace("\0", "").encode(errors="replace")
    await _Share(place, name, title, content).ensure()


@dataclass
class _Share:
    """A file on its way into a thread."""

    place: Place
    name: str
    title: str
    content: bytes
    _ids: set[str] = field(default_factory=set)
    _doubtful: bool = False  #: Slack may have been told to share it

    async def ensure(self) -> None:
        """See to it that the file is in the thread, and recorded."""
        turn, steps = self.place.turn, self.place.steps
        self._doubtful = any(sent.part == FILE and not sent.ts for sent in turn.sent)
        ts = await self._find(PATIENTLY if self._doubtful else AT_ONCE)
        if ts is not None:
            await self._intend()
        else:
            try:
                ts = await self._share()
            except (SlackRefused, SlackRateLimited):
                if not self._doubtful:
                    await steps.forget(turn, FILE)
                raise
        await steps.confirm(turn, FILE, ts)

    async def _share(self) -> str:
        """Share the file and return the ts of its message, once that is in the thread."""
        for attempt in range(RESENDS):
            trouble = await self._try()
            ts = await self._find(PATIENTLY) if self._doubtful else None
            if ts is not None:
                return ts
            if trouble is None:  # by Slack's word it comes, and another would be a second one
                raise SlackUnreachable(COMPLETE, "not_in_thread")
            if attempt == RESENDS - 1:
                raise trouble
            log.info("a file could not be shared yet", extra={"error": str(trouble)})
            await self.place.pause(attempt)
        raise AssertionError

    async def _try(self) -> SlackError | None:
        """Go all the steps; return why it has to be tried again, None if Slack says it is done."""
        try:
            await self._complete(await self._upload())
        except SlackUnreachable as trouble:
            return trouble
        except SlackRefused as refused:
            if refused.code not in LOST_BY_SLACK:
                raise
            return refused
        return None

    async def _complete(self, file_id: str) -> None:
        """Have Slack share a file whose bytes it has."""
        was_doubtful, self._doubtful = self._doubtful, True
        thread = self.place.question.thread
        try:
            await self.place.call(
                COMPLETE,
                self._deliver,
                channel=None,
                channel_id=thread.channel,
                thread_ts=thread.thread_ts,
                files=[{"id": file_id, "title": self.title}],
            )
        except (SlackRefused, SlackRateLimited) as error:
            if error.code != "file_update_failed":  # all others are said before anything is done
                self._doubtful = was_doubtful
            raise

    async def _upload(self) -> str:
        """Bring the bytes to Slack and return the id of the file, which nobody sees yet."""
        answer = await self.place.call(
            ANNOUNCE, self._intend, channel=None, filename=self.name, length=len(self.content)
        )
        file_id, url = answer.get("file_id"), answer.get("upload_url")
        if not isinstance(file_id, str) or not isinstance(url, str):
            raise SlackUnreachable(ANNOUNCE, "no_upload_url")
        await self.place.web.upload(url, self.content)
        self._ids.add(file_id)
        return file_id

    async def _find(self, pauses: Sequence[float]) -> str | None:
        """Look for the file in the thread, after each of some pauses; return its message's ts."""
        for seconds in pauses:
            if seconds:
                await self.place.pacing.sleep(seconds)
            for message in await self.place.replies():
                ts = message.get("ts")
                if isinstance(ts, str) and self._is_in(message):
                    return ts
        return None

    def _is_in(self, message: Json) -> bool:
        files = message.get("files")
        if message.get("user") != self.place.bot_user or not isinstance(files, list):
            return False
        return any(
            isinstance(file, dict)
            and (file.get("name") == self.name or file.get("id") in self._ids)
            for file in files
        )

    async def _intend(self) -> None:
        await self.place.steps.intend(self.place.turn, FILE, streamed=False)

    async def _deliver(self) -> None:
        await self.place.steps.deliver(self.place.turn, FILE, len(self.content))
