"""The bytes of a file go where Slack says, if they may, and the token stays."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SlackRefused, SlackUnreachable
from bot.slack.web import SlackWeb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def storage(status: int) -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """A server that takes bytes and answers as it is told; what headers it saw."""
    seen: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(dict(request.headers) | {"body": await request.text()})
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/{rest:.*}", take)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        await runner.cleanup()


async def test_the_token_stays_with_the_web_api() -> None:
    async with storage(200) as (url, seen):
        await SlackWeb(AsyncWebClient(token="xoxb-secret", base_url=f"{url}/api/")).upload(
            f"{url}/upload/1", b"text"
        )

    assert [one["body"] for one in seen] == ["text"]
    assert "secret" not in str(seen)


async def test_bytes_are_not_sent_on_to_where_an_answer_points() -> None:
    async with storage(307) as (url, seen):
        slack = SlackWeb(AsyncWebClient(token="xoxb-secret", base_url=f"{url}/api/"))
        with pytest.raises(SlackRefused, match="http_307"):
            await slack.upload(f"{url}/upload/1", b"text")

    assert len(seen) == 1


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("{url}/upload/1", id="another port, not encrypted"),
        pytest.param("http://files.slack.com/upload/1", id="another host, not encrypted"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("/upload/1", id="no host"),
        pytest.param("https:///upload/1", id="an empty host"),
        pytest.param("https://[", id="half an address"),
        pytest.param("http://127.0.0.1:x/", id="no port"),
    ],
)
async def test_bytes_go_only_to_encrypted_addresses_and_to_the_web_apis_own(address: str) -> None:
    async with storage(200) as (url, seen):
        slack = SlackWeb(AsyncWebClient(token="xoxb-secret", base_url="http://127.0.0.1:1/api/"))
        with pytest.raises(SlackRefused, match="bad_address"):
            await slack.upload(address.format(url=url), b"text")

    assert seen == []


async def test_an_encrypted_address_of_any_host_may_have_them() -> None:
    async with storage(200) as (url, seen):
        slack = SlackWeb(AsyncWebClient(token="xoxb-secret", base_url="http://127.0.0.1:1/api/"))
        with pytest.raises(SlackUnreachable):  # tried, and met by a server without encryption
            await slack.upload(url.replace("http:", "https:"), b"text")

    assert seen == []
