"""Runs the programs in `benchmarks/`, as their make targets do."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.paths import ROOT

TIMEOUT = 100
"""Seconds. A run takes much less; the limit keeps a failing test from hanging."""


def run_benchmark(name: str, *options: object) -> subprocess.CompletedProcess[str]:
    """Run a program that may fail.

    Args:
        name: its module in `benchmarks`.
        options: its command line.
    """
    command = [sys.executable, "-m", f"benchmarks.{name}", *map(str, options)]
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("overrides", "tools"))
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
