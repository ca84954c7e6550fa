"""Chooses the revision that a change is compared with, and reads what changed since."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CLIENT_PATHS = (
    "generated",
    "generator-config.yaml",
    "overrides",
    "spec",
    "templates",
    "tools/generate",
    "tools/leadconnector_emulator",
)
"""What the packages that users import are made of."""

RELEASE_TAG = re.compile(r"v(\d+(?:\.\d+)*)")
"""The tag of a release, such as `v1.2.0`. Previews, such as `v1.2.0rc1`, promise nothing."""


class GateError(Exception):
    """The comparison cannot be made. The message says why and what to do, in one line."""


@dataclass(frozen=True)
class Base:
    """The revision to compare with."""

    revision: str
    reason: str
    """Why it is this one, such as `the latest release`."""

    def __str__(self) -> str:
        return f"{self.revision} ({self.reason})"


def choose_base(repository: Path, base_branch: str) -> Base:
    """The latest release that HEAD contains, or else the given revision.

    Args:
        repository: the working tree.
        base_branch: the revision without a release, such as the branch of a pull request.

    Raises:
        GateError: there is no release and no such revision, or releases may be missing.
    """
    releases = release_tags(repository)
    if releases:
        return Base(max(releases, key=version_of), "the latest release")
    is_shallow = git(repository, "rev-parse", "--is-shallow-repository").strip() == "true"
    if is_shallow:
        raise GateError(
            "this is a shallow clone, so that tags of releases may be missing: fetch everything,"
            " with `fetch-depth: 0` of actions/checkout or with `git fetch --unshallow --tags`"
        )
    if not base_branch:
        raise GateError("there is no release yet, so name a revision: make gate BASE=REVISION")
    return Base(base_branch, "there is no release yet")


def release_tags(repository: Path) -> list[str]:
    """The tags of the releases that HEAD contains."""
    tags = git(repository, "tag", "--list", "v*", "--merged", "HEAD").split()
    return [tag for tag in tags if RELEASE_TAG.fullmatch(tag)]


def version_of(tag: str) -> tuple[int, ...]:
    """The version of a release, for sorting."""
    return tuple(int(part) for part in tag.removeprefix("v").split("."))


def changed_files(repository: Path, revision: str) -> list[str]:
    """The files of the client that differ from a revision, new ones included."""
    tracked = git(repository, "diff", "--name-only", "-z", revision, "--", *CLIENT_PATHS)
    others = ["ls-files", "--others", "--exclude-standard", "-z", "--", *CLIENT_PATHS]
    names = f"{tracked}{git(repository, *others)}".split("\0")
    return sorted(name for name in names if name)


def git(repository: Path, *arguments: str) -> str:
    """Run git and return its output.

    Raises:
        GateError: there is no git, or it reports an error.
    """
    program = shutil.which("git")
    if program is None:
        raise GateError("git is not installed, and the revision is read with it: install it")
    command = [program, "-C", str(repository), *arguments]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    if result.returncode != 0:
        reason = " ".join(result.stderr.split())
        raise GateError(f"git {arguments[0]} failed in {repository}: {reason}")
    return result.stdout
