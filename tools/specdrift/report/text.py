"""Writes the report for a terminal: a summary, then every edit once, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..rules import ERR, INFO, WARN, Level
from ..terminal import visible
from .edits import Edit, group_by_edit, most_affected_operations, operations_in_short
from .report import LEVELS, Report
from .tree import group_by_owner
from .wording import (
    CONTRACT_WORDS,
    client_sentence,
    edit_counts,
    fault_sentence,
    headline,
    hidden_sentence,
    locations,
    summary,
    waived_changes,
)

_MANY_OPERATIONS = 10
"""From this number of operations on, the summary names those with the most edits."""

_MOST_AFFECTED = 5
"""How many of them it names."""

# SGR codes of ECMA-48.
_BOLD = "1"
_COLOURS: dict[Level, str] = {ERR: "31", WARN: "33", INFO: "36"}


def write_text(report: Report, colour: bool = False) -> str:
    """The report as text.

    Args:
        report: what to write.
        colour: whether to add colour codes.
    """
    lines = list(_lines(report, _Painter(colour)))
    return "\n".join(lines).lstrip("\n") + "\n"


class _Painter:
    """Adds colour codes, if they are wanted."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def paint(self, text: str, code: str) -> str:
        if not self._colour:
            return text
        return f"\033[{code}m{text}\033[0m"


def _lines(report: Report, painter: _Painter) -> Iterator[str]:
    documents = f"from {visible(report.base.name)} to {visible(report.revision.name)}"
    if report.entries:
        yield painter.paint(headline(report), _BOLD)
        yield f"Changes {documents}: {edit_counts(report)}"
    counted_edits = group_by_edit(report.counted)
    yield from _most_affected(counted_edits)
    shown_edits = group_by_edit(entry for entry in report.shown if entry.waiver is None)
    for level in LEVELS:
        edits = [edit for edit in shown_edits if edit.change.level == level]
        yield from _level_lines(level, edits, painter)
    hidden = hidden_sentence(report)
    if hidden:
        yield ""
        yield hidden
    faults = [f"{fault.waiver.source}: {fault_sentence(fault)}" for fault in report.faults]
    waived = [f"{change.sentence} {change.reason}" for change in waived_changes(report)]
    yield from _section("Waived", waived, painter)
    yield from _section("Waivers at fault", faults, painter)
    yield from _section("Notes", report.notes, painter)
    yield ""
    # A fault needs the counts even if nothing changed, because it fails the comparison.
    if report.entries or report.faults:
        yield summary(report)
    else:
        yield f"Nothing changed {documents}."


def _most_affected(edits: Sequence[Edit]) -> Iterator[str]:
    operations = {operation for edit in edits for operation in edit.operations}
    if len(operations) < _MANY_OPERATIONS:
        return
    yield "Operations with the most edits:"
    for operation, number in most_affected_operations(edits, _MOST_AFFECTED):
        yield f"  {number:4}  {visible(operation)}"


def _level_lines(level: Level, edits: Sequence[Edit], painter: _Painter) -> Iterator[str]:
    if not edits:
        return
    yield ""
    yield painter.paint(f"{level}: {CONTRACT_WORDS[level]}", _COLOURS[level])
    short_edits = [edit for edit in edits if _is_short(edit)]
    for group in group_by_owner(edit for edit in edits if edit not in short_edits):
        yield ""
        yield painter.paint(visible(group.heading), _BOLD)
        for edit in group.edits:
            yield from _edit_lines(edit, painter)
    if short_edits:
        yield ""
    for group in group_by_owner(short_edits):
        for edit in group.edits:
            yield _short_line(group.heading, edit, painter)


def _is_short(edit: Edit) -> bool:
    """Whether one line is enough: what breaks nobody must not bury the rest."""
    return edit.change.level == INFO and not edit.breaks and not edit.entry.advice


def _short_line(heading: str, edit: Edit, painter: _Painter) -> str:
    change = edit.change
    base, revision = locations(change)
    location = revision if revision.exists else base
    place = location.source or location.pointer
    details = f"{change.id}, {place}" if place else change.id
    line = f"  {_level(edit, painter)} {visible(f'{heading}: {change.text} ({details})')}"
    if len(edit.operations) > 1:
        line += f" In {visible(operations_in_short(edit))}."
    return line


def _edit_lines(edit: Edit, painter: _Painter) -> Iterator[str]:
    change = edit.change
    base, revision = locations(change)
    yield f"  {_level(edit, painter)} {visible(change.id)}"
    yield f"       {visible(change.text)}"
    if len(edit.operations) > 1:
        yield f"       in:       {visible(operations_in_short(edit))}"
    yield f"       base:     {visible(str(base))}"
    yield f"       revision: {visible(str(revision))}"
    yield f"       client:   {visible(client_sentence(edit.entry))}"
    if edit.entry.advice:
        yield f"       advice:   {visible(edit.entry.advice)}"


def _level(edit: Edit, painter: _Painter) -> str:
    level = edit.change.level
    # Padded to the length of the longest severity, WARN.
    return painter.paint(f"{level:4}", _COLOURS[level])


def _section(title: str, items: Sequence[str], painter: _Painter) -> Iterator[str]:
    if not items:
        return
    yield ""
    yield painter.paint(title, _BOLD)
    for item in items:
        yield f"  {visible(item)}"
