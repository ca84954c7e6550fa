"""Checks, commits and pushes a patch that `make regenerate PATCH=…` has written: `make push`.

The patch comes from a job that ran code of others, and this program has the right to write to the
repository. So it runs nothing that was generated, and it accepts changes of the generated files
only. It uses the standard library only: no package of others is installed beside the token.

Environment variables:

- `PATCH`: the file with the patch.
- `GITHUB_TOKEN` and `GITHUB_SERVER_URL`: the credentials for the push, and the only server that
  gets them. Without them, git uses its own configuration.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from .job_files import append_summary
from .regenerate import OUTPUT, RegenerationError, git, report_failure

REMOTE = "origin"

BRANCHES = "refs/heads/"
"""The beginning of the full name of a branch."""

MESSAGE = "Regenerate the client\n\nThe spec, the templates or the generator have changed."

CREDENTIAL_HELPER = (
    '!f() { test "$1" = get || return 0;'
    ' printf "username=x-access-token\\npassword=%s\\n" "$GITHUB_TOKEN"; }; f'
)
"""A credential helper for git. The token stays in the environment: arguments of a process are
visible to others."""

REMOVED = "000000"
"""What git lists as the mode of a file that is removed."""

REGULAR_FILE = "100644"
"""The mode of a file that is neither executable nor a link, as git lists it."""


def main() -> int:
    """Push the patch to the branch that is checked out.

    Returns:
        The exit status: 0; 2 if the patch is invalid or cannot be pushed. Then no branch changes.
    """
    try:
        push_patch(os.environ.get("PATCH", ""))
    except RegenerationError as error:
        return report_failure("push", error)
    return 0


def push_patch(patch: str) -> None:
    """Check, commit and push a patch. The working directory stays as it is.

    Raises:
        RegenerationError: the patch is invalid, or the branch has changed since.
    """
    if not patch:
        raise RegenerationError("no patch is named: make push PATCH=FILE")
    branch = current_branch()
    parent = git("rev-parse", "HEAD").strip()
    tree = tree_with(Path(patch))
    check_changes(parent, tree)
    commit = git("commit-tree", tree, "-p", parent, "-m", MESSAGE).strip()
    push(commit, parent, branch)
    message = f"Commit {commit} was pushed to {branch}."
    print(message)
    append_summary(f"### Pushed\n\n{message}\n")


def current_branch() -> str:
    """The name of the branch to push to.

    Raises:
        RegenerationError: no branch is checked out.
    """
    try:
        # Not with --short: if a tag has the same name, git then returns `heads/NAME`.
        reference = git("symbolic-ref", "--quiet", "HEAD").strip()
    except RegenerationError as error:
        raise RegenerationError("no branch is checked out: check one out, such as main") from error
    return reference.removeprefix(BRANCHES)


def tree_with(patch: Path) -> str:
    """The tree of the last commit with a patch. It exists in git only, and not as files.

    Raises:
        RegenerationError: the patch does not apply. Git itself rejects paths that lead out of the
            repository.
    """
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        git("read-tree", "HEAD", environment=index)
        options = ("--cached", "--whitespace=nowarn")
        git("apply", *options, "--", str(patch.resolve()), environment=index)
        return git("write-tree", environment=index).strip()


def check_changes(parent: str, tree: str) -> None:
    """Check that a tree differs from a commit in regular files of the output only.

    The result is compared, not the text of the patch. A renamed file is one that is removed and
    one that is added, and both must be output.

    Raises:
        RegenerationError: it has another difference, or none.
    """
    fields = git("diff-tree", "-r", "-z", "--no-renames", parent, tree).split("\0")[:-1]
    if not fields:
        raise RegenerationError("the patch changes nothing")
    # Each file has two fields: `:MODE NEW_MODE HASH NEW_HASH STATUS`, and its path.
    for description, path in zip(fields[::2], fields[1::2], strict=True):
        new_mode = description.split()[1]
        if not is_output(path):
            raise RegenerationError(f"the patch changes {path!r}, which is no output")
        if new_mode not in (REMOVED, REGULAR_FILE):
            raise RegenerationError(f"the patch makes {path!r} a file of mode {new_mode}")


def is_output(path: str) -> bool:
    """Whether a path is a part of the output, or in a folder of it."""
    return any(path == output or path.startswith(f"{output}/") for output in OUTPUT)


def push(commit: str, parent: str, branch: str) -> None:
    """Push a commit to a branch that is still at the parent of the commit.

    Raises:
        RegenerationError: the branch is at another commit, or access was denied.
    """
    reference = f"{BRANCHES}{branch}"
    # The lease names the expected commit. So a branch that was reset or deleted stays as it is.
    lease = f"--force-with-lease={reference}:{parent}"
    try:
        git(*credentials(), "push", "--quiet", lease, REMOTE, f"{commit}:{reference}")
    except RegenerationError as error:
        raise RegenerationError(
            f"{error}. If {branch} has newer commits, their own run regenerates the client."
            " If access was denied, the token needs the permission `contents: write`."
        ) from error


def credentials() -> list[str]:
    """The options with which git gets the token for GitHub's server, and only for that server."""
    server = os.environ.get("GITHUB_SERVER_URL", "")
    if not server or not os.environ.get("GITHUB_TOKEN"):
        return []
    return ["-c", f"credential.{server}.helper={CREDENTIAL_HELPER}"]


if __name__ == "__main__":
    sys.exit(main())
