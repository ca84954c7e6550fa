"""The command line: `python -m project.upgrade_report OLD_COPY NEW_COPY`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from specdrift.terminal import visible

from . import UpgradeReportError, create_report, write_markdown, write_text

WRITERS = {"text": write_text, "markdown": write_markdown}

DESCRIPTION = """\
Report what it means to replace one copy of the client by another: changes of the spec and of public
Python names, breaking ones first.

Exit status: 0; 2 if there is no report. With --fail-on-breaking, also 1 if a change breaks code,
and 2 if the report is incomplete."""


def main(arguments: list[str] | None = None) -> int:
    """Print the report, and return the exit status that the description explains."""
    options = parser().parse_args(arguments)
    try:
        report = create_report(options.base, options.revision)
    except UpgradeReportError as error:
        print(f"upgrade report: {visible(str(error))}", file=sys.stderr)
        return 2
    print(WRITERS[options.format](report), end="", flush=True)
    if not options.fail_on_breaking:
        return 0
    if report.breaks:
        return 1
    # A comparison that was not made cannot show that nothing breaks.
    if report.notes:
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    result = argparse.ArgumentParser(
        prog="upgrade_report",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("base", metavar="OLD_COPY", type=Path, help="the copy so far")
    result.add_argument("revision", metavar="NEW_COPY", type=Path, help="the copy to replace it")
    result.add_argument(
        "--fail-on-breaking", action="store_true", help="exit with status 1 on a breaking change"
    )
    result.add_argument(
        "--format", choices=WRITERS, default="text", help="the format (default: text)"
    )
    return result


if __name__ == "__main__":
    sys.exit(main())
