"""What a digest says of itself: what was read for it, and its lines for the thread's memory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.digests.digest import KINDS, Period
from bot.digests.times import moment_words, span_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.digests.digest import Claim, ClaimKind, Digest, Reading, Topic
    from bot.digests.request import DigestRequest

# How the lines of each kind are headed; what sums a topic up stands below its title.
_HEADINGS: Mapping[ClaimKind, str] = {
    "summary": "",
    "decision": "Decided",
    "open_question": "Open",
    "action_item": "To do",
}
LISTED = 24  # times that were skipped; of what lay behind them, the number and the last are said
UNREAD = "NOTHING COULD BE READ"  #: how the words begin that nobody may take for an all-clear


def by_heading(topic: Topic) -> Iterator[tuple[str, tuple[Claim, ...]]]:
    """Return a topic's lines under their headings, as they are shown and numbered."""
    for kind in KINDS:
        yield _HEADINGS[kind], topic.of(kind)


def as_text(digest: Digest) -> str:
    """Return a digest as Markdown, its lines numbered as they are shown."""
    lines, number = list[str](), 0
    for topic in digest.topics:
        lines.append(f"## {topic.title}")
        for heading, claims in by_heading(topic):
            for claim in claims:
                number += 1
                lines.append(f"{number}. {_lead(heading, claim)}{claim.text}")
        lines.append("")
    return "\n".join(lines).strip()


def coverage_words(reading: Reading, digest: Digest, request: DigestRequest) -> str:
    """Say what was read and what was not; that nothing was read is said loudly."""
    when = _when(reading, request)
    if not reading.new and reading.unread:
        return (
            f"{UNREAD}{when}: {_listed(reading.unread)}. This does not mean that "
            "nothing happened: I do not know what happened."
        )
    place = "thread" if request.thread_ts else "channel"
    silence = "Nothing new was found" if reading.unseen else "Nobody wrote"
    missing = reading.unread + reading.unseen
    sentences = [
        f"{_read(reading)},{when}." if reading.new else f"{silence} in the {place}{when}.",
        f"Not read: {_listed(missing)}." if missing else "",
        _by_apps(reading.by_apps),
        _left_out(digest, is_new=bool(reading.new)),
    ]
    return " ".join(filter(None, sentences))


def skipped_words(request: DigestRequest) -> str:
    """Say which digests of its schedule were not posted before; "" where none is to be told of."""
    zone = ZoneInfo(request.zone)
    times = [moment_words(at, zone) for at in request.skipped]
    if not times:
        return ""
    said = ", ".join(times[:LISTED])
    if others := times[LISTED:]:
        said += f", and {len(others)} more until {others[-1]}"
    return f"Missed before this one, and not made up for: {said}."


def _when(reading: Reading, request: DigestRequest) -> str:
    """Say the period; of a thread, which has none, when its messages were written."""
    period = request.period
    if request.thread_ts:
        times = [datetime.fromtimestamp(float(each.ts), UTC) for each in reading.messages]
        if not times:
            return ""
        period = Period(min(times), max(times))
    return f" from {span_words(period, ZoneInfo(request.zone))} ({request.zone})"


def _lead(heading: str, claim: Claim) -> str:
    owner = f" ({claim.owner})" if claim.owner else ""
    return f"{heading}{owner}: " if heading else ""


def _read(reading: Reading) -> str:
    replies = f", with replies in {_counted(reading.threads, 'thread')}" if reading.threads else ""
    people = _counted(reading.people, "person", "people")
    return f"Read {_counted(len(reading.new), 'message')} by {people}{replies}"


def _by_apps(count: int) -> str:
    was = "was" if count == 1 else "were"
    return f"{_counted(count, 'message')} by apps {was} left out." if count else ""


def _left_out(digest: Digest, *, is_new: bool) -> str:
    lines, messages = digest.dropped_claims, digest.dropped_messages
    sentences = list[str]()
    if is_new and not digest.topics and not lines:
        sentences.append("None of it seemed worth a line.")
    if lines:
        was = "was" if lines == 1 else "were"
        sentences.append(f"{_counted(lines, 'line')} without a source {was} left out.")
    if messages:
        was = "was" if messages == 1 else "were"
        which = _counted(messages, "reference")
        sentences.append(f"{which} to messages that were not read {was} removed.")
    return " ".join(sentences)


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _listed(phrases: tuple[str, ...]) -> str:
    return "; ".join(phrase.strip().rstrip(".") for phrase in phrases)
