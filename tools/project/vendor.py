"""Copies the client into another project: `make vendor DEST=DIRECTORY`.

The package does the work: `python -m leadconnector vendor`. This program finds it in the checkout,
without a virtual environment. Before an older copy is replaced, `changes.py` reports what changes.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

OVERRIDES = Path(__file__).resolve().parents[2] / "overrides"
CHANGES_PROGRAM = Path(__file__).with_name("changes.py")

REPORT_VARIABLES = ("ARGS", "FAIL_ON_BREAKING")
"""The environment variables of the report."""

INTERRUPTED = 130
"""The exit status of a shell's command that Ctrl-C ended: 128 and the number of the signal."""


class UsageError(Exception):
    """A variable has no valid value. The message has one line."""


def main() -> None:
    """Run the command of the package with the environment variables `DEST` and `FORCE`."""
    try:
        arguments = command_arguments(os.environ.get("DEST", ""), os.environ.get("FORCE", ""))
        # Checked even where no copy exists yet: a mistake must not appear at the first upgrade.
        if has_report_variables() and run_changes("--check-variables") != 0:
            sys.exit(2)
    except UsageError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Interrupted. Nothing was changed.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    # The source may be read-only, and it is compared with git.
    sys.dont_write_bytecode = True
    # Instead of the folder of this program, whose modules are none of the package.
    sys.path[0] = str(OVERRIDES)
    # Imported here, because the package is importable only now.
    command_line = importlib.import_module("leadconnector._command_line")
    sys.exit(command_line.main(arguments, may_replace=report_upgrade))


def report_upgrade() -> bool:
    """Print what the new copy changes for the code that uses the earlier one.

    Returns:
        Whether the earlier copy may be replaced. It may not if `FAIL_ON_BREAKING` is set, and the
        upgrade breaks code, or the report is missing or incomplete. The program prints why.
    """
    return run_changes("--before-vendoring") == 0


def run_changes(argument: str) -> int:
    """Run the program that reports changes, and return its exit status.

    Ctrl-C reaches this process only. Otherwise each process would print a traceback.
    """
    command = [sys.executable, "-B", str(CHANGES_PROGRAM), argument]
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        # The program inherits that it ignores the signal.
        process = subprocess.Popen(command)
    finally:
        signal.signal(signal.SIGINT, handler)
    try:
        return process.wait()
    except BaseException:
        # On SIGTERM, the program removes its temporary folder.
        process.terminate()
        process.wait()
        raise


def has_report_variables() -> bool:
    """Whether a variable for the report is set, so that it has to be checked."""
    return any(os.environ.get(variable) for variable in REPORT_VARIABLES)


def command_arguments(destination: str, force: str) -> list[str]:
    """The arguments of the command.

    Raises:
        UsageError: there is no destination, or `FORCE` is neither 0 nor 1.
    """
    if not destination:
        raise UsageError("usage: make vendor DEST=DIRECTORY [FORCE=1]")
    if force not in ("", "0", "1"):
        raise UsageError("FORCE is neither 0 nor 1: make vendor DEST=DIRECTORY FORCE=1")
    options = ["--force"] if force == "1" else []
    return ["vendor", *options, "--", destination]


if __name__ == "__main__":
    main()
