"""Compiles the requirements in the pyproject.toml files into lock files: `make lock`.

`requirements/dev.txt` contains everything for development. `requirements/demo.txt` contains only
what `make demo` and `make generate` need, in the same versions. `requirements/lowest.txt` contains
the oldest supported version of each dependency, and the programs that test with them. The
environment variable `UPGRADE=--upgrade` selects newer versions.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from .arguments import ArgumentsError, arguments_from

EMULATOR = "tools/leadconnector_emulator/pyproject.toml"
SPECDRIFT = "tools/specdrift/pyproject.toml"

COMPILE = [
    *("uv", "pip", "compile", "pyproject.toml", EMULATOR),
    "--quiet",
    # One file for every platform and for every supported Python, the oldest of which is 3.11.
    *("--universal", "--python-version", "3.11"),
    # An index address is a matter of the machine, and may contain credentials.
    *("--no-emit-index-url", "--no-emit-find-links"),
    *("--no-header", "--no-annotate"),
]
ALL_REQUIREMENTS = [
    SPECDRIFT,
    *("--extra", "page"),
    *("--extra", "fast"),
    *("--extra", "otel"),
    *("--extra", "redis"),
    *("--extra", "webhooks"),
]
"""Further requirements of users."""

DEVELOPMENT = [*ALL_REQUIREMENTS, *("--group", "dev")]
DEMO = [
    *("--extra", "page"),
    *("--extra", "webhooks"),
    *("--group", "demo"),
    # The same versions as in development.
    *("--constraint", "requirements/dev.txt"),
]
LOWER_BOUNDS = [*ALL_REQUIREMENTS, "--resolution", "lowest-direct", "--no-deps"]
LOWEST = [*ALL_REQUIREMENTS, *("--group", "lowest")]


def main() -> int:
    """Write the lock files. The exit status is that of uv, or 2 for an invalid `UPGRADE`."""
    try:
        upgrade = arguments_from("UPGRADE")
    except ArgumentsError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        compile_lock_file(*DEVELOPMENT, *upgrade, "--output-file", "requirements/dev.txt")
        compile_lock_file(*DEMO, "--output-file", "requirements/demo.txt")
        compile_lowest(*upgrade)
    except subprocess.CalledProcessError as error:
        # uv has printed the reason.
        return error.returncode
    return 0


def compile_lowest(*upgrade: str) -> None:
    """Lock the oldest supported dependencies together with the newest programs that test them.

    Raises:
        subprocess.CalledProcessError: uv failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        lower_bounds = Path(folder, "lower-bounds.txt")
        run_uv(*LOWER_BOUNDS, "--output-file", str(lower_bounds))
        compile_lock_file(
            *LOWEST,
            *("--constraint", str(lower_bounds)),
            *upgrade,
            *("--output-file", "requirements/lowest.txt"),
        )


def compile_lock_file(*options: str) -> None:
    """Write a lock file with hashes.

    Raises:
        subprocess.CalledProcessError: uv failed.
    """
    run_uv("--generate-hashes", *options)


def run_uv(*options: str) -> None:
    """Run `uv pip compile`.

    Raises:
        subprocess.CalledProcessError: uv failed.
    """
    command = [*COMPILE, *options]
    print(shlex.join(command), flush=True)
    subprocess.run([sys.executable, "-m", *command], check=True)


if __name__ == "__main__":
    sys.exit(main())
