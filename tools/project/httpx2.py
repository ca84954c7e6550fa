"""Runs tests with httpx2, the maintained continuation of httpx: `make httpx2`.

It shows whether the client could migrate. httpx 0.28.1 dates from December 2024. The generator
requires `httpx<0.29`, so the client stays on it. Known failures do not fail the run.

Environment variables: `TESTS` are arguments for pytest. `VERSION` is a version of httpx2; without
it, the newest one is used.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
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
from .processes import run_as_program
from .sources import ignored_files

ROOT = Path(__file__).resolve().parents[2]

DEFAULT_TESTS = ("tests/client", "tests/emulator")
"""The tests of the packages that import httpx."""

RENAMED_SUFFIXES = frozenset({".jinja", ".md", ".py", ".toml"})
"""The files that name httpx in code, in a template, in an example or in a requirement."""

# The dash: `httpx-aiohttp` and `python-httpx` are other names. The dot: so is a module `x.httpx`.
_NAME = re.compile(r"(?<![\w.-])(httpx|httpcore)(?![\w-])")
_REQUIREMENT = re.compile(r'"httpx2[<>=!~][^"]*"')
# This package has its variant for httpx2 in a module of its own.
_AIOHTTP_IMPORT = re.compile(r"\bfrom httpx_aiohttp import\b")


class NoReportError(Exception):
    """pytest did not run all tests. It has printed the reason."""


@dataclass(frozen=True)
class KnownFailure:
    """A test that fails with httpx2 for a reason outside this project."""

    test: str
    """The module and the function."""
    parameter: str
    """A part of the test's parameters; empty for a test without them."""
    reason: str

    def matches(self, name: str) -> bool:
        """Whether a test with this name is meant."""
        function, _, parameters = name.partition("[")
        return function == self.test and self.parameter in parameters


_NO_PYREQWEST = "pyreqwest's transport raises exceptions of httpx (pyreqwest 0.15.1)"

KNOWN_FAILURES = (
    KnownFailure(
        "tests.client.test_custom_transports::"
        "test_a_failure_of_another_library_is_retried_and_then_a_connection_error",
        "HttpxTransport",
        _NO_PYREQWEST,
    ),
    KnownFailure(
        "tests.client.test_tls_and_proxies::"
        "test_an_untrusted_certificate_is_final_and_nothing_is_sent",
        "HttpxTransport",
        _NO_PYREQWEST,
    ),
    KnownFailure(
        "tests.client.test_tls_and_proxies::test_a_407_of_a_proxy_of_another_library_is_final",
        "",
        _NO_PYREQWEST,
    ),
)
"""A migration must wait for these. Delete an entry when its tests pass."""


@dataclass(frozen=True)
class Results:
    """What a run of pytest reported."""

    passed: int
    skipped: int
    failures: tuple[str, ...]
    """The names of the tests that failed, or that had an error before or after they ran."""

    @property
    def unexpected_failures(self) -> tuple[str, ...]:
        """The failures that are not known."""
        return tuple(name for name in self.failures if not is_known(name))


def main() -> int:
    """Run the tests in a temporary copy of the checkout.

    Returns:
        Exit status 0; 1 if a test fails that is not in `KNOWN_FAILURES`; 2 if no test was run.
    """
    version = os.environ.get("VERSION", "")
    try:
        tests = arguments_from("TESTS") or DEFAULT_TESTS
        with tempfile.TemporaryDirectory(prefix="httpx2-") as folder:
            results = run_trial(Path(folder), version, tests)
    except (ArgumentsError, EnvironmentSetupError, NoReportError) as error:
        print(f"httpx2: {error}", file=sys.stderr)
        return 2
    print("\n".join(summary(results)))
    return 1 if results.unexpected_failures else 0


def run_trial(folder: Path, version: str, tests: Sequence[str]) -> Results:
    """Copy the checkout, rename httpx in the copy, and run tests there.

    Args:
        folder: a temporary folder.
        version: the version of httpx2; the newest one if it is empty.
        tests: arguments for pytest.

    Raises:
        EnvironmentSetupError: httpx2 cannot be installed.
        NoReportError: pytest ran no test, for example because of its arguments.
    """
    checkout = folder / "checkout"
    report = folder / "report.xml"
    copy_checkout(ROOT, checkout)
    renamed_files = rename_in_files(checkout)
    python = create_trial_environment(folder / "environment", checkout)
    install(python, f"httpx2=={version}" if version else "httpx2")
    print(f"{installed_version(python)}: httpx is renamed in {renamed_files} files", flush=True)
    options = [f"--junit-xml={report}", "-p", "no:cacheprovider", "--tb=short"]
    command = [str(python), "-m", "pytest", *options, *tests]
    status = subprocess.run(command, cwd=checkout, check=False).returncode
    # After an interruption (2), an internal error (3) or without a test (5), there can be a report.
    if status not in (0, 1) or not report.is_file():
        raise NoReportError(f"pytest ended with status {status}")
    return read_report(report)


def copy_checkout(source: Path, target: Path) -> None:
    """Copy a checkout without the files that `.gitignore` names, with links as links."""
    shutil.copytree(source, target, symlinks=True, ignore=ignored_files(source, ".git"))


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
    text = _NAME.sub(r"\g<1>2", text)
    text = _REQUIREMENT.sub('"httpx2"', text)
    return _AIOHTTP_IMPORT.sub("from httpx_aiohttp.httpx2 import", text)


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


def is_known(name: str) -> bool:
    """Whether a test is known to fail."""
    return any(known_failure.matches(name) for known_failure in KNOWN_FAILURES)


def summary(results: Results) -> list[str]:
    """The known failures, the unexpected ones, and one line with counts."""
    known_failures = len(results.failures) - len(results.unexpected_failures)
    total = results.passed + len(results.failures)
    counts = (
        f"{results.passed} of {total} tests pass with httpx2: {known_failures} known failures, "
        f"{len(results.unexpected_failures)} others, {results.skipped} skipped"
    )
    lines: list[str] = []
    for known_failure in KNOWN_FAILURES:
        matches = [name for name in results.failures if known_failure.matches(name)]
        if matches:
            lines.append(
                f"known failure, {len(matches)} times: {known_failure.test}: {known_failure.reason}"
            )
    lines += [f"fails with httpx2: {name}" for name in results.unexpected_failures]
    return [*lines, counts]


if __name__ == "__main__":
    run_as_program(main)
