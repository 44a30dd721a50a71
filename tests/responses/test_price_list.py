"""The list that comes with the bot, and lists of an administrator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bot.errors import SettingsError
from bot.responses.price_list import price_list
from bot.settings import Settings
from bot.turns.prices import Price

if TYPE_CHECKING:
    from pathlib import Path


def test_the_list_of_the_bot_has_the_model_that_it_asks_by_default() -> None:
    prices = price_list()

    assert prices.models[Settings.model_fields["openai_model"].default] == Price(2, 10, 0.1, 2.5)
    assert prices.search == 0.01


def test_an_own_list_stands_in_its_place(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"models": {"local": {"input": 1, "output": 2}}}))

    assert price_list(file).models == {"local": Price(1, 2, 1, 1)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"models": {"m": {}}}',
        '{"models": {"m": {"input": "2", "output": 1}}}',
        '{"models": {"m": {"input": -2, "output": 1}}}',
        '{"models": {"m": {"input": NaN, "output": 1}}}',
    ],
)
def test_what_is_no_list_is_refused_in_words(tmp_path: Path, text: str) -> None:
    file = tmp_path / "prices.json"
    file.write_text(text)

    with pytest.raises(
        SettingsError, match=r"PRICES_FILE: .* is no list of prices: write JSON like"
    ):
        price_list(file)


def test_a_list_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read \(No such file"):
        price_list(tmp_path / "none.json")
