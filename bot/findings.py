"""What a look at the bot's surroundings found, and how to mend it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

State = Literal["ok", "warning", "failed", "not checked"]
STATES: tuple[State, ...] = ("ok", "warning", "failed", "not checked")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. `fix` says what to do about it, "" where there is nothing to do."""

    name: str
    state: State
    found: str
    fix: str = ""


Learnt = TypeVar("Learnt")
Looked = tuple[Finding, Learnt | None]  # and what later checks need of it, None where it failed


def well(name: str, found: str, fix: str = "") -> Finding:
    """Say that something is as it should be."""
    return Finding(name, "ok", found, fix)


def warning(name: str, found: str, fix: str) -> Finding:
    """Say that the bot can live with something."""
    return Finding(name, "warning", found, fix)


def failed(name: str, found: str, fix: str) -> Finding:
    """Say that something keeps the bot from its work."""
    return Finding(name, "failed", found, fix)


def unchecked(name: str, why: str, fix: str = "") -> Finding:
    """Say that something could not be looked at."""
    return Finding(name, "not checked", why, fix)


def explained(name: str, words: str, otherwise: str) -> Finding:
    """Take a failure from words of which the sentences after the first say what to do."""
    found, _, fix = words.partition(". ")
    return failed(name, f"{found.rstrip('.')}.", fix or otherwise)


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether nothing keeps the bot from its work."""
    return all(finding.state != "failed" for finding in findings)


def summary(findings: Iterable[Finding]) -> str:
    """Count the findings in one line."""
    count = Counter(finding.state for finding in findings)
    many = {"warning": "warnings"} if count["warning"] > 1 else {}
    parts = ", ".join(
        f"{count[state]} {many.get(state, state)}" for state in STATES if count[state]
    )
    if count["failed"]:
        return f"{parts}: the bot cannot do its work until what failed is mended."
    return f"{parts}: nothing found that keeps the bot from its work."
