"""Lists every difference in the structure of two documents, also where the meaning is equal.

References are followed, so that an inlined schema is no difference. Each pair of places is compared
once: the list is finite for recursive schemas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .comparison.selection import Selection, Selections
from .model.document import Document, Node, is_list, is_mapping

Action: TypeAlias = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class Difference:
    """A value that only one document has, or that differs."""

    action: Action
    base_pointer: str
    """The JSON pointer into the base; empty for an added value."""
    revision_pointer: str
    """The JSON pointer into the revision; empty for a removed value."""
    old: Any
    new: Any


_Pair: TypeAlias = tuple[Node, Node]


def structural_differences(
    base: Document, revised: Document, selections: Selections
) -> Iterator[Difference]:
    """Yield the differences in the order of the documents.

    Args:
        base: The older document.
        revised: The newer document.
        selections: The paths to compare. If paths are excluded, everything outside the paths is
            compared only as far as the other paths refer to it.
    """
    # A stack instead of recursion, so that any depth works.
    stack: list[_Pair | Difference] = [(base.root, revised.root)]
    compared_pairs = set[tuple[str, str]]()
    while stack:
        item = stack.pop()
        if isinstance(item, Difference):
            yield item
            continue
        base_node = item[0].part()
        revised_node = item[1].part()
        key = (base_node.location, revised_node.location)
        if key in compared_pairs:
            continue
        compared_pairs.add(key)
        stack.extend(reversed(list(_compare(base_node, revised_node, selections))))


def _compare(base: Node, revised: Node, selections: Selections) -> Iterator[_Pair | Difference]:
    """The differences of two nodes, and the pairs of their members that are not compared yet."""
    if not _have_members(base, revised):
        # Python takes 1 for True, and 1.0 for 1. Only the second is the same in JSON.
        if base.value != revised.value or _is_boolean(base) != _is_boolean(revised):
            yield Difference("changed", base.location, revised.location, base.value, revised.value)
        return
    base_members = _members(base, selections.base)
    revised_members = _members(revised, selections.revised)
    for name, base_member in base_members.items():
        if name in revised_members:
            yield base_member, revised_members[name]
        else:
            yield Difference("removed", base_member.location, "", base_member.value, None)
    for name, revised_member in revised_members.items():
        if name not in base_members:
            yield Difference("added", "", revised_member.location, None, revised_member.value)


def _have_members(base: Node, revised: Node) -> bool:
    if is_mapping(base.value) and is_mapping(revised.value):
        return True
    return is_list(base.value) and is_list(revised.value)


def _is_boolean(node: Node) -> bool:
    return isinstance(node.value, bool)


def _members(node: Node, selection: Selection) -> dict[str, Node]:
    members = dict(node.children())
    if node.location == "":
        if selection.is_partial:
            return {name: member for name, member in members.items() if name == "paths"}
        return members
    if node.location != "/paths":
        return members
    return {
        selection.name_of(template): member
        for template, member in members.items()
        if selection.includes(template)
    }
