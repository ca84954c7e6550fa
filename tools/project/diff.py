"""Shows changes in the spec and in public Python names since a revision: `make diff BASE=main`.

Environment variables: `BASE` is a git revision. `ARGS` are further arguments for specdrift.
"""

from __future__ import annotations

import os
import subprocess
import sys

from .arguments import ArgumentsError, arguments_from

SPEC = "spec/openapi.yaml"


def main() -> int:
    """Run both comparisons.

    Returns:
        The worse exit status of the two: 0, 1 for breaking changes, or 2 if one of them failed.
        2 also without a revision, and for an invalid `ARGS`.
    """
    base = os.environ.get("BASE", "")
    if not base:
        print("usage: make diff BASE=REVISION", file=sys.stderr)
        return 2
    try:
        arguments = arguments_from("ARGS")
    except ArgumentsError as error:
        print(error, file=sys.stderr)
        return 2
    # After `--`, a revision such as `--help` is not taken for an option.
    spec_status = run("specdrift", *arguments, "--", f"{base}:{SPEC}", SPEC)
    # Flushed, because the comparisons write to the same output.
    print(flush=True)
    names_status = run("project.surface", "--root", ".", "--", base)
    return max(spec_status, names_status)


def run(module: str, *arguments: str) -> int:
    """Run a module and return its exit status, or 128 plus the number of a signal."""
    result = subprocess.run([sys.executable, "-m", module, *arguments], check=False)
    if result.returncode < 0:
        # `subprocess` reports a signal as a negative number. It must not win over a real failure.
        return 128 - result.returncode
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
