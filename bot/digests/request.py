"""What a digest is wanted of: kept as the text of its question, so that whoever runs it knows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from bot.digests.digest import Period
from bot.errors import FootnoteError


class UnreadableRequest(FootnoteError):
    """The text is not a digest's request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestRequest:
    """A digest that is wanted, by a person or by a schedule of theirs."""

    channel: str  #: what is read, "C…" or "G…"
    period: Period
    thread_ts: str = ""  #: of the one thread that is read, whenever its messages were written
    about: str = ""  #: what the reader wants to know of it
    zone: str = "UTC"  #: the reader's, an IANA name
    schedule_id: int | None = None
    skipped: tuple[datetime, ...] = ()  #: when the schedule was due before, and nothing was posted

    @property
    def is_scheduled(self) -> bool:
        """Whether no person waits for it."""
        return self.schedule_id is not None


def request_text(request: DigestRequest) -> str:
    """Return a request as a text, for `read_request`."""
    return json.dumps(
        {
            "channel": request.channel,
            "since": request.period.since.isoformat(),
            "until": request.period.until.isoformat(),
            "thread_ts": request.thread_ts,
            "about": request.about,
            "zone": request.zone,
            "schedule_id": request.schedule_id,
            "skipped": [due.isoformat() for due in request.skipped],
        }
    )


def read_request(text: str) -> DigestRequest:
    """Read what `request_text` wrote. Raises UnreadableRequest where it is something else."""
    try:
        said = json.loads(text)
        return DigestRequest(
            channel=str(said["channel"]),
            period=Period(
                datetime.fromisoformat(said["since"]), datetime.fromisoformat(said["until"])
            ),
            thread_ts=str(said["thread_ts"]),
            about=str(said["about"]),
            zone=str(said["zone"]),
            schedule_id=said["schedule_id"],
            skipped=tuple(map(datetime.fromisoformat, said["skipped"])),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableRequest(type(error).__name__) from error


def is_scheduled(text: str) -> bool:
    """Whether a text is the request of a schedule; no text is too broken to be asked."""
    try:
        return read_request(text).is_scheduled
    except UnreadableRequest:
        return False
