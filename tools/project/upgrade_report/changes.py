"""Collects the changes of an upgrade: those of the spec, and those of public Python names."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from specdrift import Change, TooComplexError, compare

from .copies import Copy, UpgradeReportError, read_copy
from .methods import method_changes
from .model import LEVELS, UpgradeChange, UpgradeReport
from .openapi import openapi_document, place_in_spec

SURFACE_REQUIREMENT = "griffe"
"""The module that the comparison of Python names needs. A development dependency installs it."""

FEWER_PYTHON_CHANGES = (
    "Of all Python names, this report has methods and arguments of API calls only, because"
    f" {SURFACE_REQUIREMENT} is not installed: `make changes DEST=…` installs it and reports all."
)

WHOLE_API = "the whole API"
"""The place of a change outside all operations."""


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
    notes: list[str] = []
    if importlib.util.find_spec(SURFACE_REQUIREMENT) is None:
        notes.append(FEWER_PYTHON_CHANGES)
        changes += method_changes(base.contract, revision.contract)
    else:
        changes += python_changes(base, revision)
    # Sorting is stable: within a severity, changes of Python names come after those of the spec.
    return UpgradeReport(base, revision, tuple(sorted(changes, key=severity_rank)), tuple(notes))


def severity_rank(change: UpgradeChange) -> int:
    """The sort key of a change: the worst first."""
    return LEVELS.index(change.level)


def spec_changes(base: Copy, revision: Copy) -> Iterator[UpgradeChange]:
    """The changes of the spec, as far as the contracts contain it."""
    base_document = openapi_document(base.contract)
    revision_document = openapi_document(revision.contract)
    try:
        changes = compare(base_document, revision_document)
    except TooComplexError as error:
        raise UpgradeReportError(f"the specs cannot be compared: {error}") from error
    base_schemas = base_document["components"]["schemas"]
    revision_schemas = revision_document["components"]["schemas"]
    for change in changes:
        location = location_of(change, [*revision_schemas, *base_schemas])
        place = change.operation or WHOLE_API
        yield UpgradeChange(change.level, "spec", place, change.text, change.id, location)
    yield from server_changes(base, revision)


def location_of(change: Change, schemas: list[str]) -> str:
    """Where a change is in the spec of the newer copy, or of the older one if it was removed."""
    return place_in_spec(change.revision_pointer or change.base_pointer, schemas)


def server_changes(base: Copy, revision: Copy) -> Iterator[UpgradeChange]:
    """The change of the default server. specdrift does not compare servers."""
    base_server = base.contract.get("server")
    revision_server = revision.contract.get("server")
    if base_server == revision_server:
        return
    text = f"The default server was {base_server}, and is now {revision_server}."
    yield UpgradeChange("WARN", "spec", WHOLE_API, text, "server-changed", "/servers/0/url")


def python_changes(base: Copy, revision: Copy) -> Iterator[UpgradeChange]:
    """The changes of public Python names."""
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
