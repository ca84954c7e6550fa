"""Starts the command line, and names the requirements if one of them is not installed."""

from __future__ import annotations

import sys

REQUIREMENTS = ("httpx>=0.28,<0.29", "jinja2>=3.1", "pyyaml>=6.0.1")
"""The requirements in pyproject.toml. A checkout, or `pip install --no-deps`, may lack them."""

REQUIRED_MODULES = frozenset({"httpx", "jinja2", "yaml"})
"""The modules of the requirements."""


def main() -> int:
    """Run the command line and return its exit code."""
    try:
        from .cli import main as run_command_line  # noqa: PLC0415  # reports what is missing
    except ModuleNotFoundError as error:
        if error.name not in REQUIRED_MODULES:
            raise
        arguments = " ".join(f"'{requirement}'" for requirement in REQUIREMENTS)
        print(
            f"specdrift: {error.name} is not installed: pip install {arguments}",
            file=sys.stderr,
        )
        return 2
    return run_command_line()


if __name__ == "__main__":
    sys.exit(main())
