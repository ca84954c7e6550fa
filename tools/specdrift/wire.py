"""Reads what clients and proxies found, as changes with the same check ids and places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .loading import ComparisonError
from .model.document import is_mapping
from .rules import Change, Direction, level_of

MAXIMUM_LINE_CHARACTERS = 100_000
"""A finding has some hundred. A longer line is not a finding, and is not read into memory."""

_KEYS = ("kind", "rule", "operation", "pointer", "path", "expected")


def read_findings(file: Path) -> list[Change]:
    """The changes that the findings in a file report, each once.

    Args:
        file: a file with one finding per line: the fields of a `leadconnector.Finding` as JSON.

    Raises:
        ComparisonError: the file cannot be read, or a line is not a finding.
    """
    # A dict instead of a set keeps the order.
    changes: dict[Change, None] = {}
    line_number = 0
    try:
        with file.open(encoding="utf-8") as lines:
            while line := lines.readline(MAXIMUM_LINE_CHARACTERS):
                line_number += 1
                if line.strip():
                    changes[_change(line, f"{file}:{line_number}")] = None
    except (OSError, UnicodeDecodeError) as error:
        raise ComparisonError(
            f"{file}: cannot be read: {error}: name a file with one finding per line"
        ) from error
    return list(changes)


def _change(line: str, place: str) -> Change:
    finding = _parse(line, place)
    # Clients find drift in responses only. The emulator's proxy names the direction.
    direction = _direction(finding.get("direction", "response"), place)
    # A rule without a severity in that direction is a mistake.
    level = level_of(finding["rule"], direction)
    if level is None:
        raise ComparisonError(f"{place}: no rule has the id {finding['rule']!r}")
    kind = finding["kind"].replace("-", " ")
    # The undocumented status or media type. Other kinds have none.
    subject = finding.get("value") or finding["path"]
    return Change(
        id=finding["rule"],
        level=level,
        operation=finding["operation"],
        direction=direction,
        base_pointer=finding["pointer"],
        revision_pointer="",
        text=f"In a {direction}, `{subject}` must be {finding['expected']} ({kind}).",
        name=subject,
    )


def _direction(value: object, place: str) -> Direction:
    if value == Direction.REQUEST:
        return Direction.REQUEST
    if value == Direction.RESPONSE:
        return Direction.RESPONSE
    raise ComparisonError(f"{place}: `direction` must be request or response")


def _parse(line: str, place: str) -> dict[str, str]:
    problem = f"{place}: is not a finding: a JSON object with the texts {', '.join(_KEYS)}"
    try:
        finding: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ComparisonError(problem) from error
    if not is_mapping(finding):
        raise ComparisonError(problem)
    for key in _KEYS:
        if not isinstance(finding.get(key), str):
            raise ComparisonError(problem)
    # Findings of older clients do not have it.
    if not isinstance(finding.get("value", ""), str):
        raise ComparisonError(problem)
    return finding
