"""Faults that can be ordered: the next calls of a method fail in a chosen way."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Fault:
    """How some calls of a method fail."""

    error: str | None = None
    status: int = 200
    retry_after: float | None = None
    times: int = 1
    after: bool = False  #: the call acts, and then its answer is lost
    drop: bool = False  #: the connection is closed before it acts
    skip: int = 0  #: so many calls are good first


@dataclass
class Faults:
    """The faults that are still to come."""

    _ordered: dict[str, list[Fault]] = field(default_factory=dict)

    def order(self, method: str, fault: Fault) -> None:
        """Add a fault to those of a method."""
        self._ordered.setdefault(method, []).append(fault)

    def forget(self, method: str) -> None:
        """Have a method's calls be good again."""
        self._ordered.pop(method, None)

    def next_of(self, method: str) -> Fault | None:
        """Return how this call of a method fails, None if it does not."""
        ordered = self._ordered.get(method)
        if not ordered:
            return None
        fault = ordered[0]
        if fault.skip > 0:
            fault.skip -= 1
            return None
        fault.times -= 1
        if fault.times <= 0:
            ordered.pop(0)
        return fault
