"""Writes the files of a git revision into a folder, without touching the working tree."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .model import SurfaceError


def check_out(repository: Path, revision: str, folder: Path) -> None:
    """Write the files of a revision into a folder.

    Nothing else changes: no working tree, no index, no branch.

    Args:
        repository: the working tree of the repository.
        revision: a commit, branch or tag.
        folder: the folder to create. A temporary index is written beside it.

    Raises:
        SurfaceError: there is no such revision, or no git.
    """
    if revision.startswith("-"):
        # git would take it for an option. No branch or tag may begin with a hyphen.
        raise SurfaceError(
            f"{revision}: a revision does not start with `-`: name a commit, branch or tag"
        )
    git = shutil.which("git")
    if git is None:
        raise SurfaceError("git is not installed, and the revision is read with it: install it")
    # An index of its own: `git read-tree` would replace the one with the user's staged changes.
    environment = {**os.environ, "GIT_INDEX_FILE": str(folder.with_name("index"))}
    read_tree = ["read-tree", f"{revision}^{{tree}}"]
    checkout_index = ["checkout-index", "--all", f"--prefix={folder}/"]
    for arguments in (read_tree, checkout_index):
        command = [git, "-C", str(repository), *arguments]
        result = subprocess.run(
            command, env=environment, check=False, capture_output=True, text=True
        )
        if result.returncode != 0:
            message = " ".join(result.stderr.split())
            reason = message or f"exit status {result.returncode}"
            raise SurfaceError(f"{revision}: git cannot read it in {repository}: {reason}")
