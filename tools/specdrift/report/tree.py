"""Arranges the changes of an operation as a tree of the places where they happen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..rules import ERR, Change
from .excerpts import Excerpt
from .report import Entry

MAXIMUM_STEPS = 8
"""Steps into a schema. Deeper places share the last step, because a page cannot indent forever."""

# A change has no structured place: its sentence names the parameter, the status and the schema.
_SCHEMA_PLACE = re.compile(r", at `([^`]+)`, ")
_PARAMETER = re.compile(r"The (\w+ parameter \S+)")
_HEADER = re.compile(r"The (header \S+) of the response ")
_STATUS = re.compile(
    r"(?:\b(?:response|status) |/responses/)([1-5](?:\d\d|XX)|default)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Item:
    """A change on the page."""

    number: int
    """Identifies the change in links."""
    entry: Entry
    excerpts: tuple[Excerpt, Excerpt]
    """The lines of the base and of the revision."""

    @property
    def breaks(self) -> bool:
        """Whether it counts, and breaks the contract or our client."""
        if self.entry.waiver is not None:
            return False
        return self.entry.change.level == ERR or self.entry.verdict.effect == "breaks"


@dataclass(frozen=True)
class Branch:
    """A place in an operation, with the changes there and in deeper places."""

    name: str
    items: list[Item] = field(default_factory=list[Item])
    branches: dict[str, Branch] = field(default_factory=dict[str, "Branch"])
    """The deeper places, by name."""


def sorted_by_place(entries: Sequence[Entry]) -> list[Entry]:
    """Sort the entries of an operation as the tree shows them: parameters before the body."""
    return sorted(entries, key=_sort_key)


def _sort_key(entry: Entry) -> list[tuple[bool, str]]:
    return [(step != "Parameters", step) for step in steps(entry.change)]


def build_tree(items: Sequence[Item]) -> Branch:
    """Arrange the sorted items of one operation. The name of the root is empty."""
    root = Branch("")
    for item in items:
        branch = root
        for step in steps(item.entry.change):
            branch = branch.branches.setdefault(step, Branch(step))
        branch.items.append(item)
    return _joined(root)


def _joined(branch: Branch) -> Branch:
    """Join every place that contains only one deeper place with it: `feedback › rating`."""
    branches = {name: _joined(deeper) for name, deeper in branch.branches.items()}
    if branch.name and not branch.items and len(branches) == 1:
        (only_branch,) = branches.values()
        name = f"{branch.name} › {only_branch.name}"
        return Branch(name, only_branch.items, only_branch.branches)
    return Branch(branch.name, branch.items, branches)


def steps(change: Change) -> tuple[str, ...]:
    """The steps from the operation to a change, such as `Request`, `Body`, `starred`."""
    if change.direction == "none":
        return ()
    if change.direction == "request":
        return (*_request_steps(change), *_schema_steps(change))
    return (*_response_steps(change), *_schema_steps(change))


def _request_steps(change: Change) -> tuple[str, ...]:
    parameter = _PARAMETER.match(change.text)
    if parameter is None:
        return ("Request", "Body")
    return ("Request", "Parameters", parameter[1].rstrip(","))


def _response_steps(change: Change) -> tuple[str, ...]:
    status = _STATUS.search(f"{change.text} {change.revision_pointer} {change.base_pointer}")
    response = f"Response {status[1]}" if status else "Response"
    header = _HEADER.match(change.text)
    if header is None:
        return (response,)
    return (response, header[1])


def _schema_steps(change: Change) -> list[str]:
    place = _SCHEMA_PLACE.search(change.text)
    if place is None:
        return []
    return place[1].split("/", MAXIMUM_STEPS - 1)
