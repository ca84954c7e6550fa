"""Writes an upgrade report: as text for a terminal, or as Markdown for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from specdrift import Level
from specdrift.terminal import visible

from .model import LEVELS, UpgradeChange, UpgradeReport

HEADINGS: dict[Level, str] = {
    "ERR": "Breaks code that uses the copy",
    "WARN": "May break code that uses the copy",
    "INFO": "Does not break code that uses the copy",
}

SUMMARIES: dict[Level, str] = {
    "ERR": "breaking",
    "WARN": "possibly breaking",
    "INFO": "not breaking",
}

MAXIMUM_ITEMS = 200
"""Changes in one list of the Markdown report. GitHub limits a comment to 65,536 characters."""


def write_text(report: UpgradeReport) -> str:
    """The report as text."""
    return "\n".join(text_lines(report)) + "\n"


def text_lines(report: UpgradeReport) -> Iterator[str]:
    """The lines of the text."""
    yield f"Upgrade of {visible(str(report.base.folder))}"
    yield f"  from {visible(str(report.base))}"
    yield f"  to   {visible(str(report.revision))}"
    for level in LEVELS:
        changes = report.with_level(level)
        if not changes:
            continue
        yield ""
        yield f"{HEADINGS[level]}:"
        for change in changes:
            yield f"  {change.subject:6}  {visible(change.place)}"
            yield f"          {visible(change.text)}"
            yield f"          {visible(location_and_id(change))}"
    yield ""
    for note in report.notes:
        yield f"Incomplete: {note}"
    if report.hint:
        yield report.hint
    yield summary(report)


def location_and_id(change: UpgradeChange) -> str:
    """Where a change is, and its kind."""
    return f"{change.location} [{change.id}]".strip()


def summary(report: UpgradeReport) -> str:
    """The number of changes of each severity, in a sentence."""
    if not report.changes:
        if report.notes:
            return "Nothing changed as far as it was compared."
        if report.hint:
            return "Nothing else changed in the spec or in public Python names."
        return "Nothing changed in the spec or in public Python names."
    counts = [
        f"{len(report.with_level(level))} {SUMMARIES[level]}"
        for level in LEVELS
        if report.with_level(level)
    ]
    number = len(report.changes)
    noun = "change" if number == 1 else "changes"
    return f"{number} {noun}: {', '.join(counts)}."


def write_markdown(report: UpgradeReport) -> str:
    """The report as Markdown."""
    return "\n".join(markdown_lines(report)) + "\n"


def markdown_lines(report: UpgradeReport) -> Iterator[str]:
    """The lines of the Markdown text."""
    yield f"## Upgrade of {code(str(report.base.folder))}"
    yield ""
    yield f"From {escaped(str(report.base))} to {escaped(str(report.revision))}."
    yield ""
    yield f"**{escaped(summary(report))}**"
    for note in report.notes:
        yield ""
        yield f"Incomplete: {note}"
    if report.hint:
        yield ""
        yield report.hint
    for level in LEVELS:
        changes = report.with_level(level)
        if not changes:
            continue
        yield ""
        yield f"### {HEADINGS[level]}"
        yield ""
        yield "| | Where | What changed |"
        yield "|---|---|---|"
        for change in changes[:MAXIMUM_ITEMS]:
            yield markdown_row(change)
        omitted = len(changes) - MAXIMUM_ITEMS
        if omitted > 0:
            yield ""
            yield f"{omitted} more are left out."


def markdown_row(change: UpgradeChange) -> str:
    """One row of a table."""
    location = f"<br>{code(change.location)}" if change.location else ""
    where = f"{code(change.place)}{location}"
    return f"| {change.subject} | {where} | {escaped(change.text)}<br>{code(change.id)} |"


def escaped(text: str) -> str:
    """A text without markup, mentions and links to issues."""
    # CommonMark allows a backslash before any ASCII punctuation.
    without_markup = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", visible(text))
    # GitHub looks for @name and #1 after it interprets the escapes. A zero-width space prevents it.
    return re.sub(r"(@|#(?=\d))", "\\1\u200b", without_markup)


def code(text: str) -> str:
    """A text in the font of code."""
    return f"<code>{escaped(text)}</code>"
