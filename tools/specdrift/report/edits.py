"""Groups changes by the edit that caused them, so that a reader sees each edit once.

One edit of a component changes every operation that uses it. A comparison reports the change for
each of them, because a waiver or a program needs that. A person needs the edit, and the list of the
operations.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from ..rules import Change
from .report import Entry

MAXIMUM_NAMED_OPERATIONS = 3
"""How many of the affected operations a short list names."""


_IDS_OF_PROPERTIES = re.compile(
    "new-(required|optional)-|(required|optional)-property-|property-(removed|forbidden)"
    "|-became-(required|optional)|-deprecated$|-reactivated$"
)
"""The ids of changes of what an object says about a property, and not of its schema."""


@dataclass(frozen=True)
class Edit:
    """Changes with one cause: the same check id in the same place of both documents."""

    entries: tuple[Entry, ...]
    """The changes, in the order of the report. They differ only in their operation and path."""

    @property
    def entry(self) -> Entry:
        """The first of the changes, which stands for all of them."""
        return self.entries[0]

    @property
    def change(self) -> Change:
        """The change of the first operation."""
        return self.entry.change

    @property
    def operations(self) -> tuple[str, ...]:
        """The affected operations, each once; empty if the edit is about the whole document."""
        operations = dict.fromkeys(entry.change.operation for entry in self.entries)
        return tuple(operation for operation in operations if operation)

    @property
    def breaks(self) -> bool:
        """Whether it counts, and breaks the contract or our client."""
        if self.entry.waiver is not None:
            return False
        return self.change.level == "ERR" or self.entry.verdict.effect == "breaks"


def group_by_edit(entries: Iterable[Entry]) -> list[Edit]:
    """Group entries by edit, in the order of their first entry."""
    groups: dict[Hashable, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_key(entry), []).append(entry)
    return [Edit(tuple(group)) for group in groups.values()]


def operations_in_short(edit: Edit) -> str:
    """The affected operations for a sentence: the first few, and how many more there are."""
    named = edit.operations[:MAXIMUM_NAMED_OPERATIONS]
    others = len(edit.operations) - len(named)
    text = ", ".join(named)
    if others == 0:
        return text
    return f"{text} and {others} more"


def most_affected_operations(edits: Iterable[Edit], number: int) -> list[tuple[str, int]]:
    """The operations with the most edits, with the number of their edits."""
    counter = Counter(operation for edit in edits for operation in edit.operations)
    return counter.most_common(number)


def _key(entry: Entry) -> Hashable:
    change = entry.change
    places = (change.base_pointer, change.revision_pointer)
    # Without a place, only the sentence tells two changes apart.
    text = change.text if places == ("", "") else ""
    # What follows the place can depend on the operation: a draft has another severity.
    judgement = (change.level, entry.verdict, entry.advice, entry.waiver)
    is_about_document = change.operation == ""
    # Two properties can refer to one component, whose place is then that of both changes.
    property_name = change.path[-1:] if _IDS_OF_PROPERTIES.search(change.id) else ()
    return (change.id, places, change.name, property_name, text, is_about_document, judgement)
