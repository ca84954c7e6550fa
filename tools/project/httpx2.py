"""Runs tests with httpx2, the maintained continuation of httpx: `make httpx2`.

It shows whether the client could migrate. httpx 0.28.1 dates from December 2024. The generator
still requires it, so the client cannot depend on httpx2 yet.

Environment variables: `TESTS` are arguments for pytest. `VERSION` is a version of httpx2; without
it, the newest one is used.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, parse

from .arguments import ArgumentsError, arguments_from
from .environments import (
    EnvironmentSetupError,
    create_environment,
    install,
    link_programs,
    own_packages,
    run_program,
)

ROOT = Path(__file__).resolve().parents[2]

DEFAULT_TESTS = ("tests/client", "tests/emulator")
"""The tests of the packages that import httpx."""

RENAMED_SUFFIXES = frozenset({".jinja", ".md", ".py", ".toml"})
"""The files that name httpx in code, in a template, in an example or in a requirement."""

# The dash: `httpx-aiohttp` and `python-httpx` are other names. The dot: so is `sentry.httpx`.
_NAME = re.compile(r"(?<![\w.-])(httpx|httpcore)(?![\w-])")
_REQUIREMENT = re.compile(r'"httpx2?[<>=!~][^"]*"')


class NoReportError(Exception):
    """pytest ended before it could write a report. It has printed the reason."""


@dataclass(frozen=True)
class Results:
    """What a run of pytest reported."""

    passed: int
    skipped: int
    failures: tuple[str, ...]
    """The names of the tests that failed, or that had an error before or after they ran."""


def main() -> int:
    """Run the tests in a temporary copy of the checkout.

    Returns:
        The exit status of pytest: 0 if all tests passed. 2 if they could not be run.
    """
    version = os.environ.get("VERSION", "")
    try:
        tests = arguments_from("TESTS") or DEFAULT_TESTS
        with tempfile.TemporaryDirectory(prefix="httpx2-") as folder:
            return run_trial(Path(folder), version, tests)
    except (ArgumentsError, EnvironmentSetupError, NoReportError) as error:
        print(f"httpx2: {error}", file=sys.stderr)
        return 2


def run_trial(folder: Path, version: str, tests: Sequence[str]) -> int:
    """Copy the checkout, rename httpx in the copy, and run tests there.

    Args:
        folder: a temporary folder.
        version: the version of httpx2; the newest one if it is empty.
        tests: arguments for pytest.

    Returns:
        The exit status of pytest.

    Raises:
        EnvironmentSetupError: httpx2 cannot be installed.
        NoReportError: pytest did not start, for example because of its arguments.
    """
    checkout = folder / "checkout"
    report = folder / "report.xml"
    copy_checkout(ROOT, checkout)
    renamed_files = rename_in_files(checkout)
    python = create_trial_environment(folder / "environment", checkout)
    install(python, f"httpx2=={version}" if version else "httpx2")
    print(f"{installed_version(python)}: httpx is renamed in {renamed_files} files", flush=True)
    command = [
        str(python),
        "-m",
        "pytest",
        f"--junit-xml={report}",
        "-p",
        "no:cacheprovider",
        *tests,
    ]
    status = subprocess.run(command, cwd=checkout, check=False).returncode
    if not report.is_file():
        raise NoReportError(f"pytest ended with status {status} and wrote no report")
    print(summary(read_report(report)))
    return status


def copy_checkout(source: Path, target: Path) -> None:
    """Copy a checkout without the files that `.gitignore` names, with links as links."""
    patterns = (source / ".gitignore").read_text(encoding="utf-8").split()
    names = [pattern.rstrip("/") for pattern in patterns]
    ignore = shutil.ignore_patterns(".git", *names)
    shutil.copytree(source, target, symlinks=True, ignore=ignore)


def rename_in_files(checkout: Path) -> int:
    """Rename httpx in every file of a checkout that can use it.

    Returns:
        The number of changed files.
    """
    changed_files = 0
    for path in sorted(checkout.rglob("*")):
        # A link leads to a file that is renamed itself.
        if path.suffix not in RENAMED_SUFFIXES or path.is_symlink() or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        renamed_text = renamed(text)
        if renamed_text != text:
            path.write_text(renamed_text, encoding="utf-8")
            changed_files += 1
    return changed_files


def renamed(text: str) -> str:
    """A text with httpx2 and httpcore2 in place of httpx and httpcore.

    Names of other distributions, such as `httpx-aiohttp`, stay. A requirement of httpx in
    pyproject.toml becomes one of httpx2 in any version.
    """
    text_with_new_names = _NAME.sub(r"\g<1>2", text)
    return _REQUIREMENT.sub('"httpx2"', text_with_new_names)


def create_trial_environment(folder: Path, checkout: Path) -> Path:
    """Create an environment with the packages of this one and with those of a checkout.

    Returns:
        The Python of the environment.

    Raises:
        EnvironmentSetupError: it cannot be created.
    """
    paths = [checkout / "overrides", checkout / "tools", own_packages()]
    python = create_environment(folder, paths)
    # Tests run programs such as `ruff`.
    link_programs(python)
    return python


def installed_version(python: Path) -> str:
    """The name and version of the installed httpx2.

    Raises:
        EnvironmentSetupError: the environment does not work.
    """
    code = 'from importlib.metadata import version; print("httpx2", version("httpx2"))'
    return run_program([str(python), "-c", code]).strip()


def read_report(report: Path) -> Results:
    """The results in a JUnit report of pytest."""
    passed = 0
    skipped = 0
    failures: list[str] = []
    # The file was written by our own pytest.
    for case in parse(report).iter("testcase"):  # noqa: S314
        if case.find("failure") is not None or case.find("error") is not None:
            failures.append(test_name(case))
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return Results(passed, skipped, tuple(failures))


def test_name(case: Element) -> str:
    """The module and the name of a test."""
    return f"{case.get('classname')}::{case.get('name')}"


def summary(results: Results) -> str:
    """The results as text: the failed tests, then one line with counts."""
    lines = [f"failed with httpx2: {name}" for name in results.failures]
    total = results.passed + len(results.failures)
    lines.append(f"{results.passed} of {total} tests pass with httpx2, {results.skipped} skipped")
    return "\n".join(lines)


def exit_on_signal(number: int, frame: object) -> NoReturn:
    """Raise an exception on SIGTERM, so that the temporary folder is removed."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, exit_on_signal)
    sys.exit(main())
