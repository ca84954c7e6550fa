"""Copies the client into another project: `make vendor DEST=DIRECTORY`.

The package does the work: `python -m leadconnector vendor`. This program finds it in the checkout,
without a virtual environment. Before an older copy is replaced, `changes.py` reports what changes.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

OVERRIDES = Path(__file__).resolve().parents[2] / "overrides"
CHANGES_PROGRAM = Path(__file__).with_name("changes.py")


class UsageError(Exception):
    """A variable has no valid value. The message has one line."""


def main() -> None:
    """Run the command of the package with the environment variables `DEST` and `FORCE`."""
    try:
        arguments = command_arguments(os.environ.get("DEST", ""), os.environ.get("FORCE", ""))
    except UsageError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    # The source may be read-only, and it is compared with git.
    sys.dont_write_bytecode = True
    # Instead of the folder of this program, whose modules are none of the package.
    sys.path[0] = str(OVERRIDES)
    # Imported here, because the package is importable only now.
    command_line = importlib.import_module("leadconnector._vendoring.command_line")
    sys.exit(command_line.main(arguments, may_replace=report_upgrade))


def report_upgrade() -> bool:
    """Print what the new copy changes for the code that uses the earlier one.

    Returns:
        Whether the earlier copy may be replaced. It may not if `FAIL_ON_BREAKING` is set, and the
        upgrade breaks code, or the report is missing or incomplete.
    """
    command = [sys.executable, "-B", str(CHANGES_PROGRAM), "--before-vendoring"]
    result = subprocess.run(command, check=False)
    is_strict = os.environ.get("FAIL_ON_BREAKING", "") not in {"", "0"}
    if is_strict and result.returncode != 0:
        print(
            "FAIL_ON_BREAKING is set, and the report above has a breaking change, or is missing or"
            " incomplete: adapt the service, then vendor with FAIL_ON_BREAKING=0",
            file=sys.stderr,
        )
        return False
    return True


def command_arguments(destination: str, force: str) -> list[str]:
    """The arguments of the command.

    Raises:
        UsageError: there is no destination, or `FORCE` has another value than 1.
    """
    if not destination:
        raise UsageError("usage: make vendor DEST=DIRECTORY [FORCE=1]")
    if force not in ("", "1"):
        raise UsageError("FORCE is neither 1 nor empty: make vendor DEST=DIRECTORY FORCE=1")
    options = ["--force"] if force else []
    return ["vendor", *options, "--", destination]


if __name__ == "__main__":
    main()
