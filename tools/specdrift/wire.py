"""Reads what a client found in answers, as changes of the same vocabulary and in the same places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .loading import ComparisonError
from .model.document import is_mapping
from .rules import Change, Direction, level_of

MAXIMUM_LINE = 100_000
"""Characters: a finding has some hundreds."""

_KEYS = ("kind", "rule", "operation", "pointer", "path", "expected")


def findings(file: Path) -> list[Change]:
    """The changes that findings tell of; each once, however often it was found.

    Args:
        file: holds a finding in each line: the fields of a `leadconnector.Finding`, as JSON.

    Raises:
        ComparisonError: it cannot be read, or a line is no finding.
    """
    found, number = dict[Change, None](), 0
    try:
        with file.open(encoding="utf-8") as lines:
            while line := lines.readline(MAXIMUM_LINE):
                number += 1
                if line.strip():
                    found[_change(line, f"{file}:{number}")] = None
    except (OSError, UnicodeDecodeError) as error:
        raise ComparisonError(
            f"{file}: cannot be read: {error}: name a file with a finding in each line"
        ) from error
    return list(found)


def _change(line: str, place: str) -> Change:
    try:
        finding: Any = json.loads(line)
    except (ValueError, RecursionError):
        finding = None
    if not is_mapping(finding) or not all(isinstance(finding.get(key), str) for key in _KEYS):
        raise ComparisonError(
            f"{place}: is no finding: a JSON object with {', '.join(_KEYS)}, each of them text"
        )
    level = level_of(finding["rule"], Direction.RESPONSE)
    if level is None:
        raise ComparisonError(f"{place}: no rule is called {finding['rule']!r}")
    kind = finding["kind"].replace("-", " ")
    text = f"In an answer, `{finding['path']}` must be {finding['expected']} ({kind})."
    return Change(
        finding["rule"],
        level,
        finding["operation"],
        Direction.RESPONSE,
        finding["pointer"],
        "",
        text,
        finding["path"],
    )
