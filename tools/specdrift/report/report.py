"""Defines what a comparison reports, independent of the output format."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias

from ..rules import ERR, INFO, WARN, Change, Level, Source

LEVELS: tuple[Level, ...] = (ERR, WARN, INFO)
"""The severities, the worst first."""

Effect: TypeAlias = Literal["breaks", "drift", "none"]
"""What a change does to our client as it is.

`breaks`: calls or the decoding of responses fail. `drift`: the client reports drift, and calls
succeed. `none`: nothing.
"""


@dataclass(frozen=True)
class Report:
    """The result of a comparison."""

    base: Side
    revision: Side
    entries: tuple[Entry, ...]
    """All changes, the waived ones included: the worst severity first, then by operation."""
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    """What was not compared, such as the target of a reference that leads nowhere."""
    level: Level = INFO
    """The lowest severity that is shown. Every severity is counted."""

    fail_on: Level = ERR
    """The lowest severity that fails the comparison."""

    @property
    def shown(self) -> tuple[Entry, ...]:
        """The entries of the shown severities, the waived ones included."""
        shown_levels = LEVELS[: LEVELS.index(self.level) + 1]
        return tuple(entry for entry in self.entries if entry.change.level in shown_levels)

    @property
    def counted(self) -> tuple[Entry, ...]:
        """The entries without a waiver."""
        return tuple(entry for entry in self.entries if entry.waiver is None)

    def is_failing(self, level: Level) -> bool:
        """Whether a change of this severity fails the comparison."""
        return level in LEVELS[: LEVELS.index(self.fail_on) + 1]

    @property
    def fails(self) -> bool:
        """Whether a counted change fails the comparison, or a waiver is faulty."""
        if self.faults:
            return True
        return any(self.is_failing(entry.change.level) for entry in self.counted)


class Side(Protocol):
    """One of the two compared documents."""

    @property
    def name(self) -> str:
        """Its source, such as `main:spec/openapi.yaml`."""
        ...

    def text(self, file: str) -> str:
        """The text of a file, by its name in a `Source`; empty if it is unknown."""
        ...


@dataclass(frozen=True)
class Entry:
    """A change, its meaning, and the waiver that covers it."""

    change: Change
    verdict: Verdict
    advice: str = ""
    """What to do about it; empty unless advice is requested."""
    waiver: Waiver | None = None
    """A waived change does not count."""


class Verdict(NamedTuple):
    """What a change means for our client, which was generated from the base."""

    effect: Effect
    reason: str
    """One or two sentences."""


@dataclass(frozen=True)
class Waiver:
    """An accepted difference."""

    id: str
    """The check id of the changes that it covers."""
    at: str
    """Their JSON pointer in the base or in the revision."""
    reason: str
    source: Source
    """The line of the waiver."""
    expires: datetime.date | None = None
    """Its last day."""
    name: str = ""
    """The name of the change, if the waiver covers only one of several changes in the place."""
    on_the_wire: bool = False
    """Whether it covers findings of clients only, so that it may be unused in a comparison."""


class Fault(NamedTuple):
    """A waiver that is expired or unused."""

    waiver: Waiver
    problem: str
    """The problem and its remedy, such as `covers nothing any more: remove it`."""
