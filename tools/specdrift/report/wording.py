"""What several forms of output say alike: places, groups, counts, and the verdict in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ..rules import ERR, INFO, WARN, Change, Level, Source, worst
from .report import LEVELS, Effect, Entry, Fault, Report, Waiver

DOCUMENT = "The document as a whole"
"""The heading of what is in no operation."""

CONTRACT: dict[Level, str] = {
    ERR: "Breaks the contract",
    WARN: "May break the contract",
    INFO: "Does not break the contract",
}

CLIENT: dict[Effect, str] = {
    "breaks": "Breaks our client",
    "drift": "Shows in our client as wire drift only",
    "none": "Does not affect our client",
}
"""The worst first."""


class Spot(NamedTuple):
    """Where a change is on one of the two sides."""

    role: str
    """`base` or `revision`."""
    pointer: str
    source: Source | None
    there: bool
    """Whether it is on this side at all; if not, the source is that of what surrounds its place."""

    def __str__(self) -> str:
        where = str(self.source) if self.source else self.pointer
        if self.there:
            return where or "the whole document"
        return f"not there, around {where}" if where else "not there"

    def data(self) -> dict[str, object]:
        """The same as JSON."""
        return {
            "pointer": self.pointer if self.there else None,
            "source": self.source and self.source._asdict(),
        }


def spots(change: Change) -> tuple[Spot, Spot]:
    """Where a change is in the base and in the revision."""
    base, revision = change.base_pointer, change.revision_pointer
    whole = not (base or revision)  # the pointer to a whole document is empty as well
    return (
        Spot("base", base, change.base_source, whole or bool(base)),
        Spot("revision", revision, change.revision_source, whole or bool(revision)),
    )


def grouped(entries: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    """The entries by operation, in their order; those of the document as a whole last, with their heading."""
    groups = dict[str, list[Entry]]()
    for entry in sorted(entries, key=lambda entry: not entry.change.operation):
        groups.setdefault(entry.change.operation or DOCUMENT, []).append(entry)
    return list(groups.items())


def counts(entries: Iterable[Entry]) -> dict[str, int]:
    """How many there are of each level that count, and how many are waived."""
    found = Counter("waived" if entry.waiver else entry.change.level for entry in entries)
    return {name: found[name] for name in (*LEVELS, "waived")}


def until(waiver: Waiver) -> str:
    """How long a waiver counts, to be put behind its reason; empty where that is for good."""
    return f" (until {waiver.expires.isoformat()})" if waiver.expires else ""


def told_fault(fault: Fault) -> str:
    """A waiver that is at fault, and what is wrong with it."""
    return f"The waiver of {fault.waiver.id} at {fault.waiver.at} {fault.problem}"


def verdict(entry: Entry) -> str:
    """What a change means for our client, in words."""
    return f"{CLIENT[entry.verdict.effect]}. {entry.verdict.reason}".rstrip()


def sentences(entry: Entry) -> list[str]:
    """A change, what it means for our client, and what to do about it where that is known."""
    return [entry.change.text, verdict(entry), *filter(None, [entry.advice])]


def headline(report: Report) -> str:
    """What the whole comparison means, in a sentence or two."""
    if not report.counted:
        return "Nothing changed but what is waived." if report.entries else "Nothing changed."
    level = worst(entry.change.level for entry in report.counted)
    effects = {entry.verdict.effect for entry in report.counted}
    return f"{CONTRACT[level]}. {next(words for effect, words in CLIENT.items() if effect in effects)}."


def summary(report: Report) -> str:
    """The counts, such as `2 ERR, 1 WARN, 3 INFO, 4 waived`."""
    told = [f"{number} {name}" for name, number in counts(report.entries).items()]
    if report.faults:
        told.append(f"{len(report.faults)} waiver{'s' * (len(report.faults) > 1)} at fault")
    return ", ".join(told)


def visible(text: str) -> str:
    """A text of a document on one line, with what a terminal would obey, or nobody would see, written out.

    That is control characters, ends of lines, marks that turn the direction of writing, and lone surrogates, which
    cannot be written to a file.
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def clipped(text: str, most: int) -> str:
    """The same, cut where it is longer than some characters."""
    shown = visible(text[: most + 1])
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
