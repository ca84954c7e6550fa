"""Exchanges two folders in one step, where the operating system can do that."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
"""Both from Linux's `fcntl.h` and `fs.h`; see renameat2(2)."""

_NOT_SUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.EXDEV})
"""By the kernel, by the file system, or by this layer of an overlay file system."""


def exchange(first: Path, second: Path) -> bool:
    """Exchange two existing folders, so that no process ever sees one of them missing.

    Returns:
        Whether it was done. False if the system does not support it.

    Raises:
        OSError: the exchange failed. Nothing was changed.
    """
    # Other systems, and other C libraries such as musl, do not have the function.
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        return False
    result = function(
        _AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE
    )
    if result == 0:
        return True
    code = ctypes.get_errno()
    if code in _NOT_SUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(second))
