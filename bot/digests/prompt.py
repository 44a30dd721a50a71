"""What a model is given to write a digest from: each message as data, under a short id.

A message is one JSON object on one line, so that nothing in its text can pass for another message
or for an instruction of ours.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bot.digests.lines import CUT, one_line, seen
from bot.turns.form import an_object, form_of
from bot.turns.transcript import BYTES_PER_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import tzinfo

    from bot.digests.digest import Digest, Message, Reading

NAME_CHARACTERS = 80
FILE_CHARACTERS = 120  # of a title
FILES = 10  # titles of one message
ROOT_BYTES = 600  # of the text of a thread's root, where it is told again for a later part
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# JSON leaves these as they are, and many a reader takes them for the end of a line.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
THREAD = "t00000"  # as long as the name of any thread


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_TEXT = {"type": "string"}
_CLAIMS = _array(an_object(text=_TEXT, messages=_array(_TEXT)))
_ACTIONS = _array(
    an_object(text=_TEXT, owner={"type": ["string", "null"]}, messages=_array(_TEXT)),
)
#: What a model's digest has to look like. `messages` are ids of the input.
FORM = form_of(
    "digest",
    topics=_array(
        an_object(
            title=_TEXT,
            summary=_CLAIMS,
            decisions=_CLAIMS,
            open_questions=_CLAIMS,
            action_items=_ACTIONS,
        )
    ),
)


def numbered(messages: Iterable[Message]) -> dict[str, Message]:
    """Return messages by the short ids that the model knows them by, like m1."""
    return {f"m{number}": message for number, message in enumerate(messages, 1)}


def told(messages: Sequence[Message], known: Mapping[str, Message], zone: tzinfo) -> str:
    """Tell messages that have ids, a JSON object in each line; times are the reader's."""
    ids = {message.ts: name for name, message in known.items()}
    roots = dict.fromkeys(message.thread_ts for message in messages)
    threads = {ts: f"t{number}" for number, ts in enumerate(roots, 1)}
    return "\n".join(
        _line(message, ids[message.ts], threads[message.thread_ts], zone) for message in messages
    )


def told_again(digests: Iterable[Digest], known: Mapping[str, Message]) -> str:
    """Tell what was written of the parts of a channel, a JSON object for each claim."""
    ids = {message.ts: name for name, message in known.items()}
    return "\n".join(
        _json(
            {
                "topic": topic.title,
                "kind": claim.kind,
                "text": claim.text,
                **({"owner": claim.owner} if claim.owner else {}),
                "messages": [ids[ts] for ts in claim.rests_on],
            }
        )
        for digest in digests
        for topic in digest.topics
        for claim in topic.claims
    )


def parts(reading: Reading, tokens: int) -> list[tuple[Message, ...]]:
    """Cut what was read into parts of whole threads that each fit into so many tokens.

    A thread that is larger than that is cut too, and the later parts begin with its root again. A
    message that is larger than that is shortened. None is left out.
    """
    room = int(tokens * BYTES_PER_TOKEN)
    found: list[tuple[Message, ...]] = [()]
    sizes = [0]
    for _, group in groupby(reading.messages, key=lambda message: message.thread_ts):
        for piece in _pieces(tuple(group), room):
            size = sum(_size(message) for message in piece)
            if found[-1] and sizes[-1] + size > room:
                found.append(())
                sizes.append(0)
            found[-1] += piece
            sizes[-1] += size
    return [part for part in found if part]


def _line(message: Message, name: str, thread: str, zone: tzinfo) -> str:
    at = datetime.fromtimestamp(float(message.ts), zone)
    return _json(
        {
            "id": name,
            "thread": thread,
            **({"reply": True} if message.is_reply else {}),
            **({"before_the_period": True} if message.is_before else {}),
            "time": f"{DAYS[at.weekday()]} {at:%Y-%m-%d %H:%M}",
            "name": one_line(message.name, NAME_CHARACTERS),
            "text": seen(message.text),
            **({"files": _titles(message.files)} if message.files else {}),
        }
    )


def _titles(files: Sequence[str]) -> list[str]:
    more = [f"and {len(files) - FILES} more"] if len(files) > FILES else []
    return [*(one_line(title, FILE_CHARACTERS) for title in files[:FILES]), *more]


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_LINE_ENDS)


def _size(message: Message) -> int:
    return len(_line(message, THREAD, THREAD, UTC).encode()) + 1  # and the end of the line


def _pieces(thread: tuple[Message, ...], room: int) -> list[tuple[Message, ...]]:
    """Return a thread whole, or in pieces that fit."""
    if sum(_size(message) for message in thread) <= room:
        return [thread]
    first, *rest = thread
    first = _shortened(first, room)
    # Where not even the root is small beside a part, its replies have to stand without it.
    again = _shortened(first, _size(replace(first, text="")) + ROOT_BYTES)
    head = () if first.is_reply or _size(again) > room // 4 else (again,)
    beside = room - sum(_size(message) for message in head)
    pieces: list[tuple[Message, ...]] = [(first,)]
    left = room - _size(first)
    for message in rest:
        fitting = _shortened(message, beside)
        if _size(fitting) <= left:
            pieces[-1] += (fitting,)
        else:
            pieces.append((*head, fitting))
            left = beside
        left -= _size(fitting)
    return pieces


def _shortened(message: Message, room: int) -> Message:
    """Return a message whose line fits, with the end of its text left out."""
    if _size(message) <= room:
        return message
    text = seen(message.text)
    left = room - _size(replace(message, text=CUT))
    # JSON writes some characters as two or six, so the place is looked for.
    kept = bisect_right(range(len(text)), left, key=lambda end: len(_json(text[:end]).encode()) - 2)
    return replace(message, text=text[: max(kept - 1, 0)].rstrip() + CUT)
