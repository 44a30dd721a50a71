"""The arrows of the plan: which part of the bot may know which other, and which libraries.

     cli ──► app ──► edges (slack, responses, store, playground) ──► middle ──► values

A module that has no row in MAY_IMPORT is a question to the plan.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]

VALUES = ("bot", "bot.clock", "bot.errors", "bot.log", "bot.metrics")
MIDDLE = ("bot.turns", "bot.digests")
SETTINGS = ("bot.settings", "bot.settings_checks", "bot.settings_database")
EDGES = ("bot.slack", "bot.responses", "bot.store", "bot.playground")

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "bot": (),
    "bot.clock": (),
    "bot.errors": (),
    "bot.findings": (),
    "bot.log": (),
    "bot.metrics": (),
    "bot.exposition": ("bot.metrics",),
    "bot.health": ("bot.errors", "bot.exposition"),
    "bot.settings": (*VALUES, *SETTINGS),
    "bot.settings_checks": VALUES,
    "bot.settings_database": VALUES,
    "bot.turns": VALUES,
    "bot.digests": (*VALUES, "bot.turns"),
    "bot.slack": (*VALUES, *MIDDLE, "bot.findings", "bot.settings"),
    "bot.responses": (*VALUES, *MIDDLE, "bot.findings", "bot.settings"),
    "bot.store": (*VALUES, *MIDDLE, "bot.findings", "bot.settings"),
    "bot.playground": ("bot.settings",),  # it is the outside world: it must not know our rules
    "bot.app": (
        *VALUES,
        *MIDDLE,
        *EDGES,
        "bot.exposition",
        "bot.health",
        "bot.settings",
        "bot.wiring",
    ),
    "bot.wiring": (*VALUES, *MIDDLE, "bot.settings", "bot.slack", "bot.store", "bot.responses"),
    "bot.doctor": (
        "bot.errors",
        "bot.findings",
        "bot.log",
        "bot.responses",
        "bot.settings",
        "bot.slack",
        "bot.store",
        "bot.turns",
    ),
    "bot.demo": (*VALUES, "bot.app", "bot.playground", "bot.settings"),
    "bot.cli": (
        *VALUES,
        *MIDDLE,
        *EDGES,
        *SETTINGS,
        "bot.app",
        "bot.demo",
        "bot.doctor",
        "bot.findings",
    ),
    "bot.__main__": ("bot.cli",),
}
STDLIB_ONLY = (*VALUES, *MIDDLE, "bot.findings")
# A calculation without any input or output, which no rule of ours could be better at.
CALCULATIONS = {"bot.digests.recurrence": "cronsim"}
ONLY_IN = {
    "cronsim": "bot.digests",
    "slack_bolt": "bot.slack",
    "slack_sdk": "bot.slack",
    "httpx": "bot.responses",
    "httpx_sse": "bot.responses",
    "sqlalchemy": "bot.store",
    "alembic": "bot.store",
    "aiosqlite": "bot.store",
}


@dataclass(frozen=True)
class Import:
    """One name that a module imports; `at_run_time` is False under `if TYPE_CHECKING`."""

    name: str
    line: int
    at_run_time: bool


def modules_in(root: Path) -> dict[str, Path]:
    """Every module of the bot, by its dotted name."""
    paths = sorted((root / "bot").rglob("*.py"))
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in paths
    }


def imports_of(module: str, path: Path, modules: dict[str, Path]) -> list[Import]:
    """What the module imports, at its top or anywhere inside."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    for node, at_run_time in _walk(tree, at_run_time=True):
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names = _names(node, package, modules)
        found += [Import(name, node.lineno, at_run_time) for name in names]
    return found


def _walk(node: ast.AST, *, at_run_time: bool) -> Iterator[tuple[ast.stmt, bool]]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node, at_run_time
    typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    for name, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        inside = at_run_time and not (typing_only and name == "body")
        for child in children:
            if isinstance(child, ast.AST):
                yield from _walk(child, at_run_time=inside)


