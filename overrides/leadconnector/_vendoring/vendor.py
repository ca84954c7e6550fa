"""Copies the package that is running into another project: the steps of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from . import manifest as manifests
from .destination import (
    Existing,
    check_not_in_copy,
    check_outside_of_source,
    classify,
    copy_in,
    has_contract,
    resolve,
)
from .entries import Entry, entries_in
from .errors import VendoringError
from .locks import locked_folder
from .manifest import FILE_NAME, Manifest, ManifestError
from .saving import save
from .source import PACKAGE_FOLDER, Source, load_source
from .swap import Interruption, Workspace
from .verification import LocalChanges, local_changes

_LISTED_CHANGES = 40
"""So many local changes are in the message of an error: our own bound."""

_HOW_TO_REPLACE = (
    "To replace it anyway, vendor with --force (make: FORCE=1). The local changes are then saved"
    " beside it."
)


@dataclass(frozen=True)
class Result:
    """A copy that is complete and in its place."""

    copy: Path
    notes: tuple[str, ...]
    """What the run repaired and saved: one line each."""


def vendor(
    destination: str,
    *,
    force: bool = False,
    source_folder: Path = PACKAGE_FOLDER,
    may_replace: Callable[[], bool] | None = None,
) -> Result:
    """Write a copy of this package into a folder, or replace an earlier copy.

    Args:
        destination: the folder, such as `src/app/_vendor`. It is created if necessary.
        force: replace a copy with local changes too, and save them.
        source_folder: the package to copy.
        may_replace: asked before an older copy is replaced, after all other checks. By default,
            the copy is replaced.

    Raises:
        VendoringError: the copy must not be written. An earlier copy is unchanged.
        OSError: the copy cannot be written. An earlier copy is unchanged.
    """
    folder = resolve(destination)
    copy = copy_in(folder)
    check_outside_of_source(copy, source_folder)
    check_not_in_copy(folder)
    with locked_folder(folder):
        workspace = Workspace(copy)
        notes = _repair_notes(workspace.repair(), copy)
        source = load_source(source_folder)
        notes += _replace(workspace, source, force, may_replace)
    return Result(copy, tuple(notes))


def _replace(
    workspace: Workspace,
    source: Source,
    force: bool,
    may_replace: Callable[[], bool] | None,
) -> list[str]:
    """Put the new copy in the place of the earlier one, if that is permitted and necessary."""
    copy = workspace.copy
    base: Manifest | None = None
    if classify(copy) is Existing.FOLDER:
        base = _manifest_of(copy)
        changes = _changes_of(copy, base, source)
        if changes and not force:
            raise VendoringError(_rejection(copy, copy, base, changes))
        if not changes and base == source.manifest:
            # The copy is the same already. Replacing it would only discard compiled modules.
            return []
        if may_replace is not None and not may_replace():
            raise VendoringError(f"{copy} was not changed, because the upgrade was rejected")
    notes: list[str] = []

    def check_old() -> None:
        # The report takes seconds, in which somebody may edit the copy.
        notes.extend(_save_changes(workspace, source, base, force))

    try:
        workspace.prepare(source.files)
        classify(copy)
        workspace.swap(check_old)
    except BaseException:
        # A failure here must not hide the first one. The next run tries it again.
        with suppress(OSError, VendoringError):
            workspace.repair()
        raise
    return notes + _remove_notes(workspace)


def _save_changes(
    workspace: Workspace, source: Source, base: Manifest | None, force: bool
) -> list[str]:
    """Save the local changes of the copy that is replaced, which is `old` now.

    Args:
        workspace: the folder with the copy.
        source: the new copy.
        base: the manifest of the copy when the run began.
        force: the user permits replacing local changes.

    Returns:
        What to tell the user.

    Raises:
        VendoringError: the copy is another one than before, or has changes without permission.
    """
    copy = workspace.copy
    old = workspace.old
    if _manifest_of(old) != base:
        raise VendoringError(
            f"{copy} changed while this program ran, so it was not changed: vendor again"
        )
    changes = _changes_of(old, base, source)
    if changes and not force:
        raise VendoringError(_rejection(copy, old, base, changes))
    if not changes:
        return []
    return save(workspace, changes, source, base).lines()


def _manifest_of(copy: Path) -> Manifest | None:
    """The manifest of a copy; None if it has none or a damaged one."""
    try:
        return manifests.read(copy)
    except ManifestError:
        return None


def _changes_of(copy: Path, base: Manifest | None, source: Source) -> LocalChanges:
    if base is not None:
        return local_changes(copy, base)
    # Without a manifest, only files that are also in the new copy are known to be unchanged.
    edited: list[str] = []
    added: list[str] = []
    entries = entries_in(copy)
    for entry in entries:
        if entry.name not in source.files:
            added.append(entry.name)
        elif not entry.is_file or entry.path.read_bytes() != source.files[entry.name]:
            edited.append(entry.name)
    return LocalChanges(
        edited=tuple(edited), added=tuple(added), missing=_missing(copy, entries, source)
    )


def _missing(copy: Path, entries: Iterable[Entry], source: Source) -> tuple[str, ...]:
    """The files of the new copy that a copy without a manifest lacks.

    Somebody may have removed them. A folder that is no copy lacks nothing.
    """
    if not has_contract(copy):
        return ()
    names = {entry.name for entry in entries}
    return tuple(name for name in source.files if name not in names and name != FILE_NAME)


def _rejection(copy: Path, folder: Path, base: Manifest | None, changes: LocalChanges) -> str:
    """The message for a copy that is in this folder now."""
    lines = changes.lines()
    shown = lines[:_LISTED_CHANGES]
    if len(lines) > len(shown):
        shown.append(f"and {len(lines) - len(shown)} more")
    reason = f"{copy} has local changes, so it was not changed:"
    if base is None and has_contract(folder):
        reason = (
            f"{copy} has no valid {FILE_NAME}{_manifest_problem(folder)}, so its local changes"
            " are unknown. It was not changed. These files differ from the new copy:"
        )
    elif base is None:
        reason = f"{copy} is not a copy that this program made, so it was not changed:"
    return "\n".join([reason, *(f"  {line}" for line in shown), _HOW_TO_REPLACE])


def _manifest_problem(copy: Path) -> str:
    """What is wrong with the manifest of a copy, in brackets; empty if there is no manifest."""
    try:
        manifests.read(copy)
    except ManifestError as error:
        return f" ({error})"
    return ""


def _repair_notes(interruption: Interruption, copy: Path) -> list[str]:
    if interruption is Interruption.NONE:
        return []
    if interruption is Interruption.BETWEEN_RENAMES:
        return [f"An earlier run was interrupted. {copy} was restored."]
    return ["An earlier run was interrupted. What it left was removed."]


def _remove_notes(workspace: Workspace) -> list[str]:
    try:
        workspace.remove()
    except OSError as error:
        return [f"The earlier copy was replaced, but it cannot be removed completely: {error}"]
    return []
