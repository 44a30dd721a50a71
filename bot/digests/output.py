"""A digest as a model wrote it, read leniently and believed only where it names its messages."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.digests.digest import Claim, Digest, Topic
from bot.digests.lines import one_line, seen
from bot.errors import FootnoteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bot.digests.digest import ClaimKind, Message

TITLE_CHARACTERS = 120
TEXT_CHARACTERS = 600  # of a claim
OWNER_CHARACTERS = 80
UNTITLED = "Other"

_NO_NAME = {"the", "a", "an", "and", "of", "to"}

READ_CHARACTERS = 400_000  # of what a model said
STARTS = 200  # braces from which no JSON could be read, before the search is given up

_START = re.compile(r"[\[{]")
_ID = re.compile(r"\W*m?(\d{1,9})\W*", re.IGNORECASE)
# Where a model wrote the ids into the text instead.
_IDS_IN_TEXT = re.compile(r"\s*[\[(]\s*(m\d{1,9}(?:\s*[,;]?\s*m\d{1,9})*)\s*[\])]", re.IGNORECASE)
# What the claims of each kind may be called.
_NAMES: Mapping[ClaimKind, tuple[str, ...]] = {
    "summary": ("summary",),
    "decision": ("decisions",),
    "open_question": ("open_questions", "questions"),
    "action_item": ("action_items", "actions"),
}
_NOBODY = {"", "null", "none", "nobody", "unknown", "unassigned", "not assigned", "n/a", "-", "tbd"}


class UnreadableDigest(FootnoteError):
    """What a model wrote is no digest at all."""

    public = "What the model wrote could not be read as a digest. Please ask again."


def read_digest(text: str, known: Mapping[str, Message]) -> Digest:
    """Return what a model wrote of the messages that it knows by these ids.

    A reference to anything else is dropped and counted, and so is a claim that is left without one.
    An owner of whom these messages say nothing is not believed. Raises UnreadableDigest.
    """
    found = [_read(topics, known) for topics in _candidates(text)]
    if not found:
        raise UnreadableDigest
    # An example or a first attempt may stand before it.
    return max(found, key=lambda digest: sum(len(topic.claims) for topic in digest.topics))


def joined(digests: Iterable[Digest]) -> Digest:
    """Put digests of the parts of a channel together, topics of the same title as one."""
    every = list(digests)
    topics: dict[str, Topic] = {}
    for topic in (topic for digest in every for topic in digest.topics):
        same = topics.get(topic.title.casefold())
        claims = (*same.claims, *topic.claims) if same else topic.claims
        topics[topic.title.casefold()] = Topic(same.title if same else topic.title, claims)
    return Digest(
        topics=_by_weight(topics.values()),
        dropped_messages=sum(digest.dropped_messages for digest in every),
        dropped_claims=sum(digest.dropped_claims for digest in every),
    )


def _by_weight(topics: Iterable[Topic]) -> tuple[Topic, ...]:
    """Put the weightiest topic first, and of two the one that began earlier."""
    return tuple(sorted(topics, key=lambda topic: (-topic.weight, _began(topic))))


def _began(topic: Topic) -> str:
    return min(ts for claim in topic.claims for ts in claim.rests_on)


def _candidates(text: str) -> Iterator[list[Any]]:
    """Find what may be the topics of a digest: in the whole text, a fence, or between prose."""
    loose = list[Any]()
    for value in _values(text[:READ_CHARACTERS]):
        topics = _topics(value)
        if topics is not None:
            yield topics
        elif isinstance(value, dict) and _is_topic(value):
            loose.append(value)
    if loose:  # of a text that was cut short, the topics that are whole
        yield loose


def _values(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(strict=False)
    place, failed = 0, 0
    while failed < STARTS and (start := _start(text, place)) is not None:
        try:
            value, place = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            place, failed = start + 1, failed + 1
        else:
            yield value


def _start(text: str, place: int) -> int | None:
    found = _START.search(text, place)
    return found.start() if found else None


def _topics(value: object) -> list[Any] | None:
    """Return a digest's topics, wherever in an object they are; None where it is none."""
    if isinstance(value, list):
        return value if any(_is_topic(one) for one in value) else None
    if not isinstance(value, dict):
        return None
    if "topics" in value:
        return _list(value["topics"])
    inner = [_topics(one) for one in value.values() if isinstance(one, dict)]
    return next((topics for topics in inner if topics is not None), None)