def _names(node: ast.stmt, package: str, modules: dict[str, Path]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert isinstance(node, ast.ImportFrom)
    origin = node.module or ""
    if node.level:
        up = package.split(".")[: len(package.split(".")) - node.level + 1]
        origin = ".".join([*up, *filter(None, [node.module])])
    inner = [f"{origin}.{alias.name}" for alias in node.names]
    return sorted({name if name in modules else origin for name in inner})


def room_of(module: str) -> str:
    """The part of the plan that a module stands in."""
    return ".".join(module.split(".")[:2])


def broken_arrows(module: str, imports: list[Import]) -> list[str]:
    """What a module imports and may not, each with its line."""
    room = room_of(module)
    if room not in MAY_IMPORT:
        return [f"{module} stands in no room of the plan"]
    return [
        f"line {each.line}: {room} may not import {each.name}"
        for each in imports
        if not _may_import(room, each.name) and CALCULATIONS.get(module) != each.name
    ]


def _may_import(room: str, name: str) -> bool:
    library = name.partition(".")[0]
    if library == "bot":
        return room_of(name) in {room, *MAY_IMPORT[room]}
    if library in sys.stdlib_module_names:
        return True
    return room not in STDLIB_ONLY and ONLY_IN.get(library, room) == room


def cycle_in(modules: dict[str, Path]) -> list[str]:
    """A ring of modules that import one another at run time; empty if there is none."""
    graph = {
        module: {
            each.name
            for each in imports_of(module, path, modules)
            if each.at_run_time and each.name in modules
        }
        for module, path in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


MODULES = modules_in(ROOT)


@pytest.mark.parametrize("module", MODULES)
def test_module_keeps_the_arrows(module: str) -> None:
    imports = imports_of(module, MODULES[module], MODULES)

    assert broken_arrows(module, imports) == []


def test_no_modules_import_one_another_at_run_time() -> None:
    assert cycle_in(MODULES) == []


def test_the_rooms_of_the_plan_are_looked_at() -> None:
    rooms = {room_of(module) for module in MODULES}

    assert rooms >= {"bot.errors", "bot.turns", "bot.slack", "bot.responses", "bot.store"}


TREE = (
    "bot/__init__.py",
    "bot/app.py",
    "bot/errors.py",
    "bot/settings.py",
    "bot/turns/__init__.py",
    "bot/turns/run.py",
    "bot/slack/__init__.py",
    "bot/slack/web.py",
    "bot/responses/__init__.py",
    "bot/responses/client.py",
    "bot/store/__init__.py",
    "bot/store/turns.py",
    "bot/playground/__init__.py",
    "bot/playground/slack.py",
)


def tree_with(root: Path, sources: dict[str, str]) -> dict[str, Path]:
    """A small bot of empty modules, but for the sources given."""
    for name in (*TREE, *sources):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sources.get(name, ""), encoding="utf-8")
    return modules_in(root)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        pytest.param("bot/turns/run.py", "import httpx", id="the middle, a library"),
        pytest.param("bot/turns/run.py", "import bot.slack.web", id="the middle, an edge"),
        pytest.param("bot/turns/run.py", "from bot.slack import web", id="... by its package"),
        pytest.param("bot/turns/run.py", "from bot import slack", id="... from the top"),
        pytest.param("bot/turns/run.py", "from ..slack.web import x", id="... relatively"),
        pytest.param("bot/turns/__init__.py", "from ..slack import web", id="... in a package"),
        pytest.param("bot/turns/run.py", "def f():\n import bot.store", id="... in a function"),
        pytest.param(
            "bot/turns/run.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import bot.store.turns",
            id="... for its types only",
        ),
        pytest.param("bot/turns/run.py", "import bot.settings", id="the middle, the settings"),
        pytest.param("bot/digests/run.py", "import sqlalchemy", id="digests, a library"),
        pytest.param("bot/errors.py", "import bot.turns.run", id="a value, the middle"),
        pytest.param("bot/errors.py", "import pydantic", id="a value, a library"),
        pytest.param("bot/slack/web.py", "import bot.responses.client", id="Slack, responses"),
        pytest.param("bot/slack/web.py", "from bot.store.turns import x", id="Slack, the store"),
        pytest.param("bot/slack/web.py", "import bot.playground.slack", id="Slack, its stand-in"),
        pytest.param("bot/slack/web.py", "import bot.app", id="an edge, the app"),
        pytest.param("bot/slack/web.py", "import httpx", id="Slack, another edge's library"),
        pytest.param("bot/app.py", "from sqlalchemy import select", id="the app, SQL"),
        pytest.param("bot/playground/slack.py", "import bot.slack.web", id="playground, Slack"),
        pytest.param("bot/playground/slack.py", "import bot.turns.run", id="playground, turns"),
        pytest.param("bot/playground/slack.py", "import bot.errors", id="playground, errors"),
        pytest.param("bot/settings.py", "import bot.slack.web", id="the settings, an edge"),
        pytest.param("bot/utils.py", "", id="a module that stands in no room"),
    ],
)
def test_this_breaks_an_arrow(tmp_path: Path, path: str, source: str) -> None:
    modules = tree_with(tmp_path, {path: source})
    broken = {
        name: broken_arrows(name, imports_of(name, file, modules)) for name, file in modules.items()
    }

    assert {name: len(found) for name, found in broken.items() if found} == {
        ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__"): 1
    }


@pytest.mark.parametrize(
    ("path", "source"),
    [
        pytest.param("bot/slack/web.py", "from bot.turns.run import x", id="an edge, the middle"),
        pytest.param("bot/slack/web.py", "import slack_sdk.errors", id="an edge, its library"),
        pytest.param("bot/slack/web.py", "from . import blocks", id="an edge, itself"),
        pytest.param("bot/playground/slack.py", "import aiohttp", id="playground, a library"),
        pytest.param("bot/playground/slack.py", "import bot.settings", id="playground, settings"),
        pytest.param("bot/app.py", "import bot.slack.web, bot.store.turns", id="the app, edges"),
        pytest.param("bot/turns/run.py", "import asyncio\nimport bot.errors", id="the middle"),
    ],
)
def test_this_keeps_the_arrows(tmp_path: Path, path: str, source: str) -> None:
    modules = tree_with(tmp_path, {path: source})
    imports = [(name, imports_of(name, file, modules)) for name, file in modules.items()]

    assert [broken_arrows(name, found) for name, found in imports if found] == [[]]


TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import bot.turns.b\n"


@pytest.mark.parametrize(
    ("a", "b", "ring"),
    [
        pytest.param("import bot.turns.b", "from bot.turns import a", True, id="two modules"),
        pytest.param("import bot.turns.b", "def f():\n from . import a", True, id="in a function"),
        pytest.param("import bot.turns.b", "import bot.errors", False, id="a line is no ring"),
        pytest.param(TYPES, "import bot.turns.a", False, id="not for types only"),
        pytest.param(TYPES + "else:\n    import bot.turns.b", "from . import a", True, id="else"),
    ],
)
def test_a_ring_is_found(tmp_path: Path, a: str, b: str, *, ring: bool) -> None:
    modules = tree_with(tmp_path, {"bot/turns/a.py": a, "bot/turns/b.py": b})

    assert set(cycle_in(modules)) == ({"bot.turns.a", "bot.turns.b"} if ring else set())
