"""Who people are: display names, looked up once in a while."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.errors import SlackError
from bot.slack.text import plain, users_in
from bot.turns.question import Asked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from bot.slack.web import SlackWeb
    from bot.turns.question import Question

    Call = Callable[..., Awaitable[dict[str, Any]]]  # of a method, with its parameters by name

log = logging.getLogger(__name__)

KEPT_NAMES = 5_000
KEPT_SECONDS = 3_600.0
UNKNOWN_SECONDS = 60.0  # until a name that could not be had is looked up again


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a person."""

    name: str | None
    zone: str  #: an IANA name, as Slack says it


NOBODY = _Known(None, "")


class People:
    """Says questions in plain words."""

    def __init__(self, web: SlackWeb, clock: Callable[[], float], *, share_names: bool) -> None:
        self._web = web
        self._clock = clock
        self._share_names = share_names
        self._known: OrderedDict[str, tuple[_Known, float]] = OrderedDict()

    async def read(self, question: Question) -> Asked:
        """Say a question with names instead of ids; who is not to be named is "someone"."""
        named = [question.user, *users_in(question.text)] if self._share_names else []
        users = list(dict.fromkeys(named))
        found = await asyncio.gather(*(self._name(user) for user in users))
        names = dict(zip(users, found, strict=True))
        known = {user: name for user, name in names.items() if name}
        return Asked(plain(question.text, known), names.get(question.user))

    async def names(self, users: Iterable[str], call: Call) -> dict[str, str]:
        """Return names for the model by user id, without those not known or not to be told.

        Whoever is not known yet is looked up with `call`, one after the other.
        """
        found = {user: await self._name(user, call) for user in users if self._share_names}
        return {user: name for user, name in found.items() if name}

    async def name(self, user: str, call: Call) -> str | None:
        """Return a person's name for Slack's own readers, whatever the model is told."""
        return await self._name(user, call)

    async def zone(self, user: str) -> ZoneInfo:
        """Return a person's time zone; UTC where nobody can say."""
        known = await self._looked_up(user)
        try:
            return ZoneInfo(known.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo("UTC")

    async def _name(self, user: str, call: Call | None = None) -> str | None:
        return (await self._looked_up(user, call)).name

    async def _looked_up(self, user: str, call: Call | None = None) -> _Known:
        known, until = self._known.get(user, (NOBODY, 0.0))
        if self._clock() < until:
            return known
        known = await _ask(user, call or self._web.call)
        kept = KEPT_SECONDS if known.name else UNKNOWN_SECONDS
        self._known[user] = (known, self._clock() + kept)
        self._known.move_to_end(user)
        while len(self._known) > KEPT_NAMES:
            self._known.popitem(last=False)
        return known


async def _ask(user: str, call: Call) -> _Known:
    try:
        answer = await call("users.info", user=user)
    except SlackError as error:
        log.info("no name for a person", extra={"code": error.code})
        return NOBODY
    said = answer.get("user")
    zone = said.get("tz") if isinstance(said, dict) else None
    return _Known(_display_name(said), zone if isinstance(zone, str) else "")


def _display_name(user: Any) -> str | None:  # noqa: ANN401 - JSON
    if not isinstance(user, dict):
        return None
    profile = user.get("profile")
    profile = profile if isinstance(profile, dict) else {}
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"))
    return next((name for name in names if isinstance(name, str) and name.strip()), None)
