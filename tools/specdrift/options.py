"""Defines and parses the options of the command line."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from .levels import level_named
from .loading.sources import STANDARD_INPUT
from .report.formats import WRITERS
from .rules import ERR, INFO, WARN, Level
from .unsupported import unsupported_option, unsupported_subcommand

_DESCRIPTION = """\
Compare two OpenAPI documents. Report what changed, what that means for clients that follow the
contract, and what it means for a client that was generated from the first document.

  specdrift BASE REVISION             every change
  specdrift changelog BASE REVISION   the same
  specdrift breaking BASE REVISION    changes of the severities ERR and WARN only
  specdrift diff BASE REVISION        every difference, also in descriptions, without severities
  specdrift checks                    the ids, severities and sentences of all checks

Write ./breaking for a file with the name of a subcommand."""

_EPILOG = """\
Exit code: 0, no change of the severity in --fail-on; 1, such a change, or a waiver that is expired
or unused; 2, the documents could not be compared, and there is no report.

Example: specdrift breaking main:openapi.yaml openapi.yaml --match-path ^/v2/ --fail-on WARN"""

Subcommand: TypeAlias = Literal["breaking", "changelog", "checks", "diff"]

DEFAULT_SUBCOMMAND: Subcommand = "changelog"

_SUBCOMMANDS: tuple[Subcommand, ...] = ("breaking", "changelog", "checks", "diff")


class InputOptions(argparse.Namespace):
    """The options that name the documents and select what is compared."""

    base: str
    revision: str
    within_base: bool
    composed: bool
    match_path: re.Pattern[str] | None
    unmatch_path: re.Pattern[str] | None
    strip_prefix_base: str
    strip_prefix_revision: str
    prefix_base: str
    prefix_revision: str
    root: list[str]
    map: list[tuple[str, str]]


class Options(InputOptions):
    """The parsed options of a comparison. The help texts below explain them."""

    advise: bool
    fail_on: Level
    level: Level
    severity_levels: str | None
    deprecation_days_beta: int
    deprecation_days_stable: int
    waivers: str | None
    wire: Path | None
    format: str
    write: list[tuple[str, Path]]
    colour: str


def split_subcommand(arguments: Sequence[str] | None) -> tuple[Subcommand, list[str]]:
    """Separate the subcommand from the other arguments. Without one, it is `changelog`.

    Args:
        arguments: the arguments; by default those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    first_word = words[0] if words else ""
    for subcommand in _SUBCOMMANDS:
        if first_word == subcommand:
            return subcommand, words[1:]
    problem = unsupported_subcommand(first_word)
    # A file with such a name needs no other spelling, because there is no such subcommand.
    if problem and not os.path.exists(first_word):
        _parser().error(problem)
    return DEFAULT_SUBCOMMAND, words


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """Parse the command line. Invalid arguments end the program with exit code 2.

    Args:
        arguments: the arguments; by default those of the process.
    """
    subcommand, words = split_subcommand(arguments)
    parser = _parser()
    if subcommand == "breaking":
        parser.set_defaults(level=WARN)
    reject_unsupported_option(parser, words)
    options = parser.parse_args(words, Options())
    check_input_options(parser, options)
    return options


