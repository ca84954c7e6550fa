"""Writes the report as SARIF 2.1.0, which code scanning and editors read."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import quote

from ..rules import ERR, INFO, WARN, Change, Level, Source
from ..terminal import json_text, visible
from .edits import Edit, group_by_edit, operations_in_short
from .report import Fault, Report, Waiver
from .wording import (
    CONTRACT_WORDS,
    Location,
    expiry_suffix,
    fault_sentence,
    locations,
    sentences,
)

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_SARIF_LEVELS: dict[Level, str] = {ERR: "error", WARN: "warning", INFO: "note"}


def write_sarif(report: Report) -> str:
    """The report as SARIF. Faulty waivers and notes become notifications of the run."""
    # Results refer to their rule by its index in this order.
    rule_levels = _rule_levels(report)
    rule_ids = list(rule_levels)
    rules = [_rule(rule_id, level) for rule_id, level in rule_levels.items()]
    invocation = {
        "executionSuccessful": True,
        "toolConfigurationNotifications": [_fault(fault) for fault in report.faults],
        "toolExecutionNotifications": [
            {"level": "note", "message": _message(note)} for note in report.notes
        ],
    }
    run = {
        "tool": {"driver": {"name": "specdrift", "rules": rules}},
        "invocations": [invocation],
        "results": [
            _result(edit, rule_ids.index(edit.change.id)) for edit in group_by_edit(report.shown)
        ],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_text(document) + "\n"


def _rule_levels(report: Report) -> dict[str, Level]:
    """The worst severity that each rule has in this report."""
    levels: dict[str, Level] = {}
    # The entries begin with the worst severity, so the last assignment is the worst.
    for entry in reversed(report.shown):
        levels[entry.change.id] = entry.change.level
    return levels


def _rule(rule_id: str, level: Level) -> dict[str, object]:
    return {
        "id": rule_id,
        "shortDescription": _message(rule_id.replace("-", " ").capitalize()),
        "fullDescription": _message(f"{CONTRACT_WORDS[level]}, at its worst."),
        "defaultConfiguration": {"level": _SARIF_LEVELS[level]},
    }


def _fault(fault: Fault) -> dict[str, object]:
    return {
        "level": "error",
        "message": _message(fault_sentence(fault)),
        "locations": [_physical_location(fault.waiver.source)],
    }


def _result(edit: Edit, rule_index: int) -> dict[str, object]:
    change = edit.change
    entry = edit.entry
    base, revision = locations(change)
    # Code scanning annotates the first location, so it should have a line.
    if base.source and not revision.source:
        main, related = base, revision
    else:
        main, related = revision, base
    related_message = _message(f"In the {related.role}: {related}")
    return {
        "ruleId": change.id,
        "ruleIndex": rule_index,
        "level": _SARIF_LEVELS[change.level],
        "message": _message(" ".join(_sentences(edit))),
        "locations": [_location(main)],
        "relatedLocations": [{**_location(related), "message": related_message}],
        "partialFingerprints": {"specdrift/v1": _fingerprint(change)},
        "properties": {
            "operation": change.operation,
            "operations": [visible(operation) for operation in edit.operations],
            "client": entry.verdict.effect,
        },
        "suppressions": [_suppression(entry.waiver)] if entry.waiver else [],
    }


def _sentences(edit: Edit) -> list[str]:
    if len(edit.operations) < 2:
        return sentences(edit.entry)
    return [*sentences(edit.entry), f"In {operations_in_short(edit)}."]


def _fingerprint(change: Change) -> str:
    """Identify an edit across runs. Lines move, so they are not part of it."""
    places = [change.base_pointer, change.revision_pointer]
    # The operation and the sentence are those of the first affected operation, which can change.
    # They identify only an edit without a place.
    text = change.text if places == ["", ""] else ""
    identity = [change.id, *places, change.name, text]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()


def _location(location: Location) -> dict[str, object]:
    result: dict[str, object] = {}
    if location.source:
        result.update(_physical_location(location.source))
    if location.exists:
        result["logicalLocations"] = [{"fullyQualifiedName": location.pointer or "/"}]
    return result


def _physical_location(source: Source) -> dict[str, object]:
    # `uri` is a URI reference: `main:a b.yaml` must not look like a scheme. Lone surrogates
    # cannot be encoded, so they are replaced.
    uri = quote(source.file.encode(errors="replace"))
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": source.line},
        }
    }


def _suppression(waiver: Waiver) -> dict[str, object]:
    return {
        "kind": "external",
        "justification": visible(waiver.reason) + expiry_suffix(waiver),
        "location": _physical_location(waiver.source),
    }


def _message(text: str) -> dict[str, str]:
    return {"text": visible(text)}
