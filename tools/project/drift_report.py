"""Writes the report of `make drift` for a nightly job: `make drift REPORT=build/drift`.

Standard output is as without a report. The folder gets

- `issue.md`, the text of the issue about drift; empty if there is no difference without a waiver,
- a part for each document, such as `v3.md`.

In GitHub Actions, the text is on the summary page of the job as well. A difference of any severity
counts, and is no failure here: the issue says so. A failed comparison is one. Then there is no
`issue.md`, because nobody knows whether there is drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from . import report_folder
from .github.body import joined
from .github.job import write_summary
from .processes import FAILED

ISSUE = "issue.md"

# GitHub shows a line end in an issue as one, so each paragraph is a line.
INTRODUCTION = (
    "The spec differs from a document that HighLevel publishes, or a waiver no longer covers a"
    " difference.\n\n"
    "For each difference, change `spec/openapi.yaml`, run `make generate`, and check `make diff`."
    " Or accept it: add a waiver with its reason. `docs/drift.md` describes both.\n\n"
    "A nightly job compares the documents. It updates this issue when the differences change, and"
    " closes it when there are none. If you close it earlier, the job opens another one.\n"
)

UNCHANGED = "# Drift\n\nThe spec has no difference without a waiver.\n"


def prepare(folder: Path, names: Iterable[str]) -> None:
    """Create the folder, and remove the report of an earlier run.

    Args:
        folder: the folder of the report.
        names: the names of all documents, also of those that are not compared now.

    Raises:
        OSError: the folder cannot be written.
    """
    parts = [part_of(folder, name).name for name in names]
    report_folder.prepare(folder, [ISSUE, *parts])


def part_of(folder: Path, name: str) -> Path:
    """The file about a document."""
    return folder / f"{name}.md"


def options(folder: Path, name: str) -> list[str]:
    """The options of specdrift for a document: any difference counts, and the part is written."""
    return ["--fail-on", "INFO", "--write", f"markdown={part_of(folder, name)}"]


def finish(folder: Path, statuses: Mapping[str, int]) -> int:
    """Write the text of the issue.

    Args:
        folder: the folder with the parts.
        statuses: the exit status of specdrift by the name of the document.

    Returns:
        0; or the worst status if a comparison failed, which is 2 or more.

    Raises:
        IncompleteReportError: a comparison has passed without its part.
        OSError: the folder cannot be read or written.
    """
    worst_status = max(statuses.values())
    if worst_status >= FAILED:
        return worst_status
    report_folder.check_parts(part_of(folder, name) for name in statuses)
    text = ""
    if worst_status:
        text = issue_text({name: part_of(folder, name).read_text("utf-8") for name in statuses})
    write_summary(text or UNCHANGED)
    # Last, because `make issue` would publish it also if a later step failed.
    report_folder.write_text(folder / ISSUE, text)
    return 0


def issue_text(parts: Mapping[str, str]) -> str:
    """The text about all documents within GitHub's limit.

    Args:
        parts: the reports in Markdown by the name of the document.
    """
    documents = [f"# Document {name}\n\n{part}" for name, part in parts.items()]
    return joined([INTRODUCTION, *documents])
