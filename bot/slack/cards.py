"""The steps of the work as cards: what they say, and what of them Slack was not shown yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bot.slack.blocks import described
from bot.slack.growth import Task
from bot.slack.markdown import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.turns.answer import Search

Status = Literal["in_progress", "complete", "error"]

READING = "question"  # the id of the first card
WAITING = "busy"
RUNNING: Status = "in_progress"
TITLE_CHARACTERS = 120
CARD_BYTES = 40  # of a card beside its title and id


class Cards:
    """The cards of a message, by their ids."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._changed: dict[str, Task] = {}
        self._set(READING, "Reading the question", RUNNING)

    def show_search(self, key: str, search: Search | None, *, failed: bool) -> None:
        """Show that a search runs (None), or what it was."""
        status = "error" if failed else RUNNING if search is None else "complete"
        self._set(key, _title(search), status)

    def wait(self) -> None:
        """Show that the model is waited for."""
        self._set(WAITING, "The model is busy, trying again", RUNNING)

    def read(self) -> None:
        """Show that the question was read, now that something comes of it."""
        self._end(READING, "complete")
        self._end(WAITING, "complete")

    def end(self, status: Status = "complete") -> None:
        """Leave no card running."""
        for task in self.running:
            self._end(task.id, status)

    def repeat(self) -> None:
        """Show the newest running card again, as a sign of life."""
        self._changed |= {task.id: task for task in self.running[-1:]}

    def take(self) -> tuple[Task, ...]:
        """Return what is to be shown, once."""
        changed = tuple(self._changed.values())
        self._changed.clear()
        return changed

    def turn_over(self, refused: Iterable[Task]) -> tuple[Task, ...]:
        """Go on in a new message with what runs and what was refused; return the old one's ends."""
        left = tuple(Task(task.id, task.title, "complete") for task in self.running)
        self._tasks = {task.id: task for task in (*refused, *self.running)}
        self._changed = dict(self._tasks)
        return left

    @property
    def running(self) -> list[Task]:
        """The cards whose work goes on."""
        return [task for task in self._tasks.values() if task.status == RUNNING]

    @property
    def any_new(self) -> bool:
        """Whether there is something to be shown."""
        return bool(self._changed)

    def _end(self, key: str, status: Status) -> None:
        task = self._tasks.get(key)
        if task is not None and task.status == RUNNING:
            self._set(key, task.title, status)

    def _set(self, key: str, title: str, status: Status) -> None:
        self._tasks[key] = self._changed[key] = Task(key, title, status)


def size(tasks: Iterable[Task]) -> int:
    """Count the bytes that cards take of a message."""
    return sum(len(task.title.encode()) + len(task.id) + CARD_BYTES for task in tasks)


def _title(search: Search | None) -> str:
    if search is None:
        return "Searching the web"
    title = harmless(" · ".join(described(search)) or "Searched the web")
    title = title[0].upper() + title[1:] if search.kind != "search" else title
    return title if len(title) <= TITLE_CHARACTERS else title[: TITLE_CHARACTERS - 1] + "…"
