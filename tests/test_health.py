"""What the bot says of itself, over a real port."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.errors import SettingsError
from bot.health import Health, health_routes, open_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Facts:
    """What the checks find; an exception is raised, and `asleep` never answers."""

    words: dict[str, str | Exception] = field(
        default_factory=lambda: {"database": "ok", "migrations": "ok", "slack": "ok"}
    )
    asleep: set[str] = field(default_factory=set)
    heard: float | None = 1.23
    looks: int = 0

    async def ask(self, name: str) -> str:
        self.looks += 1
        if name in self.asleep:
            await asyncio.Event().wait()
        words = self.words[name]
        if isinstance(words, Exception):
            raise words
        return words


@dataclass
class Visitor:
    """Somebody who asks the server."""

    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.session.get(self.url + path) as response:
            is_json = response.content_type == "application/json"
            return response.status, await (response.json() if is_json else response.text())


@asynccontextmanager
async def a_visitor(facts: Facts, fresh_seconds: float = 0) -> AsyncIterator[Visitor]:
    def check(name: str) -> Any:  # noqa: ANN401 - a check
        return lambda: facts.ask(name)

    health = Health(
        {name: check(name) for name in facts.words},
        lambda: facts.heard,
        lambda: "footnote_questions_taken_total 3\n",
        seconds=0.05,
        fresh_seconds=fresh_seconds,
    )
    async with (
        open_server(health_routes(health), "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
    ):
        yield Visitor(f"http://127.0.0.1:{port}", session)


async def test_a_bot_whose_checks_are_all_well_is_ready() -> None:
    async with a_visitor(Facts()) as visitor:
        assert await visitor.get("/readyz") == (
            200,
            {
                "ready": True,
                "database": "ok",
                "migrations": "ok",
                "slack": "ok",
                "heard_seconds_ago": 1.2,
            },
        )


async def test_a_bot_without_a_socket_is_ready_too() -> None:
    async with a_visitor(Facts(heard=None)) as visitor:
        status, said = await visitor.get("/readyz")

    assert (status, said["heard_seconds_ago"]) == (200, None)


@pytest.mark.parametrize("name", ["database", "migrations", "slack"])
async def test_a_check_that_is_not_well_is_named_with_its_words_and_the_others_too(
    name: str,
) -> None:
    facts = Facts()
    facts.words[name] = "out for lunch"
    async with a_visitor(facts) as visitor:
        status, said = await visitor.get("/readyz")

    assert (status, said["ready"]) == (503, False)
    assert {each: said[each] for each in facts.words} == facts.words


async def test_a_check_that_fails_is_named_without_what_may_be_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    facts = Facts()
    facts.words["database"] = OSError("cannot open sqlite:///secret")
    async with a_visitor(facts) as visitor:
        status, said = await visitor.get("/readyz")

    assert (status, said["database"], said["slack"]) == (503, "failed (OSError)", "ok")
    assert "cannot open" in caplog.text


async def test_a_check_that_does_not_answer_is_not_waited_for() -> None:
    async with a_visitor(Facts(asleep={"database", "slack"})) as visitor:
        status, said = await visitor.get("/readyz")

    assert status == 503
    assert said["database"] == said["slack"] == "no answer within 0.05 seconds"
    assert said["migrations"] == "ok"


async def test_a_bot_that_is_well_again_is_ready_again() -> None:
    facts = Facts(asleep={"database"})
    async with a_visitor(facts) as visitor:
        before, _ = await visitor.get("/readyz")
        facts.asleep.clear()
        after, _ = await visitor.get("/readyz")

    assert (before, after) == (503, 200)


async def test_many_who_ask_at_once_cost_one_look() -> None:
    facts = Facts()
    async with a_visitor(facts, fresh_seconds=60) as visitor:
        answers = await asyncio.gather(*(visitor.get("/readyz") for _ in range(20)))

    assert {status for status, _ in answers} == {200}
    assert facts.looks == len(facts.words)


async def test_a_bot_that_is_not_ready_lives_nevertheless() -> None:
    async with a_visitor(Facts(asleep={"database"})) as visitor:
        assert await visitor.get("/healthz") == (200, "ok")


async def test_the_metrics_are_served_in_the_format_that_their_header_names() -> None:
    async with (
        a_visitor(Facts()) as visitor,
        visitor.session.get(f"{visitor.url}/metrics") as response,
    ):
        text = await response.text()

    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert text == "footnote_questions_taken_total 3\n"


async def test_a_port_that_is_taken_is_said_plainly() -> None:
    async with open_server([], "127.0.0.1", 0) as port:
        with pytest.raises(SettingsError, match=f"PORT {port} cannot be listened on"):
            async with open_server([], "127.0.0.1", port):
                pass
