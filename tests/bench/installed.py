"""Runs a module as it runs where only the packages of the run time are installed.

`python -m tests.bench.installed trio,selenium bot run`: what is named first cannot be imported.
Otherwise httpcore imports a trio that is there for some test, and that is measured as the bot's.
"""

from __future__ import annotations

import runpy
import sys
from typing import Any


def main() -> None:
    """Run the module with its arguments."""
    hidden, module, *arguments = sys.argv[1:]
    nothing: Any = None  # what stands for a module that cannot be imported
    sys.modules.update(dict.fromkeys(hidden.split(","), nothing))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
