"""Adds or updates the one comment about API changes on a pull request: `make comment`.

The text is `comment.md`, which `make diff REPORT=…` has written in another job: that job runs the
code of the pull request, and has no token that may write. An empty text means that nothing changed.

Environment variables: `PULL_REQUEST` is the number of the pull request, `REPORT` the folder of the
report. `GITHUB_TOKEN`, `GITHUB_REPOSITORY`, `GITHUB_API_URL` and `REPORT_AUTHOR` are as for
`make issue`.
"""

from __future__ import annotations

import os
import re
import sys

from specdrift.terminal import visible

from ..processes import FAILED
from .body import digest, digest_in, marked
from .client import GitHub, GitHubError
from .job import author_of_reports
from .report_file import ReportFileError, read_report

NAME = "diff"
"""The name in the marker."""

DEFAULT_FOLDER = "build/diff"

NOTHING_CHANGED = "The latest commits change neither the spec nor the public Python API.\n"


class NumberError(Exception):
    """`PULL_REQUEST` is not the number of a pull request. The message has one line."""


def main() -> int:
    """Add or update the comment.

    Returns:
        0; 2 if a setting is not usable or a request failed.
    """
    try:
        number = number_of_pull_request(os.environ.get("PULL_REQUEST", ""))
        folder = os.environ.get("REPORT") or DEFAULT_FOLDER
        text = read_report(f"{folder}/comment.md", "make diff BASE=… REPORT=…")
        with GitHub.from_environment() as github:
            print(synchronize(github, number, text, author_of_reports()), flush=True)
    except (NumberError, ReportFileError, GitHubError, OSError) as error:
        print(f"comment: {visible(str(error))}", file=sys.stderr)
        return FAILED
    return 0


def number_of_pull_request(text: str) -> int:
    """The number of a pull request.

    Raises:
        NumberError: the text is not a number.
    """
    if not re.fullmatch("[1-9][0-9]{0,9}", text):
        raise NumberError("PULL_REQUEST is not the number of a pull request, such as 12")
    return int(text)


def synchronize(github: GitHub, number: int, text: str, author: str) -> str:
    """Bring the comment into line with a report.

    Args:
        github: the repository.
        number: the number of the pull request.
        text: the report in Markdown; empty if nothing changed.
        author: the account whose comments count.

    Returns:
        What was done, as a sentence for the log.

    Raises:
        GitHubError: a request failed.
    """
    comments = [
        comment
        for comment in github.comments(number)
        if comment.author == author and digest_in(NAME, comment.body) is not None
    ]
    if not comments:
        if not text:
            return "Nothing changed, and there is no comment."
        comment = github.create_comment(number, marked(NAME, text))
        return f"Added the comment {visible(comment.url)}."
    new_text = text or NOTHING_CHANGED
    comment = comments[0]
    if digest_in(NAME, comment.body) == digest(new_text):
        return f"Nothing changed since {visible(comment.url)} was written."
    github.edit_comment(comment.number, marked(NAME, new_text))
    return f"Updated the comment {visible(comment.url)}."


if __name__ == "__main__":
    sys.exit(main())
