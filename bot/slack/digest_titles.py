"""What a digest is called: above it, as the root of its thread, and in lists of threads."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.digests.request import read_request
from bot.digests.times import period_words
from bot.slack.markdown import escape, literal

if TYPE_CHECKING:
    from bot.digests.request import DigestRequest
    from bot.turns.question import Question


def digest_title(request: DigestRequest) -> str:
    """Name a digest in plain words."""
    if request.thread_ts:
        what = "Digest of a thread"
    else:
        what = f"Digest, {period_words(request.period, ZoneInfo(request.zone))}"
    return f"{what}, about {request.about}" if request.about else what


def digest_root(request: DigestRequest, owner: str) -> str:
    """Say in mrkdwn what the thread of a digest is; nobody is pinged."""
    facts = [literal(digest_title(request)), f"<#{request.channel}>"]
    if request.is_scheduled:
        facts.append(f"scheduled by {escape(owner)}")
    return " · ".join(facts)


def title_of(question: Question) -> str:
    """Name what a question began, in Slack's mrkdwn as it was written."""
    if question.kind == "digest":
        return digest_title(read_request(question.text))
    return question.text
