"""Short texts, over real sockets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import ModelCutOff
from bot.responses.client import ResponsesClient, open_http
from bot.responses.patience import Pace, PatientModel
from bot.responses.writing import WritingModel
from bot.turns.preparation import FORM
from tests.fakes import FakeNotes
from tests.responses.examples import (
    ASKED,
    OPTIONS,
    a_completed,
    a_created,
    a_turn,
    delta,
    ended,
    frames,
)
from tests.responses.server import ByteServer, byte_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WRITING = replace(OPTIONS, dialects=(), store=False, form=FORM)
SAID = frames(a_created(), delta("Two "), delta("words."), a_completed())


@pytest.fixture
async def server() -> AsyncIterator[ByteServer]:
    async with byte_server() as server:
        yield server


@pytest.fixture
async def model(server: ByteServer) -> AsyncIterator[WritingModel]:
    async with open_http(server.base_url, "sk-local") as http:
        client = ResponsesClient(http, WRITING, FakeNotes().unsupported())
        yield WritingModel(PatientModel(client, Pace()))


async def test_a_text_is_written_whole_in_its_form_and_off_the_web(
    server: ByteServer, model: WritingModel
) -> None:
    server.play(SAID)
    written = await model.write(ASKED, a_turn(previous_response_id="resp_0"))

    assert (written.text, written.finished) == ("Two words.", ended())
    [received] = server.received
    assert isinstance(received.body, dict)
    assert received.body["store"] is False
    assert received.body["text"] == {
        "format": {
            "type": "json_schema",
            "name": "clarifying",
            "schema": FORM.schema,
            "strict": True,
        }
    }
    assert not {"tools", "include", "previous_response_id"} & received.body.keys()


@pytest.mark.parametrize("param", ["text.format", "text.format.schema", "text"])
async def test_a_server_without_forms_is_asked_without(
    server: ByteServer, model: WritingModel, param: str
) -> None:
    error = {"message": f"Unknown parameter: '{param}'.", "param": param}
    refusal = {"error": {**error, "code": "unknown_parameter"}}
    json_type = {"content-type": "application/json"}
    server.play(json.dumps(refusal).encode(), status=400, headers=json_type)
    server.play(SAID)

    assert (await model.write(ASKED, a_turn())).text == "Two words."
    assert isinstance(server.received[-1].body, dict)
    assert "text" not in server.received[-1].body


async def test_a_text_that_breaks_off_is_none(server: ByteServer, model: WritingModel) -> None:
    server.play(frames(a_created(), delta("Two ")), end="close")
    with pytest.raises(ModelCutOff):
        await model.write(ASKED, a_turn())
