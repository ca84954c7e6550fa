"""The subcommand `specdrift diff`, which lists every difference without a severity."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import yaml

from .inputs import load_documents, selections_of
from .options import InputOptions, add_input_options, check_input_options, reject_unsupported_option
from .report.wording import shortened
from .structure import Difference, structural_differences
from .terminal import json_text, visible

_DESCRIPTION = """\
List every difference between two OpenAPI documents, also in descriptions and examples. References
are followed. For what a difference means to clients, use `specdrift BASE REVISION`."""

_EPILOG = """\
Exit code: 0; 1, if there is a difference and --fail-on-diff; 2, the documents could not be
compared."""

_LONGEST_VALUE = 200
"""Characters of a value in the text format. The other formats have the complete values."""

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


class DiffOptions(InputOptions):
    """The parsed options."""

    format: str
    fail_on_diff: bool


@dataclass(frozen=True)
class DifferenceReport:
    """The written differences."""

    text: str
    fails: bool
    """Whether there is a difference, and differences fail."""


def parse_diff_options(arguments: Sequence[str]) -> DiffOptions:
    """Parse the command line. Invalid arguments end the program with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="specdrift diff",
        usage="specdrift diff [OPTION …] BASE REVISION",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_input_options(parser)
    output = parser.add_argument_group("output")
    output.add_argument("-f", "--format", choices=_FORMATS, default="text", help="default: text")
    output.add_argument(
        "-o", "--fail-on-diff", action="store_true", help="exit with 1 if there is a difference"
    )
    reject_unsupported_option(parser, arguments)
    options = parser.parse_args(arguments, DiffOptions())
    check_input_options(parser, options)
    if options.within_base:
        parser.error("--within-base is not for diff: use --match-path to select paths")
    return options


def difference_report(options: DiffOptions) -> DifferenceReport:
    """Load the documents and write their differences.

    Raises:
        ComparisonError: a document cannot be read.
    """
    base, revision = load_documents(options)
    selections = selections_of(base, revision, options)
    differences = list(structural_differences(base.nodes, revision.nodes, selections))
    text = _FORMATS[options.format](differences)
    return DifferenceReport(text, fails=options.fail_on_diff and bool(differences))


def _as_text(differences: Sequence[Difference]) -> str:
    lines = [_line(difference) for difference in differences]
    number = len(differences)
    lines.append("1 difference" if number == 1 else f"{number:,} differences")
    return "\n".join(lines) + "\n"


def _line(difference: Difference) -> str:
    place = visible(difference.revision_pointer or difference.base_pointer or "/")
    sign = _SIGNS[difference.action]
    if difference.action == "removed":
        return f"{sign} {place}: {_value(difference.old)}"
    if difference.action == "added":
        return f"{sign} {place}: {_value(difference.new)}"
    return f"{sign} {place}: {_value(difference.old)} -> {_value(difference.new)}"


def _value(value: object) -> str:
    return shortened(json.dumps(value, ensure_ascii=False), _LONGEST_VALUE)


def _as_json(differences: Sequence[Difference]) -> str:
    return json_text([asdict(difference) for difference in differences]) + "\n"


def _as_yaml(differences: Sequence[Difference]) -> str:
    data = [asdict(difference) for difference in differences]
    return yaml.safe_dump(data, sort_keys=False, width=100)


_FORMATS: Mapping[str, Callable[[Sequence[Difference]], str]] = {
    "text": _as_text,
    "json": _as_json,
    "yaml": _as_yaml,
}
