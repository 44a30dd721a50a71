"""Plans and task cards, streamed or in blocks, drawn as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from bot.playground.slack.render_clean import link
from bot.playground.slack.render_text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAID = {"pending": "waiting", "in_progress": "running", "complete": "done", "error": "failed"}
_SIGNS = {"pending": "○", "in_progress": "", "complete": "✓", "error": "!"}


@dataclass(frozen=True, slots=True)
class Card:
    """A task as it is drawn; details and output are HTML already."""

    title: str
    status: str
    details: str = ""
    output: str = ""
    sources: tuple[tuple[str, str], ...] = ()  #: url and words

    @property
    def state(self) -> str:
        """The status, if it is one that Slack knows."""
        return self.status if self.status in _SAID else "pending"


def plan(title: str, cards: Sequence[Card], key: str) -> str:
    """Draw the tasks gathered in one card that can be folded. The key tells it from others."""
    state = _state_of_all(cards)
    steps = f"{len(cards)} step{'s' * (len(cards) != 1)}" if cards else ""
    return (
        f'<details class="plan" open data-key="{escape(key)}"><summary>{_icon(state)}'
        f'<span class="title">{plain(title or _usual_title(state))}</span>'
        f'<span class="count">{steps}</span></summary>'
        f'<div class="tasks">{"".join(_row(card) for card in cards)}</div></details>'
    )


def timeline(cards: Sequence[Card]) -> str:
    """Draw each task as a card of its own."""
    rows = "".join(f'<div class="card">{_row(card)}</div>' for card in cards)
    return f'<div class="tasks">{rows}</div>'


def _state_of_all(cards: Sequence[Card]) -> str:
    states = {card.state for card in cards}
    if states & {"in_progress", "pending"}:
        return "in_progress"
    return "error" if states == {"error"} else "complete"


def _usual_title(state: str) -> str:
    return "Working on it" if state == "in_progress" else "Done"


def _row(card: Card) -> str:
    return (
        f'<div class="task">{_icon(card.state)}<div class="body">'
        f'<span class="title">{plain(card.title)}</span> '
        f'<span class="status {card.state}">{_SAID[card.state]}</span>'
        f"{_below('details', card.details)}{_below('output', card.output)}"
        f"{_below('sources', _links(card))}</div></div>"
    )


def _icon(state: str) -> str:
    spinner = " spinner" * (state == "in_progress")
    return f'<span class="icon {state}{spinner}" aria-hidden="true">{_SIGNS[state]}</span>'


def _below(name: str, html: str) -> str:
    return f'<div class="{name}">{html}</div>' if html else ""


def _links(card: Card) -> str:
    return " ".join(link(url, plain(words or url)) for url, words in card.sources)
