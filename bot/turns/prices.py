"""What an answer cost, by a list of prices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.turns.answer import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.turns.answer import Finished

MILLION = 1_000_000
# Of a request with a longer input everything is dearer (OpenAI's page on prices).
LONG_INPUT = 272_000  # tokens
LONG_INPUT_FACTOR, LONG_OUTPUT_FACTOR = 2.0, 1.5
TIERS: Mapping[str, float] = {"flex": 0.5, "fast": 2.0, "ultrafast": 3.0}  # else the list price
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}\Z")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens of each kind."""

    input: float
    output: float
    cached: float  #: of the input, what the server had read before
    written: float  #: of the input, what it keeps for later


@dataclass(frozen=True, slots=True)
class Spent:
    """What requests have used and cost."""

    usage: Usage | None = None  #: None where a server did not say
    usd: float | None = None  #: None where nobody can say

    def __add__(self, other: Spent) -> Spent:
        """Sum them up: the tokens that are known, and the price if all of it is known."""
        usages = [usage for usage in (self.usage, other.usage) if usage is not None]
        usage = sum(usages[1:], usages[0]) if usages else None
        if self.usd is None or other.usd is None:
            return Spent(usage, None)
        return Spent(usage, self.usd + other.usd)


NOTHING_SPENT = Spent(Usage(), 0.0)


@dataclass(frozen=True, slots=True)
class Prices:
    """A list of prices, by the names of models."""

    models: Mapping[str, Price]
    search: float = 0.0  #: for one search on the web; pages that are opened cost nothing

    def of(self, finished: Finished, searches: int) -> float | None:
        """Return what a response cost, in US dollars; None where nobody can say."""
        price = self.models.get(finished.model) or self.models.get(
            _SNAPSHOT.sub("", finished.model)
        )
        usage = finished.usage
        if price is None or usage is None:
            return None
        plain = max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens)
        read = (
            plain * price.input
            + usage.cached_tokens * price.cached
            + usage.cache_write_tokens * price.written
        )
        said = usage.output_tokens * price.output
        if usage.input_tokens > LONG_INPUT:
            read, said = read * LONG_INPUT_FACTOR, said * LONG_OUTPUT_FACTOR
        tier = TIERS.get(finished.service_tier, 1.0)
        return (read + said) * tier / MILLION + searches * self.search
