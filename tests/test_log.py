from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.log import JsonLines, Redacting, bound, redacted, set_up_logging

if TYPE_CHECKING:
    from collections.abc import Iterator

BOT_TOKEN = "xoxb-1111-2222-bottokenbottoken"
LIBRARIES = ("slack_sdk", "slack_bolt", "alembic", "httpx", "httpcore", "aiohttp.access",
             "aiosqlite", "sqlalchemy")  # fmt: skip

log = logging.getLogger("bot.somewhere")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    named = {name: logging.getLogger(name).level for name in ("bot", *LIBRARIES)}
    root.handlers = []
    yield
    root.handlers = handlers
    root.setLevel(level)
    for name, was in named.items():
        logging.getLogger(name).setLevel(was)


def fail(words: str) -> None:
    raise ValueError(words)


def written(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_a_text_line_has_time_level_logger_sentence_and_facts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging()
    log.info("message takes no more", extra={"part": 2, "why": "it is full", "nothing": None})
    line = written(capsys)

    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 INFO bot\.somewhere: "
        r'message takes no more part=2 why="it is full"\n',
        line,
    )


def test_a_json_line_is_one_object_with_the_facts_as_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging(style="json")
    log.warning("reply %s", "left\nopen", extra={"turn": 7, "level": "is not hidden", "ts": "1.2"})
    (line,) = written(capsys).splitlines()
    found = json.loads(line)
    time = found.pop("time")

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", time)
    assert found == {
        "level": "WARNING",
        "logger": "bot.somewhere",
        "message": "reply left\nopen",
        "turn": 7,
        "ts": "1.2",
    }
    assert list(json.loads(line))[:4] == ["time", "level", "logger", "message"]


def test_an_exception_stands_in_both_forms(capsys: pytest.CaptureFixture[str]) -> None:
    for style in ("text", "json"):
        set_up_logging(style="json" if style == "json" else "text")
        try:
            fail("odd shape")
        except ValueError:
            log.exception("event skipped", extra={"ts": "1.2"})

        assert "ValueError: odd shape" in written(capsys), style


def test_a_value_cannot_begin_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()
    log.info("odd", extra={"code": "a\n2026-01-01 ERROR bot: made up"})

    assert written(capsys).count("\n") == 1


def test_what_is_bound_stands_on_every_line_inside(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()
    with bound(turn=7, channel="C1"):
        log.info("one")
        with bound(thread_ts="1.2"):
            log.info("two", extra={"channel": "C2"})
    log.info("three")
    one, two, three = written(capsys).splitlines()

    assert one.endswith("one turn=7 channel=C1")
    assert two.endswith("two channel=C2 turn=7 thread_ts=1.2")
    assert three.endswith("three")


def test_a_line_of_a_library_has_what_is_bound_too(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()
    with bound(turn=7):
        logging.getLogger("slack_sdk.web").warning("odd")

    assert written(capsys).endswith("odd turn=7\n")


async def test_turns_that_run_at_once_keep_their_own_facts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging()
    both = asyncio.Barrier(2)

    async def turn(number: int) -> None:
        with bound(turn=number):
            await both.wait()
            log.info("of %s", number)
            await asyncio.create_task(child(number))

    async def child(number: int) -> None:
        log.info("task of %s", number)

    await asyncio.gather(turn(1), turn(2))
    lines = sorted(line.partition("somewhere: ")[2] for line in written(capsys).splitlines())

    assert lines == ["of 1 turn=1", "of 2 turn=2", "task of 1 turn=1", "task of 2 turn=2"]


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_the_level_is_that_of_the_bots_own_lines(
    level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(level)
    for number in (10, 20, 30, 40, 50):
        log.log(number, "heard")
    heard = [line.split()[1] for line in written(capsys).splitlines()]

    assert heard[0] == level
    assert heard[-1] == "CRITICAL"


@pytest.mark.parametrize("name", LIBRARIES)
def test_at_debug_the_libraries_say_no_more_than_at_info(name: str) -> None:
    levels = []
    for level in ("INFO", "DEBUG"):
        set_up_logging(level)
        levels.append(logging.getLogger(f"{name}.any").getEffectiveLevel())

    assert levels[0] == levels[1] >= logging.INFO


@pytest.mark.parametrize(
    "name",
    [
        "httpx",
        "httpcore.http11",
        "aiohttp.access",
        "aiosqlite",
        "sqlalchemy.engine",
        "alembic.runtime",
    ],
)
def test_addresses_and_statements_of_libraries_are_not_logged(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("DEBUG")
    logging.getLogger(name).info("POST https://models.example/v1/responses")
    logging.getLogger(name).warning("trouble")

    assert [line.split(": ")[1] for line in written(capsys).splitlines()] == ["trouble"]


@pytest.mark.parametrize(
    "secret",
    [
        BOT_TOKEN,
        "xoxp-1-2-abcdef",
        "xoxe.xoxb-1-abcdefgh",
        "xoxe-1-abcdefgh",
        "xapp-1-A1-3333-apptokenapptoken",
        "sk-proj-abc_DEF-123",
        "SK-PROJ-ABC123",
    ],
)
@pytest.mark.parametrize(
    "text",
    ["{}", "token={}", "{{'token': '{}'}}", '"{}"', "Bearer {}", "a/{}/b", "({})", "é{},", "-{}"],
)
def test_what_looks_like_a_token_is_not_shown(secret: str, text: str) -> None:
    shown = redacted(text.format(secret))

    assert "[redacted]" in shown
    assert secret not in shown
    assert secret[7:] not in shown


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer gatewaykey123",
        "wss://wss-primary.slack.example/link/?ticket=gatewaykey123&app_id=A1",
        "https://hooks.slack.com/commands/T1/2/gatewaykey123",
    ],
)
def test_what_gives_access_by_its_place_is_not_shown(text: str) -> None:
    assert "gatewaykey123" not in redacted(text)


@pytest.mark.parametrize(
    "text",
    ["task-forces and risk-takers", "the bearer of news", "sk-", "xoxb- tokens", "ask-me-anything"],
)
def test_words_are_shown_as_they_are(text: str) -> None:
    assert redacted(text) == text


def test_no_secret_is_written_wherever_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    for style in ("text", "json"):
        set_up_logging(
            "DEBUG", "json" if style == "json" else "text", ["a-gateways-own-key", "except"]
        )
        try:
            fail(f"exception with {BOT_TOKEN} and a-gateways-own-key")
        except ValueError:
            log.exception("a %s", BOT_TOKEN, extra={"key": "a-gateways-own-key", "b": BOT_TOKEN})
        text = written(capsys)

        assert "bottoken" not in text
        assert "gateways" not in text
        assert "exception with" in text  # a secret shorter than any is not one


TEXTS = st.text(st.sampled_from('sk-xob 1a\\"\n')) | st.text()


@given(TEXTS, st.dictionaries(st.text(), TEXTS))
@example("\nsk-abcdefghij \x1bxapp-abcdefghij", {})
@example('sk-abcdefghij"', {})
@example("sk-abcdefghij\n", {"a": "xoxb-abcdefghij\\"})
def test_a_json_line_is_json_whatever_is_said(message: str, facts: dict[str, str]) -> None:
    record = logging.makeLogRecord({"msg": "%s", "args": (message,), "fact": facts})
    found = json.loads(Redacting(JsonLines()).format(record))

    assert found["message"] == redacted(message)
