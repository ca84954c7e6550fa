"""Runs the examples and the documentation of a revision with the client in the working tree.

The tests of that revision run them: they know the arguments of each example, and replace the
network by the emulator.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from .base import GateError

REPLACED_PATHS = (
    "generated",
    "generator-config.yaml",
    "overrides",
    "spec",
    "templates",
    "tools",
)
"""The client, and the tools that the tests of the examples need with it."""

EXAMPLE_TESTS = "tests/project/test_examples.py"
DOCUMENTATION_TESTS = "tests/project/test_documentation.py"

SELECTION = "test_examples and not demo or python_block"
"""The tests that run users' code. The demo runs the generator, which no user calls."""

NO_TESTS_SELECTED = 5
"""The exit status of pytest if no test is selected."""


@dataclass(frozen=True)
class FailedRun:
    """A test that failed."""

    test: str
    """Its name, such as `test_a_python_block_runs_as_it_is[README.md:20]`."""
    reason: str
    """The last line of the error."""
    text: str
    """The whole report of pytest."""


def with_client(revision: Path, client: Path) -> None:
    """Replace the client in the files of a revision by that of another checkout.

    Args:
        revision: the files of the revision. They are changed.
        client: the checkout with the client.
    """
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
    for name in REPLACED_PATHS:
        source = client / name
        target = revision / name
        remove(target)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, ignore=ignored)
        elif source.exists():
            shutil.copy2(source, target)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def failed_runs(checkout: Path, report: Path) -> list[FailedRun]:
    """Run the tests of the examples and of the documentation, and return those that failed.

    Args:
        checkout: the files of the revision, with the client to run.
        report: the file that pytest writes.

    Raises:
        GateError: pytest cannot run.
    """
    files = [name for name in (EXAMPLE_TESTS, DOCUMENTATION_TESTS) if (checkout / name).is_file()]
    if not files:
        return []
    command = [
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
        # Without it, pytest shortens long values outside of CI. The names in them decide.
        "-vv",
        *("-k", SELECTION, f"--junitxml={report}", *files),
    ]
    result = subprocess.run(command, cwd=checkout, check=False, capture_output=True, text=True)
    if result.returncode == NO_TESTS_SELECTED:
        return []
    if result.returncode not in {0, 1} or not report.is_file():
        lines = (result.stdout + result.stderr).strip().splitlines()
        raise GateError(f"pytest failed: {' '.join(' '.join(lines[-5:]).split())}")
    return read_report(report)


def read_report(report: Path) -> list[FailedRun]:
    """The failures in a report of pytest in JUnit's format."""
    # pytest wrote it here and now, so nobody else chose its content.
    document = ElementTree.parse(report)  # noqa: S314
    failures: list[FailedRun] = []
    for case in document.iter("testcase"):
        for element in [*case.findall("failure"), *case.findall("error")]:
            message = element.get("message", "").strip()
            # The first line has the error. The others explain a comparison.
            reason = message.partition("\n")[0]
            failures.append(FailedRun(case.get("name", ""), reason, element.text or message))
    return failures
