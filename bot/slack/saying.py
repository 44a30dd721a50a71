"""Messages as Slack has them, said with the names of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.slack.period_messages import order, people_in, read_message

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from bot.digests.digest import Message
    from bot.slack.caller import Caller
    from bot.slack.identity import People

    Json = dict[str, Any]


async def said(
    messages: Iterable[Json],
    people: People,
    caller: Caller,
    before: Collection[str] = (),
    unnamed: Sequence[str] = (),
) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Say what people wrote, thread by thread; each message has its `thread_ts`.

    `before` are the ts of roots that are told for their new replies only. Who may not or cannot be
    named has a number, by their place in what is returned beside the messages; `unnamed` are those
    who have theirs already.
    """
    found = sorted(messages, key=lambda m: (order(m["thread_ts"]), order(m["ts"])))
    users = list(dict.fromkeys(user for message in found for user in people_in(message)))
    names = await people.names(users, caller.until_heard)
    numbered = dict.fromkeys([*unnamed, *(user for user in users if user not in names)])
    names |= {user: f"person {number}" for number, user in enumerate(numbered, 1)}
    read = (read_message(message, names, is_before=message["ts"] in before) for message in found)
    return tuple(read), tuple(numbered)
