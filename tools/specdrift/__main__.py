"""Starts the command line, and names the missing extra if a dependency is not installed."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return its exit code."""
    try:
        # The command line needs PyYAML and Jinja, which are part of the extra `drift` only.
        from .cli import main as run_command_line  # noqa: PLC0415  # reports a missing extra
    except ImportError as error:
        message = f"specdrift: {error.name} is not installed: install leadconnector[drift]"
        print(message, file=sys.stderr)
        return 2
    return run_command_line()


if __name__ == "__main__":
    sys.exit(main())
