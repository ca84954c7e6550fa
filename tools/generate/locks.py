"""Locks on folders, so that a run can tell the leftovers of a killed run from a run in progress.

The operating system releases a lock when its process ends, however it ends. So a folder that can be
locked belongs to no living run.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Wait until no other process has locked a folder, and lock it.

    Raises:
        OSError: the folder cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # This releases the lock.
        os.close(descriptor)


def lock_if_free(folder: Path) -> int | None:
    """Lock a folder unless another process has locked it.

    Returns:
        The file descriptor that holds the lock until it is closed; None without a lock.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
