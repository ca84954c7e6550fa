"""Opens, updates or closes the issue about drift: `make issue`, in a nightly job.

The issue is open as long as the spec differs from the vendor's documents, apart from waivers. It
contains the Markdown report of specdrift. A failed comparison changes nothing, because nobody knows
whether there is drift.

Environment variables: `GITHUB_TOKEN`, `GITHUB_REPOSITORY` and `GITHUB_API_URL`, as GitHub Actions
has them. `REPORT_AUTHOR` is the account of the token, if it is not that of GitHub Actions.
`UPSTREAM`, `UPSTREAM_ROOT` and `ARGS` have the meaning of `make drift`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from specdrift.terminal import visible

from ..arguments import ArgumentsError, arguments_from
from ..drift import Comparison, comparisons_with
from ..processes import FAILED, exit_status
from .body import digest, digest_in, joined, marked
from .client import GitHub, GitHubError, Post
from .job import author_of_reports, environment_without_token, write_summary

NAME = "drift"
"""The name in the marker."""

TITLE = "Drift: the spec differs from HighLevel's published documents"

# GitHub shows a line end in an issue as one, so each paragraph is a line.
INTRODUCTION = (
    "The spec differs from a document that HighLevel publishes, or a waiver no longer covers a"
    " difference.\n\n"
    "For each difference, change `spec/openapi.yaml`, run `make generate`, and check `make diff`."
    " Or accept it: add a waiver with its reason. `docs/drift.md` describes both.\n\n"
    "A nightly job compares the documents. It updates this issue when the differences change, and"
    " closes it when there are none. If you close it earlier, the job opens another one.\n"
)


class ComparisonFailedError(Exception):
    """A document could not be compared. specdrift has already printed the reason."""


@dataclass(frozen=True)
class DocumentReport:
    """The result of one comparison."""

    name: str
    """The name of the document, such as `v3`."""
    differs: bool
    """Whether there is a difference without a waiver, or a faulty waiver."""
    markdown: str


def main() -> int:
    """Compare the documents and bring the issue into line with the result.

    Returns:
        0, whether the documents differ or not; 2 if a comparison or a request failed.
    """
    try:
        arguments = arguments_from("ARGS")
        with GitHub.from_environment() as github:
            text = report_text(compare_all(arguments))
            write_summary(text or "# Drift\n\nThe spec has no difference without a waiver.\n")
            for message in synchronize(github, text, author_of_reports()):
                print(message, flush=True)
    except (ArgumentsError, ComparisonFailedError, GitHubError, OSError) as error:
        print(f"issue: {visible(str(error))}", file=sys.stderr)
        return FAILED
    return 0


def compare_all(arguments: Sequence[str]) -> list[DocumentReport]:
    """Compare the spec with each document.

    Raises:
        ComparisonFailedError: a document could not be compared.
    """
    root = os.environ.get("UPSTREAM_ROOT", "")
    comparisons = comparisons_with(os.environ.get("UPSTREAM", ""))
    return [compare(comparison, root, arguments) for comparison in comparisons]


def compare(comparison: Comparison, root: str, arguments: Sequence[str]) -> DocumentReport:
    """Compare the spec with one document. Any difference counts, unless `--fail-on` is an argument.

    Raises:
        ComparisonFailedError: it could not be compared.
    """
    options = ["--fail-on", "INFO", *arguments, "--format", "markdown"]
    result = subprocess.run(
        [sys.executable, "-m", "specdrift", *comparison.arguments(root, options)],
        env=environment_without_token(),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    status = exit_status(result.returncode)
    name = comparison.document.name
    if status >= FAILED or not result.stdout:
        raise ComparisonFailedError(
            f"the document {name} was not compared, so the issue remains as it is:"
            " the reason is above"
        )
    return DocumentReport(name, status != 0, result.stdout)


def report_text(reports: Sequence[DocumentReport]) -> str:
    """The text of the issue; empty if no document differs."""
    if not any(report.differs for report in reports):
        return ""
    documents = [f"# Document {report.name}\n\n{report.markdown}" for report in reports]
    return joined([INTRODUCTION, *documents])


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
