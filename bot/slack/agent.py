"""Slack's agent surface: suggested prompts, titles, and what a session does.

All of it is cosmetic: workspaces without the agent features refuse it, and no refusal ever is the
reason that an answer fails.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal

from bot.errors import SlackError, SlackRefused
from bot.slack.words import WAITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.slack.web import SlackWeb
    from bot.turns.question import Thread

log = logging.getLogger(__name__)

Status = Literal["active", "processing", "suspended"]  # suspended: it waits for a person

REFUSED_SECONDS = 600.0  # until a method that a workspace does not have is tried again
TITLE_CHARACTERS = 80
PROMPTS = (
    ("What happened this week?", "What happened this week in EU regulation of AI?"),
    ("Compare two things", "Compare PostgreSQL and SQLite for a small web service, with sources."),
    ("Check a claim", "Is it true that heat pumps work below -20 °C? What do measurements say?"),
)
NOT_HERE = {
    "not_agent_app",
    "feature_disabled",
    "unknown_method",
    "missing_scope",
    "not_authorized",
    "method_deprecated",
}


class Agent:
    """Makes the bot look at home where Slack shows agents."""

    def __init__(self, web: SlackWeb, clock: Callable[[], float]) -> None:
        self._web = web
        self._clock = clock
        self._refused_until: dict[str, float] = {}

    async def prompts(self, channel: str) -> None:
        """Offer some questions in a direct message."""
        prompts = [{"title": title, "message": message} for title, message in PROMPTS]
        await self._try(
            "assistant.threads.setSuggestedPrompts", channel_id=channel, prompts=prompts
        )

    async def wait(self, thread: Thread) -> None:
        """Say below a thread that a question waits there. Slack clears it with the next message."""
        await self._try(
            "assistant.threads.setStatus",
            channel_id=thread.channel,
            thread_ts=thread.thread_ts,
            status=WAITS,
        )

    async def status(self, thread: Thread, status: Status) -> None:
        """Say what the thread's session does. Slack takes `processing` back after an hour."""
        await self._try(
            "agents.sessions.setStatus",
            channel_id=thread.channel,
            thread_ts=thread.thread_ts,
            status=status,
        )

    async def title(self, thread: Thread, question: str) -> None:
        """Name a thread by the beginning of its question."""
        title = " ".join(question.split())
        if len(title) > TITLE_CHARACTERS:
            title = title[:TITLE_CHARACTERS].rsplit(" ", 1)[0] + "…"
        await self._try(
            "agents.sessions.rename",
            channel_id=thread.channel,
            thread_ts=thread.thread_ts,
            title=title,
        )

    async def _try(self, method: str, **params: Any) -> None:  # noqa: ANN401 - JSON
        if self._clock() < self._refused_until.get(method, 0.0):
            return
        try:
            await self._web.call(method, **params)
        except SlackError as error:
            if isinstance(error, SlackRefused) and error.code in NOT_HERE:
                self._refused_until[method] = self._clock() + REFUSED_SECONDS
            log.info("cosmetic call refused", extra={"method": method, "code": error.code})
