"""A bot that is killed: a process that has imported everything forks one for each life.

A life is a line of JSON on standard input: its settings, and after how many borders between two
recorded steps it kills itself. What came of it is told on standard output.
"""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import signal
import sys
import traceback
from typing import TYPE_CHECKING, Any

from bot.app import open_bot, until_stopped
from bot.log import set_up_logging
from bot.settings import load_settings
from bot.slack import pacing
from bot.slack.web import SlackWeb
from bot.store import turns
from bot.store.database import FileDatabase, ServerDatabase
from bot.store.leases import Beat
from tests.crash.fast import FastClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Json = dict[str, Any]

FLUSH_SECONDS = 0.02
BEAT = Beat(lease=1.2, pause=0.3)


class Countdown:
    """Kills the process at a border: before a call of Slack or the database, or after it."""

    def __init__(self, borders: int | None, kill_before: str = "") -> None:
        self._left = borders
        self._kill_before = kill_before

    def around(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Return the call with a border on both sides."""

        async def counted(*args: Any, **params: Any) -> Any:  # noqa: ANN401 - any call
            self._border()
            if self._kill_before and self._kill_before in str(params.get("blocks")):
                os.kill(os.getpid(), signal.SIGKILL)
            result = await call(*args, **params)
            self._border()
            return result

        return counted

    def _border(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                os.kill(os.getpid(), signal.SIGKILL)


def live(life: Json) -> None:
    """Be a bot until the end."""
    os.environ.update(life["environment"])
    countdown = Countdown(life["borders"], life["kill_before"])
    for owner, name in ((SlackWeb, "call"), (FileDatabase, "run"), (ServerDatabase, "run")):
        setattr(owner, name, countdown.around(getattr(owner, name)))
    pacing.CALLS_A_MINUTE.update(dict.fromkeys(pacing.CALLS_A_MINUTE, 1e9))
    set_up_logging("INFO")
    asyncio.run(run())


async def run() -> None:
    """Answer until told to stop."""
    if told := os.environ.get("TEST_CLOCK"):  # all of it goes faster
        begin, speed = map(float, told.split())
        # This one waits for what a process has under way, which goes no faster than ever.
        turns.FORGOTTEN_AFTER *= speed
        async with open_bot(load_settings(None), beat=BEAT, clock=FastClock(begin, speed).clock):
            await until_stopped()
        return
    quick = pacing.Pacing(flush_seconds=FLUSH_SECONDS, update_seconds=FLUSH_SECONDS)
    async with open_bot(load_settings(None), quick, BEAT):
        await until_stopped()


def fork(life: Json) -> None:
    """Begin a life, and tell its process id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        log = os.open(life["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for number, file in ((0, null), (1, null), (2, log)):
            os.dup2(file, number)
        status = 1
        try:
            live(life)
            status = 0
        except BaseException:  # noqa: BLE001 - whatever it is, it belongs into the log
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    say({"began": life["name"], "pid": pid})


def say(what: Json) -> None:
    """Tell the campaign something."""
    print(json.dumps(what), flush=True)  # noqa: T201 - read by the campaign


def bury() -> None:
    """Tell which lives have ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        say({"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def main() -> None:
    """Serve lives until standard input ends, and then end those that are left."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    say({"ready": True})
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == sys.stdin.fileno():
                    line = sys.stdin.readline()
                    if not line:
                        return
                    fork(json.loads(line))
                else:
                    os.read(woken, 4096)
                    bury()


if __name__ == "__main__":
    main()
