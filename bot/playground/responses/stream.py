"""A finished response told as the events of a stream."""

from __future__ import annotations

import json
import random
import secrets
from typing import TYPE_CHECKING, Any

from bot.playground.responses.response import LATE_FIELDS, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.playground.responses.profile import Profile

Event = dict[str, Any]
CUT_SIZES = (1, 2, 3, 4, 5, 7, 9, 12, 16)  # code points in one delta
COMMENT_EVERY = 7  # frames


def random_pieces(text: str, seed: int) -> list[str]:
    """Cut a text into deltas, at places that the seed decides."""
    dice = random.Random(seed)  # noqa: S311 - places to cut, not secrets
    pieces, start = [], 0
    while start < len(text):
        size = dice.choice(CUT_SIZES)
        pieces.append(text[start : start + size])
        start += size
    return pieces


def events_of(
    response: dict[str, Any], pieces: Sequence[str], profile: Profile, *, obfuscated: bool
) -> list[Event]:
    """Return every event of a response's stream, numbered."""
    told = [*_opening(response, profile)]
    for index, item in enumerate(response["output"]):
        told += _item(index, item, pieces, profile)
    final = response | {"output": []} if profile.empty_final_output else response
    ending = "completed" if profile.always_completed else response["status"]
    told.append({"type": f"response.{ending}", "response": final})
    for event in told if obfuscated else ():
        if event["type"].endswith(".delta"):
            event["obfuscation"] = secrets.token_urlsafe(12)[: 1 + len(event["delta"]) % 12]
    return [
        {"type": event.pop("type"), "sequence_number": number, **_shown(event, profile)}
        for number, event in enumerate(told)
    ]


def _shown(event: Event, profile: Profile) -> Event:
    if "response" not in event:
        return event
    return event | {"response": shown(event["response"], profile)}


def _opening(response: dict[str, Any], profile: Profile) -> Iterator[Event]:
    blank: dict[str, Any] = {
        "output": [],
        "usage": None,
        "completed_at": None,
        "incomplete_details": None,
        "service_tier": "auto",
    }
    start = {name: value for name, value in response.items() if name not in LATE_FIELDS}
    queued = start | blank | {"status": "queued"}
    working = start | blank | {"status": "in_progress"}
    if response["background"]:
        yield {"type": "response.created", "response": queued}
        yield {"type": "response.queued", "response": queued}
    else:
        yield {"type": "response.created", "response": working}
    yield {"type": "response.in_progress", "response": working}
    if profile.keepalive:
        yield {"type": "keepalive"}


def _item(
    index: int, item: dict[str, Any], pieces: Sequence[str], profile: Profile
) -> Iterator[Event]:
    inner = INNER.get(item["type"])
    yield {
        "type": "response.output_item.added",
        "output_index": index,
        "item": _announced(item, profile),
    }
    yield from inner(index, item) if inner else _message(index, item, pieces)
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _announced(item: dict[str, Any], profile: Profile) -> dict[str, Any]:
    match item["type"]:
        case "reasoning":
            return {name: item[name] for name in item if name != "content"} | {"summary": []}
        case "compaction" | "search_results":
            return item
        case "message":
            return item | {"status": "in_progress", "content": []}
        case search:
            bare = {"id": item["id"], "type": search, "status": "in_progress"}
            return bare | {"action": {"type": "search"}} if profile.early_action else bare


def _reasoning(index: int, item: dict[str, Any]) -> Iterator[Event]:
    for number, part in enumerate(item["summary"]):
        at = {"item_id": item["id"], "output_index": index, "summary_index": number}
        kind = "response.reasoning_summary"
        middle = len(part["text"]) // 2
        yield {"type": f"{kind}_part.added", **at, "part": {"type": "summary_text", "text": ""}}
        for delta in (part["text"][:middle], part["text"][middle:]):
            yield {"type": f"{kind}_text.delta", **at, "delta": delta}
        yield {"type": f"{kind}_text.done", **at, "text": part["text"]}
        yield {"type": f"{kind}_part.done", **at, "part": part}

    for number, part in enumerate(item.get("content", ())):
        place = {"item_id": item["id"], "output_index": index, "content_index": number}
        kind = "response.reasoning"
        yield {"type": f"{kind}_part.added", **place, "part": part | {"text": ""}}
        yield {"type": f"{kind}_text.delta", **place, "delta": part["text"]}
        yield {"type": f"{kind}_text.done", **place, "text": part["text"]}
        yield {"type": f"{kind}_part.done", **place, "part": part}


def _compaction(index: int, item: dict[str, Any]) -> Iterator[Event]:
    kind = "response.compaction.compacting"
    yield {"type": kind, "output_index": index, "item_id": item["id"]}


def _results(index: int, item: dict[str, Any]) -> Iterator[Event]:
    kind = "response.reasoning.search_results"
    yield {"type": kind, "output_index": index, "results": item["results"]}


def _silent(_index: int, _item: dict[str, Any]) -> Iterator[Event]:
    yield from ()


def _search(index: int, item: dict[str, Any]) -> Iterator[Event]:
    for stage in ("in_progress", "searching", "completed"):
        kind = f"response.web_search_call.{stage}"
        yield {"type": kind, "output_index": index, "item_id": item["id"]}


INNER = {
    "reasoning": _reasoning,
    "web_search_call": _search,
    "openrouter:web_search": _silent,
    "search_results": _results,
    "compaction": _compaction,
}


def _message(index: int, item: dict[str, Any], pieces: Sequence[str]) -> Iterator[Event]:
    at = {"item_id": item["id"], "output_index": index, "content_index": 0}
    part = item["content"][0]
    empty = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    yield {"type": "response.content_part.added", **at, "part": empty}
    yield from _deltas(at, part["annotations"], pieces)
    yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": part}


def _deltas(at: Event, found: list[Any], pieces: Sequence[str]) -> Iterator[Event]:
    said, told = 0, 0
    for piece in pieces:
        yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
        said += len(piece)
        while told < len(found) and found[told].get("end_index", 0) <= said:
            kind = "response.output_text.annotation.added"
            yield {"type": kind, **at, "annotation_index": told, "annotation": found[told]}
            told += 1


def frame(event: Event, profile: Profile) -> bytes:
    """Return an event as it goes over the wire."""
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    name = f"event: {event['type']}\n" if profile.event_lines else ""
    number = event["sequence_number"]
    due = profile.comments and number and number % COMMENT_EVERY == 0
    ping = f": {profile.comment}\n\n" if due else ""
    return f"{ping}{name}data: {body}\n\n".encode()
