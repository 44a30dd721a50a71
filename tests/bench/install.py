"""How big the run-time install is, as it stands in the environment that runs this."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.bench.processes import ROOT, BenchError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.bench.figures import Figures

DEVELOPMENT = "# development\n"
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==[^ ]+(?: ; ([^\\\n]+))?", re.MULTILINE)
FLOOR_NEEDS = ("aiohttp", "httpx")
MEGABYTE = 1e6


def bot_install() -> Figures:
    """Measure what constraints.txt pins for the run time, of it what this platform installs."""
    run_time, _, _ = (ROOT / "constraints.txt").read_text(encoding="utf-8").partition(DEVELOPMENT)
    return measured(pinned(run_time))


@cache
def development_modules() -> frozenset[str]:
    """Return the modules that are here only for tests and checks."""
    _, _, text = (ROOT / "constraints.txt").read_text(encoding="utf-8").partition(DEVELOPMENT)
    only = pinned(text)
    return frozenset(
        module
        for module, distributions in metadata.packages_distributions().items()
        if {canonicalize_name(each) for each in distributions} <= only
    )


def floor_install() -> Figures:
    """Measure what the floor program imports, with all that this requires."""
    found: set[str] = set()
    todo = list(FLOOR_NEEDS)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += required(metadata.requires(name) or [])
    return measured(found)


def pinned(text: str) -> set[str]:
    """Return the names that are pinned for this platform."""
    pins = PIN.findall(text)
    return {name for name, marker in pins if not marker or Marker(marker.strip()).evaluate()}


def required(lines: Iterable[str]) -> list[str]:
    """Return the names that are required here, without those of extras."""
    requirements = map(Requirement, lines)
    return [
        each.name.lower()
        for each in requirements
        if each.marker is None or each.marker.evaluate({"extra": ""})
    ]


def measured(names: Iterable[str]) -> Figures:
    """Count distributions and their megabytes."""
    sizes = [installed_bytes(name) for name in names]
    return {"packages": len(sizes), "install_mb": sum(sizes) / MEGABYTE}


def installed_bytes(name: str) -> int:
    """Return the size of a distribution's files, compiled ones included."""
    try:
        files = metadata.files(name) or []
    except metadata.PackageNotFoundError:
        raise BenchError(f"{name} is pinned and not installed here: run `make test` once") from None
    paths = [Path(str(file.locate())) for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file())
