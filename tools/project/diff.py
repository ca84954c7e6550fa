"""Shows changes in the spec and in public Python names since a revision: `make diff BASE=main`.

Environment variables: `BASE` is a git revision. `ARGS` are further arguments for specdrift.
`REPORT` names a folder for the report on a pull request: see `diff_report`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .arguments import ArgumentsError, arguments_from
from .diff_report import write_report
from .processes import run

SPEC = "spec/openapi.yaml"


def main() -> int:
    """Run both comparisons.

    Returns:
        The worse exit status of the two: 0, 1 for breaking changes, or 2 if one of them failed.
        2 also without a revision, and for an invalid `ARGS`. With `REPORT`, 0 for changes as well.
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
    if report_folder := os.environ.get("REPORT"):
        return write_report(f"{base}:{SPEC}", SPEC, base, Path(report_folder), arguments)
    # After `--`, a revision such as `--help` is not taken for an option.
    spec_status = run("specdrift", *arguments, "--", f"{base}:{SPEC}", SPEC)
    # Flushed, because the comparisons write to the same output.
    print(flush=True)
    names_status = run("project.surface", "--root", ".", "--", base)
    return max(spec_status, names_status)


if __name__ == "__main__":
    sys.exit(main())
