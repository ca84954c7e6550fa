"""What a comparison has to tell, whatever the form in which it is told."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, TypeAlias

from ..rules import ERR, INFO, WARN, Change, Level, Source

LEVELS: tuple[Level, ...] = (ERR, WARN, INFO)
"""The worst first."""

Effect: TypeAlias = Literal["breaks", "drift", "none"]
"""What a change does to our client as it is: `breaks` calls or the reading of answers; is told as wire `drift`, and
nothing else happens; or `none`."""


class Verdict(NamedTuple):
    """What a change means for our client as it is, which was generated from the base."""

    effect: Effect
    reason: str
    """A sentence that says why."""


@dataclass(frozen=True)
class Waiver:
    """A difference that is known, and why it is accepted."""

    id: str
    """The rule's."""
    at: str
    """Where, as a JSON pointer into the base or the revision."""
    reason: str
    source: Source
    """Where the waiver is written."""
    expires: datetime.date | None = None
    """The last day on which it counts."""
    name: str = ""
    """A change's name, where not all of the rule in that place are meant."""
    on_the_wire: bool = False
    """Whether it is there for findings in answers, so that a comparison without any has no use for it."""


@dataclass(frozen=True)
class Entry:
    """A change with all that is to be said of it."""

    change: Change
    verdict: Verdict
    advice: str = ""
    """What to do about it; empty where nobody knows what the comparison is for."""
    waiver: Waiver | None = None
    """The waiver that covers it: then it counts for nothing."""


class Side(Protocol):
    """One of the two that are compared."""

    @property
    def name(self) -> str:
        """What it was asked for by, such as `main:spec/openapi.yaml`."""
        ...

    def text(self, file: str) -> str:
        """The text of a file, by the name that it has in a `Source`; empty where there is none."""
        ...


class Fault(NamedTuple):
    """A waiver that does not do what it is there for."""

    waiver: Waiver
    problem: str
    """Such as `covers nothing any more: remove it`."""


@dataclass(frozen=True)
class Report:
    """All that a comparison has to tell."""

    base: Side
    revision: Side
    entries: tuple[Entry, ...]
    """The worst level first, then by operation and place; those that are waived as well."""
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know beside, such as a reference that leads nowhere, so that what it hides is not compared."""

    @property
    def counted(self) -> tuple[Entry, ...]:
        """The entries that no waiver covers."""
        return tuple(entry for entry in self.entries if entry.waiver is None)

    def fails(self, level: Level) -> bool:
        """Whether there is something of this level or a worse one, or a waiver that is at fault."""
        worst = LEVELS[: LEVELS.index(level) + 1]
        return bool(self.faults) or any(entry.change.level in worst for entry in self.counted)
