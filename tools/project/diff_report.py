"""Writes the report of `make diff` for a pull request: `make diff BASE=HEAD^1 REPORT=build/diff`.

Standard output has an annotation for each change, as GitHub Actions reads it. The folder gets

- `comment.md`, the text of the comment on the pull request; empty if nothing changed,
- `spec.md` and `python.md`, its two parts,
- `spec.sarif`, the changes of the spec for code scanning.

In GitHub Actions, the text is on the summary page of the job as well. A change is no failure here,
also if it breaks clients: a reviewer decides about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from . import report_folder
from .github.body import joined
from .github.job import write_summary
from .processes import FAILED, run

COMMENT = "comment.md"
SPEC_PART = "spec.md"
PYTHON_PART = "python.md"
SARIF = "spec.sarif"

PARTS = (SPEC_PART, PYTHON_PART, SARIF)

FILES = (COMMENT, *PARTS)

UNCHANGED = "# API changes\n\nNeither the spec nor the public Python API changes.\n"


def write_report(
    base_spec: str, spec: str, base: str, folder: Path, arguments: Sequence[str]
) -> int:
    """Compare the spec and the Python names with those of a revision, and write the report.

    Args:
        base_spec: the older spec, such as `main:spec/openapi.yaml`.
        spec: the spec of the working tree.
        base: the revision.
        folder: the folder of the report, which has no earlier one.
        arguments: further arguments for specdrift.

    Returns:
        0; 2 if a comparison failed. Then the folder has no `comment.md`.

    Raises:
        IncompleteReportError: a comparison has passed without its part.
        OSError: the folder cannot be read or written. Then there is no `comment.md` either.
    """
    spec_status = run(
        "specdrift",
        *arguments,
        *("--format", "github"),
        *("--write", f"markdown={folder / SPEC_PART}"),
        *("--write", f"sarif={folder / SARIF}"),
        # Status 1 then stands for any change.
        *("--fail-on", "INFO"),
        # After `--`, a revision such as `--help` is not taken for an option.
        *("--", base_spec, spec),
    )
    names_status = run(
        "project.surface",
        *("--format", "github"),
        *("--write", f"markdown={folder / PYTHON_PART}"),
        *("--fail-on", "INFO"),
        *("--root", ".", "--", base),
    )
    worst_status = max(spec_status, names_status)
    if worst_status >= FAILED:
        return FAILED
    report_folder.check_parts(folder / name for name in PARTS)
    text = ""
    if worst_status:
        text = comment_text(folder)
    write_summary(text or UNCHANGED)
    # Last, because `make comment` would publish it also if a later step failed.
    report_folder.write_text(folder / COMMENT, text)
    return 0


def comment_text(folder: Path) -> str:
    """The two parts of the report as one text within GitHub's limit."""
    spec_part = (folder / SPEC_PART).read_text(encoding="utf-8")
    python_part = (folder / PYTHON_PART).read_text(encoding="utf-8")
    return joined(
        [f"# Changes of the spec\n\n{spec_part}", f"# Changes of the Python API\n\n{python_part}"]
    )
