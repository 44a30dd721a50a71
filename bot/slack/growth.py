"""What a message of a reply grows by: text, cards, and the title of the plan they stand in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """A step of the work, shown as a card."""

    id: str
    title: str  #: at most 120 characters, plain
    status: Literal["pending", "in_progress", "complete", "error"]

    @property
    def chunk(self) -> Json:
        """The card as a chunk of a stream."""
        return {"type": "task_update", "id": self.id, "title": self.title, "status": self.status}


@dataclass(frozen=True, slots=True)
class Growth:
    """What is added to a message at once."""

    text: str = ""
    tasks: tuple[Task, ...] = ()
    plan: str = ""  #: the new title of the plan

    def __bool__(self) -> bool:
        return bool(self.text or self.tasks or self.plan)

    @property
    def chunks(self) -> list[Json]:
        """The growth as chunks of a stream."""
        plan = [{"type": "plan_update", "title": self.plan}] if self.plan else []
        text = [{"type": "markdown_text", "text": self.text}] if self.text else []
        return [*plan, *(task.chunk for task in self.tasks), *text]
