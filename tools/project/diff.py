"""Shows changes in the spec and in public Python names since a revision: `make diff BASE=main`.

Environment variables: `BASE` is a git revision. `ARGS` are further arguments for specdrift.
`REPORT` names a folder for the report on a pull request: see `diff_report`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from . import report_folder
from .arguments import ArgumentsError, arguments_from
from .diff_report import FILES, write_report
from .processes import FAILED, run
from .report_folder import IncompleteReportError

SPEC = "spec/openapi.yaml"


def main() -> int:
    """Run both comparisons.

    Returns:
        The worse exit status of the two: 0, 1 for breaking changes, or 2 if one of them failed.
        2 also without a revision, and for an invalid `ARGS`. With `REPORT`, 0 for changes as well.
    """
    folder = os.environ.get("REPORT", "")
    try:
        if folder:
            # Before anything else: after any failure, there is no report of an earlier run.
            report_folder.prepare(Path(folder), FILES)
        return compare(folder)
    except (ArgumentsError, IncompleteReportError) as error:
        print(error, file=sys.stderr)
        return FAILED
    except OSError as error:
        print(f"{error.filename}: cannot be written: {error.strerror}", file=sys.stderr)
        return FAILED


def compare(folder: str) -> int:
    """Compare as the environment variables say.

    Args:
        folder: the folder of the report; empty without one.

    Returns:
        The exit status of `main`.

    Raises:
        ArgumentsError: `ARGS` is invalid.
        IncompleteReportError: a comparison has passed without its part of the report.
        OSError: the folder cannot be written.
    """
    base = os.environ.get("BASE", "")
    if not base:
        print("usage: make diff BASE=REVISION", file=sys.stderr)
        return FAILED
    arguments = arguments_from("ARGS")
    if folder:
        return write_report(f"{base}:{SPEC}", SPEC, base, Path(folder), arguments)
    # After `--`, a revision such as `--help` is not taken for an option.
    spec_status = run("specdrift", *arguments, "--", f"{base}:{SPEC}", SPEC)
    # Flushed, because the comparisons write to the same output.
    print(flush=True)
    names_status = run("project.surface", "--root", ".", "--", base)
    return max(spec_status, names_status)


if __name__ == "__main__":
    sys.exit(main())
