"""The subcommand `specdrift checks`, which lists the checks."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import yaml

from .checks import CHECKS, PLACES, Check
from .options import level, reject_unsupported_option
from .rules import GROUPS, Direction, Level
from .terminal import json_text

_DESCRIPTION = """\
List all checks: their ids, their severities in requests and responses, and their sentences.

In an id, `*` stands for the place of a change: `*-became-required` is the check
request-property-became-required in the property of a request body. The formats json and yaml list
every id that is formed so."""


class ChecksOptions(argparse.Namespace):
    """The parsed options."""

    severity: list[Level]
    tags: list[str]
    format: str


def checks_text(arguments: Sequence[str]) -> str:
    """Return the list of checks in the format that the arguments ask for."""
    parser = _parser()
    reject_unsupported_option(parser, arguments)
    options = parser.parse_args(arguments, ChecksOptions())
    checks = [
        check
        for check in CHECKS
        if _has_severity(check, options.severity) and _tags(check).issuperset(options.tags)
    ]
    return _FORMATS[options.format](checks)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="specdrift checks",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "-s",
        "--severity",
        "--level",
        type=_levels,
        default=[],
        metavar="SEVERITY,…",
        help="only checks that have one of these severities: ERR, WARN or INFO",
    )
    parser.add_argument(
        "-t",
        "--tags",
        type=_known_tags,
        default=[],
        metavar="TAG,…",
        help=f"only checks with all of these tags: {', '.join(_ALL_TAGS)}",
    )
    parser.add_argument("-f", "--format", choices=_FORMATS, default="text", help="default: text")
    return parser


def _levels(argument: str) -> list[Level]:
    return [level(name) for name in argument.split(",")]


def _known_tags(argument: str) -> list[str]:
    tags = argument.lower().split(",")
    for tag in tags:
        if tag not in _ALL_TAGS:
            raise argparse.ArgumentTypeError(
                f"{tag!r} is no tag: write one or several of {', '.join(_ALL_TAGS)}"
            )
    return tags


_ALL_TAGS = (*(str(direction) for direction in Direction), *GROUPS)
"""A tag is a direction or a subject."""


def _tags(check: Check) -> set[str]:
    return {check.group, *(str(direction) for direction in check.levels)}


def _has_severity(check: Check, levels: Collection[Level]) -> bool:
    return not levels or not set(check.levels.values()).isdisjoint(levels)


def _as_text(checks: Sequence[Check]) -> str:
    lines = list(_text_lines(checks))
    return "\n".join(lines).lstrip("\n") + "\n"


def _text_lines(checks: Sequence[Check]) -> Iterator[str]:
    group = ""
    for check in checks:
        if check.group != group:
            group = check.group
            yield ""
            yield group.capitalize()
        yield f"  {check.rule.id}: {_severities(check)}"
        yield f"      {check.text}"
    number_of_ids = sum(len(check.ids) for check in checks)
    yield ""
    yield f"{len(checks):,} checks with {number_of_ids:,} ids."
    yield from textwrap.wrap(
        f"`*` is one of these places: {', '.join(PLACES)}. In the ids of limits and subschemas, the"
        " keyword follows, as in request-property-max-length-decreased. `--format json` lists all"
        " ids.",
        width=100,
        break_on_hyphens=False,
    )


def _severities(check: Check) -> str:
    """The severities, such as `ERR`, or `ERR in requests, INFO in responses`."""
    if len(set(check.levels.values())) == 1:
        return next(iter(check.levels.values()))
    return ", ".join(f"{level} in {direction}s" for direction, level in check.levels.items())


def _as_json(checks: Sequence[Check]) -> str:
    return json_text(_data(checks)) + "\n"


def _as_yaml(checks: Sequence[Check]) -> str:
    return yaml.safe_dump(_data(checks), sort_keys=False, width=100)


def _data(checks: Sequence[Check]) -> list[dict[str, object]]:
    return [
        {
            "id": check.rule.id,
            "group": check.group,
            "levels": {str(direction): level for direction, level in check.levels.items()},
            "text": check.text,
            "ids": list(check.ids),
        }
        for check in checks
    ]


_FORMATS: Mapping[str, Callable[[Sequence[Check]], str]] = {
    "text": _as_text,
    "json": _as_json,
    "yaml": _as_yaml,
}
