"""The least that can stand between Slack and a model: the same socket and calls, and nothing else.

No rules, no database, no retries, no memory of a thread, no Markdown: what the bot costs above
this is what its promises cost. `python -m tests.bench.floor 0.01` flushes every 10 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx

Json = dict[str, Any]

SILENCE_SECONDS = 180.0


@dataclass
class Reply:
    """An answer on its way to Slack."""

    place: Json
    text: str = ""
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Floor:
    """Answers mentions."""

    slack: aiohttp.ClientSession
    model: httpx.AsyncClient
    flush_seconds: float
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Acknowledge every envelope, and answer those that mention the bot."""
        app_token = {"Authorization": f"Bearer {os.environ['SLACK_APP_TOKEN']}"}
        async with self.slack.post("apps.connections.open", headers=app_token) as response:
            url = (await response.json())["url"]
        async with self.slack.ws_connect(url) as socket:
            async for frame in socket:
                message = json.loads(frame.data)
                if "envelope_id" in message:
                    await socket.send_json({"envelope_id": message["envelope_id"]})
                    self.take(message["payload"]["event"])

    def take(self, event: Json) -> None:
        """Answer a mention in the background."""
        if event["type"] == "app_mention":
            task = asyncio.create_task(self.answer(event))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def answer(self, event: Json) -> None:
        """Stream the model's answer into the thread."""
        started = await self.call(
            "chat.startStream",
            channel=event["channel"],
            thread_ts=event.get("thread_ts", event["ts"]),
            recipient_user_id=event["user"],
            recipient_team_id=event["team"],
        )
        reply = Reply({"channel": event["channel"], "ts": started["ts"]})
        async with asyncio.TaskGroup() as group:
            group.create_task(self.write(reply))
            await self.read(event["text"], reply)
        await self.call("chat.stopStream", **reply.place)

    async def read(self, text: str, reply: Reply) -> None:
        """Collect the deltas of the model's answer."""
        asked = {
            "model": "local-stand-in",
            "input": text,
            "stream": True,
            "stream_options": {"include_obfuscation": False},
        }
        async with self.model.stream("POST", "responses", json=asked) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    event = json.loads(line.removeprefix("data: "))
                    if event["type"] == "response.output_text.delta":
                        reply.text += event["delta"]
                        reply.woken.set()
        reply.ended.set()
        reply.woken.set()

    async def write(self, reply: Reply) -> None:
        """Append what has gathered, and pause between two appends."""
        while reply.text or not reply.ended.is_set():
            await reply.woken.wait()
            reply.woken.clear()
            if reply.text:
                text, reply.text = reply.text, ""
                await self.call("chat.appendStream", markdown_text=text, **reply.place)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.flush_seconds):
                    await reply.ended.wait()
            if reply.ended.is_set():
                reply.woken.set()

    async def call(self, method: str, **params: object) -> Json:
        """Call a method of the Web API."""
        async with self.slack.post(method, json=params) as response:
            answer: Json = await response.json()
        if not answer["ok"]:
            raise ConnectionError(f"{method}: {answer['error']}")
        return answer


async def main(flush_seconds: float) -> None:
    """Run until SIGTERM."""
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    bot_token = {"Authorization": f"Bearer {os.environ['SLACK_BOT_TOKEN']}"}
    key = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    with contextlib.suppress(asyncio.CancelledError):
        async with (
            aiohttp.ClientSession(os.environ["SLACK_API_URL"], headers=bot_token) as slack,
            httpx.AsyncClient(
                base_url=os.environ["OPENAI_BASE_URL"],
                headers=key,
                timeout=SILENCE_SECONDS,
                limits=limits,
                trust_env=False,
            ) as model,
        ):
            await Floor(slack, model, flush_seconds).run()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
