"""Writes the report as JSON for programs. `report.schema.json` is the schema."""

from __future__ import annotations

from collections.abc import Sequence

from ..rules import Source
from ..terminal import json_text
from .edits import group_by_edit
from .report import Entry, Fault, Report, Waiver
from .wording import Location, counts, locations

JSON_FORM = 1
"""The version of the schema. It increases when a member is removed or changes its meaning."""


def write_json(report: Report) -> str:
    """The report as JSON."""
    return json_text(report_document(report)) + "\n"


def report_document(report: Report) -> dict[str, object]:
    """The report as the data that `report.schema.json` describes."""
    return {
        "form": JSON_FORM,
        "base": report.base.name,
        "revision": report.revision.name,
        "counts": counts(report.entries),
        "changes": [_change(entry) for entry in report.shown],
        "edits": _edits(report.shown),
        "faults": [_fault(fault) for fault in report.faults],
        "notes": list(report.notes),
    }


def _change(entry: Entry) -> dict[str, object]:
    change = entry.change
    base, revision = locations(change)
    return {
        "id": change.id,
        "level": change.level,
        "operation": change.operation,
        "direction": str(change.direction),
        "name": change.name,
        "text": change.text,
        "client": {"effect": entry.verdict.effect, "reason": entry.verdict.reason},
        "advice": entry.advice,
        "base": _location(base),
        "revision": _location(revision),
        "waiver": _waiver(entry.waiver) if entry.waiver else None,
    }


def _edits(entries: Sequence[Entry]) -> list[list[int]]:
    """The changes of each edit, by their position in `changes`."""
    positions = {id(entry): position for position, entry in enumerate(entries)}
    return [[positions[id(entry)] for entry in edit.entries] for edit in group_by_edit(entries)]


def _location(location: Location) -> dict[str, object]:
    return {
        # An empty pointer means the whole document.
        "pointer": location.pointer if location.exists else None,
        "source": _source(location.source) if location.source else None,
    }


def _source(source: Source) -> dict[str, object]:
    return {"file": source.file, "line": source.line}


def _fault(fault: Fault) -> dict[str, object]:
    return {"waiver": _waiver(fault.waiver), "problem": fault.problem}


def _waiver(waiver: Waiver) -> dict[str, object]:
    return {
        "id": waiver.id,
        "at": waiver.at,
        "name": waiver.name,
        "reason": waiver.reason,
        "expires": waiver.expires.isoformat() if waiver.expires else None,
        "source": _source(waiver.source),
    }
