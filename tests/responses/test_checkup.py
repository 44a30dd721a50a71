from __future__ import annotations

from datetime import date

import pytest

from bot.playground.responses import LocalResponses
from bot.responses.checkup import check_model
from bot.responses.client import open_http

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("shutdown", "state", "words"),
    [
        (None, "ok", "The server has sol, and names no day on which it ends."),
        ("soon", "ok", "The server has sol, and names no day on which it ends."),
        ("2026-05-01", "ok", "The server has sol until 2026-05-01."),
        ("2026-04-30", "warning", "sol is to be shut down on 2026-04-30, in 60 days."),
        ("2026-03-01", "warning", "sol was to end on 2026-03-01."),
    ],
)
async def test_a_model_that_is_to_be_shut_down_soon_is_a_warning(
    shutdown: str | None, state: str, words: str
) -> None:
    async with LocalResponses.start() as server, open_http(server.base_url, server.api_key) as http:
        listed = {"data": [None, {"id": "luna"}, {"id": "sol", "shutdown_date": shutdown}]}
        server.fail(200, listed, on="models")
        finding, served = await check_model(http, "sol", TODAY)

    assert (finding.state, finding.found) == (state, words)
    assert served is not None
    assert served.date is not None
