"""Makes a copy of the project ready for `make`, as if its environment had been installed."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from tests.support.make import clean_environment
from tests.support.paths import ROOT

STAND_IN = ROOT / "tests" / "support" / "documented_python.py"


def make_environment(checkout: Path) -> None:
    """Make `.venv` what `make` would install, without a download. It uses the Python of the tests.

    Args:
        checkout: a copy of the project.
    """
    programs = checkout / ".venv" / "bin"
    programs.mkdir(parents=True)
    command = shlex.join([sys.executable, str(STAND_IN)])
    for name in ("python", "python3"):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    # Newer than the lock files, so that make installs nothing.
    (checkout / ".venv" / "demo.installed").touch()
    (checkout / ".venv" / "dev.installed").touch()


def environment_of(checkout: Path) -> dict[str, str]:
    """The environment variables with which the programs of a copy use its own packages."""
    packages = [str(checkout / name) for name in ("overrides", "tools", "examples")]
    programs = checkout / ".venv" / "bin"
    return clean_environment() | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(packages),
    }