def _is_topic(value: object) -> bool:
    names = (name for every in _NAMES.values() for name in every)
    return isinstance(value, dict) and any(name in value for name in names)


def _read(topics: Iterable[object], known: Mapping[str, Message]) -> Digest:
    reader = _Reader(known)
    read = [reader.topic(topic) for topic in topics if isinstance(topic, dict)]
    return Digest(
        topics=_by_weight(topic for topic in read if topic.claims),
        dropped_messages=reader.dropped["messages"],
        dropped_claims=reader.dropped["claims"],
    )


@dataclass
class _Reader:
    """Reads topics, and counts what it drops."""

    known: Mapping[str, Message]
    dropped: Counter[str] = field(default_factory=Counter)

    def topic(self, value: Mapping[str, Any]) -> Topic:
        title = _words(value.get("title"), TITLE_CHARACTERS) or UNTITLED
        claims = (
            self._claim(one, kind)
            for kind, names in _NAMES.items()
            for name in names
            for one in _list(value.get(name))
        )
        return Topic(title, tuple(claim for claim in claims if claim is not None))

    def _claim(self, value: object, kind: ClaimKind) -> Claim | None:
        fields = value if isinstance(value, dict) else {"text": value}
        text = _words(fields.get("text"), None)
        ids = [one for name in ("messages", "message_ids", "ids") for one in _ids(fields.get(name))]
        if not ids and text:
            ids = [one for inside in _IDS_IN_TEXT.findall(text) for one in _ids(inside)]
            text = _IDS_IN_TEXT.sub("", text)
        if not (text := one_line(text, TEXT_CHARACTERS)):
            return None
        messages = self._messages(ids)
        if not messages:
            self.dropped["claims"] += 1
            return None
        rests_on = tuple(sorted(message.ts for message in messages))
        return Claim(text, rests_on, kind, _owner(fields.get("owner"), messages))

    def _messages(self, ids: Iterable[str]) -> list[Message]:
        named = list(dict.fromkeys(ids))
        self.dropped["messages"] += sum(one not in self.known for one in named)
        return [self.known[one] for one in named if one in self.known]


def _list(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _words(value: object, limit: int | None) -> str:
    if not isinstance(value, str):
        return ""
    return seen(value) if limit is None else one_line(value, limit)


def _ids(value: object) -> list[str]:
    """Return the ids that are named, like "m7", 7, "[m7]", "m7, m8" or {"id": "m7"}."""
    if isinstance(value, dict):
        return _ids(value.get("id"))
    if isinstance(value, list):
        return [one for inner in value[:1000] if not isinstance(inner, list) for one in _ids(inner)]
    if isinstance(value, bool) or not isinstance(value, int | str):
        return []
    named = re.split(r"[\s,;]+", str(value).strip())
    found = [(_ID.fullmatch(one), one) for one in named if one]
    # What is no id at all stays as it is, so that it is counted.
    return [f"m{int(match[1])}" if match else one for match, one in found]


def _owner(value: object, messages: Iterable[Message]) -> str:
    owner = _words(value, OWNER_CHARACTERS).lstrip("@").strip()
    if owner.casefold() in _NOBODY:
        return ""
    said = " ".join(f"{message.name} {message.text}" for message in messages).casefold()
    words = set(re.findall(r"\w+", owner.casefold())) - _NO_NAME
    # Without blanks between words, as in Japanese, a name is anywhere in the text.
    known = words & set(re.findall(r"\w+", said)) or {w for w in words - _ascii(words) if w in said}
    return owner if known else ""


def _ascii(words: set[str]) -> set[str]:
    return {word for word in words if word.isascii()}