def reject_unsupported_option(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """End the program if there is an option of oasdiff that the parser does not have."""
    known_options = parser._option_string_actions  # argparse has no public list
    problem = unsupported_option([word for word in arguments if word not in known_options])
    if problem:
        parser.error(problem)


def check_input_options(parser: argparse.ArgumentParser, options: InputOptions) -> None:
    """End the program if options exclude each other."""
    if options.base == STANDARD_INPUT and options.revision == STANDARD_INPUT:
        parser.error("only one document can be on standard input: name a file for the other one")
    prefixes = (
        options.strip_prefix_base,
        options.strip_prefix_revision,
        options.prefix_base,
        options.prefix_revision,
    )
    if not options.composed:
        return
    if any(prefixes):
        parser.error("--composed allows no prefixes: compare the documents one by one")
    if STANDARD_INPUT in (options.base, options.revision):
        parser.error("--composed needs patterns of files, not standard input")


def _version() -> str:
    """The version of the installed distribution. A checkout on `PYTHONPATH` has none."""
    try:
        return importlib.metadata.version("specdrift")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed, so its version is unknown)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="specdrift",
        usage="specdrift [breaking | changelog | diff | checks] [OPTION …] BASE REVISION",
        description=_DESCRIPTION,
        epilog=_EPILOG,
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
    add_input_options(parser)
    _add_severity_options(parser)
    _add_output_options(parser)
    return parser


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Add what names the documents and selects what is compared."""
    documents = parser.add_argument_group("documents")
    documents.add_argument(
        "base",
        metavar="BASE",
        help="the older document: a file, REVISION:PATH in git, a URL, or - for standard input",
    )
    documents.add_argument("revision", metavar="REVISION", help="the newer document")
    documents.add_argument(
        "-c",
        "--composed",
        action="store_true",
        help="BASE and REVISION are patterns such as 'old/*.yaml': compare all their paths",
    )
    documents.add_argument(
        "--root",
        action="append",
        default=[],
        metavar="PLACE",
        help="a folder or URL for referenced files and redirects, beside that of the document",
    )
    documents.add_argument(
        "--map",
        action="append",
        default=[],
        type=_replacement,
        metavar="REFERENCE=PLACE",
        help="read a referenced file from another place; without PLACE, compare by the text",
    )
    _add_selection_options(parser.add_argument_group("paths"))


# The class of a group of options has no public name.
def _add_selection_options(
    paths: argparse._ArgumentGroup,  # pyright: ignore[reportPrivateUsage]
) -> None:
    paths.add_argument(
        "--within-base",
        action="store_true",
        help="ignore operations that the base does not have",
    )
    paths.add_argument(
        "-p",
        "--match-path",
        type=_regular_expression,
        metavar="REGEX",
        help="compare only paths that contain a match, as they are in their document",
    )
    paths.add_argument(
        "-q",
        "--unmatch-path",
        type=_regular_expression,
        metavar="REGEX",
        help="ignore paths that contain a match",
    )
    for side, document in (("base", "base"), ("revision", "revision")):
        paths.add_argument(
            f"--strip-prefix-{side}",
            default="",
            metavar="PREFIX",
            help=f"remove a prefix from the paths of the {document}",
        )
        paths.add_argument(
            f"--prefix-{side}",
            default="",
            metavar="PREFIX",
            help=f"then add a prefix to the paths of the {document}",
        )


def _add_severity_options(parser: argparse.ArgumentParser) -> None:
    severities = parser.add_argument_group("severities (ERR, WARN and INFO, in any case)")
    severities.add_argument(
        "-o",
        "--fail-on",
        type=level,
        default=ERR,
        metavar="SEVERITY",
        help="the lowest severity that leads to exit code 1 (default: ERR)",
    )
    severities.add_argument(
        "--level",
        type=level,
        default=INFO,
        metavar="SEVERITY",
        help="the lowest severity in the report (default: INFO; of `breaking`: WARN)",
    )
    severities.add_argument(
        "--severity-levels",
        metavar="FILE",
        help="other severities: lines such as `api-removed-without-deprecation: warn`, or `none`",
    )
    for stability in ("beta", "stable"):
        severities.add_argument(
            f"--deprecation-days-{stability}",
            type=_days,
            default=0,
            metavar="DAYS",
            help=f"the least days from a deprecation to the sunset of a {stability} operation",
        )
    severities.add_argument("--waivers", metavar="FILE", help="the accepted differences")
    severities.add_argument(
        "--wire",
        type=Path,
        metavar="FILE",
        help="also report the findings of clients: one finding per line, as JSON",
    )


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument_group("output")
    output.add_argument(
        "--advise",
        action="store_true",
        help="recommend what to do, if the base is your spec and the revision the API's own",
    )
    output.add_argument(
        "-f",
        "--format",
        choices=WRITERS,
        default="text",
        help="the format on standard output (default: text)",
    )
    output.add_argument(
        "--write",
        action="append",
        default=[],
        type=_output,
        metavar="FORMAT=FILE",
        help="also write the report to a file",
    )
    output.add_argument(
        "--colour",
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colours of the text format (default: on a terminal)",
    )


def level(argument: str) -> Level:
    """Parse a severity. argparse adds the name of the option to the message."""
    named_level = level_named(argument)
    if named_level is None:
        raise argparse.ArgumentTypeError(f"{argument!r} is no severity: write ERR, WARN or INFO")
    return named_level


def _days(argument: str) -> int:
    if not argument.isdecimal():
        raise argparse.ArgumentTypeError(f"{argument!r} is no number of days: write 180, or 0")
    return int(argument)


def _regular_expression(argument: str) -> re.Pattern[str]:
    try:
        return re.compile(argument)
    except re.error as error:
        raise argparse.ArgumentTypeError(
            f"{argument!r} is no regular expression: {error}: escape it with a backslash"
        ) from error


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
