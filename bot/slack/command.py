"""A slash command becomes the root of a thread, and a question in it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp

from bot.errors import SlackError, SlackRefused, SlackUnreachable
from bot.slack.markdown import escape
from bot.slack.text import plain
from bot.slack.words import NOT_ASKED, elsewhere_words
from bot.turns.question import Question, Thread

if TYPE_CHECKING:
    from bot.slack.web import SlackWeb

log = logging.getLogger(__name__)

Json = dict[str, Any]

RESPONSE_SECONDS = 10.0  # for an answer at a response_url


class Inbox(Protocol):
    """Takes questions."""

    async def take(self, question: Question) -> bool:
        """Take a question in; False when it was taken before."""
        ...


@dataclass(frozen=True, slots=True)
class Commands:
    """Runs `/ask`."""

    web: SlackWeb
    inbox: Inbox
    team: str

    async def ask(self, command: Json) -> None:
        """Post the question where it was asked, or in a direct message if that is not allowed."""
        user, text = str(command.get("user_id")), str(command.get("text"))
        root: Thread | None
        try:
            root = await self._post_root(str(command.get("channel_id")), user, text)
        except SlackRefused as refused:
            log.info("a command's question goes to a direct message", extra={"code": refused.code})
            root = await self._ask_directly(command, user, text)
        except SlackError as error:
            await self._tell_not_asked(command, error)
            return
        if root is not None:
            await self._take(command, self._question(command, root, text))

    async def _take(self, command: Json, question: Question) -> None:
        try:
            await self.inbox.take(question)
        except Exception:
            log.exception("a command's question could not be taken in")
            await self._tell(command, NOT_ASKED.format(reference=question.ts))

    async def _ask_directly(self, command: Json, user: str, text: str) -> Thread | None:
        try:
            opened = await self.web.call("conversations.open", users=user)
            channel = opened.get("channel")
            direct = _string("conversations.open", channel, "id")
            root = await self._post_root(direct, user, text)
        except SlackError as error:
            await self._tell_not_asked(command, error)
            return None
        link = await self._link(root)
        await self._tell(command, elsewhere_words(link))
        return root

    async def _post_root(self, channel: str, user: str, text: str) -> Thread:
        method = "chat.postMessage"
        answer = await self.web.call(
            method,
            channel=channel,
            text=f"<@{user}> asked: {escape(plain(text, {}))}",
            parse="none",
            unfurl_links=False,
            unfurl_media=False,
        )
        posted, ts = _string(method, answer, "channel"), _string(method, answer, "ts")
        return Thread(team=self.team, channel=posted, thread_ts=ts)

    def _question(self, command: Json, root: Thread, text: str) -> Question:
        return Question(
            thread=root,
            ts=root.thread_ts,
            user=str(command.get("user_id")),
            user_team=str(command.get("team_id") or self.team),
            text=text,
        )

    async def _link(self, thread: Thread) -> str:
        try:
            answer = await self.web.call(
                "chat.getPermalink", channel=thread.channel, message_ts=thread.thread_ts
            )
        except SlackError:
            return ""
        link = answer.get("permalink")
        return f"<{link}|here it is>" if link else ""

    async def _tell_not_asked(self, command: Json, error: SlackError) -> None:
        reference = f"{error.method} {error.code}"
        log.warning("a command's question could not be posted", extra={"code": reference})
        await self._tell(command, NOT_ASKED.format(reference=reference))

    async def _tell(self, command: Json, words: str) -> None:
        """Tell the person alone; a response_url works where the bot is no member."""
        timeout = aiohttp.ClientTimeout(total=RESPONSE_SECONDS)
        try:
            async with (
                # With the proxy of the environment, as slack_sdk's own calls go.
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                session.post(str(command.get("response_url")), json={"text": words}) as response,
            ):
                response.raise_for_status()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("a person could not be told", extra={"error": type(error).__name__})


def _string(method: str, answer: object, name: str) -> str:
    """Return a field that the answer to a call must have; without it nobody knows what happened."""
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value:
        raise SlackUnreachable(method, f"no_{name}")
    return value
