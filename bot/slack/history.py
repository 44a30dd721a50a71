"""What the bot was asked and answered in a thread, read from Slack where the database lacks it.

Only that is read which was said to the bot: what people wrote to each other in the thread was not
meant for a model.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.errors import SlackError, SlackRateLimited
from bot.slack.caller import next_cursor
from bot.slack.events import read_event
from bot.slack.markdown import ZERO_WIDTH
from bot.slack.part import EVENT_TYPE, READ_IN_SLACK
from bot.slack.text import plain
from bot.turns.question import Exchange
from bot.turns.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.slack.events import Bot
    from bot.slack.identity import People
    from bot.slack.pacing import Pacing
    from bot.slack.web import SlackWeb
    from bot.turns.question import Question

    Json = dict[str, Any]

log = logging.getLogger(__name__)

METHOD = "conversations.replies"
PAGE, PAGES = 1_000, 3  # messages
_POSTED = re.compile(r"<@([UW][A-Z0-9]+)> asked: (.*)\Z", re.DOTALL)  # the root of a command


@dataclass
class _Said:
    """A question to the bot, and the messages of its answer."""

    question: Question
    turn: object  #: what the messages' metadata say; None where there is none
    answer: list[str] = field(default_factory=list)


class _Pairs:
    """Brings questions and answers together, as questions of a thread are answered in order."""

    def __init__(self) -> None:
        self.said: list[_Said] = []
        self.askers: set[str] = set()
        self._waiting: list[Question] = []

    def ask(self, question: Question) -> None:
        """Take a message that asks the bot."""
        self._waiting.append(question)
        self.askers.add(question.user)

    def answer(self, question: Question, message: Json) -> None:
        """Take a message of the bot, in the thread of this question."""
        if message.get("files"):  # which say no turn, and nothing that is not said before them
            return
        turn, part = _numbers(message)
        last = self.said[-1] if self.said else None
        if part == 0:
            self._waiting += _posted(question, message)
        elif last and (not self._waiting or (turn is not None and turn == last.turn)):
            last.answer += _texts(message)
        elif self._waiting:
            self.said.append(_Said(self._waiting.pop(0), turn, _texts(message)))


@dataclass(frozen=True, slots=True)
class History:
    """Threads as Slack has them."""

    web: SlackWeb
    pacing: Pacing
    people: People
    bot: Bot

    async def read(self, question: Question) -> Transcript:
        """Return what was said to the bot and by it before the question, in its thread."""
        if question.is_root:
            return Transcript((), is_whole=True)
        messages, is_whole = await self._messages(question)
        if any(_is_read_in_slack(message) for message in messages):
            return Transcript((), is_whole=False)  # of a digest: that must not reach the web
        exchanges = []
        for said in self._paired(question, messages):
            if said.question.wants_help:
                continue
            asked = await self.people.read(said.question)
            exchanges.append(Exchange(asked.text, asked.name, "\n\n".join(said.answer)))
        return Transcript(tuple(exchanges), is_whole=is_whole)

    async def _messages(self, question: Question) -> tuple[list[Json], bool]:
        """Return the thread's messages before the question, and whether these are all."""
        thread, found, cursor = question.thread, dict[str, Any](), None
        for _ in range(PAGES):
            await self.pacing.turn(thread.team, METHOD)
            try:
                answer = await self.web.call(
                    METHOD,
                    channel=thread.channel,
                    ts=thread.thread_ts,
                    latest=question.ts,
                    include_all_metadata=True,
                    limit=PAGE,
                    cursor=cursor,
                )
            except SlackError as error:
                log.warning("the thread cannot be read", extra={"code": error.code})
                if isinstance(error, SlackRateLimited):
                    self.pacing.rest(thread.team, METHOD, error.retry_after)
                return _in_order(found.values(), question), False
            page = answer.get("messages") or ()
            found |= {str(m.get("ts")): m for m in page if isinstance(m, dict)}
            cursor = next_cursor(answer)
            if not cursor:
                return _in_order(found.values(), question), True
        return _in_order(found.values(), question), False

    def _paired(self, question: Question, messages: Iterable[Json]) -> list[_Said]:
        pairs = _Pairs()
        for message in messages:
            if message.get("user") == self.bot.user:
                pairs.answer(question, message)
            elif asked := self._asked(question, message, pairs.askers):
                pairs.ask(asked)
        return pairs.said

    def _asked(self, question: Question, message: Json, askers: set[str]) -> Question | None:
        """Read a message as a question; one without a mention is one by who has asked before."""
        thread = question.thread
        event = {**message, "type": "message", "channel": thread.channel}
        event["thread_ts"] = thread.thread_ts
        try:
            read = read_event({"event": event, "team_id": thread.team}, self.bot)
        except ValueError:
            return None
        if read is None or read.addresses_other:
            return None
        is_meant = read.kind != "reply" or read.question.user in askers
        return read.question if is_meant else None


def _in_order(messages: Iterable[Json], question: Question) -> list[Json]:
    timed = [m for m in messages if isinstance(m.get("ts"), str)]
    earlier = [m for m in timed if _order(m["ts"]) < _order(question.ts)]
    return sorted(earlier, key=lambda m: _order(m["ts"]))


def _order(ts: str) -> tuple[int, str]:
    return len(ts.partition(".")[0]), ts


def _numbers(message: Json) -> tuple[object, object]:
    """Return of which turn a message is which part."""
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return None, None
    payload = metadata.get("event_payload")
    return (payload.get("turn"), payload.get("part")) if isinstance(payload, dict) else (None, None)


def _is_read_in_slack(message: Json) -> bool:
    metadata = message.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    return isinstance(payload, dict) and bool(payload.get(READ_IN_SLACK))


def _posted(question: Question, message: Json) -> list[Question]:
    """Read the question that a command posted."""
    found = _POSTED.match(str(message.get("text", "")))
    return [replace(question, user=found[1], text=found[2])] if found else []


def _texts(message: Json) -> list[str]:
    """Return the text of an answer, without what stands below it."""
    blocks = [block for block in message.get("blocks") or () if isinstance(block, dict)]
    written = [str(block.get("text", "")) for block in blocks if block.get("type") == "markdown"]
    # A message of nothing but what stands below answers has a text for notifications only.
    is_text = "streaming_state" in message or any(b.get("type") == "rich_text" for b in blocks)
    if not written and (is_text or not blocks):
        written = [plain(str(message.get("text", "")), {})]
    return [text.replace(ZERO_WIDTH, "") for text in written if text.strip()]
