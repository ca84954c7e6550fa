"""Regenerates the client, and reports or pushes what changed: `make regenerate`.

The workflow `regenerate` runs it. Environment variables:

- `PUSH`: with `true`, a difference is committed and pushed to the branch. Otherwise, a difference
  fails the run.
- `GITHUB_TOKEN` and `GITHUB_SERVER_URL`: the credentials for the push, and the only server that
  gets them. Without them, git uses its own configuration.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .job_files import append_summary, code_block

OUTPUT = ("generated", "docs/api.md", "docs/reference/resources.rst")
"""What the programs write. The last two are the pages about the generated client."""

BYTECODE = ":(exclude,glob)**/__pycache__/**"
"""What Python adds to the output, as a pattern for git that leaves it out."""

PROGRAMS = (("generate",), ("project.api_index", "--root", "."))
"""The modules that `make generate` runs, with their arguments."""

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


class RegenerationError(Exception):
    """The client cannot be regenerated, or the result cannot be pushed."""


@dataclass(frozen=True)
class Difference:
    """How the regenerated client differs from the committed one.

    Attributes:
        tree: git's name of the tree of the next commit.
        text: the difference as a patch; empty if there is none.
        outputs: the parts of `OUTPUT` that differ.
    """

    tree: str
    text: str
    outputs: tuple[str, ...]


def main() -> int:
    """Regenerate the client of the checkout in the working directory.

    Returns:
        The exit status: 0 if nothing changed or the change was pushed, 1 for a change that was not
        pushed, 2 if the client cannot be regenerated or pushed.
    """
    try:
        return regenerate(is_push=read_push())
    except RegenerationError as error:
        print(f"make regenerate: {error}", file=sys.stderr)
        append_summary(f"### Regeneration failed\n\n{code_block(str(error))}")
        return 2


def regenerate(*, is_push: bool) -> int:
    """Regenerate, and report the difference or push it.

    Raises:
        RegenerationError: the client cannot be regenerated or pushed.
    """
    if is_push:
        # Before anything changes: what is pushed must be made from what is committed.
        check_clean()
    branch = current_branch() if is_push else ""
    for program in PROGRAMS:
        run_program(program)
    difference = difference_from_commit()
    if not difference.text:
        print("The client and the pages about it are up to date.")
        append_summary("### The client and the pages about it are up to date\n")
        return 0
    if not is_push:
        report_difference(difference)
        return 1
    commit = push(difference, branch)
    changed_outputs = ", ".join(difference.outputs)
    print(f"Regenerated: {changed_outputs}. Commit {commit[:12]} was pushed to {branch}.")
    append_summary(
        f"### Regenerated: {changed_outputs}\n\nCommit {commit} was pushed to the branch.\n\n"
        + code_block(difference.text, "diff")
    )
    return 0


def read_push() -> bool:
    """Whether `PUSH` asks for a push.

    Raises:
        RegenerationError: it is neither `true`, `false` nor empty.
    """
    value = os.environ.get("PUSH", "")
    if value not in ("", "true", "false"):
        raise RegenerationError(f"PUSH={value}: the value is `true` or `false`")
    return value == "true"


def report_difference(difference: Difference) -> None:
    """Print the difference, and add it to the summary of the job."""
    print(difference.text, end="")
    advice = "Run `make generate`, and commit the result together with its cause."
    heading = f"Not up to date: {', '.join(difference.outputs)}"
    print(f"make regenerate: {heading}. {advice}", file=sys.stderr)
    append_summary(f"### {heading}\n\n{advice}\n\n{code_block(difference.text, 'diff')}")


def run_program(program: tuple[str, ...]) -> None:
    """Run a module that writes a part of the output.

    Raises:
        RegenerationError: it failed. The message has its output.
    """
    environment = dict(os.environ)
    # The generator runs code of others, which needs no access to the repository. That keeps the
    # token from accidents, such as a log of the environment. It does not isolate the code: a
    # program of the same user can read the environment of this process.
    environment.pop("GITHUB_TOKEN", None)
    result = subprocess.run(
        [sys.executable, "-m", *program],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if result.returncode != 0:
        reason = result.stdout.strip() or f"status {result.returncode}"
        raise RegenerationError(f"the generation step failed:\n{reason}")
    print(result.stdout, end="", flush=True)


def difference_from_commit() -> Difference:
    """Compare the output in the working directory with the last commit.

    The comparison has an index of its own. So files that a developer has staged stay staged, and
    do not become part of the commit.

    Raises:
        RegenerationError: this is no git repository with a commit.
    """
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        git("read-tree", "HEAD", environment=index)
        # With --force, no pattern of .gitignore or of the user leaves out a package of the client,
        # such as `build` for a tag `Build`.
        git("add", "--all", "--force", "--", *OUTPUT, BYTECODE, environment=index)
        tree = git("write-tree", environment=index).strip()
    text = git("diff", "--no-ext-diff", "--no-color", "HEAD", tree, "--", *OUTPUT)
    outputs = [name for name in OUTPUT if git("diff", "--name-only", "HEAD", tree, "--", name)]
    return Difference(tree=tree, text=text, outputs=tuple(outputs))


def check_clean() -> None:
    """Check that the working directory has no change that the last commit lacks.

    Raises:
        RegenerationError: it has one, or this is no git repository.
    """
    changes = git("status", "--porcelain").splitlines()
    if changes:
        raise RegenerationError(
            f"{len(changes)} files are not committed, such as {changes[0][3:]}:"
            " commit them, or regenerate without PUSH"
        )


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


def push(difference: Difference, branch: str) -> str:
    """Commit a difference, and push the commit to the branch of the same name.

    The local branch moves only after the push. So a rejected push changes nothing here or there.

    Returns:
        The name of the commit.

    Raises:
        RegenerationError: git has no identity, or the push was rejected.
    """
    parent = git("rev-parse", "HEAD").strip()
    commit = git("commit-tree", difference.tree, "-p", parent, "-m", MESSAGE).strip()
    reference = f"{BRANCHES}{branch}"
    try:
        # Without --force: somebody else's commits stay.
        git(
            *(*credentials(), "push", "--quiet", REMOTE, f"{commit}:{reference}"),
            environment=credential_variables(),
        )
    except RegenerationError as error:
        raise RegenerationError(
            f"{error}. If {branch} has newer commits, their own run regenerates the client."
            " If access was denied, the token needs the permission `contents: write`."
        ) from error
    git("update-ref", reference, commit, parent)
    git("reset", "--quiet", "--", *OUTPUT)
    return commit


def credentials() -> list[str]:
    """The options with which git gets the token for GitHub's server, and only for that server."""
    server = os.environ.get("GITHUB_SERVER_URL", "")
    if not server or not os.environ.get("GITHUB_TOKEN"):
        return []
    # A hook would get the token with git's environment, and the generator could have written one.
    without_hooks = ["-c", "core.hooksPath=/dev/null"]
    return [*without_hooks, "-c", f"credential.{server}.helper={CREDENTIAL_HELPER}"]


def credential_variables() -> dict[str, str]:
    """The variables that the credential helper needs; empty without a helper."""
    if not credentials():
        return {}
    return {"GITHUB_TOKEN": os.environ["GITHUB_TOKEN"]}


def git(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run git and return its output.

    Args:
        arguments: the command of git, with its options.
        environment: variables to add. Only a push needs the token, so it is not there by default.

    Raises:
        RegenerationError: git failed. The message has git's own one.
    """
    # A missing credential is an error. Nobody is there to answer a question.
    variables = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    variables.pop("GITHUB_TOKEN", None)
    variables.update(environment or {})
    result = subprocess.run(
        ["git", *arguments],  # noqa: S607  # the user's git, from the PATH
        env=variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if result.returncode != 0:
        reason = " ".join(result.stderr.split())
        raise RegenerationError(f"git failed: {reason}")
    return result.stdout


if __name__ == "__main__":
    sys.exit(main())
