"""Reads and writes what GitHub Actions offers a job: variables, and the summary page."""

from __future__ import annotations

import os

ACTIONS_ACCOUNT = "github-actions[bot]"
"""The account of a job's own token."""


def author_of_reports() -> str:
    """The account that writes issues and comments with the job's token."""
    return os.environ.get("REPORT_AUTHOR") or ACTIONS_ACCOUNT


def write_summary(markdown: str) -> None:
    """Append a text to the summary page of the job. Outside of GitHub Actions, do nothing.

    Raises:
        OSError: the file of the summary cannot be written.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{markdown}\n")
