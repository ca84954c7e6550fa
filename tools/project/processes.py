"""Runs the programs behind the targets, alone or as processes of a target that combines several."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from typing import NoReturn

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


def exit_on_signal(number: int, frame: object) -> NoReturn:
    """Raise an exception on SIGTERM, so that a temporary folder is removed."""
    sys.exit(128 + number)


def run_as_program(main: Callable[[], int]) -> NoReturn:
    """Run the main function of a program, and end without a traceback after Ctrl-C."""
    signal.signal(signal.SIGTERM, exit_on_signal)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # 128 + SIGINT, as shells report it.
        sys.exit(130)
