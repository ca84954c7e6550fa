"""Opens, updates or closes the issue about drift: `make issue`, in a nightly job.

The text is `issue.md`, which `make drift REPORT=…` has written: the step that reads documents from
the network needs no token. An empty text means that there is no drift. After a failed comparison
there is no text, and the issue remains as it is.

Environment variables: `REPORT` is the folder of the report. `GITHUB_TOKEN`, `GITHUB_REPOSITORY` and
`GITHUB_API_URL` are those of GitHub Actions. `REPORT_AUTHOR` is the account of the token, if it is
not that of GitHub Actions.
"""

from __future__ import annotations

import os
import sys

from specdrift.terminal import visible

from ..processes import FAILED
from .body import digest, digest_in, marked
from .client import GitHub, GitHubError, Post
from .job import author_of_reports
from .report_file import ReportFileError, read_report

NAME = "drift"
"""The name in the marker."""

TITLE = "Drift: the spec differs from HighLevel's published documents"

DEFAULT_FOLDER = "build/drift"


def main() -> int:
    """Bring the issue into line with the report.

    Returns:
        0, whether there is drift or not; 2 if there is no report, or a request failed.
    """
    try:
        folder = os.environ.get("REPORT") or DEFAULT_FOLDER
        text = read_report(f"{folder}/issue.md", "make drift REPORT=…")
        with GitHub.from_environment() as github:
            for message in synchronize(github, text, author_of_reports()):
                print(message, flush=True)
    except (ReportFileError, GitHubError, OSError) as error:
        print(f"issue: {visible(str(error))}", file=sys.stderr)
        return FAILED
    return 0


def synchronize(github: GitHub, text: str, author: str) -> list[str]:
    """Bring the issue into line with a report.

    Args:
        github: the repository.
        text: the report in Markdown; empty if there is no drift.
        author: the account whose issues count. In a public repository, anybody can open an issue
            with the marker.

    Returns:
        What was done, as sentences for the log.

    Raises:
        GitHubError: a request failed.
    """
    issues = [
        issue
        for issue in github.open_issues()
        if issue.author == author and digest_in(NAME, issue.body) is not None
    ]
    if not text:
        if not issues:
            return ["There is no drift, and no open issue about it."]
        return [close(github, issue, "there is no drift any more") for issue in issues]
    if not issues:
        issue = github.create_issue(TITLE, marked(NAME, text))
        return [f"Opened {described(issue)}."]
    # There is more than one only if two jobs ran at the same time.
    issue, *duplicates = issues
    messages = [close(github, duplicate, "it is a duplicate") for duplicate in duplicates]
    return [*messages, update(github, issue, text)]


def close(github: GitHub, issue: Post, reason: str) -> str:
    """Close an issue, and return a sentence for the log."""
    github.edit_issue(issue.number, {"state": "closed", "state_reason": "completed"})
    return f"Closed {described(issue)}: {reason}."


def update(github: GitHub, issue: Post, text: str) -> str:
    """Replace the text of an issue if its content changed, and return a sentence for the log."""
    if digest_in(NAME, issue.body) == digest(text):
        return f"Nothing changed since {described(issue)} was written."
    github.edit_issue(issue.number, {"title": TITLE, "body": marked(NAME, text)})
    return f"Updated {described(issue)}."


def described(issue: Post) -> str:
    """The number and the page of an issue."""
    return f"issue {issue.number} ({visible(issue.url)})"


if __name__ == "__main__":
    sys.exit(main())
