"""How the log is written, and what is bound to every line of a turn."""

from __future__ import annotations

import json
import logging
import re
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Tokens and keys wherever they stand: Slack's (xoxb-, xoxe.xoxp-, xapp-), OpenAI's (sk-), any
# bearer, the ticket in a WebSocket's address, and the address that answers a slash command. In
# JSON, what is before a token may be the end of an escape.
LOOKS_SECRET = re.compile(
    r"((?:(?<![a-z0-9])|(?<=\\[nrtbf])|(?<=\\u[0-9a-f]{4}))(?:xox[a-z](?:\.xox[a-z])?-|xapp-|sk-)"
    r"|bearer\s+|[?&]ticket=|hooks\.slack\.com/)[^\s\\\"'<>&,;)\]}]{6,}",
    re.IGNORECASE,
)
SHORTEST_SECRET = 8  # characters; a shorter one would blot out words

# What these write of a request or an SQL statement holds tokens and texts of questions at DEBUG,
# and addresses at INFO (Alembic only how it sets itself up, at every start).
QUIET = ("httpx", "httpcore", "aiohttp.access", "aiosqlite", "sqlalchemy", "alembic")

OF_EVERY_RECORD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

_bound: ContextVar[Mapping[str, object]] = ContextVar("bound", default={})  # noqa: B039 - never changed


@contextmanager
def bound(**facts: object) -> Iterator[None]:
    """Add facts to every line that is logged inside, also by the tasks started there."""
    token = _bound.set({**_bound.get(), **facts})
    try:
        yield
    finally:
        _bound.reset(token)


def redacted(text: str) -> str:
    """Return a text without what looks like a token or a key."""
    return LOOKS_SECRET.sub(r"\1[redacted]", text)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return a text without these values, and without what looks like a token or a key."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, "[redacted]")
    return redacted(text)


def set_up_logging(
    level: str = "INFO", style: Literal["text", "json"] = "text", secrets: Iterable[str] = ()
) -> None:
    """Write the log to stderr. `secrets` are values that must not stand in it, whatever they are.

    `level` is that of the bot's own loggers; the libraries' stay at INFO or WARNING.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Bound())
    handler.setFormatter(Redacting(JsonLines() if style == "json" else TextLines(), secrets))
    logging.basicConfig(handlers=[handler], force=True)
    wanted = logging.getLevelNamesMapping()[level]
    logging.getLogger().setLevel(max(wanted, logging.INFO))
    logging.getLogger("bot").setLevel(wanted)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(wanted, logging.WARNING))


class Bound(logging.Filter):
    """Puts what is bound on every record; what the line says itself stands above it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        for name, value in _bound.get().items():
            record.__dict__.setdefault(name, value)
        return True


class Redacting(logging.Formatter):
    """Takes secrets out of what another formatter has made: a last line of defence."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the inner formatter's text without secrets."""
        return without_secrets(self._inner.format(record), self._secrets)


class TextLines(logging.Formatter):
    """Time, level, logger, sentence, facts."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(  # noqa: N802 - logging's name
        self,
        record: logging.LogRecord,
        datefmt: str | None = None,  # noqa: ARG002 - logging's signature
    ) -> str:
        """Return the time in UTC, to the millisecond."""
        return _time(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line that stands above a traceback."""
        facts = [f"{name}={_readable(value)}" for name, value in _facts(record).items()]
        return " ".join([super().formatMessage(record), *facts])


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object; what a line's facts are called hides none of its own fields."""
        line = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line | _facts(record) | line, default=str, ensure_ascii=False)


def _facts(record: logging.LogRecord) -> dict[str, object]:
    return {
        name: value
        for name, value in record.__dict__.items()
        if name not in OF_EVERY_RECORD and value is not None
    }


def _readable(value: object) -> str:
    text = str(value)
    return text if re.fullmatch(r"[^\s\"=]+", text) else json.dumps(text, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
