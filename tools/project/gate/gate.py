"""Decides whether a change may break the code that uses the previous release."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..surface import SurfaceChange, SurfaceError, check_out, surface_changes
from .base import Base, GateError, changed_files, choose_base
from .changelog import FILE as CHANGELOG
from .changelog import announced_names
from .code import UserCode, collect_code
from .runs import failed_runs, with_client
from .type_checks import CheckerError, type_errors, without_consequences


@dataclass(frozen=True)
class BrokenCode:
    """A place in the code of the base that fails with the changed client, and only with it."""

    place: str
    """The file and line, or the test that runs it."""
    message: str
    text: str
    """The failing line, or the whole report of a test: the names that the code uses."""
    file: str = ""
    """The checked file; empty for a test. A block of the documentation is a file of its own."""


@dataclass(frozen=True)
class Evidence:
    """What differs between the base and the working tree."""

    base: Base
    files: list[str]
    """The files of the client that changed."""
    changes: list[SurfaceChange] = field(default_factory=list[SurfaceChange])
    """The changes of public Python names."""
    broken_code: list[BrokenCode] = field(default_factory=list[BrokenCode])
    base_changelog: str = ""
    changelog: str = ""


@dataclass(frozen=True)
class Verdict:
    """The result of the gate."""

    evidence: Evidence
    harmless: list[SurfaceChange]
    """The changes that break no code, or only unusual code."""
    announced: list[SurfaceChange]
    """The breaking changes that the changelog mentions."""
    unannounced: list[SurfaceChange]
    """The breaking changes that it does not mention."""
    announced_code: list[BrokenCode]
    """The broken code that uses a name with an announced change."""
    unannounced_code: list[BrokenCode]
    """The broken code that the changelog does not explain."""

    @property
    def passes(self) -> bool:
        """Whether nothing breaks but for what the changelog says."""
        return not self.unannounced and not self.unannounced_code


def decide(evidence: Evidence) -> Verdict:
    """Judge the differences."""
    breaking = [change for change in evidence.changes if change.severity == "ERR"]
    # Only names of breaking changes count. A common word in the changelog excuses nothing.
    names = {change.name for change in breaking} & announced_names(
        evidence.base_changelog, evidence.changelog
    )
    announced_code = code_that_mentions(evidence.broken_code, names)
    return Verdict(
        evidence=evidence,
        harmless=[change for change in evidence.changes if change.severity != "ERR"],
        announced=[change for change in breaking if change.name in names],
        unannounced=[change for change in breaking if change.name not in names],
        announced_code=announced_code,
        unannounced_code=[code for code in evidence.broken_code if code not in announced_code],
    )


def code_that_mentions(broken_code: list[BrokenCode], names: Iterable[str]) -> list[BrokenCode]:
    """The broken code that uses one of some names, with further errors in the same files.

    After the first error, type checkers report others: the result of a wrong call has no type.
    """
    files = {code.file for code in broken_code if mentions(code.text, names)} - {""}
    return [code for code in broken_code if code.file in files or mentions(code.text, names)]


def mentions(text: str, names: Iterable[str]) -> bool:
    """Whether a text contains one of some names as a whole word."""
    return any(re.search(rf"\b{re.escape(name)}\b", text) for name in names)


def collect_evidence(repository: Path, base_branch: str, workspace: Path) -> Evidence:
    """Compare the client in a working tree with the previous release.

    Args:
        repository: the working tree.
        base_branch: the revision to compare with if there is no release.
        workspace: an empty folder.

    Raises:
        GateError: the comparison cannot be made.
    """
    base = choose_base(repository, base_branch)
    base_folder = workspace / "base"
    check_out_base(repository, base, base_folder)
    files = changed_files(repository, base.revision)
    if not files:
        return Evidence(base, files)
    try:
        changes = surface_changes(base_folder, repository)
    except SurfaceError as error:
        raise GateError(str(error)) from error
    return Evidence(
        base=base,
        files=files,
        changes=changes,
        broken_code=[
            *broken_types(repository, workspace),
            *broken_runs(repository, base, workspace),
        ],
        base_changelog=text_of(base_folder / CHANGELOG),
        changelog=text_of(repository / CHANGELOG),
    )


def check_out_base(repository: Path, base: Base, folder: Path) -> None:
    """Write the files of the base into a folder.

    Raises:
        GateError: there is no such revision.
    """
    try:
        check_out(repository, base.revision, folder)
    except SurfaceError as error:
        raise GateError(str(error)) from error


def text_of(file: Path) -> str:
    """The text of a file; empty if there is none.

    Raises:
        GateError: it is not UTF-8.
    """
    if not file.is_file():
        return ""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise GateError(f"{file} is not UTF-8, so that entries cannot be found: {error}") from error


def broken_types(repository: Path, workspace: Path) -> list[BrokenCode]:
    """The errors of type checkers that the base does not have.

    Args:
        repository: the working tree.
        workspace: the folder with the files of the base.
    """
    code = collect_code(workspace / "base", workspace / "code")
    if not code.sources:
        return []
    cache = workspace / "mypy"
    errors = type_errors(code, repository, cache)
    if not errors:
        return []
    # Slow, and needed only to leave out errors that have nothing to do with the change.
    earlier_errors = set(type_errors(code, workspace / "base", cache))
    new_errors = [error for error in errors if error not in earlier_errors]
    return [broken_line(code, error) for error in without_consequences(new_errors)]


def broken_line(code: UserCode, error: CheckerError) -> BrokenCode:
    """An error of a type checker, with its place in the base."""
    place = f"{code.sources[error.file]}:{error.line}"
    text = f"{code.line_of(error.file, error.line)} {error.message}"
    return BrokenCode(place, error.message, text, error.file)


def broken_runs(repository: Path, base: Base, workspace: Path) -> list[BrokenCode]:
    """The examples and blocks of the documentation that fail, and do not fail in the base.

    Args:
        repository: the working tree.
        base: the revision.
        workspace: the folder with the files of the base.
    """
    mixed = workspace / "mixed"
    check_out_base(repository, base, mixed)
    with_client(mixed, repository)
    failures = failed_runs(mixed, workspace / "mixed.xml")
    if not failures:
        return []
    earlier_tests = {run.test for run in failed_runs(workspace / "base", workspace / "base.xml")}
    return [
        BrokenCode(run.test, run.reason, run.text)
        for run in failures
        if run.test not in earlier_tests
    ]
