"""What only the person who typed a command is told."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.turns.question import Question

Json = dict[str, Any]

log = logging.getLogger(__name__)

RESPONSE_SECONDS = 10.0  # for an answer at a response_url
KEPT = 1_000  # addresses; each works for 30 minutes


class Hints:
    """Tells people alone, at the addresses that came with their commands.

    A response_url works where the bot is no member. It is kept by this process only: who takes a
    question over after its death posts it, and tells nobody where.
    """

    def __init__(self) -> None:
        self._urls: OrderedDict[tuple[str, str], str] = OrderedDict()

    def remember(self, question: Question, response_url: str) -> None:
        """Keep the address at which the asker can be told something."""
        self._urls[question.user, question.text] = response_url
        while len(self._urls) > KEPT:
            self._urls.popitem(last=False)

    async def tell(self, question: Question, words: str) -> None:
        """Tell the asker, if there is a way."""
        url = self._urls.get((question.user, question.text))
        if url is None:
            log.warning("a person could not be told", extra={"error": "no response_url"})
            return
        await self.respond(url, words)

    async def respond(
        self, url: str, words: str, blocks: Sequence[Json] = (), *, replace: bool = False
    ) -> None:
        """Tell who did something, at the address that came with it."""
        body: Json = {"text": words, "replace_original": replace}
        if blocks:
            body["blocks"] = list(blocks)
        timeout = aiohttp.ClientTimeout(total=RESPONSE_SECONDS)
        try:
            async with (
                # With the proxy of the environment, as slack_sdk's own calls go.
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                session.post(url, json=body) as response,
            ):
                response.raise_for_status()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("a person could not be told", extra={"error": type(error).__name__})
