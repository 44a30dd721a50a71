"""What a digest says of itself: what was read for it, and its lines for the thread's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.digests.digest import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, tzinfo

    from bot.digests.digest import Claim, ClaimKind, Digest, Period, Reading, Topic

# How the lines of each kind are headed; what sums a topic up stands below its title.
_HEADINGS: Mapping[ClaimKind, str] = {
    "summary": "",
    "decision": "Decided",
    "open_question": "Open",
    "action_item": "To do",
}
UNREAD = "NOTHING COULD BE READ"  #: how the words begin that nobody may take for an all-clear


def kinds(topic: Topic) -> Iterator[tuple[str, tuple[Claim, ...]]]:
    """Return a topic's lines by their headings, as they are shown and numbered."""
    for kind in KINDS:
        yield _HEADINGS[kind], topic.of(kind)


def as_text(digest: Digest) -> str:
    """Return a digest as Markdown, its lines numbered as they are shown."""
    lines, number = list[str](), 0
    for topic in digest.topics:
        lines.append(f"## {topic.title}")
        for kind, claims in kinds(topic):
            for claim in claims:
                number += 1
                lines.append(f"{number}. {_lead(kind, claim)}{claim.text}")
        lines.append("")
    return "\n".join(lines).strip()


def coverage_words(reading: Reading, digest: Digest, period: Period, zone: tzinfo) -> str:
    """Say what was read and what was not; that nothing was read is said loudly."""
    when = f"from {_span(period.since, period.until, zone)}"
    if not reading.new and reading.unread:
        return (
            f"{UNREAD} {when}: {_listed(reading.unread)}. This does not mean that "
            "nothing happened: I do not know what happened."
        )
    sentences = [
        f"{_read(reading)}, {when}." if reading.new else f"Nobody wrote in the channel {when}.",
        f"Not read: {_listed(reading.unread)}." if reading.unread else "",
        _by_apps(reading.by_apps),
        _left_out(digest, is_new=bool(reading.new)),
    ]
    return " ".join(filter(None, sentences))


def _lead(kind: str, claim: Claim) -> str:
    owner = f" ({claim.owner})" if claim.owner else ""
    return f"{kind}{owner}: " if kind else ""


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
        sentences.append("Nothing in it calls for a line here.")
    if lines:
        was = "was" if lines == 1 else "were"
        sentences.append(f"{_counted(lines, 'line')} without a source {was} left out.")
    if messages:
        was = "was" if messages == 1 else "were"
        sentences.append(f"{_counted(messages, 'reference')} to no message {was} taken out.")
    return " ".join(sentences)


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _listed(phrases: tuple[str, ...]) -> str:
    return "; ".join(phrase.strip().rstrip(".") for phrase in phrases)


def _span(since: datetime, until: datetime, zone: tzinfo) -> str:
    begin, end = since.astimezone(zone), until.astimezone(zone)
    year = "" if begin.year == end.year else " %Y"
    day = f"%b{year} %H:%M"
    return f"{begin.day} {begin:{day}} to {end.day} {end:{day}} ({zone})"
