from __future__ import annotations

from typing import Any

import pytest

from bot.errors import SlackError, SlackRateLimited, SlackRefused, SlackUnreachable
from bot.slack.web import DEFAULT_PAUSE_SECONDS
from tests.slack.servers import slack_web


async def test_a_call_sends_what_is_not_none_and_returns_the_answer() -> None:
    async with slack_web() as (web, answers):
        answers.next = [{"json": {"ok": True, "ts": "1.1"}}]
        answer = await web.call("chat.postMessage", channel="C1", thread_ts=None)

    assert answer["ts"] == "1.1"
    assert answers.calls == [("chat.postMessage", {"channel": "C1"})]


async def test_methods_that_read_no_json_are_asked_by_query() -> None:
    async with slack_web() as (web, answers):
        await web.call("users.info", user="U1")

    assert answers.calls == [("users.info", {"user": "U1"})]


async def refused(answer: dict[str, Any]) -> SlackError:
    async with slack_web() as (web, answers):
        answers.next = [answer]
        with pytest.raises(SlackError) as caught:
            await web.call("chat.update", text="a secret")

    assert len(answers.calls) == 1  # never by itself a second time
    assert "secret" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "soon"}, DEFAULT_PAUSE_SECONDS),
        ({"Retry-After": "inf"}, DEFAULT_PAUSE_SECONDS),
        ({"Retry-After": "nan"}, DEFAULT_PAUSE_SECONDS),
        ({"Retry-After": "-3"}, 0.0),
        ({}, DEFAULT_PAUSE_SECONDS),
    ],
)
async def test_a_429_says_how_long_to_wait(headers: dict[str, str], seconds: float) -> None:
    error = await refused(
        {"json": {"ok": False, "error": "ratelimited"}, "status": 429, "headers": headers}
    )

    assert isinstance(error, SlackRateLimited)
    assert error.retry_after == seconds


@pytest.mark.parametrize("code", ["ratelimited", "rate_limited"])
async def test_a_limit_told_under_http_200_is_one_too(code: str) -> None:
    assert isinstance(await refused({"json": {"ok": False, "error": code}}), SlackRateLimited)


async def test_an_answer_that_is_not_ok_is_a_refusal_with_its_code() -> None:
    error = await refused({"json": {"ok": False, "error": "not_in_channel"}})

    assert isinstance(error, SlackRefused)
    assert (error.method, error.code) == ("chat.update", "not_in_channel")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"text": "<html>Oops</html>", "status": 500}, id="a server's error"),
        pytest.param({"json": {"ok": False, "error": "fatal_error"}, "status": 503}, id="503"),
        pytest.param({"text": "<html>Login</html>", "content_type": "text/html"}, id="a page"),
        pytest.param({"text": "no healthy upstream", "status": 503}, id="a line of a gateway"),
        pytest.param({"text": "ok"}, id="a line of text"),
        pytest.param({"text": "{", "content_type": "application/json"}, id="half of an answer"),
        pytest.param({"json": ["ok"]}, id="a list"),
        pytest.param({"json": None}, id="null"),
        pytest.param({"drop": True}, id="a dropped connection"),
    ],
)
async def test_where_it_is_unknown_whether_slack_acted_it_is_said_so(
    answer: dict[str, Any],
) -> None:
    assert isinstance(await refused(answer), SlackUnreachable)
