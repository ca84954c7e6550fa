"""Starts the command line, and names the requirements if one of them is not installed."""

from __future__ import annotations

import sys

from .requirements import MissingRequirementError, names_missing_requirement


def main() -> int:
    """Run the command line and return its exit status."""
    try:
        with names_missing_requirement():
            from .cli import main as run_command_line  # noqa: PLC0415  # reports what is missing
    except MissingRequirementError as error:
        print(error, file=sys.stderr)
        # The status of a wrong option, as argparse has it.
        return 2
    return run_command_line()


if __name__ == "__main__":
    sys.exit(main())
