"""A hundred questions that wait do not storm a server that is busy."""

from __future__ import annotations

import asyncio

from bot.metrics import Metrics
from bot.responses.client import ResponsesClient, open_http
from bot.responses.patience import Pace, PatientModel
from bot.turns.chains import Chains
from bot.turns.memory import Memory
from bot.turns.prices import Prices
from bot.turns.run import TurnRunner
from bot.turns.turn import Turn
from tests.fakes import FakeHistory, FakeNotes, FakeSlack, FakeStore, a_question
from tests.responses.examples import OPTIONS
from tests.responses.limited import limited_server

TURNS = 200


async def test_all_are_answered_once_and_the_limit_is_met_in_one_window_at_most() -> None:
    store, slack, pace = FakeStore(), FakeSlack(), Pace()
    unsupported = FakeNotes().unsupported()
    async with (
        limited_server(limit=40, seconds=1.0, refuses_each=5) as server,
        open_http(server.base_url, "sk-local") as http,
    ):
        client = ResponsesClient(http, OPTIONS, unsupported, pace.heed)
        runner = TurnRunner(
            slack,
            Memory(slack, FakeHistory(), store),
            PatientModel(client, pace),
            store,
            Metrics(0.0),
            lambda: 0.0,
            Chains("auto", unsupported),
            Prices({}),
        )
        turns = [Turn(n, a_question(ts=f"{n}.0"), None) for n in range(TURNS)]
        async with asyncio.timeout(50):
            await asyncio.gather(*(runner.run(turn) for turn in turns))

    assert sorted(store.ends) == [("answered", n) for n in range(TURNS)]
    assert sorted(map(int, server.answered)) == list(range(TURNS))
    assert server.fullest() <= server.limit
