"""Saves local changes of a copy before it is replaced: as a patch, and as files where needed.

The patch turns the new copy into the changed one. It has the format that both `patch -p1` and
`git apply` read. That format has no place for binary files, links and unusual names. They are saved
as they are, in a folder beside the patch.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .entries import Entry, entries_in
from .errors import VendoringError, printable
from .manifest import FILE_NAME, Manifest
from .source import PACKAGE_NAME, Source
from .swap import Workspace
from .verification import LocalChanges

_NAME = f"{PACKAGE_NAME}-changes"
_USUAL_NAME = re.compile(r"[A-Za-z0-9_+./-]+")


@dataclass(frozen=True)
class SavedChanges:
    """Where the local changes of a copy are."""

    patch: Path | None
    folder: Path | None
    """The files that the patch does not contain."""

    def lines(self) -> list[str]:
        """What to tell the user."""
        lines: list[str] = []
        if self.patch is not None:
            lines.append(
                f"Local changes are saved in {self.patch}. To apply them to the new copy:"
                f" cd {self.patch.parent} && patch -p1 < {self.patch.name}"
            )
        if self.folder is not None:
            lines.append(f"Files that a patch cannot contain are saved in {self.folder}")
        return lines


def save(
    workspace: Workspace, changes: LocalChanges, source: Source, base: Manifest | None
) -> SavedChanges:
    """Save local changes of `old` beside the copy. Files of earlier runs are never overwritten.

    Args:
        workspace: the prepared folder beside the copy.
        changes: the changes to save.
        source: the new copy.
        base: the manifest of the copy that was changed, if it has one.

    Raises:
        VendoringError: a change is a special file, such as a socket, which cannot be saved.
        OSError: a file cannot be read or written.
    """
    names = {*changes.edited, *changes.added}
    changed_entries = [entry for entry in entries_in(workspace.old) if entry.name in names]
    _check_kinds(changed_entries, workspace.copy)
    separate = [entry for entry in changed_entries if not _fits_into_patch(entry, source)]
    patch = b"".join(
        [
            *_file_patches(set(changed_entries) - set(separate), source),
            *_removal_patches(changes.missing, source),
        ]
    )
    workspace.changes.mkdir()
    patch_path, folder_path = _free_paths(workspace.copy.parent)
    if patch:
        temporary_patch = workspace.changes / "patch"
        temporary_patch.write_bytes(_header(changes, source, base) + patch)
        temporary_patch.rename(patch_path)
    if separate:
        temporary_folder = workspace.changes / "files"
        _copy_entries(separate, temporary_folder)
        temporary_folder.rename(folder_path)
    return SavedChanges(
        patch=patch_path if patch else None,
        folder=folder_path if separate else None,
    )


def _check_kinds(entries: Iterable[Entry], copy: Path) -> None:
    for entry in entries:
        if not entry.is_file and not entry.is_link:
            path = printable(str(copy / entry.name))
            raise VendoringError(
                f"{path} is neither a file nor a link, so it cannot be saved: remove it, then"
                " vendor again"
            )


def _fits_into_patch(entry: Entry, source: Source) -> bool:
    """Whether `patch` and `git apply` restore this file from a patch."""
    if not entry.is_file or _has_unusual_name(entry.name) or _collides(entry.name, source):
        return False
    # `patch` creates a file without this bit. The mode of a file of the copy does not count.
    if entry.is_executable and entry.name not in source.files:
        return False
    data = entry.path.read_bytes()
    base_data = source.files.get(entry.name, b"")
    # Nothing in a patch says that an empty file was added, and `patch` removes a file that becomes
    # empty.
    return bool(data) and _is_text(data) and _is_text(base_data)


def _has_unusual_name(name: str) -> bool:
    """Whether `patch` and `git apply` may read the name in different ways."""
    return not _USUAL_NAME.fullmatch(name)


def _collides(name: str, source: Source) -> bool:
    """Whether the new copy has a folder of this name, or a file in the place of a parent."""
    for other_name in source.files:
        if other_name.startswith(f"{name}/") or name.startswith(f"{other_name}/"):
            return True
    return False


def _is_text(data: bytes) -> bool:
    if b"\0" in data:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _file_patches(entries: Iterable[Entry], source: Source) -> Iterator[bytes]:
    for entry in sorted(entries, key=lambda entry: entry.name):
        data = entry.path.read_bytes()
        base_data = source.files.get(entry.name)
        if data != base_data:
            yield _file_patch(entry.name, base_data, data)


def _removal_patches(names: Iterable[str], source: Source) -> Iterator[bytes]:
    for name in names:
        base_data = source.files.get(name)
        # A missing file that the new copy does not have either is no change of the new copy. A
        # patch cannot remove every file. Nothing is lost with those that it cannot remove.
        if base_data and _is_text(base_data) and not _has_unusual_name(name):
            yield _file_patch(name, base_data, None)


def _file_patch(name: str, base_data: bytes | None, data: bytes | None) -> bytes:
    path = f"{PACKAGE_NAME}/{name}"
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        _lines(base_data),
        _lines(data),
        b"/dev/null" if base_data is None else f"a/{path}".encode(),
        b"/dev/null" if data is None else f"b/{path}".encode(),
        lineterm=b"\n",
    )
    return b"".join(_complete_line(line) for line in lines)


def _lines(data: bytes | None) -> list[bytes]:
    """The lines with their ends. Only a line feed ends a line, as for `patch`."""
    if not data:
        return []
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1].removesuffix(b"\n")
    return [line for line in lines if line]


def _complete_line(line: bytes) -> bytes:
    if line.endswith(b"\n"):
        return line
    return line + b"\n\\ No newline at end of file\n"


def _header(changes: LocalChanges, source: Source, base: Manifest | None) -> bytes:
    """Lines before the patch, which `patch` and `git apply` skip."""
    lines = [f"Local changes of a copy of {PACKAGE_NAME} {_origin(base)}."]
    lines.append(f"This patch applies to the copy of {_origin(source.manifest)} that replaced it.")
    updates = _names_changed_by_both(changes, source, base)
    if updates:
        lines.append("Both the local changes and the new version change these files. The patch")
        lines.append("restores the earlier text with the local changes:")
        lines.extend(f"  {printable(name)}" for name in updates)
    return "".join(f"{line}\n" for line in [*lines, ""]).encode()


def _origin(manifest: Manifest | None) -> str:
    if manifest is None:
        return "of an unknown version"
    revision = manifest.revision or "unknown"
    return f"version {manifest.version}, revision {revision}"


def _names_changed_by_both(
    changes: LocalChanges, source: Source, base: Manifest | None
) -> list[str]:
    names = [name for name in changes.edited if name in source.files]
    if base is None:
        return names
    return [name for name in names if _is_changed_by(source, name, base)]


def _is_changed_by(source: Source, name: str, base: Manifest) -> bool:
    """Whether a file of the new copy differs from the one that its manifest names."""
    manifest = source.manifest
    if name == FILE_NAME:
        # The manifest has no hash of itself here, and its other fields may be the local change.
        return (base.files, base.revision) != (manifest.files, manifest.revision)
    return base.files.get(name) != manifest.files[name]


def _free_paths(folder: Path) -> tuple[Path, Path]:
    """The names for a patch and a folder, of which neither exists."""
    number = 1
    while True:
        suffix = "" if number == 1 else f"-{number}"
        patch = folder / f"{_NAME}{suffix}.patch"
        files = folder / f"{_NAME}{suffix}"
        if not os.path.lexists(patch) and not os.path.lexists(files):
            return patch, files
        number += 1


def _copy_entries(entries: Iterable[Entry], folder: Path) -> None:
    for entry in entries:
        target = folder / PACKAGE_NAME / entry.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if entry.is_link:
            target.symlink_to(os.readlink(entry.path))
        else:
            # With the mode. Nobody else may read a copy of a private file.
            shutil.copy(entry.path, target, follow_symlinks=False)
