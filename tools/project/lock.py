"""Compiles the requirements in pyproject.toml into lock files: `make lock`.

`requirements/dev.txt` contains everything for development. `requirements/demo.txt` contains only
what `make demo` and `make generate` need, in the same versions. The environment variable
`UPGRADE=--upgrade` selects newer versions.
"""

from __future__ import annotations

import shlex
import subprocess
import sys

from .arguments import ArgumentsError, arguments_from

COMPILE = [
    *("uv", "pip", "compile", "pyproject.toml", "--quiet"),
    # One file for every platform and for every supported Python, the oldest of which is 3.11.
    *("--universal", "--python-version", "3.11"),
    "--generate-hashes",
    # An index address is a matter of the machine, and may contain credentials.
    *("--no-emit-index-url", "--no-emit-find-links"),
    *("--no-header", "--no-annotate"),
]
DEVELOPMENT = [
    *("--extra", "emulator"),
    *("--extra", "drift"),
    *("--extra", "redis"),
    *("--group", "dev"),
]
DEMO = [
    *("--extra", "emulator"),
    *("--group", "demo"),
    # The same versions as in development.
    *("--constraint", "requirements/dev.txt"),
]


def main() -> int:
    """Write both lock files. The exit status is that of uv, or 2 for an invalid `UPGRADE`."""
    try:
        upgrade = arguments_from("UPGRADE")
    except ArgumentsError as error:
        print(error, file=sys.stderr)
        return 2
    status = compile_lock_file(*DEVELOPMENT, *upgrade, "--output-file", "requirements/dev.txt")
    if status != 0:
        return status
    return compile_lock_file(*DEMO, "--output-file", "requirements/demo.txt")


def compile_lock_file(*options: str) -> int:
    """Run `uv pip compile` and return its exit status."""
    command = [*COMPILE, *options]
    print(shlex.join(command), flush=True)
    return subprocess.run([sys.executable, "-m", *command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
