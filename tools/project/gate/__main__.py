"""The command line: `make gate BASE=REVISION`, which runs `python -m project.gate`.

Environment variables: `BASE` is the revision to compare with until there is a release.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from specdrift.terminal import visible

from ..processes import run_as_program
from .base import GateError
from .gate import collect_evidence, decide
from .report import write_report


def main() -> int:
    """Judge the working tree in the current directory, and print the result.

    Returns:
        The exit status: 0; 1 if something breaks without an entry in the changelog; 2 if the
        comparison cannot be made.
    """
    with tempfile.TemporaryDirectory(prefix="gate-") as folder:
        try:
            evidence = collect_evidence(Path.cwd(), os.environ.get("BASE", ""), Path(folder))
        except (GateError, OSError) as error:
            print(f"gate: {visible(str(error))}", file=sys.stderr)
            return 2
    verdict = decide(evidence)
    print(write_report(verdict), end="", flush=True)
    return 0 if verdict.passes else 1


if __name__ == "__main__":
    run_as_program(main)
