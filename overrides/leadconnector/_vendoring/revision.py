"""Finds the git commit that a checkout was made from."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

ARCHIVE_FILE = "tools/project/revision.txt"
"""`git archive` and the build of a source distribution write the commit to it."""

_REVISION = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})(?:\+modified)?")
"""git names a commit by its SHA-1, or by its SHA-256."""

_GIT_TIMEOUT = 60
"""Seconds. git takes milliseconds; the limit matters on a network file system that hangs."""


def revision_of(root: Path, sources: list[str], copied_paths: set[str]) -> str | None:
    """The commit of a checkout, from git or from the file that an archive contains.

    Args:
        root: the folder of the project.
        sources: the files and folders, relative to the root, that a copy is made from.
        copied_paths: the files that are copied, relative to the root.

    Returns:
        The commit, with `+modified` if a source differs from it or a copied file is not in it;
        None if it is unknown.
    """
    # Only the project's own repository counts, not one of a parent folder. In a worktree, `.git`
    # is a file.
    if (root / ".git").exists():
        return _revision_from_git(root, sources, copied_paths)
    return _revision_from_archive(root / ARCHIVE_FILE)


def _revision_from_archive(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    # Outside an archive, the file has the placeholder that `git archive` replaces.
    return text if _REVISION.fullmatch(text) else None


def _revision_from_git(root: Path, sources: list[str], copied_paths: set[str]) -> str | None:
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit is None or not _REVISION.fullmatch(commit):
        return None
    changes = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *sources)
    tracked_files = _git(root, "ls-files", "-z", "--", *sources)
    if changes is None or tracked_files is None:
        return None
    # `git status` does not list files that `.gitignore` names, such as a backup by an editor.
    if changes or copied_paths - set(tracked_files.split("\0")):
        return f"{commit}+modified"
    return commit


def _git(root: Path, *arguments: str) -> str | None:
    """The output of git; None without git, without a commit, or if git fails."""
    program = shutil.which("git")
    if program is None:
        return None
    options = [
        # The user need not own the checkout. git would otherwise reject it ("dubious ownership").
        *("-c", f"safe.directory={root}"),
        # A program that the configuration of the repository names is not needed for this.
        *("-c", "core.fsmonitor=false"),
        # Do not write to the repository: it may be read-only.
        "--no-optional-locks",
    ]
    # Within a git hook, variables such as GIT_DIR name the repository of the hook.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        result = subprocess.run(
            [program, *options, *arguments],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_GIT_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None
