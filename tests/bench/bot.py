"""The bot as `bot run` runs it, but for the pauses that Slack's limits demand.

Twenty answers a minute is what Slack allows a workspace, and the bot keeps to it: with that, every
measurement under load would say twenty a minute. `python -m tests.bench.bot 0.01` flushes every
10 ms.
"""

from __future__ import annotations

import asyncio
import sys

from bot.app import open_bot, until_stopped
from bot.log import set_up_logging
from bot.settings import load_settings
from bot.slack import pacing

CALLS_A_MINUTE = 1e9


class Generous(pacing.Pacing):
    """Pauses as long between two appends, however many replies are being written."""

    def __init__(self, flush_seconds: float) -> None:
        super().__init__(flush_seconds=flush_seconds, update_seconds=flush_seconds)
        self._pause = flush_seconds

    def seconds_between(self, *, streamed: bool) -> float:
        """Say how long a reply waits between two of its own calls."""
        del streamed
        return self._pause


async def main(flush_seconds: float) -> None:
    """Run until SIGTERM."""
    settings = load_settings()
    set_up_logging(settings.log_level, settings.log_format, settings.secrets)
    # What counts the calls still counts them; there is only more to spend.
    pacing.CALLS_A_MINUTE.update(dict.fromkeys(pacing.CALLS_A_MINUTE, CALLS_A_MINUTE))
    async with open_bot(settings, Generous(flush_seconds)):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await until_stopped()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
