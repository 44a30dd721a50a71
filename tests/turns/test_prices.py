"""Costs by the rules of the list."""

from __future__ import annotations

import pytest

from bot.turns.answer import Finished, Usage
from bot.turns.prices import Price, Prices

PRICES = Prices({"sol": Price(input=2, output=10, cached=0.1, written=2.5)}, search=0.01)
USAGE = Usage(
    input_tokens=100_000,
    output_tokens=10_000,
    cached_tokens=50_000,
    cache_write_tokens=20_000,
    reasoning_tokens=9_000,
)
COST = (30_000 * 2 + 50_000 * 0.1 + 20_000 * 2.5 + 10_000 * 10) / 1e6


def finished(model: str = "sol", usage: Usage | None = USAGE, tier: str = "") -> Finished:
    return Finished("resp_1", model, "completed", usage=usage, service_tier=tier)


@pytest.mark.parametrize(
    ("response", "searches", "usd"),
    [
        pytest.param(finished(), 0, COST, id="each kind of token, reasoning inside the output"),
        pytest.param(finished(), 3, COST + 0.03, id="searches"),
        pytest.param(finished("sol-2026-10-01"), 0, COST, id="a dated model"),
        pytest.param(finished(tier="flex"), 1, COST / 2 + 0.01, id="the slow tier"),
        pytest.param(finished(tier="fast"), 0, COST * 2, id="the fast tier"),
        pytest.param(finished(tier="default"), 0, COST, id="the usual tier"),
        pytest.param(
            finished(usage=Usage(300_000, 10_000)), 0, 300_000 * 4e-6 + 10_000 * 15e-6, id="long"
        ),
        pytest.param(
            finished(usage=Usage(272_000, 0)), 0, 272_000 * 2e-6, id="as long as is not long yet"
        ),
        pytest.param(finished(usage=Usage(10, 0, 50)), 0, 50 * 0.1e-6, id="more cached than read"),
        pytest.param(finished("luna"), 3, None, id="a model that is not in the list"),
        pytest.param(finished(usage=None), 3, None, id="tokens that nobody counted"),
    ],
)
def test_an_answer_costs(response: Finished, searches: int, usd: float | None) -> None:
    assert PRICES.of(response, searches) == (usd if usd is None else pytest.approx(usd))


def test_a_dated_model_with_a_price_of_its_own_costs_that() -> None:
    dated = Price(input=1, output=1, cached=1, written=1)
    prices = Prices({**PRICES.models, "sol-2026-10-01": dated})

    cost = prices.of(finished("sol-2026-10-01", Usage(1_000_000, 0)), 0)
    assert cost == pytest.approx(1.0 * 2.0)  # so long an input costs twice as much


def test_only_a_date_at_the_end_of_a_name_is_no_part_of_it() -> None:
    prices = Prices({"sol-preview": PRICES.models["sol"]})

    assert prices.of(finished("sol-2026-10-01-preview"), 0) is None
    assert prices.of(finished("sol-preview-2026-10-01"), 0) == pytest.approx(COST)
