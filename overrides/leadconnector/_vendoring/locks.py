"""Lets one run after the other change a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import VendoringError

if sys.platform != "win32":
    import fcntl

_ATTEMPTS = 100
"""How often a folder is created anew that another run removes. One attempt is the rule."""


@contextmanager
def locked_folder(folder: Path) -> Generator[None]:
    """Create a folder, wait until no other run has locked it, and lock it.

    The lock is on the folder itself, so that no lock file is left behind. The system releases it
    when the process ends, however it ends.

    After an error, the folders that this function created are removed, if they are empty.

    Raises:
        VendoringError: other runs remove the folder all the time.
        OSError: the folder cannot be created or opened.
    """
    created_folders: list[Path] = []
    descriptor = None
    try:
        descriptor = _lock(folder, created_folders)
        yield
    except BaseException:
        # While the lock is held: a run that waits for it then creates the folder again.
        for created_folder in reversed(created_folders):
            with suppress(OSError):
                created_folder.rmdir()
        raise
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(folder: Path, created_folders: list[Path]) -> int | None:
    """Create and lock a folder.

    Returns:
        The file descriptor with the lock; None where the system has no locks for folders.
    """
    for _ in range(_ATTEMPTS):
        try:
            _create(folder, created_folders)
            descriptor = _open_and_lock(folder)
        except FileNotFoundError:
            # A run that failed has removed a folder that it had created.
            continue
        if descriptor is None or _is_open_as(folder, descriptor):
            return descriptor
        # The same happened while this run waited for the lock.
        os.close(descriptor)
    raise VendoringError(f"{folder} disappears all the time: let other runs end, then try again")


def _is_open_as(folder: Path, descriptor: int) -> bool:
    """Whether a file descriptor belongs to the folder that has this path now."""
    try:
        return os.path.samestat(os.fstat(descriptor), folder.lstat())
    except FileNotFoundError:
        return False


def _create(folder: Path, created_folders: list[Path]) -> None:
    missing_folders = [path for path in [folder, *folder.parents] if not path.exists()]
    for missing_folder in reversed(missing_folders):
        # Another run may create it at the same time.
        with suppress(FileExistsError):
            missing_folder.mkdir()
            created_folders.append(missing_folder)


def _open_and_lock(folder: Path) -> int | None:
    # Windows cannot open a folder. There, two runs at once are not supported.
    if sys.platform == "win32":
        return None
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _wait_for_lock(folder, descriptor)
    except OSError:
        # Some network file systems have no locks for folders. The run works without one.
        os.close(descriptor)
        return None
    return descriptor


def waiting_message(folder: Path) -> str:
    """What a run says before it waits for another one."""
    return f"Another run changes {folder}. This run waits until it ends."


def _wait_for_lock(folder: Path, descriptor: int) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(waiting_message(folder), file=sys.stderr, flush=True)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
