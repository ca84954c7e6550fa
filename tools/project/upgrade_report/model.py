"""The data that the steps of an upgrade report share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from specdrift import Level

from .copies import Copy

LEVELS: tuple[Level, ...] = ("ERR", "WARN", "INFO")
"""The severities of specdrift and of `project.surface`, the worst first."""

WHOLE_API = "the whole API"
"""The place of a change outside all operations."""

Subject: TypeAlias = Literal["Python", "spec"]


@dataclass(frozen=True)
class UpgradeChange:
    """One change between two copies."""

    level: Level
    subject: Subject
    place: str
    """The operation, or the public path of the Python name."""
    text: str
    """A sentence."""
    id: str
    """The kind of the change, as specdrift or `project.surface` calls it."""
    location: str
    """A JSON pointer into the spec, or a file and line; empty if there is none."""


@dataclass(frozen=True)
class UpgradeReport:
    """What it means to replace one copy by another."""

    base: Copy
    revision: Copy
    changes: tuple[UpgradeChange, ...]
    """The worst severity first."""
    notes: tuple[str, ...]
    """What was not compared. A report with a note is incomplete."""
    hint: str = ""
    """What the reader of a complete report should know; empty if there is nothing."""

    @property
    def breaks(self) -> bool:
        """Whether a change breaks correct code."""
        return any(change.level == "ERR" for change in self.changes)

    def with_level(self, level: Level) -> list[UpgradeChange]:
        """The changes with one severity."""
        return [change for change in self.changes if change.level == level]
