"""Arranges edits by operation or component, and in each as a tree of the places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..model.document import unescaped
from ..rules import Change
from .edits import Edit
from .excerpts import Excerpt
from .report import Entry
from .wording import WHOLE_DOCUMENT

MAXIMUM_STEPS = 8
"""Steps into a schema. Deeper places share the last step, because a page cannot indent forever."""

SEVERAL_OPERATIONS = "Several operations"
"""The heading of edits outside components that affect several operations."""

# A change has no structured place: its sentence names the parameter, the status and the schema.
_SCHEMA_PLACE = re.compile(r", at `([^`]+)`, ")
_PARAMETER = re.compile(r"The (\w+ parameter \S+)")
_HEADER = re.compile(r"The (header \S+) of the response ")
_STATUS = re.compile(
    r"(?:\b(?:response|status) |/responses/)([1-5](?:\d\d|XX)|default)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Item:
    """An edit on the page."""

    number: int
    """Identifies the change in links."""
    edit: Edit
    excerpts: tuple[Excerpt, Excerpt]
    """The lines of the base and of the revision."""

    @property
    def entry(self) -> Entry:
        """The change of the first operation, with its meaning."""
        return self.edit.entry


@dataclass(frozen=True)
class Branch:
    """A place in an operation, with the changes there and in deeper places."""

    name: str
    items: list[Item] = field(default_factory=list[Item])
    branches: dict[str, Branch] = field(default_factory=dict[str, "Branch"])
    """The deeper places, by name."""


@dataclass(frozen=True)
class EditGroup:
    """The edits of one operation, of one component, or of the document as a whole."""

    heading: str
    edits: list[Edit]


def group_by_owner(edits: Iterable[Edit]) -> list[EditGroup]:
    """Group edits by what they change, in their order. The whole document is the last group.

    An edit of a component that several operations use belongs to the component.
    """
    groups: dict[str, list[Edit]] = {}
    for edit in edits:
        groups.setdefault(_owner(edit), []).append(edit)
    whole_document = groups.pop(WHOLE_DOCUMENT, None)
    if whole_document:
        groups[WHOLE_DOCUMENT] = whole_document
    return [EditGroup(heading, sorted(group, key=_sort_key)) for heading, group in groups.items()]


def _owner(edit: Edit) -> str:
    if not edit.operations:
        return WHOLE_DOCUMENT
    if len(edit.operations) == 1:
        return edit.operations[0]
    names = _names(edit.change)
    if names[:1] == ["components"]:
        # For example `Account (schemas)`.
        return f"{names[2]} ({names[1]})" if len(names) > 2 else "components"
    return SEVERAL_OPERATIONS


def _names(change: Change) -> list[str]:
    """The names in the pointer of a change, without the file and the empty name at its start."""
    pointer = change.revision_pointer or change.base_pointer
    return [unescaped(token) for token in pointer.rpartition("#")[2].split("/")[1:]]


def _sort_key(edit: Edit) -> list[tuple[bool, str]]:
    """The order of the page: parameters before the body."""
    return [(step != "Parameters", step) for step in steps_of(edit)]


def build_tree(items: Sequence[Item]) -> Branch:
    """Arrange the sorted items of one group. The name of the root is empty."""
    root = Branch("")
    for item in items:
        branch = root
        for step in steps_of(item.edit):
            branch = branch.branches.setdefault(step, Branch(step))
        branch.items.append(item)
    return _joined(root)


def steps_of(edit: Edit) -> tuple[str, ...]:
    """The steps from the heading of the group to an edit."""
    if len(edit.operations) < 2:
        return steps(edit.change)
    names = _names(edit.change)
    # The heading names the component. Of the keywords in between, `properties` says nothing.
    below = [name for name in names[3:] if name != "properties"]
    return tuple(below[:MAXIMUM_STEPS])


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
