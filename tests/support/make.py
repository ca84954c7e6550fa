"""Runs make for tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import cast

from tests.support.paths import ROOT

TIMEOUT = 60
"""Seconds. A target in a test takes much less; the limit keeps a failing test from hanging."""

VARIABLES = (
    "ARGS",
    "BASE",
    "BIN",
    "DEST",
    "DEV",
    "FAIL_ON_BREAKING",
    "FORCE",
    "PATCH",
    "PULL_REQUEST",
    "REPORT",
    "RUFF",
    "TAG",
    "TESTS",
    "UPGRADE",
    "UPSTREAM",
    "UPSTREAM_ROOT",
    "VERSION",
)
"""The variables of the Makefile, but for PYTHON."""


def make(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make.

    Args:
        arguments: targets, and variables such as `BASE=main`.
        cwd: the folder with the Makefile.
        environment: further environment variables.
    """
    return subprocess.run(
        [cast("str", shutil.which("make")), *arguments],
        cwd=cwd,
        env=clean_environment() | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )


def clean_environment() -> dict[str, str]:
    """The environment without the variables that a `make test` around this test has set."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in VARIABLES and not name.startswith(("MAKE", "MFLAGS", "PYTHON"))
    }
