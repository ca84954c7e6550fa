"""Copies the files of this checkout, so that a build contains no file that is only here."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

REVISION_FILE = "tools/project/revision.txt"
"""The commit of an archive or sdist. In a checkout it has the placeholder of `git archive`."""

SDIST_METADATA = "PKG-INFO"
"""The file that an unpacked sdist has in addition to the repository's files."""


class SourcesError(Exception):
    """git cannot list the files. The message has one line."""


def copy_sources(checkout: Path, target: Path) -> Path:
    """Copy the files that git tracks, with links as links and with uncommitted changes.

    Without `.git`, as in an unpacked sdist, copy the files that `.gitignore` does not name.

    Args:
        checkout: the folder with the Makefile.
        target: the folder to create.

    Returns:
        The target.

    Raises:
        SourcesError: git cannot list the files.
    """
    if not (checkout / ".git").exists():
        shutil.copytree(
            checkout, target, symlinks=True, ignore=ignored_files(checkout, SDIST_METADATA)
        )
        return target
    for name in _git(checkout, "ls-files", "-z").rstrip("\0").split("\0"):
        # A file may be deleted and not committed yet.
        if os.path.lexists(checkout / name):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(checkout / name, target / name, follow_symlinks=False)
    return target


def record_revision(checkout: Path, copy: Path) -> None:
    """Write the commit into a copy of the files that git tracks, as `git archive` does.

    It ends with `+modified` if a tracked file differs from the commit. Without `.git`, nothing is
    written: then the copy names the commit already, or nobody knows it.

    Raises:
        SourcesError: git does not know the commit.
    """
    if not (checkout / ".git").exists():
        return
    revision = _git(checkout, "rev-parse", "--verify", "HEAD").strip()
    if has_uncommitted_changes(checkout):
        revision += "+modified"
    (copy / REVISION_FILE).write_text(f"{revision}\n", encoding="ascii")


def has_uncommitted_changes(checkout: Path) -> bool:
    """Whether tracked files differ from the last commit; `False` without `.git`.

    Raises:
        SourcesError: git cannot compare them.
    """
    if not (checkout / ".git").exists():
        return False
    return bool(_git(checkout, "status", "--porcelain", "--untracked-files=no"))


def ignored_files(checkout: Path, *further_names: str) -> Callable[[Any, list[str]], set[str]]:
    """A filter for `copytree`: the names in `.gitignore`, and further ones.

    As for git, a pattern with a leading slash names a file or folder of the checkout itself. So
    `/build/` does not leave out a package `build` of the client.
    """
    patterns = (checkout / ".gitignore").read_text(encoding="utf-8").split()
    root_patterns = [pattern.strip("/") for pattern in patterns if pattern.startswith("/")]
    general_patterns = [pattern.rstrip("/") for pattern in patterns if pattern[0] != "/"]
    is_ignored_in_root = shutil.ignore_patterns(*root_patterns)
    is_ignored_anywhere = shutil.ignore_patterns(*general_patterns, *further_names)

    def ignored_names(folder: Any, names: list[str]) -> set[str]:
        ignored = is_ignored_anywhere(folder, names)
        if Path(folder) == checkout:
            ignored |= is_ignored_in_root(folder, names)
        return ignored

    return ignored_names


def _git(checkout: Path, *arguments: str) -> str:
    """Run git, and return its output.

    Raises:
        SourcesError: git is not installed, or failed.
    """
    command = ["git", "-C", str(checkout), *arguments]
    try:
        result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    except FileNotFoundError:
        raise SourcesError("git is not installed, and it lists the files to build from") from None
    if result.returncode != 0:
        reason = result.stderr.strip().partition("\n")[0]
        raise SourcesError(f"git {arguments[0]} failed in {checkout}: {reason}")
    return result.stdout
