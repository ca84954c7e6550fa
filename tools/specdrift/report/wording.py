"""Provides the sentences, groups and counts that several output formats share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from ..rules import ERR, INFO, WARN, Change, Level, Source, worst
from ..terminal import visible
from .edits import group_by_edit
from .report import LEVELS, Effect, Entry, Fault, Report, Waiver

WHOLE_DOCUMENT = "The document as a whole"
"""The heading of changes outside all operations."""

CONTRACT_WORDS: dict[Level, str] = {
    ERR: "Breaks the contract",
    WARN: "May break the contract",
    INFO: "Does not break the contract",
}

CLIENT_WORDS: dict[Effect, str] = {
    "breaks": "Breaks our client",
    "drift": "Shows in our client as wire drift only",
    "none": "Does not affect our client",
}
"""The worst first."""


def headline(report: Report) -> str:
    """What the whole comparison means, in one or two sentences."""
    if not report.entries:
        return "Nothing changed."
    if not report.counted:
        return "Nothing changed except what is waived."
    level = worst(entry.change.level for entry in report.counted)
    effect = _worst_effect(report.counted)
    return f"{CONTRACT_WORDS[level]}. {CLIENT_WORDS[effect]}."


def _worst_effect(entries: Iterable[Entry]) -> Effect:
    effects = {entry.verdict.effect for entry in entries}
    return next(effect for effect in CLIENT_WORDS if effect in effects)


def summary(report: Report) -> str:
    """The counts, such as `2 ERR, 1 WARN, 3 INFO, 4 waived, 1 waiver at fault`."""
    parts = [f"{number} {name}" for name, number in counts(report.entries).items()]
    if len(report.faults) == 1:
        parts.append("1 waiver at fault")
    elif report.faults:
        parts.append(f"{len(report.faults)} waivers at fault")
    return ", ".join(parts)


def counts(entries: Iterable[Entry]) -> dict[str, int]:
    """The number of entries of each severity that are not waived, and of those that are."""
    numbers = Counter("waived" if entry.waiver else entry.change.level for entry in entries)
    return {name: numbers[name] for name in (*LEVELS, "waived")}


def counts_of_edits(entries: Iterable[Entry]) -> dict[str, int]:
    """Like `counts`, but of edits."""
    return counts(edit.entry for edit in group_by_edit(entries))


def edit_counts(report: Report) -> str:
    """The counts, such as `2 ERR, 1 WARN and 30 INFO edits (120 changes in 12 operations)`."""
    edits = group_by_edit(report.counted)
    numbers = Counter(edit.change.level for edit in edits)
    parts = [f"{numbers[level]} {level}" for level in LEVELS if numbers[level]]
    if not parts:
        return "no edits that count"
    text = " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
    noun = "edit" if len(edits) == 1 else "edits"
    if len(edits) == len(report.counted):
        return f"{text} {noun}"
    operations = {entry.change.operation for entry in report.counted} - {""}
    return f"{text} {noun} ({len(report.counted)} changes in {len(operations)} operations)"


def hidden_sentence(report: Report) -> str:
    """How many edits are not shown because of their severity; empty if all are."""
    shown = set(report.shown)
    hidden = group_by_edit(entry for entry in report.counted if entry not in shown)
    if not hidden:
        return ""
    noun = "edit" if len(hidden) == 1 else "edits"
    return f"{len(hidden)} {noun} below {report.level} not shown."


def sentences(entry: Entry) -> list[str]:
    """The sentences about a change, its meaning for our client, and the advice if there is any."""
    parts = [entry.change.text, client_sentence(entry)]
    if entry.advice:
        parts.append(entry.advice)
    return parts


def client_sentence(entry: Entry) -> str:
    """What a change means for our client, with the reason."""
    return f"{CLIENT_WORDS[entry.verdict.effect]}. {entry.verdict.reason}".rstrip()


def fault_sentence(fault: Fault) -> str:
    """What is wrong with a waiver."""
    return f"The waiver of {fault.waiver.id} at {fault.waiver.at} {fault.problem}"


def expiry_suffix(waiver: Waiver) -> str:
    """The text to append to a waiver's reason: its last day, or nothing if it does not expire."""
    if waiver.expires is None:
        return ""
    return f" (until {waiver.expires.isoformat()})"


class WaivedChange(NamedTuple):
    """A waived change in few words."""

    sentence: str
    reason: str
    """Why it is accepted."""


def waived_changes(report: Report) -> list[WaivedChange]:
    """The waived changes, in the order of the report."""
    return [
        WaivedChange(_short_sentence(entry.change), f"{waiver.reason}{expiry_suffix(waiver)}")
        for entry in report.entries
        if (waiver := entry.waiver) is not None
    ]


def _short_sentence(change: Change) -> str:
    place = f" in {change.operation}" if change.operation else ""
    return f"{change.level} {change.id}{place}: {change.text}"


class Location(NamedTuple):
    """Where a change is in one of the two documents."""

    role: str
    """`base` or `revision`."""
    pointer: str
    source: Source | None
    """The line of the place. If the place does not exist, the line of what surrounds it."""
    exists: bool
    """Whether the changed part exists in this document."""

    def __str__(self) -> str:
        place = str(self.source) if self.source else self.pointer
        if self.exists:
            return place or "the whole document"
        if place:
            return f"not there, around {place}"
        return "not there"


def locations(change: Change) -> tuple[Location, Location]:
    """Where a change is in the base and in the revision."""
    # The pointer to a whole document is empty, as is the pointer to nothing.
    whole_document = change.base_pointer == "" and change.revision_pointer == ""
    base = Location(
        role="base",
        pointer=change.base_pointer,
        source=change.base_source,
        exists=whole_document or change.base_pointer != "",
    )
    revision = Location(
        role="revision",
        pointer=change.revision_pointer,
        source=change.revision_source,
        exists=whole_document or change.revision_pointer != "",
    )
    return base, revision


def shortened(text: str, length: int) -> str:
    """Make a text visible, and cut it if it is longer than a number of characters."""
    # Escapes only make a text longer, so one character more is enough to detect the excess.
    visible_text = visible(text[: length + 1])
    if len(visible_text) <= length:
        return visible_text
    return f"{visible_text[: length - 1]}…"
