"""Regenerates the client, and reports what changed: `make regenerate`.

The workflow `regenerate` runs it. With the environment variable `PATCH`, the difference is written
to that file as a patch, and does not fail the run: another job, which runs no generator, checks and
pushes it with `push`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .job_files import append_summary, code_block, set_output

OUTPUT = ("generated", "docs/api.md", "docs/reference/resources.rst")
"""What the programs write. The last two are the pages about the generated client."""

BYTECODE = ":(exclude,glob)**/__pycache__/**"
"""What Python adds to the output, as a pattern for git that leaves it out."""

PROGRAMS = (("generate",), ("project.api_index", "--root", "."))
"""The modules that `make generate` runs, with their arguments."""

PATCH_FORMAT = ("--binary", "--full-index", "--no-renames", "--src-prefix=a/", "--dst-prefix=b/")
"""The options of git for a patch that git can apply, whatever the configuration of the user."""


class RegenerationError(Exception):
    """The client cannot be regenerated, or its patch cannot be pushed."""


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
        The exit status: 0 if nothing changed or the change is in a patch, 1 for another change, 2
        if the client cannot be regenerated. Then there is no patch, not even of an earlier run.
    """
    try:
        return regenerate(os.environ.get("PATCH", ""))
    except RegenerationError as error:
        return report_failure("regenerate", error)
    except OSError as error:
        problem = RegenerationError(f"{error.filename}: {error.strerror}")
        return report_failure("regenerate", problem)


def report_failure(target: str, error: RegenerationError) -> int:
    """Print why a target failed, also to the summary of the job. Returns the exit status."""
    print(f"make {target}: {error}", file=sys.stderr)
    append_summary(f"### Regeneration failed\n\n{code_block(str(error))}")
    return 2


def regenerate(patch: str) -> int:
    """Regenerate, and report the difference.

    Args:
        patch: the file for the difference; empty if a difference is a failure.

    Raises:
        RegenerationError: the client cannot be regenerated.
        OSError: the patch cannot be written.
    """
    if patch:
        Path(patch).unlink(missing_ok=True)
        # Before anything changes: what is pushed must be made from what is committed.
        check_clean()
    for program in PROGRAMS:
        run_program(program)
    difference = difference_from_commit()
    if not difference.text:
        print("The client and the pages about it are up to date.")
        append_summary("### The client and the pages about it are up to date\n")
        return 0
    if not patch:
        report_difference(difference)
        return 1
    write_patch(difference, Path(patch))
    set_output("changed", "true")
    return 0


def write_patch(difference: Difference, patch: Path) -> None:
    """Write a difference as a patch, and report it.

    Raises:
        OSError: the file cannot be written.
    """
    patch.parent.mkdir(parents=True, exist_ok=True)
    git("diff", *PATCH_FORMAT, f"--output={patch.resolve()}", "HEAD", difference.tree)
    heading = f"Regenerated: {', '.join(difference.outputs)}"
    print(f"{heading}. The difference is in {patch}.")
    append_summary(f"### {heading}\n\n{code_block(difference.text, 'diff')}")


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
    result = subprocess.run(
        [sys.executable, "-m", *program],
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
            " commit them, or regenerate without PATCH"
        )


def git(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run git and return its output.

    Args:
        arguments: the command of git, with its options.
        environment: variables to add.

    Raises:
        RegenerationError: git failed. The message has git's own one.
    """
    # A missing credential is an error. Nobody is there to answer a question.
    variables = {**os.environ, "GIT_TERMINAL_PROMPT": "0", **(environment or {})}
    result = subprocess.run(
        ["git", *arguments],  # noqa: S607  # the user's git, from the PATH
        env=variables,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        check=False,
    )
    if result.returncode != 0:
        reason = " ".join(result.stderr.split())
        raise RegenerationError(f"git failed: {reason}")
    return result.stdout


if __name__ == "__main__":
    sys.exit(main())
