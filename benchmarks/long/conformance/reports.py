"""The faults and the figures of a check."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class Mismatch(NamedTuple):
    """A value of one operation that is not as expected."""

    path: str
    expected: str
    got: str


@dataclass(frozen=True)
class Fault:
    """One deviation of the client from the document."""

    operation: str
    """Method and path."""
    place: str
    """Where: of the method, the request or the response."""
    expected: str
    got: str

    def __str__(self) -> str:
        """One line: operation, place, expected, got."""
        text = f"{self.operation}: {self.place}: expected {self.expected}, got {self.got}"
        return text.encode("unicode_escape").decode("ascii")


@dataclass
class Report:
    """The result of a check."""

    faults: list[Fault] = field(default_factory=list[Fault])
    """Each fault once, though it may show up in several samples."""
    counts: Counter[str] = field(default_factory=Counter[str])
    """How many operations, requests, responses and fields were compared."""

    _keys: set[tuple[str, ...]] = field(default_factory=set[tuple[str, ...]])

    def add(self, fault: Fault) -> None:
        """Add a fault, unless the same place has one of the same kind already."""
        key = (fault.operation, fault.place, *fault.expected.split()[:1])
        if key not in self._keys:
            self._keys.add(key)
            self.faults.append(fault)

    def summary(self) -> str:
        """One line with the figures."""
        names = ("operations", "requests", "responses", "fields")
        figures = ", ".join(f"{self.counts[name]:,} {name}" for name in names)
        return f"{figures}, {len(self.faults):,} faults"
