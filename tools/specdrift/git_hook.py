"""Compares files with their last commit, as a hook of pre-commit (https://pre-commit.com).

`python -m specdrift.git_hook FILE…` runs in the root of a repository. pre-commit passes the files
that a commit changes. `.pre-commit-hooks.yaml` defines the hook.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from .cli import ExitCode
from .cli import main as compare
from .options import level
from .rules import ERR
from .terminal import visible

LAST_COMMIT = "HEAD"


@dataclass(frozen=True)
class Options:
    """The command line. The help texts below explain it."""

    base: str
    arguments: list[str]
    files: list[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare each file with the base revision.

    Returns:
        The exit code of specdrift for the file with the highest one.
    """
    options = _parse_options(arguments)
    if not _has_revision(options.base):
        if options.base == LAST_COMMIT:
            # Before the first commit of a repository, every file is new.
            return ExitCode.PASSED
        print(
            f"specdrift: {visible(options.base)}: git has no such revision here:"
            " name a branch, a tag or a commit with --base",
            file=sys.stderr,
        )
        return ExitCode.NOT_COMPARED
    exit_codes = [_compare_file(file, options) for file in options.files]
    return max(exit_codes, default=int(ExitCode.PASSED))


def _parse_options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="specdrift.git_hook", description=__doc__)
    parser.add_argument(
        "--base",
        default=LAST_COMMIT,
        metavar="REVISION",
        help="the git revision to compare with (default: HEAD, the last commit)",
    )
    parser.add_argument("--fail-on", type=level, default=ERR, help="as of specdrift")
    parser.add_argument("--severity-levels", metavar="FILE", help="as of specdrift")
    parser.add_argument("--waivers", metavar="FILE", help="as of specdrift")
    parser.add_argument("--within-base", action="store_true", help="as of specdrift")
    parser.add_argument("files", nargs="*", metavar="FILE", help="an OpenAPI document")
    namespace = parser.parse_args(arguments)
    specdrift_arguments = ["--fail-on", namespace.fail_on]
    if namespace.severity_levels is not None:
        specdrift_arguments += ["--severity-levels", namespace.severity_levels]
    if namespace.waivers is not None:
        specdrift_arguments += ["--waivers", namespace.waivers]
    if namespace.within_base:
        specdrift_arguments.append("--within-base")
    return Options(namespace.base, specdrift_arguments, namespace.files)


def _has_revision(revision: str) -> bool:
    # After this option, git takes `--all` for a name and not for an option.
    return _git_succeeds("rev-parse", "--verify", "--quiet", "--end-of-options", revision)


def _compare_file(file: str, options: Options) -> int:
    base = f"{options.base}:{file}"
    if not _git_succeeds("cat-file", "-e", base):
        print(f"{visible(file)} is not in {visible(options.base)}, and not compared.")
        return ExitCode.PASSED
    return compare([*options.arguments, "--", base, file])


def _git_succeeds(*arguments: str) -> bool:
    command = ["git", *arguments]
    result = subprocess.run(command, capture_output=True, check=False)
    return result.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
