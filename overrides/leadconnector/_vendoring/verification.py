"""Compares a copy with its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import manifest as manifests
from .entries import Entry, entries_in
from .errors import printable
from .manifest import FILE_NAME, Manifest, sha256


@dataclass(frozen=True)
class LocalChanges:
    """How a copy differs from its manifest. Each list has names of files, sorted."""

    edited: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    line_endings: tuple[str, ...] = ()
    """Those of the edited files that differ only in their line endings."""

    def __bool__(self) -> bool:
        return bool(self.edited or self.added or self.missing)

    def lines(self) -> list[str]:
        """One line for each file."""
        return [
            *(f"edited: {printable(name)}" for name in self.edited),
            *(f"added: {printable(name)}" for name in self.added),
            *(f"missing: {printable(name)}" for name in self.missing),
        ]


def local_changes(copy: Path, manifest: Manifest) -> LocalChanges:
    """Compare the files of a copy with its manifest. Modes and dates of files do not count.

    Raises:
        OSError: a file or folder cannot be read.
    """
    entries = {entry.name: entry for entry in entries_in(copy)}
    names = {*manifest.files, FILE_NAME}
    edited: list[str] = []
    line_endings: list[str] = []
    for name in sorted(names & entries.keys()):
        expected_hash = manifest.files.get(name) or sha256(manifests.render(manifest))
        if _has_hash(entries[name], expected_hash):
            continue
        edited.append(name)
        if _has_hash_with_unix_line_endings(entries[name], expected_hash):
            line_endings.append(name)
    return LocalChanges(
        edited=tuple(edited),
        added=tuple(sorted(entries.keys() - names)),
        missing=tuple(sorted(names - entries.keys())),
        line_endings=tuple(line_endings),
    )


def _has_hash(entry: Entry, expected_hash: str) -> bool:
    # A link is no copy of the file, even if it leads to one.
    return entry.is_file and sha256(entry.path.read_bytes()) == expected_hash


def _has_hash_with_unix_line_endings(entry: Entry, expected_hash: str) -> bool:
    if not entry.is_file:
        return False
    return sha256(entry.path.read_bytes().replace(b"\r\n", b"\n")) == expected_hash
