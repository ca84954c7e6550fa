"""Defines and parses the options of the command line."""

from __future__ import annotations

import argparse
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from .report.formats import WRITERS
from .report.report import LEVELS
from .rules import Level

_DESCRIPTION = """\
Compare two OpenAPI documents. Report what changed, what that means for clients that follow the
contract, and what it means for a client that was generated from the first document.

Exit code: 0, no change of the severity in --fail-on; 1, such a change, or a waiver that is expired
or unused; 2, the documents could not be compared, and there is no report."""


class Options(argparse.Namespace):
    """The parsed options. The help texts below explain them."""

    base: str
    revision: str
    within_base: bool
    advise: bool
    fail_on: Level
    waivers: str | None
    wire: Path | None
    format: str
    write: list[tuple[str, Path]]
    colour: str
    root: list[str]
    map: list[tuple[str, str]]


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line. Invalid arguments end the program with exit code 2.

    Args:
        arguments: the arguments; by default those of the process.
    """
    return _parser().parse_args(arguments, Options())


def _version() -> str:
    """The version of the installed distribution. A checkout on `PYTHONPATH` has none."""
    try:
        return importlib.metadata.version("specdrift")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed, so its version is unknown)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="specdrift",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # An abbreviation would change its meaning when an option is added.
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"specdrift {_version()}",
        help="print the version of specdrift, and exit",
    )
    _add_input_options(parser)
    _add_output_options(parser)
    return parser


def _add_input_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "base",
        metavar="BASE",
        help="the older document: a file, REVISION:PATH in git, or a URL",
    )
    parser.add_argument("revision", metavar="REVISION", help="the newer document")
    parser.add_argument(
        "--within-base",
        action="store_true",
        help="ignore operations that the base does not have",
    )
    parser.add_argument("--waivers", metavar="FILE", help="the accepted differences")
    parser.add_argument(
        "--wire",
        type=Path,
        metavar="FILE",
        help="also report the findings of clients: one finding per line, as JSON",
    )
    parser.add_argument(
        "--root",
        action="append",
        default=[],
        metavar="PLACE",
        help="a folder or URL for referenced files and redirects, beside that of the document",
    )
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        type=_replacement,
        metavar="REFERENCE=PLACE",
        help="read a referenced file from another place; without PLACE, compare by the text",
    )


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--advise",
        action="store_true",
        help="recommend what to do, if the base is your spec and the revision the API's own",
    )
    parser.add_argument(
        "--fail-on",
        choices=LEVELS,
        default="ERR",
        help="the lowest severity that leads to exit code 1 (default: ERR)",
    )
    parser.add_argument(
        "--format",
        choices=WRITERS,
        default="text",
        help="the format on standard output (default: text)",
    )
    parser.add_argument(
        "--write",
        action="append",
        default=[],
        type=_output,
        metavar="FORMAT=FILE",
        help="also write the report to a file",
    )
    parser.add_argument(
        "--colour",
        choices=("auto", "always", "never"),
        default="auto",
        help="colours of the text format (default: on a terminal)",
    )


def _output(argument: str) -> tuple[str, Path]:
    format_name, _, path = argument.partition("=")
    if format_name not in WRITERS or not path:
        formats = ", ".join(WRITERS)
        raise argparse.ArgumentTypeError(
            f"{argument!r} is not FORMAT=FILE, where FORMAT is {formats}"
        )
    return format_name, Path(path)


def _replacement(argument: str) -> tuple[str, str]:
    reference, separator, place = argument.partition("=")
    if not reference or not separator:
        raise argparse.ArgumentTypeError(f"{argument!r} is not REFERENCE=PLACE")
    return reference, place
