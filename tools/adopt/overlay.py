"""Repairs known faults of a published document, in the format of OpenAPI Overlay 1.0.

https://spec.openapis.org/overlay/v1.0.0.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonpath
from generate.document import is_list, is_mapping, json_pointer
from specdrift.loading import ComparisonError, ParsedFile

from .errors import AdoptionError


@dataclass(frozen=True)
class Action:
    """One repair."""

    target: str
    """The JSONPath (RFC 9535) of the values to change."""
    description: str
    """What is wrong, and what the action does about it."""
    update: Any
    """What to merge into each target; None without an update."""
    remove: bool
    source: str
    """The file and line of the action."""


@dataclass(frozen=True)
class Repair:
    """An action that had targets in a document."""

    action: Action
    pointers: Sequence[str]
    """The JSON pointers of the targets."""


def load_overlay(path: Path) -> list[Action]:
    """Read the actions of an overlay.

    Raises:
        AdoptionError: the file cannot be read, or is no overlay.
    """
    try:
        file = ParsedFile.parse(str(path), path.read_bytes())
    except (OSError, ComparisonError) as error:
        raise AdoptionError(f"{path}: the overlay cannot be read: {error}") from error
    if not is_mapping(file.data) or not is_list(file.data.get("actions")):
        raise AdoptionError(f"{path}: is not an overlay: it has no list `actions`")
    actions: list[Any] = file.data["actions"]
    return [_action(file, index, action) for index, action in enumerate(actions)]


def apply_overlay(actions: Sequence[Action], file: ParsedFile) -> tuple[ParsedFile, list[Repair]]:
    """Return a repaired copy of a file, and what was repaired.

    Raises:
        AdoptionError: an action has an invalid target, or an update of another type.
    """
    data = deepcopy(file.data)
    lines = dict(file.lines)
    repairs: list[Repair] = []
    for action in actions:
        targets = _targets(action, data)
        if targets:
            repairs.append(Repair(action, [json_pointer(*target.path) for target in targets]))
        # From the last one, so that the indexes of the others stay right.
        for target in reversed(targets):
            if action.remove:
                data = _removed(target, data, lines)
            else:
                _merge(action, target.value, action.update)
    return replace(file, data=data, lines=lines), repairs


@dataclass(frozen=True)
class _Target:
    """A value that an action changes."""

    path: Sequence[int | str]
    value: Any


def _action(file: ParsedFile, index: int, action: Any) -> Action:
    source = str(file.source(json_pointer("actions", index)))
    if not is_mapping(action) or not isinstance(action.get("target"), str):
        raise AdoptionError(f"{source}: an action of an overlay needs a JSONPath `target`")
    if not action.get("description"):
        raise AdoptionError(f"{source}: describe what the action repairs, and why")
    return Action(
        target=action["target"],
        description=str(action["description"]),
        update=action.get("update"),
        remove=action.get("remove") is True,
        source=source,
    )


def _targets(action: Action, data: Any) -> list[_Target]:
    try:
        matches = jsonpath.finditer(action.target, data)
        return [_Target(match.parts, match.obj) for match in matches]
    except jsonpath.JSONPathError as error:
        raise AdoptionError(f"{action.source}: is no valid JSONPath: {error}") from error


def _removed(target: _Target, data: Any, lines: dict[str, int]) -> Any:
    """The data without a value. `lines` loses what no longer has its place."""
    if not target.path:
        return {}
    *parents, last = target.path
    container = data
    for step in parents:
        container = container[step]
    del container[last]
    if isinstance(last, int):
        # The following elements move up. Their errors name the line of the list.
        prefix = json_pointer(*parents) + "/"
        for pointer in [pointer for pointer in lines if pointer.startswith(prefix)]:
            del lines[pointer]
    return data


def _merge(action: Action, target: Any, update: Any) -> None:
    """Merge an update into a target, in place: Overlay 1.0, "Action Object"."""
    if is_list(target):
        target += deepcopy(update) if is_list(update) else [deepcopy(update)]
        return
    if not is_mapping(target) or not is_mapping(update):
        raise AdoptionError(f"{action.source}: only a mapping or a list can be updated")
    members: Mapping[str, Any] = update
    for name, value in members.items():
        existing = target.get(name)
        if is_mapping(existing) and is_mapping(value):
            _merge(action, existing, value)
        elif is_list(existing) and is_list(value):
            existing += deepcopy(value)
        else:
            target[name] = deepcopy(value)
