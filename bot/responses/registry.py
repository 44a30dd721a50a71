"""Which output item an event is about."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar


class Tracked(Protocol):
    """What is kept of an output item; `done` when its whole text or outcome was told."""

    done: bool


Kept = TypeVar("Kept", bound=Tracked)


class Registry(Generic[Kept]):
    """What is kept of each output item, in the order the items appeared.

    An item is known by its id. Where a gateway gives it another id in every event, or none, it is
    known by its place in the output or as the latest one, as long as it is not done.
    """

    def __init__(self) -> None:
        self.all: list[Kept] = []
        self._by_id: dict[str, Kept] = {}
        self._by_index: dict[int, Kept] = {}

    def add(self, kept: Kept, item_id: str, index: int | None) -> Kept:
        """Keep a new item."""
        self.all.append(kept)
        if item_id:
            self._by_id[item_id] = kept
        if index is not None:
            self._by_index[index] = kept
        return kept

    def named(self, item_id: str) -> Kept | None:
        """Find an item by its id."""
        return self._by_id.get(item_id)

    def find(self, item_id: str, index: int | None) -> Kept | None:
        """Find the item that an event is about."""
        if item_id in self._by_id:
            return self._by_id[item_id]
        latest = self.all[-1] if self.all and not item_id else None
        placed = latest if index is None else self._by_index.get(index)
        return None if placed is None or placed.done else placed

    def at(self, number: int) -> Kept | None:
        """Find the item that appeared as this one, from 0."""
        return self.all[number] if number < len(self.all) else None
