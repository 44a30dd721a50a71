from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

from tests.bench.install import (
    bot_install,
    development_modules,
    floor_install,
    installed_bytes,
    pinned,
    required,
)
from tests.bench.processes import BenchError

PINS = """\
aiohttp==3.14.5 \\
    --hash=sha256:0133
click==8.5.1 ; python_version >= '3' \\
    --hash=sha256:0133
colorama==0.4.6 ; sys_platform == 'no such' \\
    --hash=sha256:0133
"""


def test_pins_of_this_platform_are_counted() -> None:
    assert pinned(PINS) == {"aiohttp", "click"}


def test_what_an_extra_requires_is_not_required() -> None:
    lines = ["Click>=8", "h2; extra == 'http2'", "odd; sys_platform == 'no such'"]

    assert required(lines) == ["click"]


def test_bot_installs_more_than_the_floor() -> None:
    floor, bot = floor_install(), bot_install()

    assert floor["packages"] < bot["packages"] <= 45
    assert floor["install_mb"] < bot["install_mb"]


def test_size_is_that_of_the_files() -> None:
    assert installed_bytes("click") > sum(file.size or 0 for file in metadata.files("click") or ())


def test_what_is_pinned_and_not_installed_is_named() -> None:
    with pytest.raises(BenchError, match="no-such-package is pinned and not installed"):
        installed_bytes("no-such-package")


def test_what_only_tests_need_is_hidden_from_what_is_measured() -> None:
    hidden = development_modules()

    assert {"pytest", "hypothesis", "trio"} <= hidden
    assert not {"bot", "tests", "httpx", "sqlalchemy", "slack_bolt"} & hidden


def test_what_is_hidden_cannot_be_imported() -> None:
    run = [sys.executable, "-m", "tests.bench.installed", "trio,pytest"]
    hidden, other = (
        subprocess.run([*run, name], check=False, capture_output=True, text=True)  # noqa: S603 - our own program
        for name in ("trio", "this")
    )

    assert "No module named trio" in hidden.stderr
    assert other.returncode == 0
