"""Starts the command line, and names the missing extra if a dependency is not installed."""

from __future__ import annotations

import sys

from .extra import MissingExtraError, names_missing_extra


def main() -> int:
    """Run the command line and return its exit status."""
    try:
        with names_missing_extra():
            # The command line needs packages that are part of the extra `emulator` only.
            from .cli import main as run_command_line  # noqa: PLC0415  # reports a missing extra
    except MissingExtraError as error:
        print(error, file=sys.stderr)
        # The status of a wrong option, as argparse has it.
        return 2
    return run_command_line()


if __name__ == "__main__":
    sys.exit(main())
