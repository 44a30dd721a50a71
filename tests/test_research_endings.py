"""Research that comes to a bad end says which, and can be had again."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import (
    ModelOverloaded,
    ModelPolicyRefused,
    ModelRateLimited,
    ModelRunCancelled,
    ModelRunLost,
    ModelRunTooLong,
)
from bot.playground.responses import Profile
from bot.turns.answer import EMPTY, NOTES
from tests.responses.examples import a_completed, a_created, delta, frames
from tests.stage import Stage, open_stage, open_stage_before_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.playground.slack.workspace import Message
    from tests.responses.server import ByteServer

Json = dict[str, Any]

ASKED = "How far is the moon?"
RUN = "resp_run"
JSON = {"content-type": "application/json"}
BRIEF = frames(a_created(), delta("Find out how far it is."), a_completed())
# Said to the resumed stream and to each look; for ten seconds a new response may be not there yet.
GONE = b'{"error": {"message": "Not found."}}'
TEXT = "About 384,400 km ([moon.example](https://moon.example/far))."


def response(status: str, **fields: object) -> Json:
    return {"id": RUN, "model": "m", "background": True, "status": status, "output": [], **fields}


def run_until(kind: str, **fields: object) -> bytes:
    """A run that searches once and comes to this end."""
    item: Json = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    sources = [{"type": "url", "url": "https://moon.example/far"}]
    whole = item | {"action": {"type": "search", "query": "moon", "sources": sources}}
    events: list[Json] = [
        {"type": "response.created", "response": response("queued")},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": whole},
    ]
    if kind:
        events.append({"type": f"response.{kind}", "response": response(kind, **fields)})
    return frames(*[{**event, "sequence_number": n} for n, event in enumerate(events)])


def message(text: str) -> Json:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content}


def failed(code: str) -> bytes:
    return run_until("failed", error={"code": code, "message": "It did not work."})


def shown(message: Message) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


def bots(stage: Stage, root: str) -> list[Message]:
    return [m for m in stage.slack.thread(stage.general, root) if m.bot_id and m.ts != root]


def is_at_rest(stage: Stage, root: str) -> bool:
    session = stage.slack.session(stage.general, root)
    return session is not None and session.status == "active"


@asynccontextmanager
async def ended(folder: Path, *bodies: bytes) -> AsyncIterator[tuple[Stage, ByteServer, str]]:
    """Have something researched that ends so, and leave a good end for the next time."""
    async with open_stage_before_bytes(folder, RESEARCH_ASKS_BACK=False) as (stage, server):
        server.play(BRIEF)
        server.play(bodies[0])
        for body in bodies[1:]:
            server.play(body, status=404, headers=JSON)
        root = await stage.mention(f"research: {ASKED}")
        again = '"try_again"', '"go_deeper"'
        await stage.slack.until(
            lambda _: any(name in "".join(map(shown, bots(stage, root))) for name in again), 40
        )
        await stage.slack.until(lambda _: is_at_rest(stage, root))
        server.forget()
        server.play(BRIEF)
        server.play(run_until("completed", output=[message(TEXT)]))
        yield stage, server, root


@pytest.mark.parametrize(
    ("bodies", "words"),
    [
        ([failed("server_error")], ModelOverloaded.public),
        ([failed("rate_limit_exceeded")], ModelRateLimited.public),
        ([failed("content_policy_violation")], ModelPolicyRefused.public),
        ([run_until("cancelled")], ModelRunCancelled.public),
        ([run_until(""), *[GONE] * 12], ModelRunLost.public),
    ],
    ids=["failed", "limited", "policy", "cancelled", "expired"],
)
async def test_a_run_without_a_report_says_why_and_is_had_again(
    tmp_path: Path, bodies: list[bytes], words: str
) -> None:
    async with ended(tmp_path, *bodies) as (stage, _, root):
        [plan] = bots(stage, root)
        assert "*Not finished after" in shown(plan)
        assert words in shown(plan)
        assert "“moon”" in shown(plan)
        assert "stop_research" not in shown(plan)
        await stage.slack.press(stage.you, stage.general, plan.ts, "try_again")
        await stage.slack.until(lambda _: "is ready" in "".join(map(shown, bots(stage, root))))

        assert len(bots(stage, root)) == 2
        assert bots(stage, root)[0] is plan


CUT = {"reason": "max_output_tokens"}


@pytest.mark.parametrize(
    ("body", "ready", "words"),
    [
        (
            run_until("incomplete", incomplete_details=CUT, output=[message(TEXT)]),
            "your report is ready",
            NOTES["max_output_tokens"],
        ),
        (
            run_until("incomplete", incomplete_details=CUT, output=[message("")]),
            "ended without a report",
            "wrote nothing",
        ),
        (
            run_until("incomplete", incomplete_details={"reason": "content_filter"},
                      output=[message(TEXT)]),
            "your report is ready",
            NOTES["content_filter"],
        ),
        (run_until("completed", output=[message("")]), "ended without a report", EMPTY),
    ],
    ids=["with text", "without text", "filtered", "empty"],
)  # fmt: skip
async def test_a_report_that_is_not_whole_says_so_and_another_is_had_beside_it(
    tmp_path: Path, body: bytes, ready: str, words: str
) -> None:
    async with ended(tmp_path, body) as (stage, _, root):
        plan, report = bots(stage, root)
        assert ready in shown(report)
        assert words in shown(report)
        await stage.slack.press(stage.you, stage.general, report.ts, "go_deeper")
        await stage.slack.until(
            lambda _: (
                shown(bots(stage, root)[-1]).count("your report is ready") == 1
                and len(bots(stage, root)) == 4
            )
        )

        assert bots(stage, root)[:2] == [plan, report]


async def test_a_run_past_its_deadline_is_cancelled_and_had_again(tmp_path: Path) -> None:
    async with open_stage(
        tmp_path, profile=Profile(delta_seconds=0), RESEARCH_MINUTES=0.05
    ) as stage:
        stage.responses.stall_after(10, background=True)
        root = await stage.mention(f"research: {ASKED}")
        await stage.slack.until(lambda _: '"try_again"' in "".join(map(shown, bots(stage, root))))
        [plan] = bots(stage, root)

        assert ModelRunTooLong.public in shown(plan)
        assert any("/cancel" in received.path for received in stage.responses.requests)
        await stage.slack.press(stage.you, stage.general, plan.ts, "try_again")
        await stage.slack.until(
            lambda _: "report is ready" in "".join(map(shown, bots(stage, root)))
        )


async def test_a_run_past_its_deadline_is_reported_as_far_as_it_was_written(
    tmp_path: Path,
) -> None:
    async with open_stage(
        tmp_path, profile=Profile(delta_seconds=0), RESEARCH_MINUTES=0.05
    ) as stage:
        stage.responses.stall_after(60, background=True)
        root = await stage.mention("research: How do I read the sources of an answer?")
        await stage.slack.until(
            lambda _: "report is ready" in "".join(map(shown, bots(stage, root)))
        )
        plan, report = bots(stage, root)

        assert "cut short" in shown(plan)
        assert NOTES["too_late"] in shown(report)
        assert any("/cancel" in received.path for received in stage.responses.requests)
