"""How fast Slack lets messages be read, which for some apps is 15 messages a minute.

That is the rule of 2025 for apps that are sold outside the Marketplace. Slack does not say whether
it applies. A short page alone may have other reasons, and so may a pause of a minute, as another
process may have used the allowance up. Both, or two such pauses in a row, have none that is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.errors import SlackRateLimited
    from bot.slack.pacing import Pacing

HISTORY, REPLIES = "conversations.history", "conversations.replies"
SLOW_OBJECTS = 15  # on a page, whatever was asked for
# A little less than the one that is allowed, for clocks that do not agree.
SLOW_CALLS_A_MINUTE = 60 / 61
LONG_PAUSE_SECONDS = 45.0  # longer than those of an allowance of 50 calls a minute should be
PAGES_BETWEEN_PAUSES = 2  # one of each method; who gets more of them is not that slow
SIGNS = 2


class ReadingPace:
    """Notices the slow pace of a workspace, and has everybody keep it.

    Who reads next knows it from the beginning: where all keep it, nobody meets another 429.
    """

    def __init__(self, pacing: Pacing, team: str) -> None:
        self.is_slow = pacing.is_slowed(team, HISTORY)
        self._pacing = pacing
        self._team = team
        self._pages = 0  # since the last pause
        self._pauses = 0  # with hardly a page between them
        self._was_short = False

    def saw_page(self, objects: int, *, has_more: bool) -> None:
        """Judge a page that Slack has given, of which many more objects were asked for."""
        self._pages += 1
        if objects > SLOW_OBJECTS:
            self._pauses, self._was_short = 0, False
        elif has_more:
            self._was_short = True

    def saw_pause(self, error: SlackRateLimited) -> None:
        """Judge a 429."""
        if self.is_slow or error.retry_after < LONG_PAUSE_SECONDS:
            return
        if self._pages > PAGES_BETWEEN_PAUSES:
            self._pauses, self._was_short = 0, False
        self._pages, self._pauses = 0, self._pauses + 1
        if self._pauses + self._was_short >= SIGNS:
            self._slow_down()

    def _slow_down(self) -> None:
        self.is_slow = True
        for method in (HISTORY, REPLIES):
            self._pacing.slow_down(self._team, method, SLOW_CALLS_A_MINUTE)
