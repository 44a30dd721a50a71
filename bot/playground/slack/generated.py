"""A channel of the local Slack that is full of invented work, the same for the same seed.

What was written, and so what a reader of the period must find, is known to the last message:

    before the period       in it                                       after it
    ──────────────────┬───────────────────────────────────────────┬────────────
    messages, threads │ messages, threads, broadcasts, files      │ one message
    some of which  ───┼─► get replies; joins, bots, deleted roots │ at its end
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from bot.playground.slack.generated_words import (
    FILE_TITLES,
    HOSTILE,
    LINK_TITLES,
    PATTERNS,
    REPLIES,
    name,
    sentence,
)
from bot.playground.slack.workspace import BOT_ID, BOT_USER, Message, User

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.playground.slack.workspace import Workspace

LOOK_BACK = timedelta(days=29)  # how long before the period its oldest thread begins
OTHER_BOT, SLACKBOT = User("U0DEPLOY", "Deploy", is_bot=True), User("USLACKBOT", "Slackbot")
# In 100 messages of people.
KINDS = {
    "words": 77.5,
    "mention": 10.0,
    "thread_broadcast": 3.0,
    "file": 3.0,
    "link": 3.0,
    "edited": 2.0,
    "me_message": 0.5,
    "to all": 0.5,
    "hostile": 0.5,
}
DELETED = "This message was deleted."
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is written."""

    messages: int = 5_000  #: by people, in the period
    threads: int = 400  #: with a reply by a person in the period; one in ten began before it
    people: int = 60
    days: int = 30  #: that the period is long
    seed: int = 1


@dataclass(kw_only=True)
class Generated:
    """What there is to be found, as ts and ids of users."""

    since: datetime
    until: datetime
    new: set[str] = field(default_factory=set)  #: what people wrote in the period
    before: set[str] = field(default_factory=set)  #: roots by people that got replies in it
    threads: set[str] = field(default_factory=set)  #: roots of threads with such replies
    people: set[str] = field(default_factory=set)  #: who wrote in the period
    named: set[str] = field(default_factory=set)  #: who wrote or is named in any of this
    stirred: set[str] = field(default_factory=set)  #: roots of threads with a new reply by anybody
    standing: int = 0  #: messages of anybody in the channel itself in the period
    earlier: int = 0  #: likewise before it


def fill(workspace: Workspace, channel: str, plan: Plan, until: datetime) -> Generated:
    """Write what a plan says into a channel, up to a time, and return what is to be found there."""
    if plan.messages < max(2 * plan.threads + 1, plan.people):
        raise ValueError("so few messages are not enough for all threads and people")
    writing = _Writing(plan, until)
    writing.write()
    place = workspace.channels[channel]
    people = [User(user, name(number)) for number, user in enumerate(writing.people)]
    workspace.users |= {user.id: user for user in (*people, OTHER_BOT, SLACKBOT)}
    place.members |= set(writing.people)
    written = [*place.messages.values(), *writing.messages.values()]
    place.messages = {m.ts: m for m in sorted(written, key=lambda m: float(m.ts))}
    return writing.result()


