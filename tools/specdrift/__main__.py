"""Starts the command line, and names the missing extra if a dependency is not installed."""

from __future__ import annotations

import sys

EXTRA_MODULES = frozenset({"jinja2", "yaml"})
"""The modules of the extra `drift` that the command line imports."""


def main() -> int:
    """Run the command line and return its exit code."""
    try:
        # The command line needs packages that are part of the extra `drift` only.
        from .cli import main as run_command_line  # noqa: PLC0415  # reports a missing extra
    except ModuleNotFoundError as error:
        if error.name not in EXTRA_MODULES:
            raise
        print(
            f"specdrift: {error.name} is not installed: pip install 'leadconnector[drift]'",
            file=sys.stderr,
        )
        return 2
    return run_command_line()


if __name__ == "__main__":
    sys.exit(main())
