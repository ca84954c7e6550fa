"""Measures which part of the code the tests execute: `make coverage`.

The settings, with the floor, are in pyproject.toml under `tool.coverage`. The environment variable
`TESTS` selects tests. Then no floor applies. In a workflow, the table is also in the job's summary.

Processes that tests start are not measured. So the programs in `tools/project/` are not part of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from .arguments import ArgumentsError, arguments_from
from .job_files import append_summary


@dataclass(frozen=True)
class Count:
    """Statements and branches, and how many of them were executed."""

    statements: int = 0
    covered_statements: int = 0
    branches: int = 0
    covered_branches: int = 0

    def __add__(self, count: Count) -> Count:
        return Count(
            self.statements + count.statements,
            self.covered_statements + count.covered_statements,
            self.branches + count.branches,
            self.covered_branches + count.covered_branches,
        )

    @property
    def percentage(self) -> float:
        """Statements and branches together, as coverage.py counts; 100 if there are none."""
        total = self.statements + self.branches
        if total == 0:
            return 100.0
        return 100 * (self.covered_statements + self.covered_branches) / total


def main() -> int:
    """Run the tests and report.

    Returns:
        The exit status: that of pytest, which also fails below the floor, or 2 for an invalid
        `TESTS`.
    """
    try:
        tests = arguments_from("TESTS")
    except ArgumentsError as error:
        print(error, file=sys.stderr)
        return 2
    floor = 0.0 if tests else read_floor(Path("pyproject.toml"))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "coverage.json")
        status = run_tests(tests, floor, Path(folder))
        if not report.exists():
            # pytest has printed why it did not start.
            return status
        table = markdown(counts_by_package(json.loads(report.read_bytes())), floor)
    print(table)
    append_summary(f"### Coverage\n\n{table}")
    return status


def read_floor(settings: Path) -> float:
    """The lowest percentage that passes."""
    document = tomllib.loads(settings.read_text(encoding="utf-8"))
    return float(document["tool"]["coverage"]["report"]["fail_under"])


def run_tests(tests: list[str], floor: float, folder: Path) -> int:
    """Run pytest with coverage, and return its exit status.

    Args:
        tests: arguments for pytest; empty for all tests.
        floor: the percentage below which the run fails.
        folder: the folder for coverage's files.
    """
    command = [
        *(sys.executable, "-m", "pytest"),
        *("--cov", f"--cov-fail-under={floor}"),
        f"--cov-report=json:{folder / 'coverage.json'}",
        *tests,
    ]
    variables = {**os.environ, "COVERAGE_FILE": str(folder / "coverage")}
    return subprocess.run(command, env=variables, check=False).returncode


def counts_by_package(report: Mapping[str, Any]) -> dict[str, Count]:
    """The counts of each package, from coverage's report in JSON."""
    counts: dict[str, Count] = defaultdict(Count)
    for path, file in report["files"].items():
        summary = file["summary"]
        counts[package_of(path)] += Count(
            statements=summary["num_statements"],
            covered_statements=summary["covered_lines"],
            branches=summary["num_branches"],
            covered_branches=summary["covered_branches"],
        )
    return dict(counts)


def package_of(path: str) -> str:
    """The import package of a file: packages are in `overrides/` and `tools/`."""
    return PurePath(path).parts[1]


def markdown(counts: Mapping[str, Count], floor: float) -> str:
    """The table of all packages, with their sum in the last row."""
    lines = [
        "| package | statements | branches | coverage |",
        "|---|---:|---:|---:|",
    ]
    lines += [row(package, count) for package, count in sorted(counts.items())]
    total = sum(counts.values(), Count())
    lines.append(row("all", total))
    if floor:
        verdict = "above" if total.percentage >= floor else "**below**"
        lines += ["", f"The sum is {verdict} the floor of {floor:g} %."]
    return "\n".join(lines) + "\n"


def row(name: str, count: Count) -> str:
    """A row of the table. The percentage is rounded down, so that it never hides a gap."""
    percentage = int(count.percentage * 10) / 10
    statements = f"{count.covered_statements:,} of {count.statements:,}"
    branches = f"{count.covered_branches:,} of {count.branches:,}"
    return f"| {name} | {statements} | {branches} | {percentage:.1f} % |"


if __name__ == "__main__":
    sys.exit(main())