class _Writing:
    """Writes a channel, thread by thread; times are microseconds since 1970."""

    def __init__(self, plan: Plan, until: datetime) -> None:
        self.plan = plan
        self.random = Random(plan.seed)  # noqa: S311 - invented texts, no secrets
        self.found = Generated(since=until - timedelta(days=plan.days), until=until)
        self.messages: dict[str, Message] = {}
        self.people = [f"U0P{number:04}" for number in range(plan.people)]
        self._back = _microseconds(self.found.since - LOOK_BACK)
        self._low, self._high = _microseconds(self.found.since), _microseconds(until)
        # Everybody writes at least once, and a few write most.
        often = self.random.choices(self.people[: plan.people // 4 + 1], k=plan.messages)
        self._authors = [*self.people, *often][: plan.messages]
        self.random.shuffle(self._authors)

    def write(self) -> None:
        """Write everything."""
        plan, old, strange = self.plan, self.plan.threads // 10, self.plan.threads // 50
        # The first moment is the period's, and the last no longer.
        self._say(self._low, patterns=HOSTILE)
        self._put(Message(_ts(self._high), self.people[0], "Too late for this one."))
        roots = [self._say(self._moment(self._back, self._low)) for _ in range(old)]
        roots += [self._strange_root(number) for number in range(strange)]
        late = self._high - (self._high - self._low) // 10
        for _ in range(plan.threads - old - strange):
            roots.append(self._say(self._moment(self._low, late)))
        self._reply(roots)
        for _ in range(plan.messages - len(self.found.new)):
            self._say(self._moment(self._low, self._high))
        self._write_besides(roots)

    def result(self) -> Generated:
        """Return what there is to be found, after all is written."""
        found = self.found
        read = [self.messages[ts] for ts in (*found.new, *found.before)]
        for message in read:
            found.named |= {message.user} | {u for u in self.people if f"<@{u}>" in message.text}
        found.people = {self.messages[ts].user for ts in found.new}
        for message in self.messages.values():
            at = _of_ts(message.ts)
            if message.is_in_channel and at < self._high:
                found.standing += at >= self._low
                found.earlier += at < self._low
            if message.thread_ts and self._low <= at < self._high:
                found.stirred.add(message.thread_ts)
        return found

    def _say(self, at: int, root: str | None = None, patterns: Sequence[str] = PATTERNS) -> str:
        """Have a person write something; return its ts."""
        is_new = self._low <= at < self._high
        user = self._authors.pop() if is_new else self.random.choice(self.people)
        message = Message(_ts(at), user, sentence(self.random, patterns), thread_ts=root)
        self._adorn(message)
        if is_new:
            self.found.new.add(message.ts)
        return self._put(message)

    def _adorn(self, message: Message) -> None:
        """Make some messages more than words."""
        [kind] = self.random.choices(list(KINDS), list(KINDS.values()))
        message.text = self._worded(kind, message.text)
        message.edited = kind == "edited"
        if kind in {"file", "link"}:
            self._attach(message, is_file=kind == "file")
        elif kind == "me_message" or (kind == "thread_broadcast" and message.thread_ts):
            message.subtype = kind

    def _worded(self, kind: str, text: str) -> str:
        match kind:
            case "mention":
                return f"<@{self.random.choice(self.people)}> {text}"
            case "edited":
                return f"{text} Edit: {sentence(self.random, REPLIES)}"
            case "to all":
                return f"{text} <!here> <#C0GENERAL|general>"
            case "hostile":
                return sentence(self.random, HOSTILE)
        return text

    def _attach(self, message: Message, *, is_file: bool) -> None:
        """Add a file, or a link with what Slack shows of its page."""
        if is_file:
            title = sentence(self.random, FILE_TITLES)
            message.files = [{"id": f"F{message.ts}", "name": "file.pdf", "title": title}]
            return
        url = f"https://docs.example/{self.random.randrange(10**6)}"
        title = sentence(self.random, LINK_TITLES)
        message.text += f" <{url}|Read it here>"
        message.attachments = [{"from_url": url, "title": title, "text": "Shown below the link."}]

    def _strange_root(self, number: int) -> str:
        """Begin a thread by a message that is no person's, or that is gone."""
        at = self._moment(self._back, self._high - (self._high - self._low) // 10)
        if number % 2:
            return self._put(Message(_ts(at), SLACKBOT.id, DELETED, subtype="tombstone"))
        return self._put(Message(_ts(at), OTHER_BOT.id, "Deployed.", bot_id="B0DEPLOY"))

    def _reply(self, roots: list[str]) -> None:
        """Write the replies in the period, at least one for each root."""
        free = self.plan.messages - len(self.found.new) - len(roots)
        more = min(free, max(0, self.plan.messages * 2 // 5 - len(roots)))
        for root in [*roots, *self.random.choices(roots, k=more if roots else 0)]:
            at = self._moment(max(_of_ts(root) + 1, self._low), self._high)
            self._say(at, root, REPLIES)
            self.found.threads.add(root)
            if _of_ts(root) < self._low and self.messages[root].user in self.people:
                self.found.before.add(root)

    def _write_besides(self, roots: list[str]) -> None:
        """Write what a reader of the period leaves out: earlier messages, joins, and bots."""
        random, plan = self.random, self.plan
        for number in range(plan.messages // 10):
            quiet = self._say(self._moment(self._back, self._low))
            if number % 10 == 0:
                self._say(self._moment(_of_ts(quiet) + 1, self._low), quiet)
                if number % 50 == 0:  # woken by a bot alone
                    self._bot(self._moment(self._low, self._high), quiet)
        for user in random.sample(self.people, len(self.people) // 3):
            text, at = f"<@{user}> has joined the channel", self._moment(self._low, self._high)
            self._put(Message(_ts(at), user, text, subtype="channel_join"))
        for _ in range(plan.messages // 25):
            self._bot(self._moment(self._low, self._high), None)
        for root in random.sample(roots, len(roots) // 20):
            after = max(_of_ts(root) + 1, self._low)
            self._bot(self._moment(after, self._high), root)

    def _bot(self, at: int, root: str | None) -> None:
        """Have a bot write: another one with or without a subtype, or the one that reads."""
        user, bot_id, subtype = self.random.choice(
            (
                (OTHER_BOT.id, "B0DEPLOY", "bot_message"),
                (OTHER_BOT.id, "B0DEPLOY", None),
                (BOT_USER, BOT_ID, None),
            )
        )
        text = sentence(self.random, REPLIES)
        self._put(Message(_ts(at), user, text, root, bot_id, subtype=subtype))

    def _put(self, message: Message) -> str:
        self.messages[message.ts] = message
        return message.ts

    def _moment(self, low: int, high: int) -> int:
        """Return a moment from `low` on and before `high` at which nothing is written yet."""
        while _ts(at := self.random.randrange(low, high)) in self.messages:
            pass
        return at


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _ts(at: int) -> str:
    return f"{at // 1_000_000}.{at % 1_000_000:06}"


def _of_ts(ts: str) -> int:
    return int(ts.replace(".", ""))
