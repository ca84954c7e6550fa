"""Runs specdrift for the GitHub action in `.github/actions/specdrift/`.

The inputs of the action arrive in environment variables with the prefix `INPUT_`. So no shell
evaluates them. Results go to the files that GitHub names in `GITHUB_OUTPUT` and
`GITHUB_STEP_SUMMARY`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .cli import ExitCode
from .cli import main as compare
from .levels import level_named
from .report.formats import WRITERS
from .report.report import LEVELS
from .rules import ERR

NEVER = "never"
"""The value of the input `fail-on` with which changes fail no run."""

SUMMARY_LIMIT = 1024 * 1024
"""Bytes. GitHub rejects the summary of a step that is larger than 1 MiB."""


class InputError(Exception):
    """An input of the action is invalid. The message names it, and has one line."""


@dataclass(frozen=True)
class Inputs:
    """The inputs, which `action.yml` describes."""

    base: str
    head: str
    format: str
    fail_on: str
    severity_levels: str
    waivers: str
    is_within_base: bool
    report: str


@dataclass(frozen=True)
class Comparison:
    """What a run of specdrift produced.

    Attributes:
        exit_code: the exit code of specdrift.
        counts: the number of changes by severity; empty without a report.
        markdown: the report as Markdown; empty without a report.
    """

    exit_code: int
    counts: Mapping[str, int]
    markdown: str


def main() -> int:
    """Compare, write the outputs and the summary, and return the exit status of the step."""
    try:
        inputs = read_inputs(os.environ)
    except InputError as error:
        # Percent signs and line ends have a meaning in workflow commands.
        message = str(error).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        print(f"::error title=specdrift::{message}")
        return ExitCode.NOT_COMPARED
    comparison = run(inputs)
    write_outputs(comparison)
    append_to_file("GITHUB_STEP_SUMMARY", shorten(comparison.markdown))
    if inputs.fail_on == NEVER and comparison.exit_code == ExitCode.FAILED:
        return ExitCode.PASSED
    return comparison.exit_code


def read_inputs(environment: Mapping[str, str]) -> Inputs:
    """Read the inputs.

    Raises:
        InputError: one is missing or has an unknown value.
    """
    within_base = _one_of(
        "within-base", environment.get("INPUT_WITHIN_BASE", ""), "false", ["true", "false"]
    )
    return Inputs(
        base=_required("base", environment.get("INPUT_BASE", "")),
        head=_required("head", environment.get("INPUT_HEAD", "")),
        format=_one_of("format", environment.get("INPUT_FORMAT", ""), "github", list(WRITERS)),
        fail_on=_severity(environment.get("INPUT_FAIL_ON", "")),
        severity_levels=environment.get("INPUT_SEVERITY_LEVELS", ""),
        waivers=environment.get("INPUT_WAIVERS", ""),
        is_within_base=within_base == "true",
        report=_report(environment.get("INPUT_REPORT", "")),
    )


def _required(name: str, value: str) -> str:
    if not value:
        raise InputError(f"the input `{name}` is missing: name a file, REVISION:PATH or a URL")
    return value


def _one_of(name: str, value: str, default: str, choices: list[str]) -> str:
    """The value of an input, or the default for an empty one."""
    if not value:
        return default
    if value not in choices:
        raise InputError(f"the input `{name}` is {value!r}: write one of {', '.join(choices)}")
    return value


def _severity(value: str) -> str:
    """The value of the input `fail-on`: a severity in any case, or `never`."""
    if not value:
        return ERR
    if value.lower() == NEVER:
        return NEVER
    level = level_named(value)
    if level is None:
        levels = ", ".join([*LEVELS, NEVER])
        raise InputError(f"the input `fail-on` is {value!r}: write one of {levels}")
    return level


def _report(value: str) -> str:
    format_name, _, path = value.partition("=")
    if value and (format_name not in WRITERS or not path):
        formats = ", ".join(WRITERS)
        raise InputError(f"the input `report` is {value!r}: write FORMAT=FILE, with {formats}")
    return value


def run(inputs: Inputs) -> Comparison:
    """Run specdrift, which prints its report or its error."""
    with tempfile.TemporaryDirectory() as folder:
        json_report = Path(folder, "report.json")
        markdown_report = Path(folder, "report.md")
        exit_code = compare(
            [
                *options(inputs),
                *("--write", f"json={json_report}", "--write", f"markdown={markdown_report}"),
                *("--", inputs.base, inputs.head),
            ]
        )
        if not json_report.exists():
            return Comparison(exit_code, counts={}, markdown="")
        counts = json.loads(json_report.read_bytes())["counts"]
        return Comparison(exit_code, counts, markdown_report.read_text(encoding="utf-8"))


def options(inputs: Inputs) -> list[str]:
    """The options of specdrift."""
    arguments = ["--format", inputs.format]
    if inputs.fail_on != NEVER:
        arguments += ["--fail-on", inputs.fail_on]
    if inputs.severity_levels:
        arguments += ["--severity-levels", inputs.severity_levels]
    if inputs.waivers:
        arguments += ["--waivers", inputs.waivers]
    if inputs.is_within_base:
        arguments.append("--within-base")
    if inputs.report:
        arguments += ["--write", inputs.report]
    return arguments


def write_outputs(comparison: Comparison) -> None:
    """Set the outputs of the step. All of them are numbers or names of severities."""
    values = {"exit-code": str(int(comparison.exit_code)), "changes": "", "severity": ""}
    if comparison.counts:
        changes_by_level = {level: comparison.counts[level] for level in LEVELS}
        levels = [level for level, changes in changes_by_level.items() if changes]
        values["changes"] = str(sum(changes_by_level.values()))
        # The highest severity comes first.
        values["severity"] = levels[0] if levels else ""
    append_to_file("GITHUB_OUTPUT", "".join(f"{name}={text}\n" for name, text in values.items()))


def append_to_file(variable: str, text: str) -> None:
    """Add text to the file that a variable names, if there is one."""
    path = os.environ.get(variable, "")
    if not path:
        return
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)


def shorten(markdown: str) -> str:
    """The Markdown, or its complete lines that GitHub accepts, with a notice."""
    if len(markdown.encode()) <= SUMMARY_LIMIT:
        return markdown
    # Half of the limit leaves room for the summaries of other steps.
    start = markdown.encode()[: SUMMARY_LIMIT // 2].decode(errors="ignore")
    complete_lines, _, _ = start.rpartition("\n")
    return f"{complete_lines}\n\nThe rest is omitted: it is too long for a job summary.\n"


if __name__ == "__main__":
    sys.exit(main())
