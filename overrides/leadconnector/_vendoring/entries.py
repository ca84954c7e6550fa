"""Lists the files of a folder without following links, and without the caches of tools."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CACHES_OF_TOOLS = frozenset({".mypy_cache", ".pytest_cache", ".ruff_cache"})
_FILES_OF_SYSTEMS = frozenset({".DS_Store"})
"""macOS writes it into every folder that somebody looks at."""

# Python writes a temporary file with a number at the end, and renames it.
_COMPILED_MODULE = re.compile(r".+\.pyc(?:\.[0-9]+)?")


@dataclass(frozen=True)
class Entry:
    """Something in a folder that is not a folder itself."""

    name: str
    """Relative to the folder, with `/` as separator."""
    path: Path
    mode: int
    """As in `os.lstat`: a link is a link, wherever it leads."""

    @property
    def is_file(self) -> bool:
        """Whether this is a regular file."""
        return stat.S_ISREG(self.mode)

    @property
    def is_link(self) -> bool:
        """Whether this is a symbolic link."""
        return stat.S_ISLNK(self.mode)

    @property
    def is_executable(self) -> bool:
        """Whether the owner may run this file. Every link has this bit."""
        return bool(self.mode & stat.S_IXUSR)


def entries_in(folder: Path) -> list[Entry]:
    """Everything in a folder and its subfolders that is not a folder or a cache, sorted by name.

    Raises:
        OSError: a folder cannot be listed.
    """
    return sorted(_walk(folder, ""), key=lambda entry: entry.name)


def _walk(folder: Path, prefix: str) -> Iterator[Entry]:
    with os.scandir(folder) as scan:
        items = list(scan)
    for item in items:
        if _is_cache(folder, item):
            continue
        if item.is_dir(follow_symlinks=False):
            yield from _walk(folder / item.name, f"{prefix}{item.name}/")
            continue
        try:
            mode = item.stat(follow_symlinks=False).st_mode
        except FileNotFoundError:
            # An editor has removed its temporary file since the folder was listed.
            continue
        yield Entry(f"{prefix}{item.name}", folder / item.name, mode)


def _is_cache(folder: Path, item: os.DirEntry[str]) -> bool:
    if item.is_dir(follow_symlinks=False):
        return item.name in _CACHES_OF_TOOLS
    if item.is_symlink():
        return False
    if item.name in _FILES_OF_SYSTEMS:
        return True
    is_compiled = _COMPILED_MODULE.fullmatch(item.name) is not None
    return folder.name == "__pycache__" and is_compiled
