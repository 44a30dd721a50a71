"""What people see in the end, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.turns.turn import TurnState
from tests.crash.verdict import FOOTER, is_given_up, sentences
from tests.machine.outside import SENTENCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.playground.slack.workspace import Message
    from tests.machine.people import Question
    from tests.machine.watch import Row
    from tests.machine.world import World

ENDED = {TurnState.ANSWERED, TurnState.FAILED, TurnState.STOPPED}


def judge(world: World) -> Iterator[str]:
    """Say what is wrong once everything has come to rest."""
    rows = list(world.watch.rows.values())
    for delivery in world.people.deliveries:
        if delivery.kind == "event" and not delivery.is_acknowledged:
            yield f"never acknowledged: {delivery}"
    for question in world.people.questions:
        of_it = [row for row in rows if row.text == question.text]
        yield from _judge_question(world, question, of_it)
    for row in rows:
        messages = _messages(world, row)
        yield from _judge_turn(row, messages, was_told=row.text in world.told)
    yield from _judge_messages(world, rows)


def _judge_question(world: World, question: Question, rows: Sequence[Row]) -> Iterator[str]:
    commands = [d for d in world.people.deliveries if d.kind == "command"]
    unheard = [d for d in commands if d.body["text"] == question.text and not d.is_acknowledged]
    if len(rows) != 1 and not (unheard and not rows):  # the person saw that it was not taken
        yield f"{question} has the turns {rows}"
    for row in rows:
        if question.ts is not None and row.ts != question.ts:
            yield f"{question} is {row}"


def _judge_turn(row: Row, messages: Sequence[Message], *, was_told: bool) -> Iterator[str]:
    if row.state not in ENDED:
        yield f"not ended: {row}"
    number = int(row.text.removeprefix("Q").removesuffix("?"))
    said = sentences(messages)
    whole = [(number, place) for place in range(SENTENCES)]
    footers = sum(FOOTER in str(message.final_blocks or message.blocks) for message in messages)
    buttons = sum(is_given_up(message) for message in messages)
    match row.state:
        case TurnState.ANSWERED if (said, footers, buttons) != (whole, 1, 0):
            yield f"answered like this: {row}, {said}, {footers} footers, {buttons} buttons"
        case TurnState.FAILED if row.place[1] and (footers, buttons) != (0, 1):
            yield f"failed like this: {row}, {footers} footers, {buttons} buttons"
        case TurnState.FAILED if not row.place[1] and not was_told:
            yield f"failed, and nobody knows: {row}"
        case TurnState.STOPPED if row.epoch == 0 and messages:
            yield f"answered, though it was taken back: {row}, {messages}"
    if said != whole[: len(said)]:
        yield f"said in another way than the model said it: {row}, {said}"


def _judge_messages(world: World, rows: Sequence[Row]) -> Iterator[str]:
    known = [ts for row in rows for _, ts in row.messages if ts is not None]
    if len(set(known)) != len(known):
        yield f"two turns have one message: {known}"
    placed = [row.ts for row in rows]  # the root of a command's thread is its question
    there = [m for m in world.people.channel.messages.values() if m.bot_id]
    for message in there:
        if message.ts not in [*known, *placed]:
            yield f"nobody's message: {message}"
        if message.streaming_state == "in_progress":
            yield f"left spinning: {message}"


def _messages(world: World, row: Row) -> list[Message]:
    there = world.people.channel.messages
    answers = [ts for part, ts in row.messages if part and ts is not None]
    return [there[ts] for ts in answers if ts in there]
