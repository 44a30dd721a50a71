"""Messages as Slack has them, said with the names of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.slack.period_messages import order, people_in, read_message

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bot.digests.digest import Message
    from bot.slack.caller import Caller
    from bot.slack.identity import People

    Json = dict[str, Any]


async def said(
    messages: Iterable[Json], people: People, caller: Caller, before: Collection[str] = ()
) -> tuple[Message, ...]:
    """Say what people wrote, thread by thread; each message has its `thread_ts`.

    `before` are the ts of roots that are told for their new replies only.
    """
    found = sorted(messages, key=lambda m: (order(m["thread_ts"]), order(m["ts"])))
    users = list(dict.fromkeys(user for message in found for user in people_in(message)))
    names = await people.names(users, caller.until_heard)
    # Who may not or cannot be named is still told from all others.
    unnamed = [user for user in users if user not in names]
    names |= {user: f"person {number}" for number, user in enumerate(unnamed, 1)}
    return tuple(
        read_message(message, names, is_before=message["ts"] in before) for message in found
    )
