"""Writes the report as SARIF 2.1.0, which code scanning and editors read."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import quote

from ..rules import ERR, INFO, WARN, Change, Level, Source
from ..terminal import json_text, visible
from .report import Entry, Fault, Report, Waiver
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
        "results": [_result(entry, rule_ids.index(entry.change.id)) for entry in report.entries],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_text(document) + "\n"


def _rule_levels(report: Report) -> dict[str, Level]:
    """The worst severity that each rule has in this report."""
    levels: dict[str, Level] = {}
    # The entries begin with the worst severity, so the last assignment is the worst.
    for entry in reversed(report.entries):
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


def _result(entry: Entry, rule_index: int) -> dict[str, object]:
    change = entry.change
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
        "message": _message(" ".join(sentences(entry))),
        "locations": [_location(main)],
        "relatedLocations": [{**_location(related), "message": related_message}],
        "partialFingerprints": {"specdrift/v1": _fingerprint(change)},
        "properties": {"operation": change.operation, "client": entry.verdict.effect},
        "suppressions": [_suppression(entry.waiver)] if entry.waiver else [],
    }


def _fingerprint(change: Change) -> str:
    """Identify a change across runs. Lines move, so they are not part of it."""
    identity = [
        change.id,
        change.operation,
        change.base_pointer,
        change.revision_pointer,
        # The sentence contains the value, such as that of an enum.
        change.text,
    ]
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
