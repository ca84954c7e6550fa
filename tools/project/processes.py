"""Runs a module as a process of its own, for targets that combine several programs."""

from __future__ import annotations

import subprocess
import sys

FAILED = 2
"""The exit status of a program that could not do its work, as with specdrift."""


def run(module: str, *arguments: str) -> int:
    """Run a module and return its exit status, or 128 plus the number of a signal."""
    result = subprocess.run([sys.executable, "-m", module, *arguments], check=False)
    return exit_status(result.returncode)


def exit_status(return_code: int) -> int:
    """The exit status that a shell would report for a return code of `subprocess`."""
    if return_code < 0:
        # `subprocess` reports a signal as a negative number. It must not win over a real failure.
        return 128 - return_code
    return return_code
