from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.errors import SlackRefused
from bot.slack.identity import KEPT_NAMES, KEPT_SECONDS, UNKNOWN_SECONDS, People, _Known
from bot.turns.question import Asked
from tests.fakes import a_question
from tests.slack.servers import Answers, slack_web


def named(display_name: object, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"json": {"ok": True, "user": {"profile": {"display_name": display_name}, **more}}}


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def looked_up(answers: Answers) -> list[str]:
    return [params["user"] for _, params in answers.calls]


async def test_a_question_is_read_with_names_and_each_is_looked_up_once() -> None:
    async with slack_web() as (web, answers):
        people = People(web, Clock(), share_names=True)
        answers.next = [named("Ana")]
        question = a_question("ask <@U1> and <@U1>")
        read = await people.read(question)
        again = await people.read(question)

    assert read == again == Asked("ask @Ana and @Ana", "Ana")
    assert looked_up(answers) == ["U1"]


async def test_names_are_not_shared_where_that_is_not_wanted() -> None:
    async with slack_web() as (web, answers):
        read = await People(web, Clock(), share_names=False).read(a_question("<@U2>?"))

    assert read == Asked("@someone?", None)
    assert answers.calls == []


async def test_a_name_that_cannot_be_had_is_someone_and_is_asked_for_again_later() -> None:
    async with slack_web() as (web, answers):
        clock = Clock()
        people = People(web, clock, share_names=True)
        answers.next = [{"json": {"ok": False, "error": "user_not_found"}}, named("Ana")]
        first = await people.read(a_question("<@U1>?"))
        clock.now += UNKNOWN_SECONDS + 1
        second = await people.read(a_question("<@U1>?"))

    assert first == Asked("@someone?", None)
    assert second == Asked("@Ana?", "Ana")


async def test_a_name_is_looked_up_anew_after_an_hour() -> None:
    async with slack_web() as (web, answers):
        clock = Clock()
        people = People(web, clock, share_names=True)
        answers.next = [named("Ana"), named("Ann")]
        await people.read(a_question())
        clock.now += KEPT_SECONDS + 1
        read = await people.read(a_question())

    assert read.name == "Ann"


async def test_who_has_no_display_name_goes_by_the_real_one_and_shapes_are_not_trusted() -> None:
    async with slack_web() as (web, answers):
        people = People(web, Clock(), share_names=True)
        answers.next = [
            named("", real_name="Bo"),
            named({"a": 1}),
            {"json": {"ok": True, "user": []}},
            {"json": {"ok": True, "user": {"profile": "x"}}},
        ]
        names = [(await people.read(replace(a_question(), user=f"U{n}"))).name for n in range(4)]

    assert names == ["Bo", None, None, None]


async def test_only_so_many_names_are_kept() -> None:
    async with slack_web() as (web, answers):
        people = People(web, Clock(), share_names=True)
        for number in range(KEPT_NAMES + 1):
            people._known[f"U{number}"] = (_Known("x", ""), 2_000.0)  # noqa: SLF001 - or 5,000 calls
        await people.read(replace(a_question(), user="UNEW"))
        await people.read(replace(a_question(), user=f"U{KEPT_NAMES}"))

    assert looked_up(answers) == ["UNEW"]
    assert len(people._known) == KEPT_NAMES  # noqa: SLF001 - what the bound is for


async def test_many_are_looked_up_once_and_by_the_call_that_is_given() -> None:
    asked: list[str] = []

    async def call(method: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        asked.append(f"{method} {params['user']}")
        if params["user"] == "U3":
            raise SlackRefused(method, "user_not_found")
        return {"user": {"profile": {"display_name": f"Name {params['user']}"}}}

    async with slack_web() as (web, answers):
        people = People(web, Clock(), share_names=True)
        first = await people.names(["U1", "U2", "U3"], call)
        again = await people.names(["U2", "U1"], call)

    assert first == {"U1": "Name U1", "U2": "Name U2"} == dict(sorted(again.items()))
    assert asked == ["users.info U1", "users.info U2", "users.info U3"]
    assert answers.calls == []


@pytest.mark.parametrize(
    ("tz", "expected"),
    [("Europe/Berlin", "Europe/Berlin"), ("Mars/Olympus", "UTC"), (None, "UTC"), ("../x", "UTC")],
)
async def test_a_person_has_a_time_zone_that_is_looked_up_with_the_name(
    tz: str | None, expected: str
) -> None:
    async with slack_web() as (web, answers):
        answers.next = [{"json": {"ok": True, "user": {"real_name": "You", "tz": tz}}}]
        people = People(web, Clock(), share_names=False)
        zones = [await people.zone("U1") for _ in range(2)]

    assert [zone.key for zone in zones] == [expected] * 2
    assert looked_up(answers) == ["U1"]
