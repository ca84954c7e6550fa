"""The command line: `python -m project.surface REVISION`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from specdrift.terminal import visible

from ..processes import run_as_program
from . import SEVERITIES, SurfaceChange, SurfaceError, check_out, surface_changes
from . import __doc__ as description
from .formats import WRITERS

ROOT = Path(__file__).resolve().parents[3]


def main(arguments: list[str] | None = None) -> int:
    """Print the changes since a revision.

    Returns:
        The exit status: 0; 1 if a change is as bad as `--fail-on` or worse; 2 if the comparison
        failed.
    """
    options = parser().parse_args(arguments)
    try:
        changes = changes_since(options.revision, options.root)
        for format_name, path in options.write:
            path.write_text(WRITERS[format_name](changes, options.revision), encoding="utf-8")
    except (SurfaceError, OSError) as error:
        print(f"surface: {visible(str(error))}", file=sys.stderr)
        return 2
    print(WRITERS[options.format](changes, options.revision), end="")
    failing = SEVERITIES[: SEVERITIES.index(options.fail_on) + 1]
    if any(change.severity in failing for change in changes):
        return 1
    return 0


def changes_since(revision: str, root: Path) -> list[SurfaceChange]:
    """The changes from a git revision to the working tree. Leaves no files behind."""
    with tempfile.TemporaryDirectory(prefix="surface-") as folder:
        base = Path(folder, "base")
        check_out(root, revision, base)
        return surface_changes(base, root)


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    result = argparse.ArgumentParser(
        prog="surface",
        description=description,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    result.add_argument("revision", metavar="REV", help="a git revision, such as main or HEAD~1")
    result.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        default="ERR",
        help="the lowest severity that makes the exit status 1",
    )
    result.add_argument(
        "--format",
        choices=WRITERS,
        default="text",
        help="the format on standard output (default: text)",
    )
    result.add_argument(
        "--write",
        action="append",
        default=[],
        type=output,
        metavar="FORMAT=FILE",
        help="also write the changes to a file",
    )
    result.add_argument("--root", type=Path, default=ROOT, help="the working tree")
    return result


def output(argument: str) -> tuple[str, Path]:
    """The format and the file in an argument `FORMAT=FILE`."""
    format_name, _, path = argument.partition("=")
    if format_name not in WRITERS or not path:
        formats = ", ".join(WRITERS)
        raise argparse.ArgumentTypeError(
            f"{argument!r} is not FORMAT=FILE, where FORMAT is {formats}"
        )
    return format_name, Path(path)


if __name__ == "__main__":
    run_as_program(main)
