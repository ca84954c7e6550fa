"""Replaces a copy so that a killed run leaves the old copy, the new one, or something to repair.

All work is in one folder beside the copy, `.leadconnector.vendoring`:

    new/          the new copy, until it is complete and moves into its place
    old/          the earlier copy, from the moment in which it makes room for the new one
    discarded/    the earlier copy while it is deleted
    changes/      files of the earlier copy that a patch cannot contain, and the patch itself
    marker.txt    says that a run made the folder; it is the first file and the last one

Every step between two complete states is one rename. So the next run can decide from what exists:

    in the place    old/       the run was killed             repair
    anything        missing    before the swap, or after it   remove the folder
    nothing         exists     between the two renames        move old/ back, remove the folder
    a copy          exists     after the swap                 remove the folder

Between the renames, the old copy is compared with what was checked before, and its local changes
are saved: nobody edits it there.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path

from .errors import VendoringError, printable

_MARKER = "Vendoring leadconnector made this folder. The next run removes it.\n"


class Interruption(Enum):
    """Where a killed run stopped."""

    NONE = "no run was killed"
    OUTSIDE_OF_SWAP = "the copy is in its place, old or new"
    BETWEEN_RENAMES = "the old copy is aside, and the new one is not in its place"
    AFTER_SWAP = "the new copy is in its place, and the old one still exists"


class Workspace:
    """The folder beside a copy in which a run prepares the new one.

    The caller has locked the parent of the copy.
    """

    def __init__(self, copy: Path) -> None:
        self.copy = copy
        self.folder = copy.with_name(f".{copy.name}.vendoring")
        self.new = self.folder / "new"
        self.old = self.folder / "old"
        self.discarded = self.folder / "discarded"
        self.changes = self.folder / "changes"
        self.marker = self.folder / "marker.txt"

    def interruption(self) -> Interruption:
        """Find out what an earlier run left.

        Raises:
            VendoringError: the folder is not one of this program.
        """
        if not os.path.lexists(self.folder):
            return Interruption.NONE
        self._check_folder()
        if not self.old.exists():
            return Interruption.OUTSIDE_OF_SWAP
        if os.path.lexists(self.copy):
            self._check_swapped()
            return Interruption.AFTER_SWAP
        return Interruption.BETWEEN_RENAMES

    def repair(self) -> Interruption:
        """Complete or undo what a killed run left.

        Raises:
            VendoringError: the folder is not one of this program.
            OSError: something cannot be moved or removed.
        """
        interruption = self.interruption()
        if interruption is Interruption.BETWEEN_RENAMES:
            # The new copy is complete too. But only this run decides whether it is wanted.
            self.old.rename(self.copy)
        if interruption is not Interruption.NONE:
            self.remove()
        return interruption

    def prepare(self, files: Mapping[str, bytes]) -> None:
        """Write the new copy.

        Raises:
            OSError: a file cannot be written.
        """
        self.folder.mkdir()
        self.marker.write_text(_MARKER, encoding="ascii")
        for name, data in files.items():
            path = self.new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            # Only the content is copied. The file gets the mode of any new file, also if the
            # source is read-only.
            path.write_bytes(data)

    def swap(self, check_old: Callable[[], None] | None = None) -> None:
        """Put the new copy into its place.

        Args:
            check_old: looks at the old copy in `old`, where no program finds it by its path. If
                this function raises, the old copy returns to its place.

        Raises:
            OSError: a rename failed. The old copy is in its place again.
        """
        try:
            if self.copy.exists():
                # Moving a folder changes its entry `..`, which a read-only folder does not permit.
                _permit_changes(self.copy)
                self.copy.rename(self.old)
                if check_old is not None:
                    check_old()
            self.new.rename(self.copy)
        except BaseException:
            # Not only for an `OSError`: a signal can interrupt the run between the two renames.
            if self.old.exists() and not self.copy.exists():
                self.old.rename(self.copy)
            raise

    def remove(self) -> None:
        """Remove this folder with everything in it. A link is removed, and not its target.

        Raises:
            OSError: something cannot be removed. A later run tries it again.
        """
        if not self.folder.exists():
            return
        _permit_changes(self.folder)
        _remove_tree(self.discarded)
        if self.old.exists():
            # So that `old` never exists without some of its files: a later run could move it back.
            self.old.rename(self.discarded)
        for folder in (self.discarded, self.new, self.changes):
            _remove_tree(folder)
        # After everything else, so that the next run recognises what remains.
        self.marker.unlink(missing_ok=True)
        _remove_tree(self.folder)

    def _check_swapped(self) -> None:
        """Check that the copy in the place is the new one, which was `new` before."""
        if self.new.exists():
            raise VendoringError(
                f"{self.copy} was created while the earlier copy was aside: move one of the two,"
                f" then vendor again. The earlier copy is {self.old}"
            )

    def _check_folder(self) -> None:
        if self.folder.is_symlink() or not self.folder.is_dir():
            raise VendoringError(f"{self.folder} is not a folder: move it to vendor here")
        paths = sorted(self.folder.iterdir())
        foreign_paths = [path for path in paths if not self._is_of_a_run(path)]
        if paths and self.marker not in paths:
            foreign_paths = paths
        if foreign_paths:
            raise VendoringError(
                f"{printable(str(foreign_paths[0]))} was not left by an interrupted run: move it to"
                " vendor here"
            )

    def _is_of_a_run(self, path: Path) -> bool:
        if path.is_symlink():
            return False
        if path == self.marker:
            return path.is_file()
        folders = (self.new, self.old, self.discarded, self.changes)
        return path in folders and path.is_dir()


def _remove_tree(folder: Path) -> None:
    if not folder.exists():
        return
    _make_removable(folder)
    # Never follows a link. Another process may have removed the folder already.
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _make_removable(folder: Path) -> None:
    """Permit removing the content of read-only folders, which somebody may have set."""
    _permit_changes(folder)
    with os.scandir(folder) as items:
        subfolders = [item.name for item in items if item.is_dir(follow_symlinks=False)]
    for name in subfolders:
        _make_removable(folder / name)


def _permit_changes(folder: Path) -> None:
    """Let the owner of a folder change it.

    Only the owner may set the mode. But members of a group can share the folder, and need no mode
    that it has already.
    """
    mode = folder.stat().st_mode
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        folder.chmod(mode | stat.S_IRWXU)
