"""Messages of a channel, to write digests from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.digests.digest import Claim, Message, Reading, Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.digests.digest import ClaimKind

MORNING = 1_795_424_400  # Mon 23 Nov 2026 09:00 UTC


def ts(number: int) -> str:
    """Say when a message was written, in minutes after the morning."""
    return f"{MORNING + 60 * number}.000100"


def at(number: int) -> datetime:
    return datetime.fromtimestamp(MORNING + 60 * number, UTC)


def message(
    number: int, text: str = "Hello.", *, thread: int | None = None, name: str = "Ana"
) -> Message:
    root = number if thread is None else thread
    return Message(ts=ts(number), thread_ts=ts(root), user=f"U{name}", name=name, text=text)


def reading(*messages: Message, unread: Sequence[str] = (), unseen: Sequence[str] = ()) -> Reading:
    return Reading(messages=messages, unread=tuple(unread), unseen=tuple(unseen))


def claim(text: str, *numbers: int, owner: str = "") -> Claim:
    return Claim(text, tuple(ts(number) for number in numbers), owner=owner)


def topic(
    title: str,
    *summary: Claim,
    decisions: Sequence[Claim] = (),
    questions: Sequence[Claim] = (),
    actions: Sequence[Claim] = (),
) -> Topic:
    every: dict[ClaimKind, Sequence[Claim]] = {
        "summary": summary,
        "decision": decisions,
        "open_question": questions,
        "action_item": actions,
    }
    claims = (replace(claim, kind=kind) for kind, found in every.items() for claim in found)
    return Topic(title, tuple(claims))
