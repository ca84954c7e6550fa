"""Writes the report as workflow commands, which GitHub Actions shows as annotations of lines."""

from __future__ import annotations

from ..rules import ERR, INFO, WARN, Level, Source
from ..terminal import visible
from .edits import Edit, group_by_edit, operations_in_short
from .report import Fault, Report
from .wording import fault_sentence, sentences

COMMANDS: dict[Level, str] = {ERR: "error", WARN: "warning", INFO: "notice"}
"""The workflow command of each severity."""


def write_github(report: Report) -> str:
    """The report as workflow commands: the faulty waivers, each edit once, and the notes.

    GitHub shows ten annotations of each severity and step, so the worst edits come first.
    """
    commands = [_fault_command(fault) for fault in report.faults]
    edits = group_by_edit(entry for entry in report.shown if entry.waiver is None)
    commands += [_edit_command(edit) for edit in edits]
    commands += [
        workflow_command("notice", "specdrift: note", [note], None) for note in report.notes
    ]
    return "".join(f"{command}\n" for command in commands)


def _fault_command(fault: Fault) -> str:
    lines = [fault_sentence(fault)]
    return workflow_command("error", "specdrift: waiver", lines, fault.waiver.source)


def _edit_command(edit: Edit) -> str:
    change = edit.change
    source = change.revision_source or change.base_source
    title = f"specdrift: {change.id}"
    lines = sentences(edit.entry)
    if len(edit.operations) > 1:
        lines.append(f"In {operations_in_short(edit)}.")
    return workflow_command(COMMANDS[change.level], title, lines, source)


def workflow_command(name: str, title: str, lines: list[str], source: Source | None) -> str:
    """A workflow command that annotates a line of a file, or the whole run.

    Args:
        name: `error`, `warning` or `notice`.
        title: the title of the annotation.
        lines: the lines of its text.
        source: the line of the file; None for the whole run.
    """
    properties: list[str] = []
    if source is not None:
        properties.append(f"file={_escape_property(source.file)}")
        properties.append(f"line={source.line}")
    properties.append(f"title={_escape_property(title)}")
    message = "%0A".join(_escape(line) for line in lines)
    return f"::{name} {','.join(properties)}::{message}"


# The escapes are those of GitHub's own toolkit (`actions/toolkit`, packages/core/src/command.ts).


def _escape(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return visible(escaped)


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
