"""The stand-in's digest of a channel: it sorts messages by what they say, and quotes them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from bot.playground.responses.words import terms

Json = dict[str, Any]

TOPICS = 8
TITLE_CHARACTERS = 60
QUOTE_CHARACTERS = 300
QUOTED_REPLIES = 2
WORDS_TOLD = 5
COMMON_TERMS = 2  # by which a message is taken to be about the same

DECIDED = re.compile(r"\b(?:decided|decision|agreed|settled on|go with)\b", re.IGNORECASE)
PROMISED = re.compile(r"\bI(?:['’]ll| will| am going to)\b")  # noqa: RUF001 - the typed apostrophe
ASKED = re.compile(r"\b(?:can|could|would|will) you\b|\bplease\b", re.IGNORECASE)
NAMED = re.compile(r"(?:^|\s)@?([A-ZÀ-Þ][\w-]+),? (?:can|could|would|will) you\b")
KINDS = {
    "summary": "summary",
    "decision": "decisions",
    "open_question": "open_questions",
    "action_item": "action_items",
}


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the input."""

    id: str
    thread: str
    name: str
    text: str

    @property
    def sentences(self) -> list[str]:
        """Its sentences, each on one line."""
        parts = re.split(r"(?<=[.!?])\s+|\n+", self.text)
        return [" ".join(part.split())[:QUOTE_CHARACTERS] for part in parts if part.strip()]


@dataclass(slots=True)
class Group:
    """Messages that are about the same."""

    messages: list[Said]
    terms: set[str] = field(default_factory=set)

    def add(self, messages: list[Said]) -> None:
        """Take messages that are about the same too."""
        self.messages += messages
        self.terms |= _terms(messages)


def digest_of(text: str) -> list[Json]:
    """Return the topics of an input: of messages, or of the lines of earlier digests."""
    read = [line for line in map(_object, text.split("\n")) if line is not None]
    written = [line for line in read if line.get("kind") in KINDS and "topic" in line]
    if written:
        return _again(written)
    messages = [
        Said(str(line["id"]), str(line.get("thread")), str(line.get("name")), str(line["text"]))
        for line in read
        if "id" in line and "text" in line
    ]
    topics = [_topic(group.messages) for group in _groups(messages)]
    return [topic for topic in topics if _matters(topic)]


def _matters(topic: Json) -> bool:
    """Whether there is more to a topic than a word or two that nobody took up."""
    is_long = any(len(line["text"].split()) >= WORDS_TOLD for line in topic["summary"])
    return is_long or any(topic[kind] for kind in KINDS.values() if kind != "summary")


def _object(line: str) -> Json | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _groups(messages: list[Said]) -> list[Group]:
    """Put threads together that share words; return the largest, in their order."""
    threads: dict[str, list[Said]] = defaultdict(list)
    for message in messages:
        threads[message.thread].append(message)
    groups = list[Group]()
    for thread in sorted(threads.values(), key=len, reverse=True):
        words = _terms(thread)
        near = max(groups, key=lambda group: len(group.terms & words), default=None)
        if near is None or len(near.terms & words) < COMMON_TERMS:
            groups.append(near := Group([]))
        near.add(thread)
    groups.sort(key=lambda group: len(group.messages), reverse=True)
    return groups[:TOPICS]


def _terms(messages: list[Said]) -> set[str]:
    return {term for message in messages for term in terms(message.text) if len(term) > 2}  # noqa: PLR2004 - letters


def _topic(messages: list[Said]) -> Json:
    first, *replies = messages
    longest = sorted(replies, key=lambda said: len(said.text), reverse=True)[:QUOTED_REPLIES]
    summary = [first, *(said for said in replies if said in longest)]
    return {
        "title": _title(first),
        "summary": [_line(_quoted(said), said) for said in summary if said.sentences],
        "decisions": _lines(messages, DECIDED),
        "open_questions": [
            _line(sentence, said)
            for place, said in enumerate(messages)
            for sentence in said.sentences
            if _asks(sentence) and not _is_answered(said, messages[place + 1 :])
        ],
        "action_items": [
            _line(_by(said, sentence), said) | {"owner": _owner(said, sentence)}
            for said in messages
            for sentence in said.sentences
            if PROMISED.search(sentence) or ASKED.search(sentence)
        ],
    }


def _title(said: Said) -> str:
    words = (said.sentences or ["Files"])[0].rstrip(".!?")
    if len(words) <= TITLE_CHARACTERS:
        return words
    return words[:TITLE_CHARACTERS].rsplit(" ", 1)[0] + "…"


def _quoted(said: Said) -> str:
    return _by(said, said.sentences[0])


def _by(said: Said, sentence: str) -> str:
    return f"{said.name}: {sentence}"


def _line(text: str, said: Said) -> Json:
    return {"text": text, "messages": [said.id]}


def _lines(messages: list[Said], pattern: re.Pattern[str]) -> list[Json]:
    return [
        _line(sentence, said)
        for said in messages
        for sentence in said.sentences
        if pattern.search(sentence) and not sentence.endswith("?")
    ]


def _asks(sentence: str) -> bool:
    return sentence.endswith("?") and not ASKED.search(sentence)


def _is_answered(said: Said, later: list[Said]) -> bool:
    return any(one.thread == said.thread and one.name != said.name for one in later)


def _owner(said: Said, sentence: str) -> str | None:
    if PROMISED.search(sentence):
        return said.name
    named = NAMED.search(sentence)
    return named[1] if named else None


def _again(lines: list[Json]) -> list[Json]:
    """Put the lines of earlier digests under their topics again."""
    topics: dict[str, Json] = {}
    for line in lines:
        title = str(line["topic"])
        empty: Json = {"title": title} | {name: [] for name in KINDS.values()}
        kind = KINDS[line["kind"]]
        owner = {"owner": line.get("owner")} if kind == "action_items" else {}
        claim = {"text": str(line.get("text")), "messages": line.get("messages") or []}
        topics.setdefault(title, empty)[kind].append(claim | owner)
    return list(topics.values())
