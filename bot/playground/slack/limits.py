"""What Slack limits: sizes, ages and calls a minute."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Calls a minute by tier, and the tiers, from the method pages. Unlisted methods are tier 3.
TIERS = {1: 1.0, 2: 20.0, 3: 50.0, 4: 100.0}
METHOD_TIERS = {
    "chat.startStream": 2,
    "chat.stopStream": 2,
    "chat.appendStream": 4,
    "chat.postEphemeral": 4,
    "conversations.list": 2,
    "conversations.members": 4,
    "files.getUploadURLExternal": 4,
    "files.completeUploadExternal": 4,
    "users.info": 4,
    "assistant.threads.setTitle": 4,
    "assistant.threads.setSuggestedPrompts": 4,
    "views.open": 4,
    "views.publish": 4,
}
READING = {"conversations.history", "conversations.replies"}
UNLIMITED = {"auth.test", "chat.getPermalink", "assistant.threads.setStatus"}


@dataclass(frozen=True)
class Limits:
    """Slack's limits, as documented or as measured by third parties."""

    stream_age_seconds: float = 300.0
    stream_bytes: int = 12_000
    markdown_text_characters: int = 12_000
    markdown_block_characters: int = 12_000
    blocks: int = 50
    view_blocks: int = 100
    view_characters: int = 250_000
    blocks_characters: int = 13_200
    text_characters: int = 40_000
    update_text_characters: int = 4_000
    section_characters: int = 3_000
    header_characters: int = 150
    context_elements: int = 10
    task_characters: int = 256
    history_objects: int = 999  #: a page of a channel; 15 for apps sold outside the Marketplace
    replies_objects: int = 1_000  #: a page of a thread; likewise
    reads_a_minute: float | None = None  #: of messages; 1.0 for these, None for the tier's
    share_seconds: float = 0.2  #: until an uploaded file stands in its thread
    calls_factor: float = 1.0  #: multiplies the calls a minute
    burst_factor: float = 1.5  #: of a minute's calls, at once
    posts_a_second: float = 1.0  #: in one channel
    post_burst: float = 10.0
    ack_seconds: float = 3.0
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    clock: Callable[[], float] = field(default=time.monotonic)


def sold(limits: Limits) -> Limits:
    """Return the limits of an app that is sold outside the Marketplace: 15 messages a minute."""
    return replace(limits, history_objects=15, replies_objects=15, reads_a_minute=1.0)


class Bucket:
    """Calls that are allowed: fills evenly up to a burst."""

    def __init__(self, a_second: float, burst: float, now: float) -> None:
        self._a_second, self._burst = a_second, burst
        self._left, self._at = burst, now

    def take(self, now: float) -> float:
        """Take one call; return the seconds to wait for it instead, if there is none."""
        self._left = min(self._burst, self._left + (now - self._at) * self._a_second)
        self._at = now
        if self._left < 1.0:
            return (1.0 - self._left) / self._a_second
        self._left -= 1.0
        return 0.0


class Rates:
    """Counts the calls of a workspace by method."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buckets: dict[str, Bucket] = {}

    def take(self, method: str, channel: str) -> float:
        """Count a call; return the seconds after which it may come, 0 if it may now."""
        limits = self._limits
        if method in UNLIMITED:
            return 0.0
        now = limits.clock()
        if method == "chat.postMessage":
            key, a_second, burst = f"{method} {channel}", limits.posts_a_second, limits.post_burst
        elif method in READING and limits.reads_a_minute is not None:
            key, a_second, burst = method, limits.reads_a_minute / 60, limits.reads_a_minute
        else:
            a_minute = TIERS[METHOD_TIERS.get(method, 3)]
            key, a_second, burst = method, a_minute / 60, a_minute * limits.burst_factor
        factor = limits.calls_factor
        bucket = self._buckets.setdefault(key, Bucket(a_second * factor, burst * factor, now))
        return bucket.take(now)
