"""The report as SARIF 2.1.0, which code scanning and editors read."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import quote

from ..rules import ERR, INFO, WARN, Level, Source
from .report import Entry, Report, Waiver
from .wording import CONTRACT, Spot, sentences, spots, told_fault, until, visible

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS: dict[Level, str] = {ERR: "error", WARN: "warning", INFO: "note"}


def sarif(report: Report) -> str:
    """The report as SARIF; what is at fault with waivers, and notes, are notifications of the run."""
    # Each with the level that comes last, the worst.
    rules: dict[str, Level] = {
        entry.change.id: entry.change.level for entry in reversed(report.entries)
    }
    indexes = {identifier: index for index, identifier in enumerate(rules)}
    faults = [
        {
            "level": "error",
            "message": _message(told_fault(fault)),
            "locations": [_physical(fault.waiver.source)],
        }
        for fault in report.faults
    ]
    notes = [{"level": "note", "message": _message(note)} for note in report.notes]
    notifications = {"toolConfigurationNotifications": faults, "toolExecutionNotifications": notes}
    run = {
        "tool": {
            "driver": {"name": "specdrift", "rules": [_rule(*rule) for rule in rules.items()]}
        },
        "invocations": [{"executionSuccessful": True, **notifications}],
        "results": [_result(entry, indexes[entry.change.id]) for entry in report.entries],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(identifier: str, level: Level) -> dict[str, object]:
    return {
        "id": identifier,
        "shortDescription": _message(identifier.replace("-", " ").capitalize()),
        "fullDescription": _message(f"{CONTRACT[level]}, at its worst."),
        "defaultConfiguration": {"level": _LEVELS[level]},
    }


def _result(entry: Entry, index: int) -> dict[str, object]:
    change = entry.change
    base, revision = spots(change)
    # The sentence has the value that tells apart what happened at one place; lines move, and are left out.
    identity = [
        change.id,
        change.operation,
        change.base_pointer,
        change.revision_pointer,
        change.text,
    ]
    first, other = (revision, base) if revision.source or not base.source else (base, revision)
    return {
        "ruleId": change.id,
        "ruleIndex": index,
        "level": _LEVELS[change.level],
        "message": _message(" ".join(sentences(entry))),
        "locations": [_location(first)],
        "relatedLocations": [
            {**_location(other), "message": _message(f"In the {other.role}: {other}")}
        ],
        "partialFingerprints": {
            "specdrift/v1": hashlib.sha256(json.dumps(identity).encode()).hexdigest()
        },
        "properties": {"operation": change.operation, "client": entry.verdict.effect},
        "suppressions": [_suppression(entry.waiver)] if entry.waiver else [],
    }


def _location(spot: Spot) -> dict[str, object]:
    logical = (
        {"logicalLocations": [{"fullyQualifiedName": spot.pointer or "/"}]} if spot.there else {}
    )
    return {**(_physical(spot.source) if spot.source else {}), **logical}


def _physical(source: Source) -> dict[str, object]:
    location = {"uri": quote(source.file.encode(errors="replace"))}
    return {
        "physicalLocation": {"artifactLocation": location, "region": {"startLine": source.line}}
    }


def _suppression(waiver: Waiver) -> dict[str, object]:
    justification = visible(waiver.reason) + until(waiver)
    return {
        "kind": "external",
        "justification": justification,
        "location": _physical(waiver.source),
    }


def _message(text: str) -> dict[str, str]:
    return {"text": visible(text)}
