"""Collects the changes of an upgrade: those of the spec, and those of public Python names."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from specdrift import Level, TooComplexError, compare

from .copies import Copy, UpgradeReportError, read_copy
from .marks import mark_changes
from .methods import method_changes
from .model import LEVELS, WHOLE_API, UpgradeChange, UpgradeReport

SURFACE_REQUIREMENT = "griffe"
"""The module that the comparison of Python names needs. A development dependency installs it."""

FEWER_PYTHON_CHANGES = (
    "Of all Python names, this report has methods and arguments of API calls only, because"
    " griffe {cause}: `make changes DEST=…` installs it and reports all."
)

VALUES: tuple[tuple[str, Level, str, str], ...] = (
    ("server", "WARN", "default server", "/servers/0/url"),
    ("title", "INFO", "title", "/info/title"),
    ("api_version", "INFO", "API version", "/info/version"),
)
"""Single values of a contract: key, severity of a change, name, and place in the spec."""

ONLY_TEXTS_CHANGED = (
    "The spec changed only in what no call depends on, such as descriptions and examples."
)


class SurfaceUnavailableError(Exception):
    """The Python names cannot be compared. The message is a note for the report."""


def create_report(base_folder: Path, revision_folder: Path) -> UpgradeReport:
    """Compare two copies of the client.

    Args:
        base_folder: the older copy.
        revision_folder: the newer copy.

    Raises:
        UpgradeReportError: a copy cannot be read or compared.
    """
    base = read_copy(base_folder)
    revision = read_copy(revision_folder)
    changes = [*spec_changes(base, revision)]
    hint = ""
    if not changes and base.spec != revision.spec:
        hint = ONLY_TEXTS_CHANGED
    notes: list[str] = []
    try:
        changes += python_changes(base, revision)
    except SurfaceUnavailableError as error:
        notes.append(str(error))
        changes += method_changes(base.contract, revision.contract)
    # Sorting is stable: within a severity, changes of Python names come after those of the spec.
    changes.sort(key=severity_rank)
    return UpgradeReport(base, revision, tuple(changes), tuple(notes), hint)


def severity_rank(change: UpgradeChange) -> int:
    """The sort key of a change: the worst first."""
    return LEVELS.index(change.level)


def spec_changes(base: Copy, revision: Copy) -> Iterator[UpgradeChange]:
    """The changes of the spec.

    Raises:
        UpgradeReportError: the specs are too complex to be compared.
    """
    try:
        changes = compare(base.spec, revision.spec)
    except TooComplexError as error:
        raise UpgradeReportError(f"the specs cannot be compared: {error}") from error
    for change in changes:
        place = change.operation or WHOLE_API
        location = change.revision_pointer or change.base_pointer
        yield UpgradeChange(change.level, "spec", place, change.text, change.id, location)
    yield from value_changes(base, revision)
    yield from mark_changes(base.contract, revision.contract)


def value_changes(base: Copy, revision: Copy) -> Iterator[UpgradeChange]:
    """The changes of single values, which specdrift does not compare."""
    for key, level, noun, pointer in VALUES:
        base_value = base.contract.get(key)
        value = revision.contract.get(key)
        if base_value != value:
            text = f"The {noun} was {base_value}, and is now {value}."
            change_id = f"{noun.split()[-1]}-changed"
            yield UpgradeChange(level, "spec", WHOLE_API, text, change_id, pointer)


def python_changes(base: Copy, revision: Copy) -> list[UpgradeChange]:
    """The changes of public Python names.

    Raises:
        SurfaceUnavailableError: griffe is not installed, or its version cannot be used.
        UpgradeReportError: a copy cannot be compared.
    """
    if importlib.util.find_spec(SURFACE_REQUIREMENT) is None:
        raise SurfaceUnavailableError(FEWER_PYTHON_CHANGES.format(cause="is not installed"))
    try:
        return list(surface_changes_of(base, revision))
    except (AttributeError, ImportError, TypeError) as error:
        # An older or newer griffe lacks names, or has other parameters.
        problem = " ".join(str(error).split())
        cause = f"cannot be used ({type(error).__name__}: {problem})"
        raise SurfaceUnavailableError(FEWER_PYTHON_CHANGES.format(cause=cause)) from error


def surface_changes_of(base: Copy, revision: Copy) -> Iterator[UpgradeChange]:
    """The changes that `project.surface` finds."""
    # Imports griffe, which `make vendor` may not have.
    from project.surface import COPY, SurfaceError, surface_changes  # noqa: PLC0415

    try:
        changes = surface_changes(base.folder.parent, revision.folder.parent, COPY)
    except SurfaceError as error:
        raise UpgradeReportError(f"the Python names cannot be compared: {error}") from error
    for change in changes:
        location = f"{change.file}:{change.line}"
        yield UpgradeChange(
            change.severity, "Python", change.path, change.text, change.kind, location
        )
