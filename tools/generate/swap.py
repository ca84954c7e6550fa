"""Compares a new package with the committed one and puts it in its place."""

from __future__ import annotations

import filecmp
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from .document import SpecError


def compare(old: Path, new: Path) -> list[str]:
    """The files, relative to the package, that are not the same in both."""
    files = {path.relative_to(root) for root in (old, new) for path in _files(root)}
    return sorted(
        str(file)
        for file in files
        if not (
            (old / file).is_file()
            and (new / file).is_file()
            and filecmp.cmp(old / file, new / file, shallow=False)
        )
    )


def swap_in(new: Path, output: Path, workplace: Path) -> None:
    """Put the new package in the old one's place by renaming; on failure the old one is put back."""
    old = workplace / "old"
    try:
        if output.exists():
            output.rename(old)
        new.rename(output)
    except OSError as error:
        if old.exists():
            old.rename(output)
        raise SpecError(f"{output}: cannot be replaced: {error}") from error


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


@contextmanager
def workplace(output: Path) -> Generator[Path]:
    """A folder on the output's own file system, so that swapping in is a rename. It is gone afterwards."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    except OSError as error:
        raise SpecError(f"{output.parent}: cannot be written: {error}") from error
    try:
        yield folder
    finally:
        if (folder / "old").exists() and not output.exists():
            (folder / "old").rename(output)
        shutil.rmtree(folder, ignore_errors=True)
