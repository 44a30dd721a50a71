"""What servers say when there is no answer, or none yet: each form of it, as bytes.

A server may repeat the key and the question in its error; the ones here do, so that a test sees
where they come out again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.responses.examples import a_completed, a_created, delta, frames, wire, wire_json
from tests.responses.server import STREAM

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from tests.responses.server import ByteServer, End

Json = dict[str, Any]

QUESTION = "How far is the moon from Bremen?"
KEY = "sk-proj-of-no-account"
ANSWER = "About 384,400 km."
REPEATED = f"The key {KEY} does not let you ask: {QUESTION}"

JSON = {"content-type": "application/json", "x-request-id": "req_1"}
HTML = {"content-type": "text/html; charset=utf-8", "x-request-id": "req_1"}


@dataclass(frozen=True, slots=True)
class Said:
    """One answer of a server, to one request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: STREAM)
    body: bytes = b""
    end: End = "whole"

    @property
    def request_id(self) -> str | None:
        return self.headers.get("x-request-id")

    def under(self, **headers: str) -> Said:
        """Return the same with more headers."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **more})

    def play(self, server: ByteServer) -> None:
        pieces = [self.body] if self.body else []
        server.play(*pieces, status=self.status, headers=self.headers, end=self.end)


def enveloped(status: int, message: str = REPEATED, **error: object) -> Said:
    """OpenAI's form."""
    said = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return _json(status, {"error": said | error})


def flat(status: int, message: str = REPEATED, **error: object) -> Said:
    """The same without its envelope."""
    said = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return _json(status, said | error)


def numbered(status: int, message: str = REPEATED, kind: str = "invalid_request_error") -> Said:
    """llama.cpp's form: the code is the status."""
    return _json(status, {"error": {"code": status, "message": message, "type": kind}})


def worded(status: int, message: str = REPEATED, code: str = "refused") -> Said:
    """xAI's form: the error is a sentence."""
    return _json(status, {"code": code, "error": message})


def detailed(status: int, detail: object = REPEATED) -> Said:
    """FastAPI's form."""
    return _json(status, {"detail": detail})


def a_page(status: int) -> Said:
    """A proxy's form."""
    return Said(status, HTML, f"<!DOCTYPE html><title>Error {status}</title>".encode())


def nothing(status: int) -> Said:
    return Said(status, {"x-request-id": "req_1"})


def recorded(name: str) -> Said:
    """An error as a server sent it, headers and all."""
    row = wire_json("http_errors.json")[name]
    body = row["body_text"] if "body_text" in row else json.dumps(row["body"])
    return Said(row["status"], row["headers"], body.encode())


def played(name: str) -> Said:
    """A whole answer as a server sent it."""
    return Said(200, STREAM if name.endswith(".sse") else JSON, wire(name))


def in_a_stream(code: object, message: str = REPEATED, text: str = "") -> Said:
    """An `error` event, and the `response.failed` that says it again."""
    error = {"code": code, "message": message, "type": None, "param": None}
    return _stream(text, {"type": "keepalive"}, {"type": "error", "error": error}, _failed(error))


def flat_in_a_stream(code: object, message: str = REPEATED, text: str = "") -> Said:
    """An `error` event without an envelope, after which nothing comes."""
    return _stream(text, {"type": "error", "code": code, "message": message, "param": None})


def failed_in_a_stream(code: object, message: str = REPEATED, text: str = "") -> Said:
    """A `response.failed` alone."""
    return _stream(text, _failed({"code": code, "message": message}))


def failed(code: object, message: str = REPEATED) -> Said:
    """A response of the status `failed`, where a server does not stream."""
    return _json(200, _failed({"code": code, "message": message})["response"])


def broken(end: End, text: str = "") -> Said:
    """A stream without its end."""
    return replace(_stream(text), end=end)


def answered(text: str, response_id: str, parent: str | None = None) -> Said:
    """A stream that answers."""
    created = a_created(response_id)
    created["response"] |= {"previous_response_id": parent}
    completed = a_completed(id=response_id, previous_response_id=parent)
    return Said(body=frames(created, delta(text), completed))


def leaked(log: pytest.LogCaptureFixture, *more: str) -> list[str]:
    """Say which of the texts and secrets stand in the log."""
    logged = log.text + repr([record.__dict__ for record in log.records])
    return [text for text in (QUESTION, "Bremen", KEY, "sk-proj", ANSWER, *more) if text in logged]


def _json(status: int, body: object) -> Said:
    return Said(status, JSON, json.dumps(body).encode())


def _stream(text: str, *events: Json) -> Said:
    written = [delta(text)] if text else []
    return Said(body=frames(a_created("resp_unsaid"), *written, *events))


def _failed(error: Json) -> Json:
    response = {"id": "resp_unsaid", "object": "response", "status": "failed", "output": []}
    return {"type": "response.failed", "response": response | {"error": error}}
