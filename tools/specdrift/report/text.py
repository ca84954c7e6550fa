"""Writes the report for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..rules import ERR, INFO, WARN, Level
from ..terminal import visible
from .report import Entry, Report
from .wording import (
    client_sentence,
    fault_sentence,
    group_by_operation,
    locations,
    summary,
    waived_changes,
)

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
        yield f"Changes {documents}:"
    for heading, entries in group_by_operation(report.shown):
        yield ""
        yield painter.paint(visible(heading), _BOLD)
        for entry in entries:
            yield from _change_lines(entry, painter)
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


def _change_lines(entry: Entry, painter: _Painter) -> Iterator[str]:
    change = entry.change
    base, revision = locations(change)
    # Padded to the length of the longest severity, WARN.
    level = painter.paint(f"{change.level:4}", _COLOURS[change.level])
    yield f"  {level} {visible(change.id)}"
    yield f"       {visible(change.text)}"
    yield f"       base:     {visible(str(base))}"
    yield f"       revision: {visible(str(revision))}"
    yield f"       client:   {visible(client_sentence(entry))}"
    if entry.advice:
        yield f"       advice:   {visible(entry.advice)}"


def _section(title: str, items: Sequence[str], painter: _Painter) -> Iterator[str]:
    if not items:
        return
    yield ""
    yield painter.paint(title, _BOLD)
    for item in items:
        yield f"  {visible(item)}"
