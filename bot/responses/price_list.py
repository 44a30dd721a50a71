"""Reads a list of prices: the one that comes with the bot, or an administrator's own."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from bot.errors import SettingsError
from bot.responses.fields import mapping
from bot.turns.prices import Price, Prices

if TYPE_CHECKING:
    from pathlib import Path

MOST = 1e6  # dollars: beyond that it is a mistake
KINDS = ("input", "output", "cached", "written")


def price_list(file: Path | None = None) -> Prices:
    """Read a list. Raises SettingsError where a file is none; see `prices.json` for its form."""
    try:
        text = (
            file.read_text(encoding="utf-8")
            if file
            else (files("bot.responses") / "prices.json").read_text(encoding="utf-8")
        )
        said = mapping(json.loads(text))
        models = {name: _price(value) for name, value in mapping(said["models"]).items()}
        return Prices(models, _amount(said.get("search", 0)))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError(f"PRICES_FILE: {file} cannot be read ({reason}).") from error
    except (ValueError, KeyError, RecursionError) as error:
        raise SettingsError(
            f"PRICES_FILE: {file} is no list of prices: write JSON like "
            '{"search": 0.01, "models": {"name": {"input": 2, "output": 10, "cached": 0.1, '
            '"written": 2.5}}}.'
        ) from error


def _price(value: object) -> Price:
    given = mapping(value)
    whole = {"cached": given["input"], "written": given["input"], **given}
    return Price(**{kind: _amount(whole[kind]) for kind in KINDS})


def _amount(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MOST:
        raise ValueError("no price")
    return float(value)
