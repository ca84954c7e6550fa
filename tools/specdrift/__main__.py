"""Starts the command line, or says what it needs."""

from __future__ import annotations

import sys


def main() -> int:
    """Compare as the command line says; gives the exit code."""
    try:
        from .cli import main as compare  # noqa: PLC0415  # without the extra there is no PyYAML to import
    except ImportError as error:
        print(
            f"specdrift: {error.name} is not installed: install leadconnector[drift]",
            file=sys.stderr,
        )
        return 2
    return compare()


if __name__ == "__main__":
    sys.exit(main())
