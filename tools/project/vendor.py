"""Copies the client into another project: `make vendor DEST=DIRECTORY`.

The package does the work: `python -m leadconnector vendor`. This program finds it in the checkout,
without a virtual environment.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

OVERRIDES = Path(__file__).resolve().parents[2] / "overrides"


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
    sys.argv[1:] = arguments
    # Exits with the status of the command.
    runpy.run_module("leadconnector", run_name="__main__", alter_sys=True)


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
