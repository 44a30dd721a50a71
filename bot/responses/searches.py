"""The searches of a response, each told once when it begins and once when it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.responses.fields import words
from bot.responses.items import search_failed, search_of
from bot.responses.registry import Registry
from bot.turns.answer import Search, Searched, Searching

if TYPE_CHECKING:
    from bot.responses.items import Item
    from bot.turns.answer import Part


@dataclass(slots=True)
class _Running:
    """A search that began; `key` is its item's id, where it has one."""

    key: str
    done: bool = False


class Searches:
    """Pairs the beginning of every search with its end."""

    def __init__(self) -> None:
        self._searches: Registry[_Running] = Registry()

    def open(self, item_id: str, index: int | None) -> list[Part]:
        """Take a search that appears as a new item."""
        return [] if self._searches.named(item_id) else [self._begun(item_id, index)]

    def begin(self, item_id: str, index: int | None) -> list[Part]:
        """Take the word that a search runs, which mostly follows its item."""
        return [] if self._searches.find(item_id, index) else [self._begun(item_id, index)]

    def end(self, item: Item, item_id: str, index: int | None) -> list[Part]:
        """Take a search that is done."""
        return self._end(self._searches.find(item_id, index), item)

    def end_final(self, item: Item, number: int) -> list[Part]:
        """Take a search of the final output: the one with its id, or else the one at its place."""
        known = self._searches.named(words(item.get("id"))) or self._searches.at(number)
        return self._end(known, item)

    def finish(self, *, failed: bool) -> list[Part]:
        """End the searches that no item told the end of."""
        parts: list[Part] = []
        for running in self._searches.all:
            if not running.done:
                running.done = True
                parts.append(Searched(running.key, Search("search"), failed))
        return parts

    def _end(self, running: _Running | None, item: Item) -> list[Part]:
        begun: list[Part] = []
        if running is None:
            begun = [self._begun(words(item.get("id")), None)]
            running = self._searches.all[-1]
        if running.done:
            return []
        running.done = True
        return [*begun, Searched(running.key, search_of(item), search_failed(item))]

    def _begun(self, item_id: str, index: int | None) -> Searching:
        key = item_id or f"search-{len(self._searches.all) + 1}"
        self._searches.add(_Running(key), item_id, index)
        return Searching(key)
